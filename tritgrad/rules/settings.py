"""Options that more than one rule has."""

from .record import MARGINS, Option

__all__ = ["BATCH", "LACKS_OF_LOSSES", "SPARSITY", "STEPS"]

BATCH = Option("batch", "With --rule spsa and fd, keep N samples on the chip, {range}.  [default: "
                        "127]", None, (1, 1023))
STEPS = Option("steps", "With --rule spsa and fd, take N steps on each batch.  [default: spsa 8, "
                        "fd 64]", None, (1, (1 << 24) - 1))
SPARSITY = Option("sparsity", "With --rule spsa, perturb one weight in 2^K, K from {range}; with "
                              "--vote, let one weight in 2^K step.  [default: spsa 5, vote 6]",
                  None, (1, 6), metavar="K")

#: What the rules that learn from losses do not have.
LACKS_OF_LOSSES = {"output_gain": "has one gain for all layers; leave --output-gain away",
                   **dict.fromkeys(MARGINS, "")}
