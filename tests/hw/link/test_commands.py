"""The command processor against the golden device: the same answers, the same effects."""

import random
import struct
from dataclasses import replace

import numpy as np
import pytest

from tritgrad.firmware import frames
from tritgrad.firmware.frames import Frame, FrameDecoder, Run, Status, Type
from tritgrad.firmware.isa import INSTRUCTIONS, Op, Operand, encode
from tritgrad.firmware.store import known
from tritgrad.firmware.wire import pack_sparse, unpack_sample, unpack_sparse
from tritgrad.model.config import CoreConfig, ceil_div
from tritgrad.model.golden_device import GoldenDevice
from tritgrad.model.layout import Layer
from tritgrad.model.machine import Sample
from tritgrad.model.store import BadLabel
from tritgrad.units.registry import LAYER_ROW

from ..lockstep import record_of, sample_words
from .core import bits_of, statistics_at, talk
from .harness import damage, random_bytes, stalls
from .test_table import random_rows

SMALL = CoreConfig(
    lanes=4, banks=2, update_lanes=2, counter_bits=8, activation_bits=3, input_planes=3,
    max_layers=3, max_inputs=40, max_neurons=30, max_classes=9, trit_depth=64, residual_depth=256,
    hidden_depth=16, program_depth=6, slot_bytes=128)
ODD = CoreConfig(
    lanes=6, banks=3, update_lanes=3, counter_bits=9, activation_bits=4, input_planes=1,
    max_layers=2, max_inputs=50, max_neurons=40, max_classes=12, trit_depth=100,
    residual_depth=300, hidden_depth=8, program_depth=5, slot_bytes=256, seeder=False)
WIDE = CoreConfig(
    lanes=40, banks=1, update_lanes=40, counter_bits=8, activation_bits=4, input_planes=2,
    max_layers=2, max_inputs=90, max_neurons=40, max_classes=12, trit_depth=50,
    residual_depth=60, hidden_depth=8, program_depth=4, slot_bytes=128)


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

    def data(self):
        rng, layers = self.rng, self.device.machine.layers
        if not layers:
            return random_bytes(rng, rng.randint(0, 20))
        size = self.sample_size(layers[0])
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
        return self.number() + self.data()

    def play(self):
        rng = self.rng
        flags = rng.choice([0, 1, 2, 3, 1, 3, rng.randrange(256)])
        count, size = rng.choice([0, 1, 1, 2, 3, 4]), 2 + (flags >> 1 & 1)
        entries = b"".join(rng.choice([*range(6)] * 3 + [0xFFFF]).to_bytes(size, "little")
                           for _ in range(count))
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
        layers, size = self.device.machine.layers, 2 + (payload[4] >> 1 & 1)
        for at in range(7, len(payload), size):
            number = int.from_bytes(payload[:3], "little") + int.from_bytes(
                payload[at:at + size], "little")
            try:
                found = self.device.store.play(number % (1 << 24), payload[3], layers[0],
                                               layers[-1].outputs, bool(payload[4] & 1))
            except BadLabel as bad:
                yield from (Sample(*sample) for sample in bad.samples)
                return
            yield from (Sample(*sample) for sample in found)

    def words(self, samples):
        """Words that samples give."""
        first = self.device.machine.layers[0]
        for sample in samples:  # one of a RAM has all lanes of its words
            layer = replace(first, inputs=len(sample.x))
            for word in sample_words(self.config, layer, sample):
                yield {name: int(value) for name, value in word.items()}


def comparable(frame):
    """A frame, without what the golden device does not count."""
    if not isinstance(frame, Frame):
        return frame
    size = 6 + struct.calcsize("<" + "".join(code for _, code in frames.STATUS_FIELDS))
    if frame.type != Type.STATUS | frames.ANSWER_BIT or len(frame.payload) != size:
        return frame
    return Frame(frame.type, frame.sequence,
                 frame.payload[:8] + bytes(size - 16) + frame.payload[-8:])


def check_core(config, device, core, ctx, samples):
    """The core holds what the golden device holds."""
    machine = device.machine
    assert core.trits == [bits_of(config, bank, 2) for bank in machine.codes]
    assert core.residuals == bits_of(config, machine.residuals, config.residual_bits)
    length = ctx.get(core.dut.program_length)
    assert core.program[:length] == machine.program
    assert ctx.get(core.dut.layers) == len(machine.layers)
    assert [core.records[n] for n in range(len(machine.layers))] == [
        record_of(config, *pair) for pair in zip(machine.layers, machine.places, strict=True)]
    assert core.prng == machine.prng.state
    assert core.run == machine.run
    found = len(core.taken)
    assert core.taken == samples[:found]
    assert found == len(samples) or machine.run is not Run.RUNNING
    if config.store:
        assert (core.memory.store.cells == device.store.cells).all()


def converse(config, count, seed, most=0, pause=0):
    """Random requests to both; compares the answers and, wherever the core rests, its state."""
    rng = random.Random(seed)
    author = Author(config, rng)
    golden: list[Frame] = []
    cells = [rng.randrange(4) for _ in range(1 << config.store_bits)]
    if config.store:
        author.device.store.cells[:] = cells
    steps = []
    for _ in range(count):
        before = author.device.machine.run
        frame = author.frame()
        wire = frame.encode()
        if rng.random() < 0.05:
            wire = damage(rng, wire) + bytes([frames.FLAG])
        elif rng.random() < 0.03:
            wire = bytes([frames.FLAG]) + random_bytes(rng, rng.randint(1, 300)) + bytes(
                [frames.FLAG])
        golden += FrameDecoder().feed(author.device.feed(wire))
        # The golden device takes no time: wait where that could show.
        rests = rng.random() < 0.3 or Run.RUNNING in (before, author.device.machine.run) or (
            frame.type == Type.RUN)
        steps.append((wire, len(golden) if rests else None))
    steps.append((bytes([frames.FLAG]), len(golden)))

    # The golden device again, in step with the core.
    twin = author.device = GoldenDevice(config)
    if config.store:
        twin.store.cells[:] = cells
    waiting = iter(enumerate(steps))
    samples: list[dict[str, int]] = []

    def after(core, ctx, number):
        fed = -1
        while fed < number:
            fed, (wire, _) = next(waiting)
            for frame in FrameDecoder(config.slot_bytes).feed(wire):
                if isinstance(frame, Frame):
                    obey(frame)
        check_core(config, twin, core, ctx, samples)

    def obey(frame):
        in_order = frame.sequence == twin.expected
        answer, = FrameDecoder().feed(twin.feed(frame.encode()))
        if in_order and answer.payload[0] in (Status.OK, Status.STORE):
            if frame.type == Type.RUN:
                samples.clear()
            elif frame.type == Type.PLAY:
                samples.extend(author.words(author.played(frame.payload)))
            elif frame.type == Type.DATA:
                samples.extend(author.words(author.samples(frame.payload)))

    answers, _ = talk(config, steps, rng, stalls(rng, pause), most, after, cells)
    for number, (found, wanted) in enumerate(zip(answers, golden, strict=False)):
        assert comparable(found) == comparable(wanted), f"answer {number}"
    assert len(answers) == len(golden)
    return golden


RAM, FLASH = ({"store": kind, "store_bits": bits} for kind, bits in ((1, 9), (2, 10)))


@pytest.mark.parametrize("config", [
    SMALL, ODD, WIDE, SMALL.changed(**RAM), WIDE.changed(**RAM), ODD.changed(**FLASH)],
    ids=["small", "odd", "wide", "small-ram", "wide-ram", "odd-flash"])
@pytest.mark.parametrize("most", [0, 3])
def test_answers_as_the_golden_device(config, most, fresh_seed):
    assert converse(config, 60, fresh_seed, most, pause=most * 5)


def test_an_answer_of_spi_as_long_as_the_status_ends_the_transaction():
    """Under this seed one left the flash selected for good."""
    golden = converse(ODD.changed(**FLASH), 60, 578800458, 3, 15)
    kinds = {(frame.type, frame.payload[0]) for frame in golden}
    assert len(kinds) > 8, kinds


def loaded(config, program, layers):
    """Requests that make a device ready to run."""
    rows = b"".join(frames.pack_fields(LAYER_ROW, **vars(row))
                    for row in layers)
    payloads = [(Type.HELLO, b"\1\0\0\0"),
                (Type.PROGRAM, struct.pack(f"<{len(program)}I", *program)),
                (Type.TABLE, rows), (Type.PRNG, b"\1" * 8),
                (Type.WRITE, struct.pack("<BBHH", 0, 0, 0, 1) + bytes(config.trit_word_bytes)),
                (Type.RUN, b"")]
    return [Frame(kind, number, payload) for number, (kind, payload) in enumerate(payloads)]


LAYERS = [Layer(13, 5, 2, 0, 0)]


def exchange(steps, config=SMALL, pause=lambda: 0):
    """Answers to lists of frames; each list is sent at once, its answers waited for."""
    wires, count = [], 0
    for group, wanted in steps:
        count += wanted
        wires.append((b"".join(frame.encode() for frame in group), count))
    answers, core = talk(config, wires, random.Random(0), pause)
    assert len(answers) == count
    return answers, core


def status_of(frame):
    values, _ = frames.unpack_fields(frames.STATUS_FIELDS, frame.payload[6:])
    return values


def test_status_takes_all_values_in_one_cycle():
    ready = loaded(SMALL, [encode(Op.RECV)], LAYERS)
    ask = Frame(Type.STATUS, len(ready), b"\0")
    answers, _ = exchange([(ready, len(ready)), ([ask], 1)])
    found = status_of(answers[-1])
    assert found["run"] == Run.RUNNING and found["loaded"] == 15
    assert any(at.items() <= found.items() for at in map(statistics_at, range(10_000)))


def test_status_waits_until_the_program_stops():
    endless = [encode(Op.COUNT, 40), encode(Op.LOOP, 1)]
    ready = loaded(SMALL, endless, LAYERS)
    ask = Frame(Type.STATUS, len(ready), b"\1")
    answers, core = exchange([([*ready, ask], len(ready) + 1)], pause=lambda: 20)
    assert status_of(answers[-1])["run"] == Run.HALTED
    assert core.run is Run.HALTED


def test_status_waits_no_longer_when_a_frame_comes():
    ready = loaded(SMALL, [encode(Op.SKIP, 0)], LAYERS)
    n = len(ready)
    answers, core = exchange([
        ([*ready, Frame(Type.STATUS, n, b"\1"), Frame(Type.ABORT, n + 1)], n + 2)])
    assert status_of(answers[-2])["run"] == Run.RUNNING
    assert answers[-1].payload[0] == Status.OK
    assert core.run is Run.ABORTED and core.aborts == 1


def test_samples_are_dropped_when_the_program_stops():
    ready = loaded(SMALL, [encode(Op.RECV), encode(Op.HALT)], LAYERS)
    n = len(ready)
    samples = bytes([0, 5, 0, 1, 2, 3, 4]) + bytes(range(20))
    answers, core = exchange([
        ([*ready, Frame(Type.DATA, n, samples), Frame(Type.DATA, n + 1, samples)], n + 2)],
        pause=lambda: 5)
    assert [frame.payload[0] for frame in answers[-2:]] == [Status.OK, Status.STATE]
    assert 1 <= sum(word["last"] for word in core.taken) <= 2
    assert core.run is Run.HALTED


def test_run_begins_anew_after_dropped_samples():
    program = [encode(Op.RECV), encode(Op.HALT)]
    ready = loaded(SMALL, program, LAYERS)
    n = len(ready)
    many = bytes([0, 5, 0, 1, 2, 3, 4]) + bytes(range(20))
    one = bytes([0, 1, 3]) + bytes([0xFF] * 4)
    answers, core = exchange([
        ([*ready, Frame(Type.DATA, n, many)], n + 1),
        ([Frame(Type.RUN, n + 1), Frame(Type.DATA, n + 2, one)], 2)])
    assert {frame.payload[0] for frame in answers} == {Status.OK}
    sample = Sample(unpack_sample(one[3:], 13, 2), 3)
    assert core.taken == [{name: int(value) for name, value in word.items()}
                          for word in sample_words(SMALL, LAYERS[0], sample)]
