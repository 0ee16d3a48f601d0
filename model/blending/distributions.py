"""Blending pruning and back-propagation (Gadgil, 2015) on finite distributions.

A distribution weighs objects; some objects are functions, and act with their own weight. The
evolution is w0 * mu (identity) + sum of moves + sum over v of mu(v) * F_v(mu). The last sum runs
over the support of mu and of its image, so that an object of weight 0 gets a gradient too.
Weights of type Fraction stay exact.
"""

from collections.abc import Callable, Hashable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from ...errors import BadInput
from .combinators import (
    Differentiable,
    Distribution,
    big_sum,
    evaluate,
    identity,
    move,
    plus,
    product,
    scaled,
    total,
)

__all__ = ["Blending", "Distribution", "Evolution", "normalized", "purged"]

PartialMap = Mapping[Hashable, Hashable]
Feedback = Callable[[Distribution], Distribution]


def normalized(mu: Distribution) -> Distribution:
    """`mu` without weights below 0, summing to 1."""
    kept = {v: w for v, w in mu.items() if w > 0}
    total = sum(kept.values())
    if not total:
        raise BadInput("a distribution must have a positive weight")
    return {v: w / total for v, w in kept.items()}


def purged(mu: Distribution, cutoff: Any) -> Distribution:
    """`mu` without weights up to `cutoff`, summing to 1."""
    return normalized({v: w for v, w in mu.items() if w > cutoff})


@dataclass(frozen=True)
class Evolution:
    """One step of a distribution.

    Parameters
    ----------
    identity
        Weight w0 of what stays.
    moves
        Weight and partial map of each move.
    functions
        The partial map of each object that is a function.
    scale
        Weight of the sum over functions.
    """

    identity: Any
    moves: tuple[tuple[Any, PartialMap], ...]
    functions: Mapping[Hashable, PartialMap]
    scale: Any

    def __call__(self, support: Set[Hashable] = frozenset()) -> Differentiable:
        """The step with terms of weight 0 for the functions in `support`."""
        return total(
            scaled(self.identity, identity()),
            *(scaled(weight, move(f)) for weight, f in self.moves),
            scaled(self.scale, big_sum(
                lambda mu: {v for v in self.functions if mu.get(v, 0)},
                lambda v: product(evaluate(v), move(self.functions[v])),
                self.functions.keys() & support)))

    def forward(self, mu: Distribution, support: Set[Hashable] = frozenset()) -> Distribution:
        """The image of `mu`; `support` adds terms of weight 0 and so changes nothing."""
        return plus({}, self(support)(mu))

    def gradient(self, mu: Distribution, w: Distribution,
                 support: Set[Hashable] = frozenset()) -> Distribution:
        """The adjoint of the derivative at `mu` applied to `w`, entries of 0 left out.

        The identity credits everything in `w`; a move and a function credit what they act on in
        the support of `mu`; a function in either support is credited with <F_v(mu), w>.
        """
        return plus({}, self(support).gradient(mu, w))


class Blending:
    """The loop: forward, support, rebuild, feedback, backward, update, and at times a purge.

    Parameters
    ----------
    evolution
        Makes the step from a support, such as an `Evolution`: terms of weight 0 for objects in it
        must leave the value alone. The step's image gets the feedback.
    feedback
        Weight to credit per object of an image.
    rate
        Step along the gradient.
    every, cutoff
        Loops between purges, and the weight a purge drops up to.
    eps
        An image above this belongs to the support.
    union
        Whether the support of the image joins the sum (without: plain back-propagation).

    Attributes
    ----------
    trace
        The phases of the last loop in order.
    births, deaths
        Objects that entered and left the support of mu so far.
    """

    def __init__(self, evolution: Callable[[Set[Hashable]], Differentiable], mu: Distribution,
                 feedback: Feedback, rate: Any, *, every: int, cutoff: Any, eps: Any = 0,
                 union: bool = True):
        if every < 1:
            raise BadInput(f"every must be at least 1, not {every!r}")
        self.evolution, self.feedback, self.rate = evolution, feedback, rate
        self.mu = normalized(mu)
        self.every, self.cutoff, self.eps, self.union = every, cutoff, eps, union
        self.loops = self.births = self.deaths = 0
        self.trace: list[str] = []

    def loop(self) -> Distribution:
        """One loop; the image before the update."""
        f, mu = self.evolution, self.mu
        self.trace = ["forward"]
        image = f(frozenset())(mu)
        support: Set[Hashable] = frozenset()
        if self.union:
            self.trace += ["support", "rebuild"]
            support = {v for v, w in image.items() if abs(w) > self.eps}
        self.trace.append("feedback")
        w = self.feedback(image)
        self.trace.append("backward")
        g = f(support).gradient(mu, w)
        allowed = set(mu) | support
        self.trace.append("update")
        new = normalized({v: mu.get(v, 0) + self.rate * g.get(v, 0) for v in allowed})
        self.loops += 1
        if self.loops % self.every == 0:
            self.trace.append("purge")
            new = purged(new, self.cutoff)
        self.births += len(set(new) - set(mu))
        self.deaths += len(set(mu) - set(new))
        self.mu = new
        return image
