"""Rule spsa on a device and on the golden model."""

from ..losses import Losses, LossGolden, ProbePlan

__all__ = ["LossGolden", "Spsa"]


class Spsa(Losses):
    """What `Losses` says, with the numbers of this rule."""

    defaults = ProbePlan(batch=127, steps=8, sparsity=5)
