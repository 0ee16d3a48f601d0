"""Whole runs on a device to which much happens, against the same run that nothing disturbs.

At random moments frames are damaged, the port goes away, the core is reset, the board loses its
power or a bit of its memory turns, and the host is killed or told to stop. Whoever sits before it
types what the command says, ``--resume``, until the run is over.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tritgrad.errors import DeviceError, TritgradError
from tritgrad.host.data.datasets import Dataset
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.greeting import is_hello
from tritgrad.host.device.session import DeviceReset, Session
from tritgrad.host.device.transport import FaultyTransport, Transport
from tritgrad.host.run.checkpoint import Checkpoint, Epoch
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import (
    CHECKPOINT,
    Outcome,
    Stopped,
    Trainer,
    Watcher,
    resume,
    start,
)

__all__ = ["Storm", "Told", "weathered"]

#: Times that a run is continued before it counts as one that never ends.
MOST_STARTS = 60
#: Faults a byte while frames are damaged, and bytes for how long.
FAULTS, DAMAGED = 0.01, 2000
#: Samples of a chunk.
CHUNK = 90


class Killed(BaseException):
    """The host's process is no more."""


class Storm:
    """A transport on which something happens every so many bytes from the host.

    Parameters
    ----------
    inner
        The device.
    rng
        Decides when, and what.
    harms
        What may happen to the board, by name; beside ``frames``, ``unplug``, ``kill``, ``stop``.
    mean
        Bytes from one to the next, on average.

    Attributes
    ----------
    counts
        How often each has happened.
    stopping
        Whether Ctrl-C has been pressed.
    """

    def __init__(self, inner: Transport, rng: random.Random,
                 harms: Mapping[str, Callable[[], object]], mean: int):
        self.name, self.byte_time_s = inner.name, inner.byte_time_s
        self.rng, self.harms, self.mean = rng, harms, mean
        self.counts: Counter[str] = Counter()
        self.stopping = False
        self._inner, self._faulty = inner, FaultyTransport(inner, FAULTS, rng)
        self._away = False
        self._damaged = 0
        self._left = self._pause()

    def _pause(self) -> int:
        return 1 + int(self.rng.expovariate(1 / self.mean))

    def write(self, data: bytes) -> None:
        if self._away and not is_hello(data):
            raise DeviceReset(f"{self.name} has not answered HELLO since it came back")
        self._away = False
        self._left -= len(data)
        self._wire.write(data)
        if self._left <= 0:
            self._left = self._pause()
            self._happen()

    def read(self, timeout_s: float) -> bytes:
        data = self._wire.read(timeout_s)
        self._damaged -= len(data)
        return data

    def close(self) -> None:
        """The board stays."""

    @property
    def _wire(self) -> Transport:
        return self._faulty if self._damaged > 0 else self._inner

    def _happen(self) -> None:
        what = self.rng.choice(["frames", "unplug", "kill", "stop", *self.harms])
        self.counts[what] += 1
        if what == "frames":
            self._damaged = self.rng.randrange(1, DAMAGED)
        elif what == "stop":
            self.stopping = True
        elif what == "unplug":
            self._away = True
            raise DeviceReset(f"{self.name} was unplugged")
        elif what == "kill":
            raise Killed
        else:
            self.harms[what]()


@dataclass
class Told(Watcher):
    """What became of a run.

    Attributes
    ----------
    lines
        Errors that ended a process, and how often each.
    notes
        Lines of runs that went on, but those of their beginning.
    starts
        Processes that it took.
    """

    lines: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    starts: int = 0

    def noted(self, text: str) -> None:
        if "has lost rows" in text:
            self.notes.append(text)


class _Learner(DeviceLearner):
    """One whose chunks stay small, so that there is much between them."""

    @property
    def chunk(self) -> int:  # type: ignore[override]
        return CHUNK

    @chunk.setter
    def chunk(self, value: int) -> None:
        pass


def weathered(storm: Storm, options: TrainOptions, data: Dataset, folder: Path) -> Told:
    """Train to the end on a device in a storm.

    Raises
    ------
    DeviceError
        It ends otherwise than on the golden model, or does not end. What differs is named; a memory
        that turns a bit may have spoilt counts of the run, but not without a note.
    """
    model = ModelLearner(options.recipe(data))
    wanted = start(options, data, None, model, Watcher()).run()
    told, outcome = Told(), None
    while outcome is None:
        told.starts += 1
        if told.starts > MOST_STARTS:
            raise DeviceError(f"{MOST_STARTS} starts, and no end: {dict(told.lines)}")
        storm.stopping = False
        try:
            outcome = _trainer(storm, options, data, folder, told).run()
        except Killed:
            pass
        except Stopped:
            told.lines["stopped"] += 1
        except TritgradError as error:
            told.lines[str(error)] += 1
    if outcome.state_sha256 != wanted.state_sha256:
        raise DeviceError(f"state {outcome.state_sha256[:16]}, not {wanted.state_sha256[:16]}")
    if not told.notes and (wrong := _different(outcome, wanted)):
        raise DeviceError(f"without a word, {wrong}")
    return told


def _trainer(storm: Storm, options: TrainOptions, data: Dataset, folder: Path,
             told: Told) -> Trainer:
    nonce = storm.rng.randrange(1, 1 << 32)  # so that a seed repeats every byte
    learner = _Learner(Driver(Session(storm, nonce)), options.recipe(data))
    settings: dict[str, Any] = {"checkpoint_s": storm.rng.choice([0.0, 3600.0]),
                                "stop": lambda: storm.stopping}
    path = folder / CHECKPOINT
    if path.exists():
        return resume(Checkpoint.load(path), data, folder, learner, told, **settings)
    return start(options, data, folder, learner, told, **settings)


def _different(outcome: Outcome, wanted: Outcome) -> str:
    """What two runs counted otherwise, cycles aside."""
    def counted(epoch: Epoch) -> dict[str, Any]:
        return {name: value for name, value in asdict(epoch).items()
                if name not in ("cycles", "forward_cycles", "counted")}

    for number, epochs in enumerate(zip(outcome.position.epochs, wanted.position.epochs,
                                        strict=True), 1):
        found, right = map(counted, epochs)
        for name, value in right.items():
            if found[name] != value:
                return f"{name} of epoch {number} is {found[name]!r}, not {value!r}"
    return ""
