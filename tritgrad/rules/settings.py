"""Options that more than one rule has."""

from .record import MARGINS, Setting

__all__ = ["BATCH", "LACKS_OF_LOSSES", "SPARSITY", "STEPS"]

BATCH = Setting("batch", "With --rule spsa and fd, keep N samples on the chip, at most 1023.  "
                         "[default: 127]", (1, 1023))
STEPS = Setting("steps", "With --rule spsa and fd, take N steps on each batch.  [default: spsa 8, "
                         "fd 64]", (1, (1 << 24) - 1))
SPARSITY = Setting("sparsity", "With --rule spsa, perturb one weight in 2^K, K from 1 to 6; with "
                               "--vote, let one weight in 2^K step.  [default: spsa 5, vote 6]",
                   (1, 6), "K")

#: What the rules that learn from losses do not have.
LACKS_OF_LOSSES = {"output_gain": "has one gain for all layers; leave --output-gain away",
                   **dict.fromkeys(MARGINS, "")}
