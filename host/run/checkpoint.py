"""A run on disk: what is needed to continue it and end as if nothing had happened."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...model.state import NetworkState
from ..data.codings.numbers import Planes
from ..data.datasets import Dataset
from ..data.npz import read_arrays, write_arrays
from ..device.runner import RunStats
from .options import TrainOptions

__all__ = ["Checkpoint", "Epoch", "Position", "check_data", "fingerprint"]

#: Raised whenever a reader of the old format would misread the new one.
FORMAT = 1


@dataclass
class Epoch:
    """What an epoch did so far; per cent only when it is over."""

    samples: int = 0
    correct: int = 0
    updates: int = 0
    flips: int = 0
    cycles: int = 0
    forward_cycles: int = 0
    births: int = 0  #: granules that came into the support, and that a purge took out of it
    deaths: int = 0
    inside: int | None = None  #: granules in it at the end of the epoch, if there is one
    counted: bool = True  #: whether the device counted cycles in all its chunks
    test_accuracy: float | None = None
    test_balanced: float | None = None
    test_classes: int | None = None  #: classes met with in test rows, see `judging.classes_met`
    val_accuracy: float | None = None

    @property
    def train_accuracy(self) -> float:
        """Per cent of the samples that were predicted right before their own update."""
        return 100.0 * self.correct / self.samples if self.samples else 0.0

    @property
    def cycles_per_sample(self) -> float | None:
        """Of training; None unless the device counted cycles in all chunks."""
        return self.cycles / self.samples if self.counted and self.cycles else None

    def add(self, done: RunStats, counted: bool) -> None:
        """Count a chunk too; `counted`: whether its cycles mean anything."""
        for name in ("samples", "correct", "updates", "flips", "cycles", "forward_cycles"):
            setattr(self, name, getattr(self, name) + getattr(done, name))
        self.counted = self.counted and counted


@dataclass
class Position:
    """Where a run is. `epochs` ends with the one in hand, `seconds` and `train_seconds` add up."""

    epochs: list[Epoch] = field(default_factory=list)
    finished: int = 0
    best_epoch: int | None = None
    inside: int = 0  #: granules of the support when they were last counted
    seconds: float = 0.0
    train_seconds: float = 0.0


@dataclass
class Checkpoint:
    """A run between two chunks.

    Attributes
    ----------
    options
        What the run was started with.
    data
        Fingerprint of its data.
    position, state
        Where it is.
    best
        State of the epoch with the best validation accuracy, if there is one; its PRNG's is not
        kept.
    """

    options: TrainOptions
    data: dict[str, str]
    position: Position
    state: NetworkState
    best: NetworkState | None = None

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        meta = {"format": FORMAT, "options": self.options.as_json(), "data": self.data,
                "position": asdict(self.position), "prng": self.state.prng,
                "layers": len(self.state.counters)}
        arrays: dict[str, npt.NDArray[Any]] = {
            "tritgrad_checkpoint": np.frombuffer(json.dumps(meta).encode(), np.uint8)}
        arrays |= self.state.arrays()
        arrays |= self.best.arrays("best") if self.best else {}
        write_arrays(path, arrays)

    @classmethod
    def load(cls, path: Path) -> "Checkpoint":
        """Read a file that `save` wrote. Raises `BadInput` if it is missing, damaged or foreign."""
        arrays = read_arrays(path)
        if "tritgrad_checkpoint" not in arrays:
            raise BadInput(f"{path} is no tritgrad checkpoint")
        try:
            meta: dict[str, Any] = json.loads(arrays["tritgrad_checkpoint"].tobytes().decode())
            if meta["format"] != FORMAT:
                raise BadInput(f"{path} is a checkpoint of format {meta['format']!r}; "
                               f"this version reads format {FORMAT}")
            stored = meta["position"]
            position = Position(**{**stored, "epochs": [Epoch(**e) for e in stored["epochs"]]})
            count = meta["layers"]
            state = NetworkState.from_arrays(arrays, count, prng=meta["prng"])
            best = (NetworkState.from_arrays(arrays, count, "best")
                    if "best_1" in arrays else None)
            for part in (part for kept in (state, best) if kept for part in kept.parts.values()):
                part.check([len(layer) for layer in state.counters])
            return cls(TrainOptions.from_json(meta["options"]), meta["data"], position, state, best)
        except BadInput:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"{path} is a damaged tritgrad checkpoint "
                           f"({type(error).__name__}: {error})") from None


def fingerprint(data: Dataset) -> dict[str, str]:
    """SHA-256 of each part of a data set, as it is sent to a device."""
    parts = {name: getattr(data, name)
             for name in ("x_train", "y_train", "x_test", "y_test", "x_val", "y_val")}
    digests = {name: _digest(part) for name, part in parts.items() if part is not None}
    names = json.dumps(data.class_names).encode()
    if len(data.coding.steps) > 1 or not isinstance(data.coding.steps[0], Planes):
        # what moved images become does not follow from the codes of those that were not moved
        steps, arrays = data.coding.stored()
        whole = hashlib.sha256(json.dumps(steps, sort_keys=True).encode())
        for name in sorted(arrays):
            whole.update(_digest(arrays[name]).encode())
        digests["coding"] = whole.hexdigest()
        digests["numbers"] = _digest(data.rows.train[data.rows.chosen])
    return digests | {"class_names": hashlib.sha256(names).hexdigest()}


def _digest(array: npt.NDArray[Any]) -> str:
    digest = hashlib.sha256(repr(array.shape).encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def check_data(checkpoint: Checkpoint, data: Dataset, folder: Path) -> None:
    """Raise `BadInput` unless a run was started with this data."""
    found = fingerprint(data)
    changed = [name for name in sorted(checkpoint.data | found)
               if checkpoint.data.get(name) != found.get(name)]
    if changed:
        raise BadInput(f"the data of {data.name} are not those that the run in {folder} was "
                       f"started with: {', '.join(changed)} differ")
