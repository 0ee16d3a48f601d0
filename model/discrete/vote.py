"""Votes: what makes ternary layers learn by signs while their state stays one trit a weight.

One sample moves each weight of a wrong output by a whole trit, and so undoes those before it. Here
n samples vote on each weight, a vote counts if it is more than chance, a random subset of the
weights steps, an output stays wrong until it is right by a margin, and a hidden neuron takes blame
where its sum is near 0 only. With one sample, no margin, no gate and all weights this is the
source's rule (plurigrid/asi, skill discrete-backprop, TernaryMLP). A random part of the weights in
each step: Baldassi and others, "Efficient supervised learning in networks with binary synapses",
2007; Deng and others, "GXNOR-Net: Training deep neural networks with ternary weights and
activations without full-precision memory", 2018.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .direction import MAX_SPARSITY, directions, step_keys
from .splitmix import Trits
from .ternary import TernaryLayer, TernaryMLP

__all__ = ["MOST_VOTES", "Ballot", "Voting", "vote_step"]

#: So that a vote's square root is exact in what a core would compare with.
MOST_VOTES = 4096

Numbers = npt.NDArray[Any]


@dataclass(frozen=True)
class Ballot:
    """The numbers of a vote.

    Parameters
    ----------
    votes
        Samples that vote on a step, 1 to `MOST_VOTES`.
    sparsity
        k, 0 to 6: one weight in 2^k may step.
    bar
        Whether a vote must be more than the square root of the votes, not just above 0.
    margin
        Whether an output is wrong until its sum is beyond the square root of its inputs, rather
        than on the wrong side of 0.
    gate
        Whether a hidden neuron takes an error only where its sum is at most the square root of its
        inputs.

    Raises
    ------
    BadInput
        A number is out of range.
    """

    votes: int
    sparsity: int = MAX_SPARSITY
    bar: bool = True
    margin: bool = True
    gate: bool = True

    def __post_init__(self) -> None:
        for name, low, high in (("votes", 1, MOST_VOTES), ("sparsity", 0, MAX_SPARSITY)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise BadInput(f"{name} must be an integer from {low} to {high}, not {value!r}")


def vote_step(layers: Sequence[TernaryLayer], x: Numbers, targets: Numbers,
              subsets: Sequence[Trits] | None, ballot: Ballot) -> Numbers:
    """Let samples vote, and step.

    Layers are updated from the last to the first, and errors go down through updated weights.

    Parameters
    ----------
    layers
        Changed in place.
    x, targets
        (samples, inputs) and (samples, outputs), trits.
    subsets
        For each layer, not 0 where a weight may step; None for all.
    ballot
        What counts; its number of votes is not looked at.

    Returns
    -------
    array
        Sums of the last layer before the step, (samples, outputs).
    """
    below: list[Numbers] = [np.asarray(x)]
    sums: list[Numbers] = []
    for layer in layers:
        sums.append(_product(below[-1], layer.weights.T))
        below.append(np.sign(sums[-1]))
    least = isqrt(layers[-1].weights.shape[1]) if ballot.margin else 0
    error = np.where(targets * sums[-1] <= least, targets, 0)
    bar = isqrt(len(below[0])) if ballot.bar else 0
    for n in reversed(range(len(layers))):
        votes = _product(error.T, below[n])
        trits = np.sign(votes) * (np.abs(votes) > bar)
        layers[n].update(trits if subsets is None else trits * (subsets[n] != 0))
        if n:
            error = np.sign(_product(error, layers[n].weights))
            if ballot.gate:
                error = error * (np.abs(sums[n - 1]) <= isqrt(layers[n - 1].weights.shape[1]))
    return sums[-1]


class Voting:
    """A network that learns by votes.

    Parameters
    ----------
    sizes, seed
        As of `TernaryMLP`; the seed is of the subsets too, which are where the directions of
        `direction.directions` are not 0.
    ballot
        Its numbers.

    Attributes
    ----------
    network
        The layers, whose trits are all the state there is between two steps.
    step
        Number of the next step, from which its subset follows.
    """

    def __init__(self, sizes: Sequence[int], ballot: Ballot, seed: int = 1069):
        self.network, self.ballot, self.seed = TernaryMLP(sizes, seed), ballot, seed
        self.step = 0

    def train(self, x: Numbers, targets: Numbers) -> tuple[Numbers, int]:
        """Learn samples in their order, `votes` of them at a time; the rest vote at the end.

        Returns
        -------
        sums
            Of the last layer, int64 (samples, outputs), before each sample's step.
        flips
            Weights that changed.
        """
        layers, sums, flips = self.network.layers, [], 0
        for first in range(0, len(x), self.ballot.votes):
            part = slice(first, first + self.ballot.votes)
            before = [layer.weights for layer in layers]
            sums.append(vote_step(layers, x[part], targets[part], self._subsets(), self.ballot))
            flips += sum(int(np.count_nonzero(layer.weights != old))
                         for layer, old in zip(layers, before, strict=True))
            self.step += 1
        shape = (0, layers[-1].weights.shape[0])
        return np.concatenate([np.zeros(shape), *sums]).astype(np.int64), flips

    def _subsets(self) -> list[Trits] | None:
        if self.ballot.sparsity == 0:
            return None
        shapes = [layer.weights.shape for layer in self.network.layers]
        return [trits[0] for trits in directions(
            step_keys(self.seed, self.step, 1), shapes, self.ballot.sparsity)]


def _product(a: Numbers, b: Numbers) -> Numbers:
    """Of matrices of trits: float32 is exact below 2^24 and many times as fast as integers."""
    return np.rint(a.astype(np.float32) @ b.astype(np.float32))
