"""Blending pruning and back-propagation (Siddhartha Gadgil, "Automating Mathematics", 2015-01-07).

Finite distributions, functions on them that carry their adjoints, and the loop of the post.
`tritgrad.model.blending` does the work; here it is under one name, with the feedback and the purges
of the author's code (siddhartha-gadgil/ProvingGround).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tritgrad.errors import BadInput
from tritgrad.model.blending.combinators import (
    Differentiable,
    Distribution,
    atom,
    big_sum,
    combination,
    constant,
    dot,
    evaluate,
    formal,
    identity,
    iterate,
    move,
    normalizing,
    pair,
    part,
    plus,
    product,
    scaled,
    times,
    total,
)
from tritgrad.model.blending.distributions import Blending, Evolution, normalized, purged

__all__ = ["Blending", "Differentiable", "Distribution", "Evolution", "atom", "big_sum",
           "combination", "constant", "dot", "evaluate", "formal", "identity", "iterate", "move",
           "normalized", "normalizing", "pair", "part", "plus", "product", "purge", "purge_fd",
           "raw_feedback", "scaled", "times", "total"]

purge = purged


def purge_fd(mu: Distribution, size: float, seed: int) -> Distribution:
    """Keep each object with probability min(1, size * weight), and make the weights sum to 1.

    Raises `BadInput` if nothing is left, or `size` is not above 0.
    """
    if not size > 0:
        raise BadInput(f"size must be above 0, not {size!r}")
    rng = random.Random(seed)
    return normalized({v: w for v, w in mu.items() if rng.random() < size * w})


def raw_feedback(targets: Distribution,
                 share: Any = 0.1) -> Callable[[Distribution], Distribution]:
    """What the author's code credits: b / (share * b + p) less its mean over the targets.

    Parameters
    ----------
    targets
        The weight b that each object should have; p is the one it has.
    share
        0.1 in the author's code: the most credit is 1 / share.
    """
    def feedback(mu: Distribution) -> Distribution:
        found = {v: b / (share * b + mu.get(v, 0)) for v, b in targets.items() if b}
        mean = sum(found.values()) / len(found) if found else 0
        return {v: value - mean for v, value in found.items()}
    return feedback
