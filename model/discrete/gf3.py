"""Trits as GF(3), and what keeps their sum 0 mod 3.

Trits that are drawn independently are conserved one time in three only; a stream is conserved
where the last trit of a group is computed, or the sum repaired. Source: plurigrid/asi, skills
discrete-backprop, gf3-pr-verify and skill-embedding-vss.
"""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ..rng import check_seed, splitmix64
from .gradients import Params, TritGradient
from .splitmix import SplitMixTernary, Trits, trits_of

__all__ = ["GF3ConservativeOptimizer", "TripartiteStreams", "Triplet", "balanced_triples",
           "is_conserved", "literal_repair", "repair"]

GROUPS = 3


def is_conserved(trits: Sequence[int] | npt.NDArray[np.integer]) -> bool:
    """Whether the trits sum to 0 mod 3."""
    return int(np.sum(np.asarray(trits, np.int64))) % 3 == 0


def balanced_triples(seed: int, n: int) -> Trits:
    """Triples of two drawn trits and the third that makes their sum 0 mod 3, int8 (n, 3).

    Row k takes outputs 2k and 2k + 1 of SplitMix64, as `SplitMixTernary.next_trit_conserved` does.
    """
    drawn = trits_of(splitmix64(check_seed(seed), np.arange(2 * n))).reshape(n, 2)
    third = (1 - drawn.sum(axis=1, dtype=np.int64)) % 3 - 1
    return np.column_stack([drawn, third]).astype(np.int8)


class Triplet(TypedDict):
    """One trit of each of three streams."""

    minus: int
    ergodic: int
    plus: int
    gf3_sum: int
    conserved: bool


class TripartiteStreams:
    """Three streams, one for each trit; together they sum to 0 by construction.

    Parameters
    ----------
    seed
        0 to 2^64 - 1.

    Attributes
    ----------
    minus, ergodic, plus
        A generator each, the children of `SplitMixTernary.trifurcate`; a triplet advances each
        by one output.
    """

    def __init__(self, seed: int):
        self.minus, self.ergodic, self.plus = SplitMixTernary(seed).trifurcate()

    def next_triplet(self) -> Triplet:
        """The next triplet: always (-1, 0, +1)."""
        for stream in (self.minus, self.ergodic, self.plus):
            stream.next()
        return Triplet(minus=-1, ergodic=0, plus=1, gf3_sum=0, conserved=True)


def repair(value: int, adjustment: int) -> int:
    """The trit that is congruent to value + adjustment mod 3."""
    return (value + adjustment + 1) % 3 - 1


def literal_repair(value: int, adjustment: int) -> int:
    """What the source computes: congruent to value + adjustment + 1, so it never repairs a sum."""
    return (value + adjustment - 1) % 3 - 1


class GF3ConservativeOptimizer:
    """Moves three groups of parameters by trits whose sum over all groups is 0 mod 3.

    Parameters
    ----------
    param_groups
        3; raises `BadInput` otherwise.
    literal
        Balance as the source has it: a repair that never makes a sum 0, in the surest group only.
    """

    def __init__(self, param_groups: int = GROUPS, *, literal: bool = False):
        if param_groups != GROUPS:
            raise BadInput(f"param_groups must be {GROUPS}, not {param_groups!r}")
        self.param_groups, self.literal = param_groups, literal

    def balance(self, gradients: Sequence[TritGradient]) -> list[TritGradient]:
        """The gradients with at most one trit changed, so that all of them sum to 0 mod 3.

        The trit is the first non-zero one of the group with the highest mean confidence, the
        first group among equals. Where that group has none, the next group in this order gives it;
        a sum that needs repair has a non-zero trit in some group.

        Raises
        ------
        BadInput
            There are not three groups.
        """
        if len(gradients) != self.param_groups:
            raise BadInput(f"gradients must be of {self.param_groups} groups, "
                           f"not of {len(gradients)}")
        balanced = list(gradients)
        total = sum(int(g.value.sum(dtype=np.int64)) for g in gradients) % 3
        if total == 0:
            return balanced
        means = [float(g.confidence.mean()) if g.confidence.size else -1.0 for g in gradients]
        order = sorted(range(GROUPS), key=lambda k: -means[k])
        for group in order[:1] if self.literal else order:
            moving = np.flatnonzero(gradients[group].value)
            if moving.size:
                value = gradients[group].value.copy()
                trit = int(value.flat[moving[0]])
                value.flat[moving[0]] = (literal_repair if self.literal else repair)(
                    trit, 3 - total)
                balanced[group] = TritGradient(value, gradients[group].confidence)
                break
        return balanced

    def balanced_update(self, params: Sequence[Params],
                        gradients: Sequence[TritGradient]) -> list[Params]:
        """Each group after params + trit * confidence, with the trits of `balance`.

        Raises
        ------
        BadInput
            There are not three groups, or a group's gradient has another shape.
        """
        if len(params) != self.param_groups:
            raise BadInput(f"params must be of {self.param_groups} groups, not of {len(params)}")
        return [gradient.moved(group)
                for group, gradient in zip(params, self.balance(gradients), strict=True)]
