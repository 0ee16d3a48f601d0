"""Networks in training from losses alone: the rules ``train-spsa`` and ``train-fd``.

Weights are the counters of the margin rule. A loss is an integer that is computed from scores and
labels of a mini-batch; nothing is differentiated, so activations and loss may be tables, hashes and
argmaxes. No activation is kept from one layer to the next but the current one. Sources:
plurigrid/asi, skill discrete-backprop, classes DiscreteBackprop and SimultaneousPerturbation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .. import arithmetic
from ..arithmetic import IntArray
from ..margin import state_sha256
from ..rng import check_seed, initial_counters
from .direction import directions, step_keys
from .walk import place, state_of

__all__ = ["Activation", "Loss", "PerturbedNetwork", "ProbeStats", "Readout", "argmax", "clipped",
           "confident_step", "first_maximum", "margin_loss", "table", "table_of_signs",
           "wrong_predictions"]

#: From pre-activations (..., outputs) to activations of the same shape.
Activation = Callable[[IntArray], IntArray]
#: From scores (samples, outputs) to predicted classes (samples,).
Readout = Callable[[IntArray], IntArray]
#: From scores (samples, outputs) and labels (samples,) to an integer that is to fall.
Loss = Callable[[IntArray, IntArray], int]

#: Steps whose directions are computed together.
AHEAD = 64


def clipped(shift: int, bits: int) -> Activation:
    """The activation of the margin rule: clip(z >> shift, 0, 2^bits - 1)."""
    return lambda z: np.clip(z >> shift, 0, (1 << bits) - 1)


def table(shift: int, entries: Sequence[int] | npt.NDArray[np.integer]) -> Activation:
    """A table in place of a function: entries[(z >> shift) mod 2^n], for 2^n entries.

    The index wraps, so that a table of random entries is a hash of z.
    """
    values = _power_of_two("entries", entries)
    return lambda z: values[z >> shift & len(values) - 1]


def argmax(z: IntArray) -> IntArray:
    """The winner takes all: 1 at the first maximum, else 0."""
    winners: IntArray = (np.arange(z.shape[-1]) == np.argmax(z, axis=-1)[..., None]).astype(
        np.int64)
    return winners


def first_maximum(scores: IntArray) -> IntArray:
    """The readout of the margin rule: the class with the highest score, the first among equals."""
    return np.argmax(scores, axis=-1)


def table_of_signs(classes: Sequence[int] | npt.NDArray[np.integer]) -> Readout:
    """A readout by address: bit k is set where score k is above 0, and 2^n classes are looked up.

    No score belongs to a class, so there is no margin to enforce.
    """
    values = _power_of_two("classes", classes)
    outputs = len(values).bit_length() - 1
    weights = 1 << np.arange(outputs)

    def read(scores: IntArray) -> IntArray:
        if scores.shape[-1] != outputs:
            raise BadInput(f"a table of {len(values)} classes needs {outputs} outputs, "
                           f"not {scores.shape[-1]}")
        found: IntArray = values[(scores > 0) @ weights]
        return found
    return read


def wrong_predictions(readout: Readout) -> Loss:
    """The number of samples whose predicted class is not their label."""
    return lambda scores, labels: int(np.count_nonzero(readout(scores) != labels))


def margin_loss(margin: int) -> Loss:
    """The sum of clip(margin - gap, 0, 2 * margin), gap as in `units.scan_scores`."""
    def loss(scores: IntArray, labels: IntArray) -> int:
        own = np.take_along_axis(scores, labels[:, None], axis=1)[:, 0]
        others = scores.copy()
        np.put_along_axis(others, labels[:, None], np.iinfo(np.int64).min, axis=1)
        return int(np.clip(margin - (own - others.max(axis=1)), 0, 2 * margin).sum())
    return loss


def confident_step(difference: int, gain: int, bits: int) -> int:
    """How far counters move for a difference of losses: a power of two, or 0.

    2^(floor(log2 |difference|) + gain), at most half a cell, 2^(bits - 3); 0 if the exponent is
    negative. A gain of -n is therefore a threshold of 2^n below which nothing moves.
    """
    exponent = abs(int(difference)).bit_length() - 1 + gain
    return 0 if difference == 0 or exponent < 0 else 1 << min(exponent, bits - 3)


@dataclass(frozen=True)
class ProbeStats:
    """What some steps did."""

    steps: int   #: pairs of losses
    moved: int   #: steps whose difference was worth a move
    flips: int   #: weights whose trit changed
    passes: int  #: samples that went forward, 2 a step and sample


class PerturbedNetwork:
    """A network whose counters learn from differences of losses.

    Parameters
    ----------
    layers
        Inputs, hidden sizes, outputs.
    counter_bits
        b, 6 to 14.
    seed
        Of the initial counters, which are those of the margin rule, and of the directions.
    activations
        One for each hidden layer.
    loss
        What is to fall.

    Attributes
    ----------
    counters
        Per layer int64 (outputs, inputs).
    step
        Number of the next step of `train_spsa`, which its direction depends on.
    weight
        Number of the weight that `train_fd` probes next, layer by layer, row by row.

    Raises
    ------
    BadInput
        Names what does not fit.
    """

    def __init__(self, layers: Sequence[int], counter_bits: int, seed: int,
                 activations: Sequence[Activation], loss: Loss):
        if len(layers) < 2:
            raise BadInput(f"layers must be at least two sizes, not {tuple(layers)!r}")
        if len(activations) != len(layers) - 2:
            raise BadInput(f"activations of {len(layers)} sizes must be {len(layers) - 2}, "
                           f"not {len(activations)}")
        if not 6 <= counter_bits <= 14:
            raise BadInput(f"counter_bits must be an integer from 6 to 14, not {counter_bits!r}")
        self.counter_bits, self.seed = counter_bits, check_seed(seed)
        self.activations, self.loss = tuple(activations), loss
        self.counters = initial_counters(layers, counter_bits, seed)
        self.step = self.weight = 0

    def weights(self) -> list[IntArray]:
        """The trits of every layer."""
        return [arithmetic.trits(c, self.counter_bits) for c in self.counters]

    def scores(self, x: npt.NDArray[np.integer]) -> IntArray:
        """Scores (samples, outputs) of samples (samples, inputs)."""
        return self._forward(self.weights(), x)

    def state_sha256(self) -> str:
        """`tritgrad.model.margin.state_sha256` of the counters."""
        return state_sha256(self.counters)

    def train_spsa(self, x: npt.NDArray[np.integer], y: npt.NDArray[np.integer], steps: int,
                   gain: int, sparsity: int) -> ProbeStats:
        """Take steps on one resident mini-batch along random directions, all weights at once.

        A step sends the mini-batch forward twice, with trits clip(T + t, -1, 1) and
        clip(T - t, -1, 1) for the direction t, and with the difference d of the losses moves every
        counter by -sign(d) * t * `confident_step`. Counters saturate and flip with the hysteresis
        of `units.update`.

        Parameters
        ----------
        x, y
            Mini-batch (samples, inputs) of integers and labels (samples,).
        steps
            How many; each has a direction of its own.
        gain
            As in `confident_step`.
        sparsity
            k: a weight is perturbed with probability 2^-k, see `direction`.
        """
        moved = flips = 0
        inputs, labels = np.asarray(x, np.int64), np.asarray(y, np.int64)
        weights = self.weights()
        for first in range(0, steps, AHEAD):
            count = min(AHEAD, steps - first)
            keys = step_keys(self.seed, self.step, count)
            ahead = directions(keys, [c.shape for c in self.counters], sparsity)
            for n in range(count):
                probe = [layer[n] for layer in ahead]
                difference = (self._loss_beside(weights, probe, 1, inputs, labels)
                              - self._loss_beside(weights, probe, -1, inputs, labels))
                step = confident_step(difference, gain, self.counter_bits)
                if step:
                    moved += 1
                    flips += self._move(probe, -step if difference > 0 else step)
                    weights = self.weights()
            self.step += count
        return ProbeStats(steps, moved, flips, 2 * steps * len(x))

    def train_fd(self, x: npt.NDArray[np.integer], y: npt.NDArray[np.integer], steps: int,
                 gain: int) -> ProbeStats:
        """Take steps on one resident mini-batch, each on one weight, in turn.

        As `train_spsa` with a direction that is +1 at one weight and 0 elsewhere.
        """
        moved = flips = 0
        inputs, labels = np.asarray(x, np.int64), np.asarray(y, np.int64)
        weights = self.weights()
        for _ in range(steps):
            number, *at = place(state_of(self.weight, [c.shape for c in self.counters]))
            layer, where = number - 1, tuple(at)
            trits = weights[layer]
            trit = int(trits[where])
            losses = []
            for side in (1, -1):
                trits[where] = max(-1, min(1, trit + side))
                losses.append(self.loss(self._forward(weights, inputs), labels))
            difference = losses[0] - losses[1]
            step = confident_step(difference, gain, self.counter_bits)
            counters = self.counters[layer]
            after, changed = arithmetic.update(counters[where], 1, np.int64(
                -step if difference > 0 else step), self.counter_bits)
            counters[where] = after
            trits[where] = arithmetic.trits(after, self.counter_bits)
            moved += step > 0
            flips += changed
            self.weight = (self.weight + 1) % sum(c.size for c in self.counters)
        return ProbeStats(steps, moved, flips, 2 * steps * len(x))

    def _forward(self, weights: Sequence[IntArray], x: npt.NDArray[np.integer]) -> IntArray:
        x = np.asarray(x, np.int64)
        for w, activation in zip(weights, self.activations, strict=False):
            x = activation(x @ w.T)
        scores: IntArray = x @ weights[-1].T
        return scores

    def _loss_beside(self, weights: Sequence[IntArray], probe: Sequence[npt.NDArray[np.int8]],
                     side: int, x: IntArray, y: IntArray) -> int:
        beside = [np.clip(w + side * t, -1, 1) for w, t in zip(weights, probe, strict=True)]
        return self.loss(self._forward(beside, x), y)

    def _move(self, probe: Sequence[npt.NDArray[np.int8]], step: int) -> int:
        """Add step * t to all counters; how many trits changed."""
        flips = 0
        for layer, t in enumerate(probe):
            self.counters[layer], changed = arithmetic.update(
                self.counters[layer], step, t.astype(np.int64), self.counter_bits)
            flips += changed
        return flips


def _power_of_two(name: str, values: Sequence[int] | npt.NDArray[np.integer]) -> IntArray:
    entries = np.array(values, np.int64)
    if entries.ndim != 1 or not len(entries) or len(entries) & len(entries) - 1:
        raise BadInput(f"{name} of a table must be a power of two in number, "
                       f"not of shape {entries.shape}")
    return entries
