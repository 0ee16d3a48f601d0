"""What a device decided: runs samples with their records, and reads those."""

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...errors import BadInput, DeviceError
from ...firmware import programs
from ...firmware.frames import unpack_fields
from ...firmware.records import FIELDS, Item, Mode, mask_bytes
from ...firmware.wire import unpack_words
from ...model.config import CoreConfig, ceil_div
from ...model.layout import Layer, place
from ...model.soft.decisions import HiddenDecisions, SampleDecisions
from .driver import MAX_CHUNK, MAX_RERUNS, Bytes, Driver, Integers
from .runner import RunStats

__all__ = ["RecordError", "RecordReader", "trace_samples"]

Places = npt.NDArray[np.int64]


class RecordError(DeviceError):
    """Bytes that are no records of this core and network."""


class RecordReader:
    """Reads records, whole ones in a row, as `firmware.records` describes them.

    Parameters
    ----------
    config, layers
        The core and its layer table.
    order
        The input at each position of the first layer, see `Driver.load`.
    """

    def __init__(self, config: CoreConfig, layers: Sequence[Layer],
                 order: npt.NDArray[np.intp] | None = None):
        self.config = config
        self.layers = list(layers)
        self._places = place(config, layers)
        self._order = order
        self._data, self._at = b"", 0

    def read(self, data: bytes) -> list[SampleDecisions]:
        """The decisions of all records, in their order. Raises `RecordError`."""
        self._data, self._at = data, 0
        found: list[SampleDecisions] = []
        while self._at < len(data):
            found.append(self._record(len(found)))
        return found

    def _record(self, number: int) -> SampleDecisions:
        hidden: dict[int, HiddenDecisions] = {}
        steps: list[tuple[int, int, int, int, bytes, bytes]] = []
        head: dict[str, int] = {}
        scores = np.zeros(0, np.int64)
        while True:
            kind, fields = self._head()
            if kind is Item.END:
                break
            if kind is Item.HIDDEN:
                hidden[fields["layer"]] = self._hidden(fields["layer"])
            elif kind is Item.SCORES:
                head, classes = fields, self.layers[-1].outputs
                scores = np.frombuffer(self._take(4 * classes), "<i4").astype(np.int64)
            else:
                size = mask_bytes(self.config.update_lanes)
                steps.append((1 if kind is Item.UP else -1, fields["bank"], fields["step"],
                              fields["address"], self._take(size), self._take(size)))
        wanted = list(range(1, len(self.layers)))
        if fields["record"] != number or sorted(hidden) != wanted or not head:
            raise RecordError(f"record {number} is not whole: it says {fields['record']}, with "
                              f"layers {sorted(hidden)} of {wanted}")
        flips, saturations = self._steps(steps)
        return SampleDecisions(
            head["target"], head["prediction"], head["rival"], head["gap"], head["margin"],
            bool(head["flag"]), scores, tuple(hidden[n] for n in wanted), flips, saturations)

    def _take(self, size: int) -> bytes:
        data = self._data[self._at:self._at + size]
        if len(data) < size:
            raise self._short()
        self._at += size
        return data

    def _short(self) -> RecordError:
        return RecordError(f"a record ends after {len(self._data)} bytes in the middle")

    def _head(self) -> tuple[Item, dict[str, int]]:
        kind = self._data[self._at] if self._at < len(self._data) else 0
        if kind not in [*Item]:
            raise RecordError(f"no item of a record is of kind {kind}, byte {self._at}")
        try:
            fields, _ = unpack_fields(FIELDS[Item(kind)], self._data[self._at:self._at + 16])
        except struct.error:
            raise self._short() from None
        self._at += struct.calcsize("<" + "".join(code for _, code in FIELDS[Item(kind)]))
        return Item(kind), fields

    def _hidden(self, number: int) -> HiddenDecisions:
        if not 1 <= number < len(self.layers):
            raise RecordError(f"layer {number} is no hidden layer of {len(self.layers)}")
        c, outputs = self.config, self.layers[number - 1].outputs
        words = ceil_div(outputs, c.lanes)
        mask, steps = mask_bytes(c.lanes), c.steps if c.trainable else 0
        planes, each = 1 + c.activation_bits, mask_bytes(2 * c.update_lanes)
        raw = np.frombuffer(self._take(words * (planes * mask + steps * each)), np.uint8)
        rows = raw.reshape(words, -1)
        bits = unpack_words(rows[:, :planes * mask].tobytes(), 1, c.lanes, mask)
        bits = bits.reshape(words, planes, c.lanes)
        activations = (bits[:, 1:] << np.arange(c.activation_bits)[:, None]).sum(axis=1)
        errors = np.zeros(words * c.lanes, np.int64)
        if steps:
            codes = unpack_words(rows[:, planes * mask:].tobytes(), 2, c.update_lanes, each)
            errors = np.where(codes == 3, -1, codes).reshape(-1)
        return HiddenDecisions(activations.reshape(-1)[:outputs],
                               bits[:, 0].reshape(-1)[:outputs].astype(bool), errors[:outputs])

    def _steps(self, steps: Sequence[tuple[int, int, int, int, bytes, bytes]],
               ) -> tuple[tuple[Places, ...], tuple[Places, ...]]:
        """Flips and saturations of each layer."""
        found: tuple[list[list[Places]], ...] = tuple(
            [[np.zeros((0, 3), np.int64)] for _ in self.layers] for _ in range(2))
        for direction, bank, step, address, *masks in steps:
            n, row, first = self._locate(bank, step, address)
            for kept, mask in zip(found, masks, strict=True):
                lanes = np.flatnonzero(np.unpackbits(np.frombuffer(mask, np.uint8),
                                                     bitorder="little"))
                columns = first + lanes
                if len(columns) and columns[-1] >= self.layers[n].inputs:
                    raise RecordError(f"layer {n + 1} has no input {columns[-1]}")
                if n == 0 and self._order is not None:
                    columns = self._order[columns]
                kept[n].append(np.stack([np.full(len(lanes), row), columns,
                                         np.full(len(lanes), direction)], axis=1))
        flips, saturations = (tuple(_sorted(np.concatenate(layer)) for layer in kept)
                              for kept in found)
        return flips, saturations

    def _locate(self, bank: int, step: int, address: int) -> tuple[int, int, int]:
        """Layer from 0, row, and first input of a step on a word of T."""
        for n, (layer, placed) in enumerate(zip(self.layers, self._places, strict=True)):
            group, word = divmod(address - placed.trit_base, placed.words)
            row = group * self.config.banks + bank
            if 0 <= group < placed.groups and row < layer.outputs:
                return n, row, word * self.config.lanes + step * self.config.update_lanes
        raise RecordError(f"no layer has word {address} of bank {bank}")


def _sorted(places: Places) -> Places:
    return places[np.lexsort((places[:, 1], places[:, 0]))]


def trace_samples(driver: Driver, x: Bytes, y: Integers, margin: int | None,
                  mode: Mode = Mode.FLIPS | Mode.SATURATIONS, scale_refresh: int | None = None,
                  ) -> tuple[list[SampleDecisions], RunStats]:
    """Run samples in their order, and all that the device decided about each.

    Nothing is lost: frames are numbered from the start of a run, and where one is missing, the
    network is put back as it was and the samples are run again, which makes the same frames.

    Parameters
    ----------
    driver
        A device with a network.
    x, y
        uint8 (samples, inputs) and their labels; at most 65,536.
    margin
        M of the margin rule, to learn the samples; None to forward them only.
    mode
        Whether saturations are told too.
    scale_refresh
        r, if the rows' scales learn too.

    Raises
    ------
    BadInput
        The core has no trace unit, or only infers and is to learn.
    DeviceError
        Its records are no records, or never come whole.
    """
    name = driver.session.name
    if not driver.config.trace:
        raise BadInput(f"{name} has no trace unit: it cannot tell what it decides")
    if len(x) > MAX_CHUNK:
        raise BadInput(f"a run has at most {MAX_CHUNK} samples, not {len(x)}")
    depth = len(driver.layers)
    before = None
    if margin is None:
        program = programs.infer(depth, len(x), int(mode))
    else:
        before = driver.state()
        program = programs.train(depth, len(x), margin, int(mode), scale_refresh=scale_refresh)
    if len(program) > driver.config.program_depth:
        raise BadInput(f"tracing {depth} layers needs {len(program)} instructions, {name} has room "
                       f"for {driver.config.program_depth}")
    reader = RecordReader(driver.config, driver.layers, driver.order)
    pieces: dict[int, bytes] = {}
    driver.session.take_pieces()
    for _ in range(MAX_RERUNS):
        stats = driver.run(program, x, y)
        driver.session.take_results()
        for payload in driver.session.take_pieces():
            pieces[int.from_bytes(payload[:4], "little")] = payload[4:]
        if sorted(pieces) == list(range(len(pieces))):
            data = b"".join(pieces[n] for n in range(len(pieces)))
            last = struct.pack("<BI", Item.END, len(x) - 1)
            if data.endswith(last):
                found = reader.read(data)
                if len(found) == len(x):
                    return found, stats
        if before is not None:
            driver.restore(before)
    raise DeviceError(f"{name} does not send its records")
