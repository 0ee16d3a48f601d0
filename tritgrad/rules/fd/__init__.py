"""Finite differences: steps of single weights, in turn, from losses alone."""

from ..record import Rule
from ..settings import BATCH, LACKS_OF_LOSSES, STEPS

__all__ = ["FD"]

FD = Rule("fd", "from losses beside single weights", (BATCH, STEPS), LACKS_OF_LOSSES, gain=-4,
          method="method:Fd", golden="method:LossGolden")
