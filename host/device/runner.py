"""Programs run on any device, with samples or alone."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import DeviceError
from ...firmware.assembler import assemble
from ...firmware.frames import Run, Type
from ...model.config import CoreConfig, ceil_div
from ...model.front import convolution_of, in_lanes, most_cycles
from ...model.layout import Layer
from .samples import PackedSamples
from .session import DeviceAstray, Session
from .transport import SLOWEST_CLOCK_HZ

__all__ = ["HELD", "MAX_STALLS", "RunStats", "Runner"]

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.integer]

#: Times in a row that a running program may report no progress.
MAX_STALLS = 10
#: Samples that a core has taken and not learned when it answers the frame that they came with, at
#: most; as many are in a frame.
HELD = 255


@dataclass(frozen=True)
class RunStats:
    """What the device counted in one run."""

    samples: int = 0
    correct: int = 0
    updates: int = 0
    flips: int = 0
    cycles: int = 0          #: cycles in which the program ran and did not wait for the link
    forward_cycles: int = 0  #: those of them inside forward passes

    def __add__(self, other: "RunStats") -> "RunStats":
        return RunStats(*(getattr(self, name) + getattr(other, name)
                          for name in RunStats.__dataclass_fields__))


class Runner:
    """A device that runs programs over the network that is on it.

    Parameters
    ----------
    session
        An open conversation.

    Attributes
    ----------
    layers
        The layer table, as it was written last.
    front
        Its row in front of them, of a convolution.
    """

    def __init__(self, session: Session):
        self.session = session
        self.layers: list[Layer] = []
        self.front: Layer | None = None
        self._order: npt.NDArray[np.intp] | None = None

    @property
    def config(self) -> CoreConfig:
        """The core."""
        return self.session.config

    @property
    def rows(self) -> list[Layer]:
        """All rows of the table."""
        return self.layers if self.front is None else [self.front, *self.layers]

    @property
    def name(self) -> str:
        """What errors call the device."""
        return self.session.name

    def status(self, wait: bool = False, work_s: float = 0.0) -> dict[str, int]:
        """The device's STATUS record, with the names of `STATUS_FIELDS`."""
        return self.session.status(wait, work_s)

    def run(self, program: Sequence[int], x: Bytes, y: Integers, passes: int = 1) -> RunStats:
        """Run any program over samples in their order, one RECV a sample.

        Parameters
        ----------
        program
            Instruction words, as the assembler makes them.
        x, y
            Inputs uint8 (samples, inputs), below 2^planes, and classes (samples,).
        passes
            How often the program works on a sample: the time that it may take.
        """
        self.begin(program)
        packed = PackedSamples(self.arranged(x), y, self.rows[0].planes)
        sample_s = self.worst_cycles() / SLOWEST_CLOCK_HZ
        start = 0
        while start < len(x):
            payload, count = packed.payload(start, self.session.budget)
            self.session.post(Type.DATA, payload, work_s=(count + 2) * sample_s)
            start += count
        ahead = min(len(x), HELD * self.session.slots)  # may be without an answer
        return self.ended((HELD + passes * ahead) * sample_s)

    def arranged(self, x: Bytes) -> Bytes:
        """Rows of inputs as the device takes them: uint8 (samples, inputs of its first row)."""
        if self.front is not None:
            return in_lanes(x, convolution_of(self.config, self.front), self.config.lanes)
        return x if self._order is None else x[:, self._order]

    def begin(self, program: Sequence[int]) -> None:
        """Start a program that takes samples."""
        self._start(list(program))
        self.session.take_results()

    def ended(self, work_s: float) -> RunStats:
        """What was counted once the program has come to its end; so many seconds it may take.

        Raises
        ------
        DeviceAstray
            It has stopped otherwise, or does not end.
        """
        status = self.stopped(work_s)
        if status["run"] != Run.HALTED:
            raise self.failed(status)
        return RunStats(*(status[name] for name in RunStats.__dataclass_fields__))

    def run_alone(self, program: Sequence[int], cycles: int) -> dict[str, int]:
        """Run a program of no samples that takes so many cycles at most; the STATUS after it."""
        self._start(list(program))
        return self.stopped(cycles / SLOWEST_CLOCK_HZ)

    def run_nothing(self) -> dict[str, int]:
        """Run a program of no samples, which clears the statistics; the STATUS record after it."""
        return self.run_alone(assemble("HALT", layers=len(self.layers)), 1000)

    def stopped(self, work_s: float) -> dict[str, int]:
        """The device's STATUS record once the program has stopped.

        Raises
        ------
        DeviceAstray
            It does not end, and nothing goes on.
        """
        before: tuple[int, int] | None = None
        stalls = 0
        while True:
            status = self.status(wait=True, work_s=work_s)
            if status["run"] != Run.RUNNING:
                return status
            now = status["samples"], status["cycles"]
            stalls = stalls + 1 if now == before else 0
            if stalls > MAX_STALLS:
                raise DeviceAstray(f"the program on {self.name} does not end: "
                                   f"{status['samples']} samples trained")
            before = now

    def failed(self, status: dict[str, int]) -> DeviceError:
        """That a program did not end as it should."""
        run = status["run"]
        return DeviceAstray(f"the program on {self.name} stopped: "
                            f"{Run(run).name if run in [*Run] else run}")

    def worst_cycles(self) -> int:
        """Cycles that no sample exceeds, generously."""
        c, front = self.config, 0
        if self.front is not None:
            front = most_cycles(c, self.front)
        return 1000 + front + sum(
            (layer.planes * ceil_div(layer.outputs, c.banks) + 8 * c.steps * layer.outputs)
            * ceil_div(layer.inputs, c.lanes) + 64 * layer.outputs for layer in self.layers)

    def _start(self, program: list[int]) -> None:
        # Anew each time, as the table: an upset in either would stay.
        self.session.post(Type.PROGRAM, struct.pack(f"<{len(program)}I", *program))
        self.session.request(Type.RUN)
