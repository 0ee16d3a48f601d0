"""The attacker of a device: right and wrong frames, beside the golden device that it watches."""

import random
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from ..firmware import frames, programs
from ..firmware.frames import ESC, FLAG, Frame, FrameDecoder, Run, Space, Type
from ..firmware.isa import Op, encode
from ..firmware.store import known
from ..model.config import MAX_SKIP, CoreConfig
from ..model.convolution.shape import Convolution
from ..model.front import front_fields
from ..model.golden_device import GoldenDevice
from ..model.layout import Layer, TableError, check_table
from ..units import UNITS
from ..units.record import Unit
from ..units.registry import LAYER_ROW, takes
from .sample_requests import SampleRequests

__all__ = ["Attacker", "areas_of"]


class Attacker:
    """Writes items for a device in the golden device's state.

    Parameters
    ----------
    golden
        Decides what would be right; must be fed each item before the next is asked for.
    rng
        Decides the rest.
    whole
        Run only programs for all layers of the table: no other reads what no program has written.

    Attributes
    ----------
    kinds
        Weight and maker of each kind of item.
    """

    def __init__(self, golden: GoldenDevice, rng: random.Random, whole: bool = False):
        self.golden, self.rng, self.whole = golden, rng, whole
        self.samples = SampleRequests(golden, rng)
        #: Programs that end or wait, and the layers of the table that they were written for.
        self._safe: dict[tuple[int, ...], int] = {}
        self._sent: deque[Frame] = deque(maxlen=20)
        self.kinds: dict[str, tuple[int, Callable[[], bytes]]] = {
            "valid": (14, lambda: self._request().encode()),
            "corrupt": (4, self._corrupt), "truncate": (3, self._truncate),
            "repeat": (3, self._repeat), "old": (2, self._old), "reorder": (2, self._reorder),
            "overlong": (1, self._overlong), "short": (1, self._short),
            "unknown type": (2, self._unknown), "length field": (2, self._length_field),
            "payload length": (4, self._payload_length), "sequence": (3, self._sequence),
            "range": (8, self._range), "random field": (5, self._random_field),
            "garbage": (1, self._garbage), "escapes": (2, self._escapes),
            "splice": (2, self._splice),
        }

    @property
    def config(self) -> CoreConfig:
        """The core's."""
        return self.golden.config

    def item(self) -> tuple[str, bytes]:
        """A kind and its wire bytes; at most one request among them has an effect."""
        names = list(self.kinds)
        weights = [self.kinds[name][0] for name in names]
        while True:
            name = self.rng.choices(names, weights)[0]
            wire = self.kinds[name][1]()
            if not self._endless(wire):
                return name, wire

    def _endless(self, wire: bytes) -> bool:
        """Whether it starts a program that is not known to end, where the golden device never
        would; or one for other layers, unless those will do; or goes through much of the store."""
        found = [f for f in FrameDecoder(self.config.slot_bytes).feed(wire + bytes([FLAG]))
                 if isinstance(f, Frame)]
        if any(self.samples.lasts(f) for f in found):
            return True
        if not any(f.type == Type.RUN for f in found):
            return False
        layers = self._safe.get(tuple(self.golden.machine.program))
        return layers is None or self.whole and layers != len(self.golden.machine.layers)

    # Requests that are right --------------------------------------------------------------------

    def _request(self, ahead: int = 0) -> Frame:
        kind = self._kind()
        request = Frame(kind, (self.golden.expected + ahead) & 0xFF, self._payload(kind))
        self._sent.append(request)
        return request

    def _kind(self) -> Type:
        golden, rng = self.golden, self.rng
        if golden.nonce == 0:
            return Type.HELLO if rng.random() < 0.2 else rng.choice(sorted(known(self.config)))
        weights = dict.fromkeys(sorted(known(self.config)), 1)
        if golden.machine.run is Run.RUNNING:
            weights |= {Type.DATA: 30, Type.STATUS: 4, Type.ABORT: 2}
            weights |= {Type.PLAY: 30} if Type.PLAY in weights else {}
        else:
            missing = [kind for n, kind in enumerate(
                (Type.PROGRAM, Type.TABLE, Type.WRITE, Type.PRNG)) if not golden.loaded >> n & 1]
            weights |= {Type.WRITE: 8, Type.READ: 6, Type.TABLE: 3, Type.PROGRAM: 4, Type.SEED: 2,
                        **dict.fromkeys(missing, 10)}
            if golden.loaded == 15:
                weights[Type.RUN] = 12
            weights |= {kind: 8 for kind in (Type.FILL, Type.SPI, Type.CHECK) if kind in weights}
        return rng.choices(list(weights), list(weights.values()))[0]

    def _payload(self, kind: Type) -> bytes:
        rng = self.rng
        makers: dict[Type, Callable[[], bytes]] = {
            Type.HELLO: lambda: struct.pack("<I", rng.randrange(1, 1 << 32)),
            Type.PROGRAM: self._program, Type.TABLE: lambda: self._rows(self._table()),
            Type.WRITE: self._write, Type.READ: lambda: self._window()[0],
            Type.PRNG: lambda: struct.pack("<Q", rng.randrange(1, 1 << 64)),
            Type.SEED: lambda: rng.randbytes(16), Type.RUN: bytes, Type.DATA: self.samples.data,
            Type.STATUS: lambda: bytes([rng.randrange(2)]), Type.ABORT: bytes,
            Type.PLAY: self.samples.play, Type.FILL: self.samples.fill,
            Type.CHECK: self.samples.check, Type.SPI: self.samples.spi}
        return makers[kind]()

    def _program(self) -> bytes:
        """The firmware, or what stops, faults or only receives; all of them end or wait."""
        rng, c = self.rng, self.config
        depth = len(self.golden.machine.layers) or rng.randint(1, c.max_layers)
        samples = rng.randint(1, 6)
        units = [unit for unit in UNITS if unit.within(c)]
        training: dict[str, Any] = {name: value for unit in units
                                    for name, value in unit.trial_training(rng).items()}
        makers: list[Callable[[], list[int]]] = [
            lambda: programs.train(depth, samples, rng.choice([1, 20, 200, (1 << 23) - 1]),
                                   **training),
            lambda: programs.train(depth, samples, 1 << rng.randrange(23)),
            lambda: programs.infer(depth, samples),
            *(partial(list, program) for unit in units
              for program in unit.trial_programs(rng, depth, samples)),
            lambda: [encode(Op.COUNT, samples), encode(Op.RECV), encode(Op.LOOP, 1),
                     encode(Op.HALT)],
            *([] if self.whole else [
                lambda: [encode(Op.RECV), encode(Op.FWD, c.max_layers), encode(Op.SEND)]]),
            lambda: [encode(Op.HALT), *([encode(Op.SKIP, 0)] * rng.randint(0, 3))],
        ]
        words = rng.choice(makers)()
        if len(words) > c.program_depth:
            words = [encode(Op.RECV), encode(Op.HALT)]
        self._safe[tuple(words)] = depth
        return struct.pack(f"<{len(words)}I", *words)

    def _table(self) -> list[Layer]:
        c, rng = self.config, self.rng
        while True:
            front = self._front()
            sizes = [front[0].outputs if front else rng.randint(1, c.max_inputs)]
            sizes += [rng.randint(1, c.max_neurons) for _ in range(rng.randrange(c.max_layers))]
            if c.skip and len(sizes) > 2 and rng.random() < 0.7:
                sizes[2] = sizes[1]
            sizes += [rng.randint(2, c.max_classes)]
            planes = c.conv_bits if front else rng.randint(1, c.input_planes)
            columns = 0
            if c.lays_images and rng.random() < 0.7:
                columns, planes = rng.randint(1, c.store_columns), rng.randint(1, c.store_planes)
                sizes[0] = max(1, min(sizes[0] // columns, c.store_rows)) * columns
            layers = [Layer(f, n, c.activation_bits if number else planes, rng.randint(0, 6),
                            rng.randint(-15, c.counter_bits - 2),
                            rng.randrange(MAX_SKIP + 2)
                            if c.skip and f == n and 0 < number < len(sizes) - 2 else
                            0 if number else columns)
                      for number, (f, n) in enumerate(zip(sizes, sizes[1:], strict=False))]
            try:
                check_table(c, front + layers)
            except TableError:
                continue
            return front + layers

    def _front(self) -> list[Layer]:
        """The row of a convolution, of a core that has one."""
        c, rng = self.config, self.rng
        if not takes(c, "front"):
            return []
        side = c.conv_kernel + c.conv_pool - 1
        conv = Convolution(
            rows=rng.randint(side, c.conv_rows), columns=rng.randint(side, c.conv_columns),
            kernels=c.conv_at_once * rng.randint(1, c.conv_kernels // c.conv_at_once),
            kernel=c.conv_kernel, pool=c.conv_pool, planes=rng.randint(1, c.conv_planes),
            bits=c.conv_bits, counter_bits=c.conv_counter_bits, shift=rng.randint(0, 4),
            gain=-rng.randint(0, 15), channels=c.conv_channels)
        return [Layer(**front_fields(c, conv))]

    @staticmethod
    def _rows(layers: Sequence[Layer]) -> bytes:
        return b"".join(frames.pack_fields(LAYER_ROW, **vars(layer))
                        for layer in layers)

    def _window(self) -> tuple[bytes, int]:
        """Head of READ or WRITE, and bytes of the words."""
        c, rng = self.config, self.rng
        space = rng.choice([*Space])
        banks, depth, size = areas_of(c, UNITS)[space]
        count = rng.randint(1, min(depth, (c.max_payload - 6) // size))
        head = struct.pack("<BBHH", space, rng.randrange(banks), rng.randint(0, depth - count),
                           count)
        return head, count * size

    def _write(self) -> bytes:
        head, size = self._window()
        return head + self.rng.randbytes(size)

    # What becomes of them -----------------------------------------------------------------------

    def _corrupt(self) -> bytes:
        wire = bytearray(self._request().encode())
        for _ in range(self.rng.randint(1, 3)):
            wire[self.rng.randrange(len(wire))] ^= 1 << self.rng.randrange(8)
        return bytes(wire)

    def _truncate(self) -> bytes:
        wire = self._request().encode()
        return wire[:self.rng.randrange(1, len(wire))]

    def _repeat(self) -> bytes:
        wire = self._request().encode()
        return wire + wire[self.rng.randrange(2):]

    def _old(self) -> bytes:
        """A request of some time ago, as a repair or an echo sends it."""
        return self.rng.choice(self._sent or [self._request()]).encode()

    def _reorder(self) -> bytes:
        first, second = self._request(0), self._request(1)
        return second.encode() + first.encode()

    def _overlong(self) -> bytes:
        rng, most = self.rng, self.config.max_payload
        length = most + rng.choice([0, 1, 2, 3, 4, 5, rng.randint(6, 2 * most)])
        return Frame(self._kind(), self.golden.expected, rng.randbytes(length)).encode()

    def _short(self) -> bytes:
        body = self._request().body()[:self.rng.randint(1, 8)]
        return _envelope(body)

    def _unknown(self) -> bytes:
        request = self._request()
        kinds = [kind for kind in range(256) if kind not in known(self.config)]
        return Frame(self.rng.choice(kinds), request.sequence, request.payload).encode()

    def _length_field(self) -> bytes:
        """The length field is wrong, the check sum right."""
        rng, request = self.rng, self._request()
        length = rng.choice([len(request.payload) + rng.choice([-1, 1, 256]), 0xFFFF,
                             rng.randrange(1 << 16)]) & 0xFFFF
        head = struct.pack("<BBH", request.type, request.sequence, length)
        return _sealed(head + request.payload)

    def _payload_length(self) -> bytes:
        rng, request = self.rng, self._request()
        payload = request.payload
        payload = rng.choice([b"", payload[:-1], payload + b"\0", payload + payload[-4:],
                              payload[:rng.randint(0, len(payload))],
                              payload + rng.randbytes(rng.randint(1, 9))])
        return Frame(request.type, request.sequence,
                     payload[:self.config.max_payload]).encode()

    def _sequence(self) -> bytes:
        request = self._request(self.rng.choice([-1, -2, -127, -128, 1, 2, 100, 127]))
        return request.encode()

    def _random_field(self) -> bytes:
        """Any bytes of a payload are others, the check sum is right."""
        rng, request = self.rng, self._request()
        payload = bytearray(request.payload)
        for _ in range(min(len(payload), rng.randint(1, 2))):
            payload[rng.randrange(len(payload))] = rng.choice([0, 1, 255, rng.randrange(256)])
        return Frame(request.type, request.sequence, bytes(payload)).encode()

    def _garbage(self) -> bytes:
        rng = self.rng
        length = rng.choice([1, 7, 8, 9, rng.randint(1, 3 * self.config.slot_bytes)])
        return rng.choice([b"", bytes([FLAG])]) + rng.randbytes(length)

    def _escapes(self) -> bytes:
        """Escapes before a flag, twice, in a frame that needs none, and empty frames."""
        rng, wire = self.rng, self._request().encode()
        at = rng.randrange(1, len(wire))
        escape = bytes([ESC])
        needless = b"".join(bytes([ESC, byte ^ frames.ESC_XOR]) if byte ^ frames.ESC_XOR != FLAG
                            else bytes([byte]) for byte in self._request().body())
        return rng.choice([
            escape, bytes([FLAG, ESC, FLAG]), bytes([ESC, ESC, FLAG]), bytes([FLAG] * 5) + wire,
            wire[:-1] + escape + wire[-1:], wire[:at] + escape + wire[at:],
            bytes([FLAG]) + needless + bytes([FLAG])])

    def _splice(self) -> bytes:
        """The start of a frame and the end of another."""
        rng, first, second = self.rng, self._request().encode(), self._request().encode()
        return first[:rng.randrange(1, len(first))] + second[rng.randrange(1, len(second)):]

    def _range(self) -> bytes:
        """One field at or past its limit, the check sum right."""
        rng, request = self.rng, self._request()
        payload = bytearray(request.payload)
        edit = {Type.HELLO: self._bad_zero, Type.PRNG: self._bad_zero, Type.TABLE: self._bad_row,
                Type.PROGRAM: self._bad_word, Type.WRITE: self._bad_window,
                Type.READ: self._bad_window, **self.samples.bad}
        kind = Type(request.type)
        if kind in edit:
            edit[kind](payload)
        elif kind is Type.STATUS:
            payload[0] = rng.choice([2, 3, 128, 255])
        return Frame(kind, request.sequence, bytes(payload)).encode()

    def _bad_zero(self, payload: bytearray) -> None:
        payload[:] = bytes(len(payload))

    def _bad_row(self, payload: bytearray) -> None:
        c, rng = self.config, self.rng
        rows = [dict(frames.unpack_fields(LAYER_ROW, bytes(payload[n:n + 8]))[0])
                for n in range(0, len(payload), 8)]
        if rng.random() < 0.1:
            rows += [rows[-1]] * rng.randint(1, c.max_layers)
        else:
            edges = {
                "inputs": [0, 1, c.max_inputs, c.max_inputs + 1, c.max_neurons + 1, 65535],
                "outputs": [0, 1, 2, c.max_classes, c.max_classes + 1, c.max_neurons,
                            c.max_neurons + 1, 256, 65535],
                "planes": [0, c.input_planes, c.input_planes + 1, c.activation_bits + 1, 255],
                "shift": [31, 32, 255], "skip": [0, 1, 8, 9, 128, 255],
                "gain": [-128, -16, -15, c.counter_bits - 2, c.counter_bits - 1, 127]}
            if c.store_shift:
                edges["skip"] += [c.store_columns, c.store_columns + 1]
            if takes(c, "front"):
                edges["skip"] += [c.conv_columns, c.conv_columns + 1]
                edges["gain"] += [0, 1]
                edges["shift"] += [15, 16]
                edges["outputs"] += [rows[0]["outputs"] - 1, rows[0]["outputs"] + c.conv_at_once]
                image = c.conv_rows * c.conv_channels * c.lanes
                edges["inputs"] += [image, image + 1, image - c.lanes]
            name = rng.choice(list(edges))
            rng.choice(rows)[name] = rng.choice(edges[name])
        payload[:] = b"".join(frames.pack_fields(LAYER_ROW, **row) for row in rows)

    def _bad_word(self, payload: bytearray) -> None:
        rng, c, length = self.rng, self.config, len(payload) // 4
        if rng.random() < 0.15:
            payload += struct.pack("<I", encode(Op.HALT)) * (
                rng.choice([c.program_depth, c.program_depth + 1]) - length)
            return
        operand = rng.choice([0, 1, 3, 4, length - 1, length, c.max_layers, c.max_layers + 1, 256,
                              1 << 16, (1 << 23) - 1, 1 << 23, (1 << 24) - 1])
        opcode = rng.choice([*(int(op) for op in Op), 16, 127, 128, 255])
        struct.pack_into("<I", payload, 4 * rng.randrange(length), opcode << 24 | operand)

    def _bad_window(self, payload: bytearray) -> None:
        c, rng = self.config, self.rng
        areas = areas_of(c, UNITS)
        depth = areas.get(Space(payload[0]), areas[Space.T])[1]
        which = rng.randrange(4)
        if which == 0:
            payload[0] = rng.choice([*Space, max(Space) + 1, 128, 255])
        elif which == 1:
            payload[1] = rng.choice([1, c.banks, c.banks + 1, 255])
        elif which == 2:
            count = int.from_bytes(payload[4:6], "little")
            struct.pack_into("<H", payload, 2, rng.choice(
                [depth - count, depth - count + 1, depth - 1, depth, 65535]))
        else:
            struct.pack_into("<H", payload, 4, rng.choice([0, 1, depth, depth + 1, 32768, 65535]))


def _envelope(body: bytes) -> bytes:
    return bytes([FLAG]) + frames.stuff(body) + bytes([FLAG])


def _sealed(head: bytes) -> bytes:
    """Bytes with their right check sum, on the wire."""
    return _envelope(head + struct.pack("<I", zlib.crc32(head)))


def areas_of(c: CoreConfig, units: Iterable[Unit]) -> dict[Space, tuple[int, int, int]]:
    """Banks, depth and bytes of a word of the memories that some units bring along."""
    areas = {Space.T: (c.banks, c.trit_depth, c.trit_word_bytes)}
    for unit in units:
        if unit.field == "trainable":
            areas[Space.R] = (1, c.residual_depth, c.residual_word_bytes)
        # One that the core does not have is asked for as if it had a word.
        areas |= {w.space: (1, max(1, w.depth(c)), w.word_bytes(c)) for w in unit.windows}
    return areas
