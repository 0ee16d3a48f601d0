"""Writes requests for a command processor, good and bad, and says what samples they give."""

import struct
from dataclasses import replace

import numpy as np

from tritgrad.firmware.frames import Frame, Run, Type
from tritgrad.firmware.isa import INSTRUCTIONS, Op, Operand, encode
from tritgrad.firmware.store import known
from tritgrad.firmware.wire import pack_sparse, unpack_sample, unpack_sparse
from tritgrad.model.config import ceil_div
from tritgrad.model.golden_device import GoldenDevice
from tritgrad.model.images import offsets_of
from tritgrad.model.layout import Layer
from tritgrad.model.machine import Sample
from tritgrad.model.store import BadLabel

from ..lockstep import sample_words
from .harness import random_bytes
from .test_table import random_rows


class Author:
    """Writes requests, good and bad, for a device in the golden device's state."""

    def __init__(self, config, rng):
        self.config, self.rng = config, rng
        self.device = GoldenDevice(config)

    def frame(self) -> Frame:
        rng, expected = self.rng, self.device.expected
        kind = self.choose()
        payload = getattr(self, kind.name.lower())()
        if rng.random() < 0.06:
            payload = rng.choice([payload[:-1], payload + b"\0", b"", payload + payload[:4],
                                  payload[:rng.randint(0, len(payload))]])
        sequence = expected
        if rng.random() < 0.12:
            sequence = (expected + rng.choice([-1, -2, -128, 1, 2, 127, 64, 200])) % 256
        number = kind if rng.random() > 0.02 else rng.choice([0, 12, 13, 15, 16, 0x8B, 0x81, 255])
        return Frame(number, sequence, payload[:self.config.max_payload])

    def choose(self) -> Type:
        machine, rng = self.device.machine, self.rng
        if self.device.nonce == 0 and rng.random() < 0.7:
            return Type.HELLO
        weights = dict.fromkeys(sorted(known(self.config)), 2)
        weights[Type.HELLO] = 1
        if machine.run is Run.RUNNING:
            weights |= {Type.DATA: 25, Type.STATUS: 5}
            weights |= {Type.PLAY: 25} if self.config.store else {}
        elif self.device.loaded == 15:
            weights |= {Type.RUN: 10, Type.WRITE: 6, Type.READ: 8, Type.TABLE: 5, Type.PROGRAM: 5}
            weights |= {kind: 10 for kind in (Type.FILL, Type.CHECK, Type.SPI) if kind in weights}
        else:
            missing = [Type.PROGRAM, Type.TABLE, Type.WRITE, Type.PRNG]
            weights |= {kind: 8 for n, kind in enumerate(missing)
                        if not self.device.loaded >> n & 1}
        return rng.choices(list(weights), list(weights.values()))[0]

    def hello(self):
        return struct.pack("<I", self.rng.choice([0, 1, self.rng.randrange(1 << 32),
                                                  self.rng.randrange(1 << 32), 1 << 31]))

    def program(self):
        rng, depth = self.rng, self.config.program_depth
        words = rng.choice([
            [encode(Op.COUNT, rng.randint(1, 5)), encode(Op.RECV), encode(Op.LOOP, 1),
             encode(Op.HALT)],
            [encode(Op.RECV), encode(Op.SKIP, 0)],
            [encode(Op.FWD, self.config.max_layers)],
            [encode(Op.RECV)],
            [encode(Op.HALT), *(rng.choice(self.instructions(depth))
                                for _ in range(rng.randint(0, depth - 1)))],
        ])
        if rng.random() < 0.5:
            bad = [encode(Op.HALT, 1), encode(Op.RECV, 1 << 23), encode(Op.COUNT, 0),
                   encode(Op.LOOP, len(words)), encode(Op.SKIP, len(words) + (1 << 20)),
                   encode(Op.FWD, 0), encode(Op.BWD, self.config.max_layers + 1),
                   encode(Op.UPD, 1 << 16 | 1), encode(Op.ERR, 0), encode(Op.ERR, 1 << 23),
                   encode(Op.SEND, 256), encode(Op.TRACE, 4), encode(Op.CUTOFF, 1 << 21),
                   encode(Op.TRACE, 1 << 20), encode(Op.TELL, 0), 255 << 24, 0xFFFFFFFF, 0x80000000]
            words[rng.randrange(len(words))] = rng.choice(bad)
        elif rng.random() < 0.2:
            words += [encode(Op.HALT)] * rng.randint(depth - len(words), depth - len(words) + 2)
        elif rng.random() < 0.1:
            words = []
        return struct.pack(f"<{len(words)}I", *words)

    def instructions(self, depth):
        """Of every operation the extremes."""
        edges = {Operand.NONE: [0], Operand.COUNT: [1, (1 << 24) - 1], Operand.TARGET: [0],
                 Operand.LAYER: [1, self.config.max_layers], Operand.MARGIN: [1, (1 << 23) - 1],
                 Operand.MODE: [0, 3], Operand.SPARSITY: [0, 6],
                 Operand.LIMITS: [0, (1 << 21) - 1], Operand.EXPONENT: [0, 31],
                 Operand.EXTRA: [0, 1]}
        return [encode(op, value) for op, row in INSTRUCTIONS.items()
                for value in edges[row.operand]]

    def table(self):
        while True:
            data, layers = random_rows(self.rng, self.config)
            if self.rng.random() < 0.4 and not (
                    layers and self.sample_size(layers[0]) < self.config.max_payload // 3):
                continue
            return data

    @staticmethod
    def sample_size(first: Layer) -> int:
        return first.planes * ceil_div(first.inputs, 8)

    def window(self):
        c, rng = self.config, self.rng
        space = rng.choice([0, 0, 0, 1, 1, 1, 2, 255])
        depth, banks, size = ((c.trit_depth, c.banks, c.trit_word_bytes) if space == 0 else
                              (c.residual_depth, 1, c.residual_word_bytes))
        most = (c.max_payload - 6) // size
        count = rng.choice([0, 1, most, most + 1, *(rng.randint(1, most) for _ in range(4))])
        first = rng.choice([0, depth - count, depth - count + 1, 65535,
                            *(rng.randint(0, max(0, depth - count)) for _ in range(5))])
        bank = rng.choice([banks, 255]) if rng.random() < 0.1 else rng.randrange(banks)
        return struct.pack("<BBHH", space, bank, max(0, first), count), size * count

    def write(self):
        head, size = self.window()
        return (head + random_bytes(self.rng, size))[:self.config.max_payload]

    def read(self):
        head, _ = self.window()
        return head if self.rng.random() > 0.05 else head[:4] + b"\xff\xff"

    def prng(self):
        rng = self.rng
        return struct.pack("<Q", rng.choice([0, 1, 1 << 63, rng.randrange(1 << 64)]))

    def seed(self):
        rng = self.rng
        return struct.pack("<QQ", rng.choice([0, rng.randrange(1 << 64)]),
                           rng.choice([0, (1 << 64) - 1, rng.randrange(1 << 32)]))

    def run(self):
        return b""

    def data(self, record=False):
        rng, layers = self.rng, self.device.machine.layers
        if not layers:
            return random_bytes(rng, rng.randint(0, 20))
        size = self.sample_size(self.device.record_row if record else layers[0])
        classes = layers[-1].outputs
        most = (self.config.max_payload - 5) // (1 + size)
        count = min(most, rng.choice([0, 1, 1, 2, 3, 4, most]))
        labels = [rng.randrange(classes) for _ in range(count)]
        if count and rng.random() < 0.1:
            labels[rng.randrange(count)] = rng.choice([classes, 255])
        flags = rng.choice([0, 1, 0, 1, 0, 1, rng.randrange(256)])
        samples = random_bytes(rng, size * count)
        if flags & 1:
            dense = np.frombuffer(samples, np.uint8).reshape(count, size).copy()
            if rng.random() < 0.8:
                dense *= np.array([[rng.random() < 0.3 for _ in range(size)]], np.uint8)
            samples = pack_sparse(dense, layers[0].planes)[0].tobytes()
        return bytes([flags, count, *labels]) + samples[:self.config.max_payload - 5 - count]

    def number(self):
        """The first record: a small one, or any."""
        return self.rng.choice([*range(6), self.rng.randrange(1 << 24)]).to_bytes(3, "little")

    def fill(self):
        return self.number() + self.data(record=True)

    def play(self):
        rng = self.rng
        flags = rng.choice([0, 1, 2, 3, 1, 3, rng.randrange(256)])
        most = self.config.store_shift
        flags |= 4 * (most > 0 and rng.random() < 0.7)
        count, size = rng.choice([0, 1, 1, 2, 3, 4]), 2 + (flags >> 1 & 1)
        offsets = [rng.randint(-most, most) & 15 for _ in range(2 * count)]
        if count and rng.random() < 0.1:
            offsets[rng.randrange(2 * count)] = (most + 1) * rng.choice([-1, 1]) & 15
        entries = b"".join(rng.choice([*range(6)] * 3 + [0xFFFF]).to_bytes(size, "little")
                           + (bytes([offsets[n] | offsets[count + n] << 4])
                              if most and flags & 4 else b"") for n in range(count))
        return self.number() + bytes([rng.choice([0, 1, 1, 2, 5]), flags]) + struct.pack(
            "<H", count if rng.random() < 0.9 else rng.choice([0xFFFF, 256 + count])) + entries

    def check(self):
        return self.number() + self.rng.choice([0, 1, 2, 3, 7]).to_bytes(3, "little")

    def spi(self):
        rng = self.rng
        place = rng.choice([0, 0, 250, rng.randrange(1 << 24)]).to_bytes(3, "big")
        receive = rng.choice([0, 1, 5, 5, self.config.max_payload - 6, 0xFFFF])
        data, receive = rng.choice([
            (b"\x9f", receive), (b"\x05", receive), (b"\x03" + place, receive), (b"\x06", 0),
            (b"\x06", 0), (b"\x06", 0), (b"\x20" + place, 0), (b"\xd8" + place, 0),
            (b"\x02" + place + bytes(rng.randrange(4) for _ in range(rng.randint(1, 30))), 0),
            (b"\x02" + place + bytes(rng.randrange(4) for _ in range(rng.randint(1, 30))), 0)])
        return struct.pack("<H", receive) + data

    def status(self):
        return bytes([self.rng.choice([0, 1, 1, 1, 2, 128] if self.rng.random() < 0.3 else [1])])

    def abort(self):
        return b""

    def samples(self, payload):
        """Words that the samples of an accepted DATA frame give."""
        first = self.device.machine.layers[0]
        flags, count, rest = payload[0], payload[1], payload[2 + payload[1]:]
        for label in payload[2:2 + count]:
            data, used = rest[:self.sample_size(first)], self.sample_size(first)
            if flags & 1:
                data, used = unpack_sparse(rest, first.inputs, first.planes)
            rest = rest[used:]
            yield Sample(unpack_sample(data, first.inputs, first.planes), label)

    def played(self, payload):
        """The samples of an accepted PLAY frame, up to one with a bad label."""
        device, wide = self.device, 2 + (payload[4] >> 1 & 1)
        shifted = self.config.store_shift > 0 and payload[4] & 4 > 0
        for at in range(7, len(payload), wide + shifted):
            number = int.from_bytes(payload[:3], "little") + int.from_bytes(
                payload[at:at + wide], "little")
            dy, dx = offsets_of(payload[at + wide]) if shifted else (0, 0)
            bad = False
            try:
                found = device.store.play(number % (1 << 24), payload[3], device.record_row,
                                          device.machine.layers[-1].outputs, bool(payload[4] & 1))
            except BadLabel as error:
                found, bad = error.samples, True
            for x, label in found:
                yield Sample(x if device.images is None else device.images.shifted(x, dy, dx),
                             label)
            if bad:
                return

    def words(self, samples):
        """Words that samples give."""
        first = self.device.machine.layers[0]
        for sample in samples:  # one of a RAM has all lanes of its words
            layer = replace(first, inputs=len(sample.x))
            for word in sample_words(self.config, layer, sample):
                yield {name: int(value) for name, value in word.items()}
