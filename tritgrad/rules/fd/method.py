"""Rule fd on a device and on the golden model."""

from ..losses import Losses, LossGolden, ProbePlan

__all__ = ["Fd", "LossGolden"]


class Fd(Losses):
    """What `Losses` says, with the numbers of this rule."""

    defaults = ProbePlan(batch=127, steps=64, sparsity=0)
