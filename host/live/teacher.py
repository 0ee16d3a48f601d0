"""A network on its device that is shown single samples: what it says, and that it learns them."""

from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput, DeviceError
from ...model.arithmetic import activate
from ...model.convolution.kernels import ConvKernels
from ...model.rng import initial_prng
from ...model.scales.rows import RowScales
from ...model.soft.shadow import hard_pass
from ...model.state import NetworkState
from ..run.going_on import gains_of_the_end
from ..run.learners import Learner, inferred
from ..run.metrics import ClassReport, accuracy, class_reports, confusion_matrix
from ..run.model_file import TrainedModel
from .shown import trits_of

__all__ = ["HELD", "STEPS", "HeldBack", "Look", "Rows", "Taught", "Teacher", "measured"]

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

#: Gain exponents that a single sample may be learned with.
STEPS = (-3, 2)
#: Rows held back that are inferred after each lesson.
HELD = 300
#: Most old rows that are learned with a sample, and lessons that can be undone.
MOST_OLD, UNDOS = 256, 50


@dataclass(frozen=True, eq=False)
class Rows:
    """Inputs (rows, inputs) and labels (rows,)."""

    x: Bytes
    y: Labels


@dataclass(frozen=True, eq=False)
class Look:
    """What the device says to a sample.

    Attributes
    ----------
    scores
        Of each class, read from the device.
    hidden
        Activations of each hidden layer, from the counters that were read from the device.
    predicted
        The class with the first maximum of the scores.
    cycles
        Of the forward pass; 0 where the device counts none.
    """

    scores: list[int]
    hidden: list[list[int]]
    predicted: int
    cycles: int


@dataclass(frozen=True)
class Taught:
    """What a lesson did: samples that were updated, trits that changed, cycles it took."""

    updates: int
    flips: int
    cycles: int
    old: int


@dataclass(frozen=True)
class HeldBack:
    """How good the network is on rows that it does not learn; accuracy in per cent."""

    rows: int
    accuracy: float
    classes: list[ClassReport]


def measured(learner: Learner, rows: Rows, class_names: tuple[str, ...]) -> HeldBack:
    """Rows inferred on a device, class by class."""
    predicted = inferred(learner, rows.x)[0]
    matrix = confusion_matrix(rows.y, predicted, len(class_names))
    return HeldBack(len(rows.x), accuracy(rows.y, predicted), class_reports(matrix, class_names))


class Teacher:
    """Shows samples to a device and lets it learn them. One thread at a time may use it.

    Parameters
    ----------
    model
        The network; the device is loaded with it.
    learner
        The device.
    held
        Rows that are never learned.
    old
        Rows of the training, to be learned again along with a sample.
    """

    def __init__(self, model: TrainedModel, learner: Learner, held: Rows, old: Rows):
        if model.rule != "margin":
            raise BadInput(f"a model that was trained by rule {model.rule} learns no single "
                           "samples; live is for the margin rule")
        if model.image_shape is None:
            raise BadInput(f"live is for images, and {model.dataset} has plain features; "
                           "tritgrad learn goes on with those")
        self.model, self.learner, self.held, self.old = model, learner, held, old
        self._undo: deque[tuple[NetworkState, int]] = deque(maxlen=UNDOS)
        self._now: NetworkState | None = None
        self._lessons = 0
        prng = initial_prng(model.recipe.layers, model.recipe.seed).state
        learner.load(replace(model.state, prng=prng))

    @property
    def undos(self) -> int:
        """Lessons that can be undone."""
        return len(self._undo)

    @property
    def lessons(self) -> int:
        """Lessons so far, but for those undone."""
        return self._lessons

    def snapshot(self) -> NetworkState:
        """The network, read from the device if it may have changed."""
        if self._now is None:
            state = self.learner.state()
            self._now = replace(state, counters=[layer.copy() for layer in state.counters])
        return self._now

    def look(self, x: Bytes) -> Look:
        """The device's scores of a sample (1, inputs), and the hidden layers that led to them.

        Raises
        ------
        DeviceError
            The scores do not follow from the counters that the device has.
        """
        predicted, scores, stats = self.learner.infer(x)
        recipe, state = self.model.recipe, self.snapshot()
        counters, h = state.counters, x[0]
        if recipe.conv is not None:
            kernels = ConvKernels(recipe.conv, recipe.seed)
            kernels.counters, counters = counters[0].astype(np.int64), counters[1:]
            h = kernels.forward(h).h
        z = hard_pass(recipe, counters, RowScales.of(state.parts), h)[1]
        if recipe.skip is None and not np.array_equal(z[-1], scores[0]):
            raise DeviceError(f"the device says {scores[0].tolist()}, but from the counters that "
                              f"it has would follow {z[-1].tolist()}")
        hidden = [activate(layer, shift, recipe.activation_bits)[0].tolist()
                  for layer, shift in zip(z, recipe.shifts, strict=False)]
        return Look(scores[0].tolist(), hidden, int(predicted[0]), stats.cycles)

    def teach(self, x: Bytes, label: int, step: int = 0, old: int = 0) -> Taught:
        """Let the device learn a sample (1, inputs), and after it some rows of the training.

        Parameters
        ----------
        label
            What the sample should have been.
        step
            Gain exponent of all layers for the sample, see `STEPS`.
        old
            Rows of the training, taken in turn, learned with the gains of the training's end.
        """
        if not 0 <= label < len(self.model.class_names):
            raise BadInput(f"label must be from 0 to {len(self.model.class_names) - 1}, "
                           f"not {label!r}")
        if not STEPS[0] <= step <= STEPS[1]:
            raise BadInput(f"step must be from {STEPS[0]} to {STEPS[1]}, not {step!r}")
        if not 0 <= old <= MOST_OLD:
            raise BadInput(f"old must be from 0 to {MOST_OLD}, not {old!r}")
        self._undo.append((self.snapshot(), self._lessons))
        self._now = None
        done = [self.learner.train(x, np.array([label]), (step,) * self.model.recipe.depth)]
        if old and len(self.old.x):
            rows = (self._lessons * old + np.arange(old)) % len(self.old.x)
            done.append(self.learner.train(self.old.x[rows], self.old.y[rows],
                                           gains_of_the_end(self.model.recipe)))
        self._lessons += 1
        return Taught(done[0].updates, sum(d.flips for d in done), sum(d.cycles for d in done),
                      sum(d.samples for d in done[1:]))

    def undo(self) -> None:
        """Bring the device back to where it was before the last lesson, PRNG and all."""
        if not self._undo:
            raise BadInput("there is nothing to undo")
        self._now, self._lessons = self._undo.pop()
        self.learner.load(self._now)

    def measure(self) -> HeldBack:
        """How good the device is on the rows held back."""
        return measured(self.learner, self.held, self.model.class_names)

    def trits(self) -> list[dict[str, Any]]:
        """Weights of each layer for a page, from the counters that the device has."""
        return trits_of(self.model, self.snapshot().counters)

    def as_model(self) -> TrainedModel:
        """The network as it is now; what was measured of it before is no longer so."""
        state = self.snapshot()
        return replace(self.model, counters=state.int16, parts=state.parts,
                       extras=self.model.extras_after(self._lessons, "drawings"))
