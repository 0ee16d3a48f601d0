"""Simultaneous perturbation: steps along random directions, from losses alone."""

from ..record import Rule
from ..settings import BATCH, LACKS_OF_LOSSES, SPARSITY, STEPS

__all__ = ["SPSA"]

SPSA = Rule("spsa", "from losses beside random directions", (BATCH, STEPS, SPARSITY),
            LACKS_OF_LOSSES, gain=-8, method="method:Spsa", golden="method:LossGolden")
