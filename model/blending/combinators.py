"""Differentiable functions on finite distributions, put together from parts with their adjoints.

After the posts of "Automating Mathematics" (Siddhartha Gadgil, 2014-12-31 to 2015-01-09). A
function A -> B comes with its gradient at a, B -> A, which is the adjoint of its derivative there:
gradients of compositions are compositions of gradients, the other way round. Spaces are numbers,
distributions and tuples of spaces; numbers of type Fraction stay exact.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from ...errors import BadInput

__all__ = ["Differentiable", "Distribution", "atom", "big_sum", "combination", "constant", "dot",
           "evaluate", "formal", "identity", "iterate", "move", "normalizing", "pair", "part",
           "plus", "product", "scaled", "times", "total"]

Distribution = dict[Hashable, Any]
#: A partial map: a mapping, or a function that returns None where it is not defined.
Partial = Mapping[Any, Hashable] | Callable[..., Hashable | None]


@dataclass(frozen=True)
class Differentiable:
    """A function and its gradient.

    Parameters
    ----------
    value
        From a to its image.
    adjoint
        From a and what the image is credited with to what a is credited with.
    """

    value: Callable[[Any], Any]
    adjoint: Callable[[Any, Any], Any]

    def __call__(self, a: Any) -> Any:
        return self.value(a)

    def gradient(self, a: Any, w: Any) -> Any:
        """The adjoint of the derivative at `a`, applied to `w`."""
        return self.adjoint(a, w)

    def then(self, after: Differentiable) -> Differentiable:
        """First this one, then `after`: grad(a)(w) = this'(a)(after'(this(a))(w))."""
        return Differentiable(lambda a: after(self(a)),
                              lambda a, w: self.gradient(a, after.gradient(self(a), w)))


# Spaces -----------------------------------------------------------------------------------------

def plus(a: Any, b: Any) -> Any:
    """The sum of two points of a space; weights of 0 leave a distribution."""
    if isinstance(a, dict):
        out = dict(a)
        for v, w in b.items():
            out[v] = out.get(v, 0) + w
        return {v: w for v, w in out.items() if w}
    if isinstance(a, tuple):
        return tuple(plus(x, y) for x, y in zip(a, b, strict=True))
    return a + b


def times(scale: Any, a: Any) -> Any:
    """A point times a number."""
    if isinstance(a, dict):
        return {v: scale * w for v, w in a.items() if scale * w}
    if isinstance(a, tuple):
        return tuple(times(scale, x) for x in a)
    return scale * a


def dot(a: Any, b: Any) -> Any:
    """The inner product of two points."""
    if isinstance(a, dict):
        return sum(w * b[v] for v, w in a.items() if v in b)
    if isinstance(a, tuple):
        return sum(dot(x, y) for x, y in zip(a, b, strict=True))
    return a * b


# Functions --------------------------------------------------------------------------------------

def identity() -> Differentiable:
    """What persists; it credits everything in w, whatever the support of a is."""
    return Differentiable(lambda a: a, lambda a, w: w)


def constant(b: Any) -> Differentiable:
    """A fixed point; it credits nothing."""
    return Differentiable(lambda a: b, lambda a, w: times(0, a))


def evaluate(v: Hashable) -> Differentiable:
    """The weight of an object: mu -> mu(v), w -> w delta_v."""
    return Differentiable(lambda mu: mu.get(v, 0), lambda mu, w: {v: w} if w else {})


def atom(v: Hashable) -> Differentiable:
    """A weight as a distribution on one object, the adjoint of `evaluate`."""
    return Differentiable(lambda p: {v: p} if p else {}, lambda p, w: w.get(v, 0))


def move(f: Partial) -> Differentiable:
    """Weight goes along a partial map; each object of the support is credited with w(f(v))."""
    def push(mu: Distribution) -> Distribution:
        out: Distribution = {}
        for v, w in mu.items():
            if (image := _image(f, v)) is not None:
                out[image] = out.get(image, 0) + w
        return {v: w for v, w in out.items() if w}

    def pull(mu: Distribution, w: Distribution) -> Distribution:
        found = {v: w.get(_image(f, v), 0) for v in mu}
        return {v: value for v, value in found.items() if value}

    return Differentiable(push, pull)


def combination(f: Partial) -> Differentiable:
    """Pairs of objects make new ones by a partial map of two: mu -> sum mu(x) mu(y) delta_f(x, y).

    The gradient credits both arguments.
    """
    def pairs(mu: Distribution) -> Iterable[tuple[Any, Any, Hashable]]:
        for x in mu:
            for y in mu:
                image = f.get((x, y)) if isinstance(f, Mapping) else f(x, y)
                if image is not None:
                    yield x, y, image

    def push(mu: Distribution) -> Distribution:
        out: Distribution = {}
        for x, y, image in pairs(mu):
            out[image] = out.get(image, 0) + mu[x] * mu[y]
        return {v: w for v, w in out.items() if w}

    def pull(mu: Distribution, w: Distribution) -> Distribution:
        out: Distribution = {}
        for x, y, image in pairs(mu):
            out[x] = out.get(x, 0) + mu[y] * w.get(image, 0)
            out[y] = out.get(y, 0) + mu[x] * w.get(image, 0)
        return {v: value for v, value in out.items() if value}

    return Differentiable(push, pull)


def scaled(weight: Any, f: Differentiable) -> Differentiable:
    """A function times a fixed number."""
    return Differentiable(lambda a: times(weight, f(a)),
                          lambda a, w: f.gradient(a, times(weight, w)))


def product(m: Differentiable, f: Differentiable) -> Differentiable:
    """A function times a weight that depends on the argument: a -> m(a) f(a).

    It credits the weight with <f(a), w> even where m(a) is 0.
    """
    return Differentiable(
        lambda a: times(m(a), f(a)),
        lambda a, w: plus(m.gradient(a, dot(f(a), w)), f.gradient(a, times(m(a), w))))


def total(*functions: Differentiable) -> Differentiable:
    """The sum of functions, of one at least."""
    if not functions:
        raise BadInput("a total must be of one function at least")

    return Differentiable(lambda a: _added(f(a) for f in functions),
                          lambda a, w: _added(f.gradient(a, w) for f in functions))


def big_sum(objects: Callable[[Any], Set[Hashable]], term: Callable[[Any], Differentiable],
            support: Set[Hashable] = frozenset()) -> Differentiable:
    """The sum of a function an object, over objects of the argument and of an explicit support.

    Parameters
    ----------
    objects
        Those that have a term where the argument is a, such as its support.
    term
        The function of an object: 0 for all but finitely many at any argument.
    support
        Objects that have a term too. Where theirs is 0 the value is the same, and not the gradient.
    """
    def terms(a: Any) -> list[Differentiable]:
        found = objects(a)
        return [term(v) for v in (*found, *(v for v in support if v not in found))]

    def value(a: Any) -> Any:
        made = terms(a)
        return total(*made)(a) if made else times(0, a)

    def adjoint(a: Any, w: Any) -> Any:
        made = terms(a)
        return total(*made).gradient(a, w) if made else times(0, a)

    return Differentiable(value, adjoint)


def iterate(f: Differentiable, count: int) -> Differentiable:
    """A function n times after itself, from a space to the same one."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise BadInput(f"iterations must be an integer of at least 0, not {count!r}")
    out = identity()
    for _ in range(count):
        out = out.then(f)
    return out


def normalizing() -> Differentiable:
    """A distribution over its sum of weights; like the source, it credits w over that sum."""
    def weight(mu: Distribution) -> Any:
        found = sum(mu.values())
        if not found:
            raise BadInput("a distribution must have a weight that is not 0")
        return found

    def over(mu: Distribution, w: Distribution) -> Distribution:
        size = weight(mu)
        return {v: value / size for v, value in w.items()}

    return Differentiable(lambda mu: over(mu, mu), over)


def formal(function: Callable[[Any], Any]) -> Differentiable:
    """What has no derivative, such as sampling and pruning, with the identity for its gradient."""
    return Differentiable(function, lambda a, w: w)


def part(k: int) -> Differentiable:
    """A component of a tuple; it credits that one only."""
    return Differentiable(
        lambda a: a[k], lambda a, w: tuple(w if n == k else times(0, x) for n, x in enumerate(a)))


def pair(*functions: Differentiable) -> Differentiable:
    """The tuple of what functions make of one argument."""
    return Differentiable(
        lambda a: tuple(f(a) for f in functions),
        lambda a, w: _added(f.gradient(a, part) for f, part in zip(functions, w, strict=True)))


def _added(parts: Iterable[Any]) -> Any:
    first, *rest = parts
    for other in rest:
        first = plus(first, other)
    return first


def _image(f: Partial, v: Any) -> Hashable | None:
    return f.get(v) if isinstance(f, Mapping) else f(v)
