"""What a bitstream must show before it counts as the core: hostile frames through its pins.

The same frames as `fuzz` sends to the RTL go through a UART to whatever stands behind the pins:
all memories are written and read, programs of all kinds run on tables of all shapes, and every
answer and all state must be the golden device's. That asks far more of the cells than training a
small network, which leaves many a look-up table at one input.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from ..firmware.frames import FLAG
from ..firmware.rates import SAFE_RATE, rate_request
from ..model.config import CoreConfig
from ..model.golden_device import GoldenDevice
from . import fuzz
from .board import CompiledBoard

__all__ = ["Findings", "Wired", "examine", "faults_found"]

#: The rate that a board is asked for.
RATE = 2_000_000
#: Silence that ends an answer, bytes.
QUIET_BYTES = 30
#: Cycles until a PLL has locked and the reset is over.
POWER_UP_CYCLES = 20_000


class Wired:
    """A board's pins as a device that takes and gives bytes, and as a `Session`'s transport.

    Parameters
    ----------
    board
        After its power-up.
    rate
        Bits a second, of those that the board knows.
    """

    def __init__(self, board: CompiledBoard, rate: int = RATE):
        self.board, self.name, self._queue = board, "a board's pins", bytearray()
        self.rate, self.byte_time_s = rate, 10 / rate
        #: Longer than a core takes to begin an answer, cycles.
        self._pause = int(QUIET_BYTES * 10 * board.clock_hz / rate)
        board.run(b"", SAFE_RATE, POWER_UP_CYCLES, stop_at_frame=False)
        wire = bytes([FLAG]) + rate_request(rate)
        silence = int(40 * board.clock_hz / SAFE_RATE)
        while wire:
            consumed, _ = board.run(wire, SAFE_RATE, silence, stop_at_frame=False)
            if not consumed:
                raise fuzz.Mismatch("the board takes no byte")
            wire = wire[consumed:]
        # The refusal of the request, which is no frame, goes out at the safe rate.
        board.run(b"", SAFE_RATE, 10 * silence, stop_at_frame=False)

    def write(self, data: bytes) -> None:
        self._queue += data

    def read(self, timeout_s: float) -> bytes:
        cycles = max(1, int(timeout_s * self.board.clock_hz))
        taken, output = self.board.run(bytes(self._queue), self.rate, cycles)
        del self._queue[:taken]
        return output

    def close(self) -> None:
        self.board.close()

    def run(self, data: bytes, max_cycles: int) -> tuple[int, bytes]:
        """One frame at a time, for a line has no way to say that all slots are taken."""
        piece, output, quiet = data[:data.find(FLAG, 1) + 1] or data, b"", False
        taken = 0
        if piece:
            on_the_line = int((len(piece) + 1) * 10 * self.board.clock_hz / self.rate)
            taken, output = self.board.run(piece, self.rate, on_the_line, stop_at_frame=False)
            max_cycles = self._pause
        while not quiet:
            _, more = self.board.run(b"", self.rate, max_cycles)
            output, quiet = output + more, not more or not piece
        return taken, output


def examine(board: CompiledBoard, config: CoreConfig, frames: int, seed: int,
            every: int = 0) -> fuzz.Report:
    """Attack a board after its power-up and compare it with the golden device.

    Parameters
    ----------
    board
        After its power-up; its memories may hold anything.
    config
        Its core.
    frames
        Items; see `fuzz.run`.
    seed
        Decides everything.
    every
        Items between two comparisons of all state; 0: only at the end.

    Raises
    ------
    fuzz.Mismatch
        The board differs from the golden device.
    """
    return fuzz.run(Wired(board), GoldenDevice(config), frames, random.Random(seed),
                    every=every or frames, fill=True)


@dataclass
class Findings:
    """Which of the planted faults an examination has found.

    Attributes
    ----------
    planted
        How many there are.
    missed
        Numbers of those that no answer and no state has shown.
    """

    planted: int
    missed: list[int]


def faults_found(make: Callable[[int], CompiledBoard], config: CoreConfig, faults: int,
                 frames: int, seed: int) -> Findings:
    """Examine a board once with each of its planted faults.

    Parameters
    ----------
    make
        Makes the board with the fault of a number, from 1 on.
    config, frames, seed
        As of `examine`.
    faults
        How many are planted.
    """
    missed = []
    for number in range(1, faults + 1):
        with make(number) as board:
            try:
                examine(board, config, frames, seed)
            except fuzz.Mismatch:
                continue
            missed.append(number)
    return Findings(faults, missed)
