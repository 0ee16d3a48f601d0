"""The golden device: the reference machine behind the link protocol, bytes in and bytes out."""

import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..firmware import frames
from ..firmware.frames import SHIFTED, Flags, Frame, FrameDecoder, Run, Space, Status, Type
from ..firmware.isa import INSTRUCTIONS, Op, decode, operand_range
from ..firmware.store import Kind, known
from ..firmware.wire import pack_words, unpack_sample, unpack_sparse, unpack_words
from ..units.registry import LAYER_ROW, hello_fields, needed_by, windows
from .config import CoreConfig, ceil_div
from .images import StoredImages, images_of, offsets_of
from .layout import Layer, TableError, check_table
from .machine import Machine, Result, Sample
from .records import Piece
from .rng import splitmix64
from .store import BadLabel, FlashStore, RamStore, store_of

__all__ = ["GoldenDevice", "program_fault"]


class Refused(Exception):
    """A frame gets an error answer and changes nothing."""

    def __init__(self, status: Status):
        self.status = status


def program_fault(config: CoreConfig, words: list[int]) -> str | None:
    """Why a core does not take a program, or None."""
    if not 1 <= len(words) <= config.program_depth:
        return f"a program has 1 to {config.program_depth} instructions, not {len(words)}"
    for address, word in enumerate(words):
        opcode, operand = decode(word)
        if opcode not in frozenset(Op):
            return f"address {address}: no instruction has opcode {opcode}"
        op = Op(opcode)
        unit = needed_by(op)
        if unit is not None and not unit.within(config):
            return f"address {address}: {op.name} needs a core {unit.title}"
        low, high = operand_range(INSTRUCTIONS[op].operand, length=len(words),
                                  layers=config.max_layers)
        if not low <= operand <= high:
            return f"address {address}: {op.name} takes {low} to {high}, not {operand}"
    return None


class GoldenDevice:
    """Answers frames exactly as a core does; its cycle counters stay 0.

    Parameters
    ----------
    config
        The core to stand in for.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.store = store_of(config)
        self.reset()

    def reset(self) -> None:
        """The state after a reset: nothing loaded, no session. The store keeps what it has."""
        self.machine = Machine(self.config)
        self.decoder = FrameDecoder(self.config.slot_bytes)
        self.expected = 0
        self.nonce = 0
        self.loaded = 0

    def feed(self, data: bytes) -> bytes:
        """Take wire bytes, run as far as they allow, and return the wire bytes to send."""
        out = bytearray()
        for frame in self.decoder.feed(data):
            out += self._answer(frame).encode()
            self.machine.advance()
            while self.machine.outbox:
                out += self._result(self.machine.outbox.popleft()).encode()
        return bytes(out)

    def _result(self, result: Result | Piece) -> Frame:
        if isinstance(result, Piece):
            return Frame(frames.TRACE, result.number & 0xFF,
                         struct.pack("<I", result.number) + result.data)
        payload = struct.pack("<IB", result.index, result.prediction)
        return Frame(frames.RESULT, result.index & 0xFF,
                     payload + result.scores.astype("<i4").tobytes())

    def _answer(self, frame: Frame | Status) -> Frame:
        if isinstance(frame, Status):
            return Frame(frames.NAK, self.expected, self._head(frame))
        try:
            data = self._obey(frame)
        except Refused as refusal:
            kind = frame.type | frames.ANSWER_BIT
            if refusal.status == Status.TYPE:
                kind = frames.NAK
            return Frame(kind, frame.sequence, self._head(refusal.status))
        return Frame(frame.type | frames.ANSWER_BIT, frame.sequence,
                     self._head(Status.OK) + data)

    def _head(self, status: Status) -> bytes:
        return frames.pack_fields(frames.ANSWER_HEAD, status=status, expected=self.expected,
                                  nonce=self.nonce)

    def _obey(self, frame: Frame) -> bytes:
        """Check in the order type, session, sequence, state, length, range; then act."""
        kind = frame.type
        if kind not in known(self.config):
            raise Refused(Status.TYPE)
        if kind == Type.HELLO:
            return self._hello(frame)
        if self.nonce == 0:
            raise Refused(Status.NO_HELLO)
        ahead = (frame.sequence - self.expected) & 0xFF
        if 0 < ahead < 128:
            raise Refused(Status.SEQUENCE)
        if ahead and kind not in frames.READ_ONLY:
            return b""
        running = self.machine.run is Run.RUNNING
        if kind not in (Type.STATUS, Type.ABORT) and running != (kind in (Type.DATA, Type.PLAY)):
            raise Refused(Status.STATE)
        if (self.config.store == Kind.RAM and kind in (Type.FILL, Type.CHECK)
                and not self.machine.layers):
            raise Refused(Status.STATE)
        actions: dict[Type, Callable[[bytes], bytes]] = {
            Type.PROGRAM: self._program, Type.TABLE: self._table, Type.WRITE: self._write,
            Type.READ: self._read, Type.PRNG: self._prng, Type.SEED: self._seed,
            Type.RUN: self._run, Type.DATA: self._data, Type.STATUS: self._status,
            Type.ABORT: self._abort, Type.PLAY: self._play, Type.FILL: self._fill,
            Type.CHECK: self._check, Type.SPI: self._spi}
        data = actions[Type(kind)](frame.payload)
        if not ahead:
            self.expected = (self.expected + 1) & 0xFF
        return data

    def _hello(self, frame: Frame) -> bytes:
        _need_length(frame.payload, 4)
        nonce = int.from_bytes(frame.payload, "little")
        _need(nonce != 0)
        self.nonce, self.expected = nonce, (frame.sequence + 1) & 0xFF
        c = self.config
        named = {name: getattr(c, name) for name, _ in hello_fields(c) if hasattr(c, name)}
        return frames.pack_fields(hello_fields(c), magic=frames.MAGIC, slots=frames.SLOTS,
                                  protocol=frames.PROTOCOL_VERSION, **named)

    def _program(self, payload: bytes) -> bytes:
        if not payload or len(payload) % 4:
            raise Refused(Status.LENGTH)
        words = list(struct.unpack(f"<{len(payload) // 4}I", payload))
        _need(program_fault(self.config, words) is None)
        self.machine.program = words
        self.loaded |= 1
        return b""

    def _table(self, payload: bytes) -> bytes:
        if not payload or len(payload) % 8:
            raise Refused(Status.LENGTH)
        layers = []
        while payload:
            row, payload = frames.unpack_fields(LAYER_ROW, payload)
            layers.append(Layer(**row))
        try:
            check_table(self.config, layers)
        except TableError:
            raise Refused(Status.RANGE) from None
        self.machine.load_table(layers)
        self.loaded |= 2
        return b""

    def _depth(self, space: int) -> int:
        """Words of a bank of a memory; 0 if there is none."""
        c = self.config
        if space == Space.T:
            return c.trit_depth
        if space == Space.R:
            return c.residual_depth if c.trainable else 0
        others = windows(c)
        return others[Space(space)].depth(c) if space in others else 0

    def _word_bytes(self, space: int) -> int:
        """Bytes of a memory's word; a space that there is not counts as the last there is."""
        c = self.config
        sizes = {Space.T: c.trit_word_bytes, Space.R: c.residual_word_bytes}
        sizes |= {other: window.word_bytes(c) for other, window in windows(c).items()}
        return sizes[Space(space) if space in sizes else max(sizes)]

    def _window(self, payload: bytes) -> tuple[Space, int, int, int]:
        """Space, bank, and first and end of the memory words that WRITE or READ names."""
        space, bank, address, count = struct.unpack("<BBHH", payload[:6])
        end = address + count
        _need(count > 0 and end <= self._depth(space))
        _need(bank < (self.config.banks if space == Space.T else 1))
        return Space(space), bank, address, end

    def _words(self, space: Space, bank: int, first: int, end: int,
               ) -> tuple[npt.NDArray[np.int64], int]:
        """Words of T or R, a view, and bits of a lane."""
        if space == Space.T:
            return self.machine.codes[bank, first:end], 2
        return self.machine.residuals[first:end], self.config.residual_bits

    def _write(self, payload: bytes) -> bytes:
        if len(payload) < 6:
            raise Refused(Status.LENGTH)
        size = self._word_bytes(payload[0])
        _need_length(payload, 6 + size * int.from_bytes(payload[4:6], "little"))
        space, bank, first, end = self._window(payload)
        if space in windows(self.config):
            self.machine.write(space, first, payload[6:])
            return b""
        words, bits = self._words(space, bank, first, end)
        words[:] = unpack_words(payload[6:], bits, words.shape[1], size)
        if space == Space.T:
            self.loaded |= 4
        for tell in self.machine.asks["written"]:
            tell()
        return b""

    def _read(self, payload: bytes) -> bytes:
        _need_length(payload, 6)
        space, bank, first, end = self._window(payload)
        size = self._word_bytes(space)
        _need(6 + size * (end - first) <= self.config.max_payload)
        if space in windows(self.config):
            return self.machine.read(space, first, end)
        words, bits = self._words(space, bank, first, end)
        return pack_words(words, bits, size)

    def _prng(self, payload: bytes) -> bytes:
        _need_length(payload, 8)
        state = int.from_bytes(payload, "little")
        _need(state != 0)
        self.machine.prng.state = state
        self.loaded |= 8
        return b""

    def _seed(self, payload: bytes) -> bytes:
        _need_length(payload, 16)
        seed, index = struct.unpack("<QQ", payload)
        self.machine.prng.state = int(splitmix64(seed, index)) or 1
        self.loaded |= 8
        return b""

    def _run(self, payload: bytes) -> bytes:
        _need_length(payload, 0)
        if self.loaded != 15:
            raise Refused(Status.STATE)
        self.machine.start()
        return b""

    def _data(self, payload: bytes) -> bytes:
        self.machine.inbox.extend(Sample(x, label) for x, label in self._samples(
            payload, self.machine.sample_row))
        return b""

    @property
    def images(self) -> StoredImages | None:
        """The images that the table speaks of, if it does."""
        machine = self.machine
        return images_of(self.config, machine.sample_row, machine.front is not None)

    @property
    def record_row(self) -> Layer:
        """The table's first row as records of the store have it."""
        images, row = self.images, self.machine.sample_row
        return row if images is None else images.record(row)

    def _samples(self, payload: bytes, first: Layer) -> list[tuple[npt.NDArray[np.int64], int]]:
        """The samples and labels of DATA and FILL, once all of them are known to be right."""
        if len(payload) < 2:
            raise Refused(Status.LENGTH)
        flags, count = payload[:2]
        labels, rest = payload[2:2 + count], payload[2 + count:]
        size = first.planes * ceil_div(first.inputs, 8)
        pieces = []
        for _ in labels:
            piece, used = rest[:size], size
            if flags & Flags.SPARSE:
                piece, used = unpack_sparse(rest, first.inputs, first.planes) or (b"", size)
            pieces.append(piece)
            rest = rest[used:]
        if len(labels) < count or rest or any(len(piece) < size for piece in pieces):
            raise Refused(Status.LENGTH)
        _need(count > 0 and max(labels) < self.machine.layers[-1].outputs
              and not flags & ~Flags.SPARSE)
        return [(unpack_sample(piece, first.inputs, first.planes), label)
                for piece, label in zip(pieces, labels, strict=True)]

    def _play(self, payload: bytes) -> bytes:
        assert self.store is not None
        if len(payload) < 7:
            raise Refused(Status.LENGTH)
        first, run, flags, count = _number(payload), *payload[3:5], payload[5] | payload[6] << 8
        images, wide = self.images, 3 if flags & Flags.WIDE else 2
        shifted = bool(self.config.store_shift and flags & SHIFTED)
        size = wide + shifted
        if len(payload) != 7 + count * size:
            raise Refused(Status.LENGTH)
        sparse = Flags.SPARSE if self.config.store == Kind.FLASH else 0
        _need(run > 0 and count > 0 and not flags & ~(Flags.WIDE | sparse)
              and (images is not None or not shifted))
        entries = [payload[at:at + size] for at in range(7, len(payload), size)]
        offsets = [offsets_of(entry[-1]) if shifted else (0, 0) for entry in entries]
        _need(all(abs(n) <= self.config.store_shift for pair in offsets for n in pair))
        layer, classes = self.record_row, self.machine.layers[-1].outputs
        for entry, (dy, dx) in zip(entries, offsets, strict=True):
            number = (first + int.from_bytes(entry[:wide], "little")) % (1 << 24)
            bad = False
            try:
                found = self.store.play(number, run, layer, classes, bool(flags & Flags.SPARSE))
            except BadLabel as error:
                found, bad = error.samples, True
            self.machine.inbox.extend(
                Sample(x if images is None else images.shifted(x, dy, dx), label)
                for x, label in found)
            if bad:
                raise Refused(Status.STORE)
        return b""

    def _fill(self, payload: bytes) -> bytes:
        assert isinstance(self.store, RamStore)
        row = self.record_row
        self.store.fill(_number(payload), self._samples(payload[3:], row), row)
        return b""

    def _check(self, payload: bytes) -> bytes:
        assert self.store is not None
        _need_length(payload, 6)
        layer = self.record_row if self.machine.layers else None
        crc = self.store.crc(_number(payload), _number(payload[3:]), layer)
        return struct.pack("<IB", crc, self.store.PHASE)

    def _spi(self, payload: bytes) -> bytes:
        assert isinstance(self.store, FlashStore)
        if len(payload) < 3:
            raise Refused(Status.LENGTH)
        receive = payload[0] | payload[1] << 8
        _need(receive <= self.config.max_payload - 6)
        return self.store.transact(payload[2:], receive)

    def _status(self, payload: bytes) -> bytes:
        _need_length(payload, 1)
        _need(payload[0] <= 1)
        s = self.machine.statistics
        record = frames.pack_fields(
            frames.STATUS_FIELDS, run=self.machine.run, loaded=self.loaded, samples=s.samples,
            correct=s.correct, updates=s.updates, flips=s.flips, cycles=0, forward_cycles=0,
            total_cycles=0, prng=self.machine.prng.state)
        return record + b"".join(tell() for tell in self.machine.asks["status"])

    def _abort(self, payload: bytes) -> bytes:
        _need_length(payload, 0)
        if self.machine.run is Run.RUNNING:
            self.machine.run = Run.ABORTED
        return b""


def _need(condition: bool) -> None:
    if not condition:
        raise Refused(Status.RANGE)


def _number(payload: bytes) -> int:
    """The 24-bit number that a payload begins with."""
    return int.from_bytes(payload[:3], "little")


def _need_length(payload: bytes, length: int) -> None:
    if len(payload) != length:
        raise Refused(Status.LENGTH)
