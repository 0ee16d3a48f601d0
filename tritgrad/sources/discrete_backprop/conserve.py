"""GF(3) conservation on the source's lists of single gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tritgrad.errors import BadInput
from tritgrad.model.discrete import gf3
from tritgrad.sources.discrete_backprop.single import TritGradient, vector

__all__ = ["GF3ConservativeOptimizer"]


class GF3ConservativeOptimizer:
    """Moves three groups of parameters by trits whose sum over all groups is 0 mod 3.

    Parameters
    ----------
    param_groups
        3.
    literal
        Repair sums by the source's formula, ``(v + a - 1) % 3 - 1``, which never makes one 0.

    Attributes
    ----------
    trit_sums
        The groups' sums mod 3 after the last update; the source never sets it.
    """

    def __init__(self, param_groups: int = 3, *, literal: bool = False):
        self._rule = gf3.GF3ConservativeOptimizer(param_groups, literal=literal)
        self.param_groups, self.trit_sums = param_groups, [0] * param_groups

    def balanced_update(self, params: Sequence[Sequence[float]],
                        gradients: Sequence[Sequence[TritGradient]]) -> list[Any]:
        """Each group after params + trit * confidence, a list if it was one.

        As in the source, the trit that is changed is changed in `gradients` too.
        """
        if not len(params) == len(gradients) == self.param_groups:
            raise BadInput(f"params and gradients must be of {self.param_groups} groups, not of "
                           f"{len(params)} and {len(gradients)}")
        balanced = self._rule.balance([vector(group) for group in gradients])
        for group, made in zip(gradients, balanced, strict=True):
            for single, trit in zip(group, made.value.tolist(), strict=True):
                single.value = trit
        self.trit_sums = [int(made.value.sum(dtype=np.int64)) % 3 for made in balanced]
        return [moved if isinstance(group, np.ndarray) else moved.tolist()
                for group, moved in ((group, made.moved(group))
                                     for group, made in zip(params, balanced, strict=True))]
