"""Networks, chunks of samples and statistics on any device.

A chunk is one run of a program. Its samples are packed to the wire format in one go.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ...errors import BadInput, DeviceError
from ...firmware import frames, programs
from ...firmware.assembler import assemble
from ...firmware.frames import Run, Space, Type
from ...firmware.wire import (
    pack_samples,
    pack_scales,
    pack_words,
    unpack_scales,
    unpack_words,
)
from ...model.arithmetic import trits
from ...model.blending import granules
from ...model.blending.granules import Support
from ...model.config import CoreConfig, ceil_div
from ...model.layout import (
    Layer,
    TableError,
    check_table,
    pack_counters,
    place,
    row_sums,
    unpack_counters,
)
from ...model.recipe import Recipe
from ...model.scales.rows import RowScales
from ...model.signature import signature
from ...model.state import NetworkState, Part
from ...units import UNITS
from .session import DeviceAstray, Session
from .transport import SLOWEST_CLOCK_HZ

__all__ = ["Driver", "RunStats", "layer_table"]

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.integer]
Bits = npt.NDArray[np.bool_]

#: Most samples of a run: the COUNT instruction's limit is far above what is worth repeating.
MAX_CHUNK = 1 << 16
#: Times that samples whose results were lost are run again.
MAX_RERUNS = 100
#: Times in a row that a running program may report no progress.
MAX_STALLS = 10


@dataclass(frozen=True)
class RunStats:
    """What the device counted in one run."""

    samples: int = 0
    correct: int = 0
    updates: int = 0
    flips: int = 0
    cycles: int = 0          #: cycles in which the program ran and did not wait for the link
    forward_cycles: int = 0  #: those of them inside forward passes


def layer_table(recipe: Recipe, gains: Sequence[int]) -> list[Layer]:
    """The layer table of a recipe with the gain exponents in force."""
    shifts = [*recipe.shifts, 0]
    planes = [recipe.planes, *[recipe.activation_bits] * (recipe.depth - 1)]
    return [Layer(inputs, outputs, p, shift, gain, skip)
            for (outputs, inputs), p, shift, gain, skip
            in zip(recipe.shapes, planes, shifts, gains, recipe.skips, strict=True)]


class Driver:
    """A device that trains and infers.

    Parameters
    ----------
    session
        An open conversation. A program that still runs on the device is stopped.
    """

    def __init__(self, session: Session):
        self.session = session
        self.layers: list[Layer] = []
        self._order: npt.NDArray[np.intp] | None = None
        self._written: int | None = None  # signature of T and R as they were loaded
        self._stop()

    @property
    def config(self) -> CoreConfig:
        """The core."""
        return self.session.config

    def reconnect(self) -> None:
        """Open the conversation again; the device may have lost everything."""
        self.session.hello()
        self.layers, self._written = [], None
        self._stop()

    def close(self) -> None:
        """Let the device go."""
        self.session.close()

    def load(self, layers: Sequence[Layer], counters: Sequence[Integers],
             prng_state: int | None = None,
             input_order: npt.NDArray[np.intp] | None = None,
             support: Sequence[Bits] | None = None, scales: RowScales | None = None) -> None:
        """Put a network on the device.

        Parameters
        ----------
        layers
            The layer table.
        counters
            Per layer (outputs, inputs).
        prng_state
            State of the PRNG, not 0; by default it is left to `seed`.
        input_order
            The input at each position of the first layer on the device, see `tile_order`; nobody
            else notices it. The dither of a negative gain exponent depends on positions, so the
            first layer's must not be negative.
        support
            Granules inside, per layer (row groups, words), for a core that keeps a support; by
            default those with a trit that is not 0.
        scales
            Of the rows, for a core that has them; by default all are 1.

        Raises
        ------
        BadInput
            The network does not fit this core: names the layer or memory, and the limit.
        """
        self._order = input_order
        self._set_table(layers)
        if input_order is not None:
            counters = [counters[0][:, input_order], *counters[1:]]
        codes, residuals = pack_counters(self.config, layers, counters)
        if self.config.signature:
            self._written = signature(self.config, codes, residuals)
        for bank in range(self.config.banks):
            self._write(Space.T, bank, pack_words(codes[bank], 2, self.config.trit_word_bytes),
                        self.config.trit_word_bytes)
        if self.config.trainable:
            size = self.config.residual_word_bytes
            self._write(Space.R, 0, pack_words(residuals, self.config.residual_bits, size), size)
        if self.config.row_sums:
            for layer, placed in zip(layers, place(self.config, layers), strict=True):
                sums = row_sums(self.config, layer, placed, codes).astype(np.uint8)
                self._write(Space.SUMS, 0, sums.tobytes(), 1,
                            placed.output_base * self.config.lanes)
        if self.config.support:
            self._write_support(support or [
                granules.support(trits(c, self.config.counter_bits), self.config.banks,
                                 self.config.lanes) for c in counters])
        if self.config.scales:
            self._write_scales(scales or RowScales.initial([row.outputs for row in layers]))
        elif scales is not None:
            raise BadInput(f"{self.session.name} was built without scales")
        if prng_state is not None:
            self.session.post(Type.PRNG, struct.pack("<Q", prng_state))
        self.session.flush()

    @property
    def order(self) -> npt.NDArray[np.intp] | None:
        """The input at each position of the first layer, if that is another one; see `load`."""
        return self._order

    def restore(self, state: NetworkState) -> None:
        """Put back what `state` gave."""
        self.load_state(self.layers, state, self._order)

    def seed(self, seed: int, index: int) -> None:
        """PRNG state <- SplitMix64's output `index` of `seed`, made by the device's own seeder."""
        self.session.request(Type.SEED, struct.pack("<QQ", seed, index))

    def load_state(self, layers: Sequence[Layer], state: NetworkState,
                   input_order: npt.NDArray[np.intp] | None = None) -> None:
        """Put a network on the device, as `load` does; parts that are missing are as there."""
        support = state.parts.get("support")
        self.load(layers, state.counters, state.prng, input_order,
                  support.inside if isinstance(support, Support) else None,
                  RowScales.of(state.parts))

    def state(self, parts: Sequence[str] | None = None) -> NetworkState:
        """Read the network back: counters int16, PRNG, and the core's parts, or those named."""
        if parts is None:
            parts = [unit.name for unit in UNITS if unit.state and unit.within(self.config)]
        return NetworkState([c.astype(np.int16) for c in self.counters()], self.prng(),
                            {name: self.part(name) for name in parts})

    def part(self, name: str) -> Part:
        """Read a unit's part of the state back."""
        read: dict[str, Callable[[], Part]] = {
            "support": lambda: Support(self.support()), "scales": self.scales}
        return read[name]()

    def set_gains(self, gains: Sequence[int]) -> None:
        """Write the layer table with these gain exponents; the network stays.

        It is written even if it says what it said before: an upset in it would do harm for ever.
        """
        self._set_table([replace(layer, gain=gain)
                         for layer, gain in zip(self.layers, gains, strict=True)])

    def counters(self) -> list[npt.NDArray[np.int64]]:
        """Read the network back: per layer int64 (outputs, inputs).

        Raises
        ------
        BadInput
            The core only infers: it has no more of a counter than its trit.
        DeviceAstray
            A core with a signature of T and R has been upset.
        """
        self._need_trainable()
        c = self.config
        rows = self._used()[1]
        codes = self._codes()
        residuals = unpack_words(self._read(Space.R, 0, rows, c.residual_word_bytes),
                                 c.residual_bits, c.update_lanes, c.residual_word_bytes)
        if self._written is not None:
            changes = self.status()["signature"]
            if signature(c, codes, residuals) ^ self._written != changes:
                raise DeviceAstray(f"T or R of {self.session.name} holds a bit that nobody wrote: "
                                   "its signature is another")
        counters = unpack_counters(c, self.layers, codes, residuals)
        if self._order is not None:
            counters[0] = counters[0][:, np.argsort(self._order)]
        return counters

    def scales(self) -> RowScales:
        """Read the rows' scales back, from a core that has them."""
        size = self.config.scale_word_bytes
        *rows, (step, _) = [unpack_scales(self._read(Space.S, 0, count, size, first))
                            for first, count in self._scale_windows()]
        return RowScales([corr for corr, _ in rows], [codes for _, codes in rows], int(step[0]))

    def status(self, wait: bool = False, work_s: float = 0.0) -> dict[str, int]:
        """The device's STATUS record, with the names of `STATUS_FIELDS`."""
        return self.session.status(wait, work_s)

    def prng(self) -> int:
        """State of the PRNG."""
        return self.status()["prng"]

    def support(self) -> list[Bits]:
        """Granules inside the support, per layer (row groups, words), of inputs in device order.

        Raises
        ------
        BadInput
            The core keeps none.
        """
        self._need_support()
        c, found = self.config, []
        for placed in place(c, self.layers):
            words = unpack_words(
                self._read(Space.SUPPORT, 0, placed.groups, c.support_word_bytes,
                           placed.group_base), 1, c.max_words, c.support_word_bytes)
            found.append(words[:, :placed.words].astype(np.bool_))
        return found

    def purge(self, layers: Sequence[int], cutoff: int, k: int) -> None:
        """Purge layers, numbered from 1, see `tritgrad.model.blending.granules.purged`.

        Raises
        ------
        BadInput
            The core keeps no support.
        """
        self._need_support()
        c = self.config
        counters = sum(c.lanes * p.words * layer.outputs
                       for p, layer in zip(place(c, self.layers), self.layers, strict=True))
        longest_s = (1000 + 16 * counters) / SLOWEST_CLOCK_HZ
        self._start(programs.purge(len(self.layers), layers, cutoff, k))
        status = self._stopped(longest_s)
        if status["run"] != Run.HALTED:
            raise self._failed(status)

    def train_chunk(self, x: Bytes, y: Integers, margin: int, rest: bool = False,
                    scale_refresh: int | None = None) -> RunStats:
        """Learn samples in their order.

        Parameters
        ----------
        x
            uint8 (samples, inputs), below 2^planes.
        y
            (samples,), numbers of the classes.
        margin
            M of the margin rule.
        rest
            Whether granules outside the support stay there; for a core that keeps one.
        scale_refresh
            r, if the rows' scales learn too.

        Raises
        ------
        BadInput
            The core only infers.
        """
        return self.learn(lambda samples: programs.train(
            len(self.layers), samples, margin, rest=rest, scale_refresh=scale_refresh), x, y)

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
        self._need_trainable()
        total = RunStats()
        for start in range(0, len(x), MAX_CHUNK):
            part = slice(start, start + MAX_CHUNK)
            total = _add(total, self.run(program(len(x[part])), x[part], y[part], passes))
        if counts and total.samples != passes * len(x):
            raise DeviceAstray(
                f"{self.session.name} trained {total.samples} samples, not {passes * len(x)}")
        return total

    def scrub(self) -> int:
        """Have the device compare the trits of all rows with their sums; how many rows.

        Raises
        ------
        BadInput
            The core keeps no sums.
        DeviceError
            Rows differ: names them, but for those behind the third.
        """
        if not self.config.row_sums:
            raise BadInput(f"{self.session.name} was built without row sums: it cannot scrub")
        longest_s = self._worst_cycles() / SLOWEST_CLOCK_HZ
        self._start(programs.scrub(len(self.layers)))
        status = self._stopped(255 * longest_s)
        if status["run"] == Run.HALTED:
            return sum(layer.outputs for layer in self.layers)
        if status["run"] != Run.CORRUPT:
            raise self._failed(status)
        rows = self._corrupt_rows()
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        raise DeviceError(f"memory T of {self.session.name} is corrupt: the trits of "
                          f"{', '.join(rows[:3])}{more} have not the sum mod 3 that was kept")

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
            program = programs.infer(len(self.layers), len(rows))
            total = _add(total, self.run(program, x[rows], np.zeros(len(rows), np.int64)))
            for payload in self.session.take_results():
                if len(payload) == 5 + 4 * classes:
                    index, prediction = struct.unpack("<IB", payload[:5])
                    if index < len(rows) and prediction < classes:
                        predictions[rows[index]] = prediction
                        scores[rows[index]] = np.frombuffer(payload[5:], "<i4")
            left = np.flatnonzero(predictions < 0)
            stuck = stuck + 1 if len(left) == len(missing) else 0
            if stuck > MAX_RERUNS:
                raise DeviceError(f"{self.session.name} sends no results")
            missing = left
        return predictions, scores, total

    def _stop(self) -> None:
        if self.status()["run"] == Run.RUNNING:
            self.session.request(Type.ABORT)

    def _set_table(self, layers: Sequence[Layer]) -> None:
        try:
            check_table(self.config, layers)
        except TableError as error:
            raise BadInput(f"the network does not fit this core: {error}") from None
        if self._order is not None and layers[0].gain < 0:
            raise ValueError(f"inputs in another order need a first gain of at least 0, "
                             f"not {layers[0].gain!r}")
        self.session.post(Type.TABLE, b"".join(
            frames.pack_fields(frames.LAYER_ROW, inputs=row.inputs, outputs=row.outputs,
                               planes=row.planes, shift=row.shift, gain=row.gain, skip=row.skip)
            for row in layers))
        self.layers = list(layers)

    def _need_trainable(self) -> None:
        if not self.config.trainable:
            raise BadInput(f"{self.session.name} was built to infer only: it cannot train")

    def _need_support(self) -> None:
        if not self.config.support:
            raise BadInput(f"{self.session.name} was built without a support: it cannot prune")

    def _write_support(self, inside: Sequence[Bits]) -> None:
        c = self.config
        for placed, bits in zip(place(c, self.layers), inside, strict=True):
            words = np.zeros((placed.groups, c.max_words), np.int64)
            words[:, :placed.words] = bits
            self._write(Space.SUPPORT, 0, pack_words(words, 1, c.support_word_bytes),
                        c.support_word_bytes, placed.group_base)

    def _used(self) -> tuple[int, int]:
        """Words of T a bank and words of R that the network fills."""
        end = place(self.config, [*self.layers, Layer(0, 0, 0, 0, 0)])[-1]
        return end.trit_base, end.residual_base

    def _codes(self) -> npt.NDArray[np.int64]:
        """The words of T that the network fills."""
        c = self.config
        return np.stack([
            unpack_words(self._read(Space.T, bank, self._used()[0], c.trit_word_bytes), 2, c.lanes,
                         c.trit_word_bytes) for bank in range(c.banks)])

    def _corrupt_rows(self) -> list[str]:
        """Rows whose trits have not the sum that the device keeps."""
        c, codes, names = self.config, self._codes(), []
        for number, (layer, placed) in enumerate(
                zip(self.layers, place(c, self.layers), strict=True), 1):
            kept = np.frombuffer(self._read(Space.SUMS, 0, layer.outputs, 1,
                                            placed.output_base * c.lanes), np.uint8)
            differ = np.flatnonzero(kept != row_sums(c, layer, placed, codes))
            names += [f"layer {number} row {row}" for row in differ]
        return names

    def _scale_windows(self) -> list[tuple[int, int]]:
        """First word and number of words in memory S of each layer's rows, then of the step."""
        places = place(self.config, self.layers)
        rows = [(placed.output_base * self.config.lanes, layer.outputs)
                for layer, placed in zip(self.layers, places, strict=True)]
        return [*rows, (self.config.scale_depth - 1, 1)]

    def _write_scales(self, scales: RowScales) -> None:
        scales.check([layer.outputs for layer in self.layers])
        step = np.array([scales.step]), np.zeros(1, np.uint8)
        for (first, _), corr, codes in zip(self._scale_windows(), [*scales.corr, step[0]],
                                           [*scales.codes, step[1]], strict=True):
            self._write(Space.S, 0, pack_scales(corr, codes), self.config.scale_word_bytes, first)

    def _write(self, space: Space, bank: int, data: bytes, size: int, first: int = 0) -> None:
        words, done = len(data) // size, 0
        while done < words:
            count = min(words - done, max(1, (self.session.budget - 6) // size))
            head = struct.pack("<BBHH", space, bank, first + done, count)
            self.session.post(Type.WRITE, head + data[done * size:(done + count) * size])
            done += count

    def _read(self, space: Space, bank: int, words: int, size: int, first: int = 0) -> bytes:
        asked, done = [], 0
        while done < words:
            count = min(words - done, max(1, (self.session.budget - 12) // size))
            asked.append((count * size, self.session.post(
                Type.READ, struct.pack("<BBHH", space, bank, first + done, count))))
            done += count
        self.session.flush()
        answers = [pending.answer or b"" for _, pending in asked]
        if [len(answer) for answer in answers] != [length for length, _ in asked]:
            raise DeviceError(f"{self.session.name} answers READ with the wrong number of words")
        return b"".join(answers)

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
        self._start(list(program))
        self.session.take_results()
        planes = self.layers[0].planes
        ordered = x if self._order is None else x[:, self._order]
        packed, labels = pack_samples(ordered, planes), y.astype(np.uint8)
        size = planes * ceil_div(self.layers[0].inputs, 8)
        sample_s = self._worst_cycles() / SLOWEST_CLOCK_HZ
        start, count = 0, 0
        while start < len(x):
            count = max(1, min(255, (self.session.budget - 1) // (1 + size), len(x) - start))
            part = slice(start, start + count)
            self.session.post(Type.DATA, bytes([count]) + labels[part].tobytes()
                              + packed[part].tobytes(), work_s=(count + 2) * sample_s)
            start += count
        status = self._stopped((255 + passes * len(x)) * sample_s)
        if status["run"] != Run.HALTED:
            raise self._failed(status)
        return RunStats(*(status[name] for name in RunStats.__dataclass_fields__))

    def run_nothing(self) -> dict[str, int]:
        """Run a program of no samples, which clears the statistics; the STATUS record after it."""
        self._start(assemble("HALT", layers=len(self.layers)))
        return self._stopped(1e3 / SLOWEST_CLOCK_HZ)

    def _start(self, program: list[int]) -> None:
        # Anew each time, as the table: an upset in either would stay.
        self.session.post(Type.PROGRAM, struct.pack(f"<{len(program)}I", *program))
        self.session.request(Type.RUN)

    def _failed(self, status: dict[str, int]) -> DeviceError:
        return DeviceAstray(f"the program on {self.session.name} stopped: "
                            f"{_run_name(status['run'])}")

    def _stopped(self, work_s: float) -> dict[str, int]:
        """The device's STATUS record once the program has stopped."""
        before: tuple[int, int] | None = None
        stalls = 0
        while True:
            status = self.status(wait=True, work_s=work_s)
            if status["run"] != Run.RUNNING:
                return status
            now = status["samples"], status["cycles"]
            stalls = stalls + 1 if now == before else 0
            if stalls > MAX_STALLS:
                raise DeviceAstray(f"the program on {self.session.name} does not end: "
                                   f"{status['samples']} samples trained")
            before = now

    def _worst_cycles(self) -> int:
        """Cycles that no sample exceeds, generously."""
        c = self.config
        return 1000 + sum(
            (layer.planes * ceil_div(layer.outputs, c.banks) + 8 * c.steps * layer.outputs)
            * ceil_div(layer.inputs, c.lanes) + 64 * layer.outputs for layer in self.layers)


def _add(a: RunStats, b: RunStats) -> RunStats:
    return RunStats(*(getattr(a, name) + getattr(b, name)
                      for name in RunStats.__dataclass_fields__))


def _run_name(run: int) -> str:
    return Run(run).name if run in [*Run] else str(run)
