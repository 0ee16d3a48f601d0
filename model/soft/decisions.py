"""The hard decisions of one sample, from the golden model or from a chip's record.

Neurons and weights are numbered from 0, layers by their place in the tuples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .. import arithmetic
from ..arithmetic import IntArray
from ..margin import MarginNetwork
from ..rng import XorShift64

__all__ = ["HiddenDecisions", "SampleDecisions", "check_sample", "decide"]


@dataclass(frozen=True, eq=False)
class HiddenDecisions:
    """What a hidden layer decided; each (outputs,).

    Attributes
    ----------
    activations
        int64, 0 to 2^a - 1.
    gates
        Whether nothing was clipped.
    errors
        Error trits; all 0 if nothing was learned.
    """

    activations: IntArray
    gates: npt.NDArray[np.bool_]
    errors: IntArray


@dataclass(frozen=True, eq=False)
class SampleDecisions:
    """What a core decided about one sample.

    Attributes
    ----------
    label, prediction, rival
        Classes; the rival is the first maximum of the scores but the label's.
    gap
        Score of the label less that of the rival.
    margin
        M; the sample was learned if the gap is below it.
    learned
        Whether it was.
    scores
        int64 (classes,).
    hidden
        Of each hidden layer.
    flips
        Of each layer int64 (n, 3): row, input and direction (+1 or -1) of each trit that changed,
        in this order.
    saturations
        The same of each counter that would have left its range; the direction is that of the end.
    """

    label: int
    prediction: int
    rival: int
    gap: int
    margin: int
    learned: bool
    scores: IntArray
    hidden: tuple[HiddenDecisions, ...]
    flips: tuple[IntArray, ...]
    saturations: tuple[IntArray, ...]

    @property
    def runner_up(self) -> int:
        """The first maximum of the scores but the prediction's."""
        return arithmetic.scan_scores(self.scores, self.prediction).rival

    @property
    def lead(self) -> int:
        """Score of the prediction less that of the runner-up."""
        return arithmetic.scan_scores(self.scores, self.prediction).gap

    def differences(self, other: SampleDecisions) -> list[str]:
        """Names of the fields, as ``hidden[0].gates``, in which another one is not equal."""
        return _differences("", self, other)


def _differences(name: str, a: object, b: object) -> list[str]:
    if isinstance(a, tuple) and isinstance(b, tuple):
        if len(a) != len(b):
            return [name]
        return [found for n, pair in enumerate(zip(a, b, strict=True))
                for found in _differences(f"{name}[{n}]", *pair)]
    if isinstance(a, (SampleDecisions, HiddenDecisions)):
        return [found for field in fields(a) for found in _differences(
            f"{name}.{field.name}".lstrip("."), getattr(a, field.name), getattr(b, field.name))]
    return [] if np.array_equal(np.asarray(a), np.asarray(b)) else [name]


def check_sample(layers: Sequence[int], planes: int, x: npt.NDArray[np.integer], y: int) -> None:
    """Raise `BadInput` unless a network of these sizes can learn the sample."""
    if x.shape != (layers[0],):
        raise BadInput(f"a sample must have the network's {layers[0]} inputs, not {x.shape!r}")
    if x.min() < 0 or int(x.max()) >> planes:
        raise BadInput(f"inputs must be from 0 to {(1 << planes) - 1}, "
                       f"not {int(x.min())!r} to {int(x.max())!r}")
    if not 0 <= y < layers[-1]:
        raise BadInput(f"a label must be from 0 to {layers[-1] - 1}, not {y!r}")


def decide(network: MarginNetwork, x: npt.NDArray[np.integer], y: int,
           gains: Sequence[int]) -> SampleDecisions:
    """Learn one sample as `MarginNetwork.train_sample` does, and tell all that was decided.

    Parameters
    ----------
    network
        Changed as by `train_sample`.
    x, y, gains
        As of `train_sample`.

    Raises
    ------
    BadInput
        The sample does not fit the network.
    """
    recipe = network.recipe
    check_sample(recipe.layers, recipe.planes, x, y)
    inputs, gates, scores = network.forward_pass(x)
    scan = arithmetic.scan_scores(scores, y)
    learned = scan.gap < recipe.margin
    errors = network.errors(scan.rival, y, gates) if learned else [
        np.zeros(n, np.int64) for n in recipe.layers[1:]]
    before, prng = [c.copy() for c in network.counters], XorShift64(network.prng.state)
    network.train_sample(x, y, gains)
    flips, saturations = [], []
    for old, new, source, error, gain in zip(before, network.counters, inputs, errors, gains,
                                             strict=True):
        moved = (arithmetic.trits(new, recipe.counter_bits)
                 - arithmetic.trits(old, recipe.counter_bits))
        flips.append(_places(np.sign(moved)))
        saturations.append(_places(_ends(old, source, error, gain, prng, recipe.counter_bits)))
    hidden = tuple(HiddenDecisions(*layer)
                   for layer in zip(inputs[1:], gates, errors[:-1], strict=True))
    return SampleDecisions(y, scan.prediction, scan.rival, scan.gap, recipe.margin, learned, scores,
                           hidden, tuple(flips), tuple(saturations))


def _ends(counters: IntArray, x: IntArray, errors: IntArray, gain: int, prng: XorShift64,
          bits: int) -> IntArray:
    """The end (+1 or -1) at which each counter saturates, 0 for none; draws as the update does."""
    half, ends = 1 << (bits - 1), np.zeros_like(counters)
    for j in np.flatnonzero(errors):
        step = arithmetic.steps(x, gain, prng.draw() if gain < 0 else 0)
        # The datapath's adder has no more bits than a step of 2^b - 1 needs.
        wanted = counters[j] + errors[j] * np.minimum(step, 2 * half - 1)
        ends[j] = errors[j] * ((wanted < -half) | (wanted >= half))
    return ends


def _places(directions: IntArray) -> IntArray:
    rows, columns = np.nonzero(directions)
    return np.stack([rows, columns, directions[rows, columns]], axis=1).astype(np.int64)
