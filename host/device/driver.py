"""Networks on any device: put there, read back, trained and asked.

A chunk is one run of a program. Its samples are packed to the wire format in one go. What units
keep of a network is written and read by their parts (`units.device_part`).
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput, DeviceError
from ...firmware import frames, programs
from ...firmware.frames import Run, Space, Type
from ...firmware.wire import pack_words, unpack_words
from ...model.front import convolution_of, kernel_counters
from ...model.layout import (
    Layer,
    Placement,
    TableError,
    check_table,
    pack_counters,
    place,
    split_front,
    unpack_counters,
)
from ...model.state import NetworkState, Part
from ...units import UNITS
from ...units.device_part import DevicePart
from ...units.registry import LAYER_ROW
from . import memories
from .runner import Runner, RunStats
from .session import DeviceAstray, Session
from .table import layer_table

if TYPE_CHECKING:
    from ...boards.board import Board

__all__ = ["Driver", "layer_table"]

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.integer]

#: Most samples of a run: the COUNT instruction's limit is far above what is worth repeating.
MAX_CHUNK = 1 << 16
#: Times that samples whose results were lost are run again.
MAX_RERUNS = 100


class Driver(Runner):
    """A device that trains and infers.

    Parameters
    ----------
    session
        An open conversation. A program that still runs on the device is stopped.

    Attributes
    ----------
    parts
        Those of the core's units that the host has something to do for, by name.
    board
        The board that the core is on, where that was said; with it what of a flash is reserved.
    """

    board: "Board | None" = None

    def __init__(self, session: Session):
        super().__init__(session)
        self._make_parts()
        self._stop()

    def reconnect(self) -> None:
        """Open the conversation again; the device may have lost everything."""
        self.session.hello()
        self.layers = []
        self._make_parts()
        self._stop()

    def close(self) -> None:
        """Let the device go."""
        self.session.close()

    def load(self, layers: Sequence[Layer], counters: Sequence[Integers],
             prng_state: int | None = None,
             input_order: npt.NDArray[np.intp] | None = None,
             parts: Mapping[str, Part | None] | None = None) -> None:
        """Put a network on the device.

        Parameters
        ----------
        layers
            The layer table, before it the row of a convolution, if the core has one.
        counters
            Per layer (outputs, inputs), before them (kernels, taps) of a convolution.
        prng_state
            State of the PRNG, not 0; by default it is left to `seed`.
        input_order
            The input at each position of the first layer on the device, see `tile_order`; nobody
            else notices it. The dither of a negative gain exponent depends on positions, so the
            first layer's must not be negative.
        parts
            What units keep, by their names; those that are missing are as at a start.

        Raises
        ------
        BadInput
            The network does not fit this core: names the layer, the memory or the unit, and the
            limit.
        """
        given = {name: kept for name, kept in (parts or {}).items() if kept is not None}
        for name, kept in given.items():
            if name not in self.parts and kept.bytes():  # no prediction depends on others
                raise BadInput(f"{self.name} was built without {name}")
        self._order = input_order
        self.set_table(layers)
        layers = self.layers
        if self.front is not None:
            kernels, *counters = counters
            self.write(Space.K, kernels.astype("<i2").tobytes(), 2)
        if input_order is not None:
            counters = [counters[0][:, input_order], *counters[1:]]
        codes, residuals = pack_counters(self.config, layers, counters)
        for bank in range(self.config.banks):
            size = self.config.trit_word_bytes
            self.write(Space.T, pack_words(codes[bank], 2, size), size, bank=bank)
        if self.config.trainable:
            size = self.config.residual_word_bytes
            self.write(Space.R, pack_words(residuals, self.config.residual_bits, size), size)
        for name, part in self.parts.items():
            part.loaded(counters, codes, residuals, given.get(name))
        if prng_state is not None:
            self.session.post(Type.PRNG, struct.pack("<Q", prng_state))
        self.session.flush()

    @property
    def order(self) -> npt.NDArray[np.intp] | None:
        """The input at each position of the first layer, if that is another one; see `load`."""
        return self._order

    def lay(self, layers: Sequence[Layer],
            input_order: npt.NDArray[np.intp] | None = None) -> None:
        """Write the layer table alone, for records of rows: no network is there then."""
        self._order = input_order
        self.set_table(layers)
        self.session.flush()

    def restore(self, state: NetworkState) -> None:
        """Put back what `state` gave."""
        self.load_state(self.rows, state, self._order)

    def seed(self, seed: int, index: int) -> None:
        """PRNG state <- SplitMix64's output `index` of `seed`, made by the device's own seeder."""
        self.session.request(Type.SEED, struct.pack("<QQ", seed, index))

    def load_state(self, layers: Sequence[Layer], state: NetworkState,
                   input_order: npt.NDArray[np.intp] | None = None) -> None:
        """Put a network on the device, as `load` does."""
        self.load(layers, state.counters, state.prng, input_order, state.parts)

    def state(self, parts: Sequence[str] | None = None) -> NetworkState:
        """Read the network back: counters int16, PRNG, and the core's parts, or those named."""
        if parts is None:
            parts = [unit.name for unit in UNITS if unit.state and unit.within(self.config)]
        return NetworkState([c.astype(np.int16) for c in self.counters()], self.prng(),
                            {name: self.part(name) for name in parts})

    def part(self, name: str) -> Part:
        """Read a unit's part of the state back."""
        found: Part = self.parts[name].state()
        return found

    def act(self, name: str, *arguments: Any) -> Any:
        """Have a unit do what it can do beside learning, as its record says (`Unit.acts`).

        Raises
        ------
        BadInput
            The core has no such unit: says what is not possible.
        """
        unit = next(unit for unit in UNITS if name in unit.acts)
        if unit.name not in self.parts:
            raise BadInput(f"{self.name} was built {unit.acts[name]}")
        return getattr(self.parts[unit.name], name)(*arguments)

    def set_gains(self, gains: Sequence[int]) -> None:
        """Write the layer table with these gain exponents; the network stays.

        It is written even if it says what it said before: an upset in it would do harm for ever.
        """
        front = self.rows[:len(self.rows) - len(self.layers)]
        self.set_table([*front, *(replace(layer, gain=gain)
                                   for layer, gain in zip(self.layers, gains, strict=True))])

    def counters(self) -> list[npt.NDArray[np.int64]]:
        """Read the network back, as `load` has it: int64, per layer (outputs, inputs).

        Raises
        ------
        BadInput
            The core only infers: it has no more of a counter than its trit.
        DeviceAstray
            A core that can tell has been upset.
        """
        self.check_trainable()
        c = self.config
        codes = self.codes()
        residuals = unpack_words(
            self.read(Space.R, self.end.residual_base, c.residual_word_bytes),
            c.residual_bits, c.update_lanes, c.residual_word_bytes)
        for part in self.parts.values():
            if (fault := part.compared(codes, residuals)) is not None:
                raise DeviceAstray(fault)
        counters = unpack_counters(c, self.layers, codes, residuals)
        if self._order is not None:
            counters[0] = counters[0][:, np.argsort(self._order)]
        return counters if self.front is None else [self._kernels(self.front), *counters]

    def _kernels(self, front: Layer) -> npt.NDArray[np.int64]:
        size = convolution_of(self.config, front).size
        return kernel_counters(self.config, front, self.read(Space.K, size, 2))

    def codes(self) -> npt.NDArray[np.int64]:
        """The words of T that the network fills, (banks, words, L)."""
        c, words = self.config, self.end.trit_base
        return np.stack([
            unpack_words(self.read(Space.T, words, c.trit_word_bytes, bank=bank), 2, c.lanes,
                         c.trit_word_bytes) for bank in range(c.banks)])

    def prng(self) -> int:
        """State of the PRNG."""
        return self.status()["prng"]

    def placed(self) -> list[tuple[Layer, Placement]]:
        """The layers, with their places."""
        return list(zip(self.layers, place(self.config, self.layers), strict=True))

    @property
    def end(self) -> Placement:
        """The place behind the network."""
        return place(self.config, [*self.layers, Layer(0, 0, 0, 0, 0)])[-1]

    def write(self, space: Space, data: bytes, size: int, first: int = 0, bank: int = 0) -> None:
        """Write words of `size` bytes into a memory, from one on."""
        memories.write(self.session, space, data, size, first, bank)

    def read(self, space: Space, words: int, size: int, first: int = 0, bank: int = 0) -> bytes:
        """Read so many words of `size` bytes of a memory, from one on."""
        return memories.read(self.session, space, words, size, first, bank)

    def train_chunk(self, x: Bytes, y: Integers, margin: int, **units: Any) -> RunStats:
        """Learn samples in their order by the margin rule.

        Parameters
        ----------
        x
            uint8 (samples, inputs), below 2^planes.
        y
            (samples,), numbers of the classes.
        margin
            M of the margin rule.
        units
            What is done with units, see `firmware.programs.train`.

        Raises
        ------
        BadInput
            The core only infers.
        """
        return self.learn(lambda samples: programs.train(
            len(self.layers), samples, margin, front="learns" if self.front else "", **units), x, y)

    def learn(self, program: Callable[[int], list[int]], x: Bytes, y: Integers, passes: int = 1,
              counts: bool = True) -> RunStats:
        """Learn samples in their order by any rule.

        Parameters
        ----------
        program
            The rule's instructions for so many samples.
        x, y
            As in `train_chunk`.
        passes
            How often each goes forward, and is counted.
        counts
            Whether the program counts samples.

        Raises
        ------
        BadInput
            The core only infers.
        DeviceAstray
            It counted others.
        """
        self.check_trainable()
        total = RunStats()
        for start in range(0, len(x), MAX_CHUNK):
            part = slice(start, start + MAX_CHUNK)
            total += self.run(program(len(x[part])), x[part], y[part], passes)
        if counts:
            self.check_count(total, passes * len(x))
        return total

    def check_trainable(self) -> None:
        """Raise `BadInput` if the core only infers."""
        if not self.config.trainable:
            raise BadInput(f"{self.name} was built to infer only: it cannot train")

    def check_count(self, done: RunStats, samples: int) -> None:
        """Raise `DeviceAstray` if not as many were counted as were given."""
        if done.samples != samples:
            raise DeviceAstray(f"{self.name} trained {done.samples} samples, not {samples}")

    def infer(self, x: Bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], RunStats]:
        """Forward samples; the network stays as it is.

        Returns
        -------
        predictions, scores, statistics
            int64 (samples,) and (samples, classes).
        """
        classes = self.layers[-1].outputs
        predictions = np.full(len(x), -1, np.int64)
        scores = np.zeros((len(x), classes), np.int64)
        total, stuck = RunStats(), 0
        missing = np.arange(len(x))
        while len(missing):
            rows = missing[:MAX_CHUNK]
            program = programs.infer(len(self.layers), len(rows), front=self.front is not None)
            total += self.run(program, x[rows], np.zeros(len(rows), np.int64))
            for payload in self.session.take_results():
                if len(payload) == 5 + 4 * classes:
                    index, prediction = struct.unpack("<IB", payload[:5])
                    if index < len(rows) and prediction < classes:
                        predictions[rows[index]] = prediction
                        scores[rows[index]] = np.frombuffer(payload[5:], "<i4")
            left = np.flatnonzero(predictions < 0)
            stuck = stuck + 1 if len(left) == len(missing) else 0
            if stuck > MAX_RERUNS:
                raise DeviceError(f"{self.name} sends no results")
            missing = left
        return predictions, scores, total

    def judge(self, x: Bytes, y: Integers) -> int:
        """How many samples are predicted right, as the device counts them; nothing changes.

        Raises
        ------
        DeviceAstray
            It counted others.
        """
        total = RunStats()
        for start in range(0, len(x), MAX_CHUNK):
            part = slice(start, start + MAX_CHUNK)
            total += self.run(self.judging(len(x[part])), x[part], y[part])
        self.check_count(total, len(x))
        return total.correct

    def judging(self, samples: int) -> list[int]:
        """The program that counts how many of so many samples are predicted right."""
        return programs.judge(len(self.layers), samples, front=self.front is not None)

    def _make_parts(self) -> None:
        self.parts: dict[str, DevicePart] = {
            unit.name: unit.loaded("device", unit.device)(self) for unit in UNITS
            if unit.device and unit.within(self.config)}

    def _stop(self) -> None:
        if self.status()["run"] == Run.RUNNING:
            self.session.request(Type.ABORT)

    def set_table(self, rows: Sequence[Layer]) -> None:
        """Write the layer table, before it the row of a convolution if the core has one."""
        front, layers = split_front(self.config, rows)
        try:
            check_table(self.config, rows)
        except TableError as error:
            raise BadInput(f"the network does not fit this core: {error}") from None
        if self._order is not None and layers[0].gain < 0:
            raise ValueError(f"inputs in another order need a first gain of at least 0, "
                             f"not {layers[0].gain!r}")
        self.session.post(Type.TABLE, b"".join(frames.pack_fields(LAYER_ROW, **vars(row))
                                               for row in rows))
        self.front, self.layers = front, layers
