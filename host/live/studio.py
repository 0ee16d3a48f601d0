"""One device with all that a page does on it: training, drawings, lessons."""

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput, TritgradError
from ..data.datasets import Dataset
from ..data.scaling import Scaling
from ..run.learners import Learner
from ..run.model_file import TrainedModel
from ..run.options import TrainOptions
from ..run.report import as_model
from ..run.training import Stopped, start
from .drawing import SIDE, row_of_drawing
from .runs import Run, RunWatcher, held_json
from .shown import as_text, shown_layers
from .teacher import HELD, HeldBack, Look, Rows, Teacher, measured

__all__ = ["Studio", "without"]


def without(data: Dataset, names: Sequence[str]) -> Dataset:
    """The data with no training row of some classes, which the network has outputs for.

    Raises
    ------
    BadInput
        There is no such class, or no class is left.
    """
    for name in names:
        if name not in data.class_names:
            raise BadInput(f"--without must name classes of {data.name} "
                           f"({', '.join(data.class_names)}), not {name!r}")
    kept = ~np.isin(np.array(data.class_names)[data.y_train], list(names))
    if not kept.any():
        raise BadInput(f"--without {','.join(names)} leaves no training row of {data.name}")
    rows = replace(data.rows, chosen=data.rows.chosen[kept])
    return replace(data, x_train=data.x_train[kept], y_train=data.y_train[kept],
                   train_rows=data.train_rows[kept], rows=rows)


class Studio:
    """What a page asks for, one thing at a time.

    Parameters
    ----------
    options, data
        Of a training that the page can start, on `learner`; the first `HELD` test rows are held
        back.
    learner
        The device.
    model
        The network to begin with; without one there is none until a training has ended.
    tell
        Called with the whole state after a change that the page did not ask for.
    """

    def __init__(self, options: TrainOptions, data: Dataset, learner: Learner,
                 model: TrainedModel | None = None,
                 tell: Callable[[dict[str, Any]], None] = lambda state: None):
        if data.image_shape is None:
            raise BadInput(f"live is for images, and {data.name} has plain features; "
                           "tritgrad learn goes on with those")
        self.options, self.learner, self.tell = options, learner, tell
        self.data = replace(data, x_test=data.x_test[:HELD], y_test=data.y_test[:HELD],
                            x_val=None, y_val=None)
        self.held = Rows(self.data.x_test, self.data.y_test)
        self.teacher = None if model is None else self._teacher(model)
        self.run: Run | None = None
        self.failure: str | None = None
        self._stop = threading.Event()
        self._busy = threading.Lock()
        self._example = 0

    @property
    def training(self) -> bool:
        """Whether a training is under way."""
        return self._busy.locked()

    def state(self) -> dict[str, Any]:
        """Everything that a page must know when it opens."""
        teacher, shape = self.teacher, self.data.image_shape
        recipe = self.options.recipe(self.data) if teacher is None else teacher.model.recipe
        return {"phase": ("training" if self.training else "failed" if self.failure
                          else "empty" if teacher is None else "ready"),
                "failure": self.failure, "dataset": self.data.name, "shape": shape,
                "device": self.options.device, "layers": shown_layers(recipe),
                "planes": recipe.planes, "activation_bits": recipe.activation_bits,
                "counter_bits": recipe.counter_bits, "classes": list(self.data.class_names),
                "lessons": teacher.lessons if teacher else 0,
                "undos": teacher.undos if teacher else 0,
                "old_rows": len(self.data.x_train),
                "run": self.run.as_json() if self.run else None}

    def train(self) -> None:
        """Train anew from the seed, as ``tritgrad train`` does; ends early after `stop`."""
        if not self._busy.acquire(blocking=False):
            raise BadInput("a training is under way")
        self._stop.clear()
        self.failure = None
        recipe = self.options.recipe(self.data)
        layers = "-".join(map(str, recipe.layers))
        self.run = Run(f"{self.data.name}, {layers}, seed {recipe.seed}", recipe.epochs)
        self._tell()
        try:
            self.teacher = self._teacher(self._trained(self.run))
        except TritgradError as error:
            self.failure = str(error)
        except Exception as error:  # a page waits for it, and nobody else would tell
            self.failure = f"internal error, {type(error).__name__}: {error}"
        finally:
            self._busy.release()
            self._tell()

    def stop(self) -> None:
        """Let the training end after the chunk in hand."""
        self._stop.set()

    def look(self, drawing: npt.NDArray[np.uint8]) -> dict[str, Any]:
        """What the device says to a drawing, see `drawing`; ``ms`` is the device's time alone."""
        teacher = self._ready()
        x = self._inputs(drawing)
        before = time.monotonic()
        look = teacher.look(x)
        return self._look_json(look, x, before)

    def teach(self, drawing: npt.NDArray[np.uint8], label: int, step: int,
              old: int) -> dict[str, Any]:
        """Let the device learn a drawing; what it then says, and how good it is."""
        teacher = self._ready()
        x = self._inputs(drawing)
        before = time.monotonic()
        taught = teacher.teach(x, label, step, old)
        look = self._look_json(teacher.look(x), x, before)
        return {"taught": vars(taught), "look": look, **self._standing(teacher)}

    def undo(self) -> dict[str, Any]:
        """Take the last lesson back."""
        teacher = self._ready()
        teacher.undo()
        return self._standing(teacher)

    def standing(self) -> dict[str, Any]:
        """How good the device is now."""
        return self._standing(self._ready())

    def weights(self) -> dict[str, Any]:
        """Trits of the first rows of each layer, see `trits_of`."""
        return {"layers": self._ready().trits()}

    def example(self) -> dict[str, Any]:
        """The next row held back, as a drawing, and what it is."""
        n, shape = self._example % len(self.held.x), self.data.image_shape
        self._example += 1
        assert shape is not None
        limits = self._limits()
        values = self.data.rows.test[n].astype(float)
        shares = (values - limits.minimum) / np.maximum(limits.maximum - limits.minimum, 1e-9)
        image = (np.clip(shares, 0, 1) * 255 + 0.5).astype(np.uint8).reshape(shape)
        down, across = (np.arange(SIDE) * size // SIDE for size in shape)
        return {"drawing": as_text(image[np.ix_(down, across)]),
                "label": self.data.class_names[self.held.y[n]]}

    def model_file(self) -> bytes:
        """The network as it is now, as a model file."""
        model = self._ready().as_model()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model.npz")
            model.save(path)
            return path.read_bytes()

    def close(self) -> None:
        """End a training and let go of the device."""
        self.stop()
        with self._busy:
            self.learner.close()

    def _teacher(self, model: TrainedModel) -> Teacher:
        return Teacher(model, self.learner, self.held,
                       Rows(self.data.x_train, self.data.y_train))

    def _trained(self, run: Run) -> TrainedModel:
        """The network that a run on the device leads to, whole or stopped."""
        def measure() -> HeldBack:
            return measured(self.learner, self.held, self.data.class_names)

        with tempfile.TemporaryDirectory() as folder:
            trainer = start(self.options, self.data, Path(folder), self.learner,
                            RunWatcher(run, measure, self._tell), stop=self._stop.is_set)
            try:
                return as_model(trainer.run())
            except Stopped:
                return as_model(trainer.outcome())

    def _ready(self) -> Teacher:
        if self.training:
            raise BadInput("a training is under way; stop it first")
        if self.teacher is None:
            raise BadInput(f"there is no network yet; train one first"
                           f"{f' ({self.failure})' if self.failure else ''}")
        return self.teacher

    def _inputs(self, drawing: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        assert self.data.image_shape is not None
        limits = self._limits()
        return self.data.coding.apply(row_of_drawing(drawing, self.data.image_shape,
                                                     limits.minimum, limits.maximum))

    def _limits(self) -> Scaling:
        """The range of the images as a whole: a pixel that is never dark could not be drawn on."""
        limits = self.data.limits
        return Scaling.fixed(limits.minimum.min(), limits.maximum.max(), limits.inputs)

    def _look_json(self, look: Look, x: npt.NDArray[np.uint8], before: float) -> dict[str, Any]:
        return vars(look) | {"ms": 1000 * (time.monotonic() - before), "inputs": as_text(x)}

    def _standing(self, teacher: Teacher) -> dict[str, Any]:
        return {"held": held_json(teacher.measure()), "lessons": teacher.lessons,
                "undos": teacher.undos}

    def _tell(self) -> None:
        self.tell(self.state())
