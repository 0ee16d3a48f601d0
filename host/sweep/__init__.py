"""Many trainings: seeds and options, on one machine, on a cluster, on several boards."""
