"""The command processor against the golden device: the same answers, the same effects."""

import random
import struct

import pytest

from tritgrad.firmware import frames
from tritgrad.firmware.frames import Frame, FrameDecoder, Run, Status, Type
from tritgrad.firmware.isa import Op, encode
from tritgrad.firmware.wire import unpack_sample
from tritgrad.model.config import CoreConfig
from tritgrad.model.golden_device import GoldenDevice
from tritgrad.model.layout import Layer
from tritgrad.model.machine import Sample
from tritgrad.units.registry import LAYER_ROW

from ..lockstep import record_of, sample_words
from .author import Author
from .core import bits_of, statistics_at, talk
from .harness import damage, random_bytes, stalls

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


def converse(config, count, seed, most=0, pause=0, author=Author):
    """Random requests to both; compares the answers and, wherever the core rests, its state."""
    rng = random.Random(seed)
    author = author(config, rng)
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


#: Images of at most these sizes.
SHIFTS = SMALL.changed(**RAM, store_shift=2, store_rows=9, store_columns=4, store_planes=2)
WIDE_SHIFTS = WIDE.changed(**RAM, store_shift=1, store_rows=8, store_columns=11, store_planes=2)


@pytest.mark.parametrize("config", [
    SMALL, ODD, WIDE, SMALL.changed(**RAM), WIDE.changed(**RAM), ODD.changed(**FLASH), SHIFTS,
    WIDE_SHIFTS, SMALL.changed(banks=4, update_rows=4)],
    ids=["small", "odd", "wide", "small-ram", "wide-ram", "odd-flash", "shifts", "wide-shifts",
         "rows"])
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


def test_bits_of_flags_that_have_no_name_are_ignored():
    """By the golden device, too; the one that DATA has no use for is refused by both."""
    ready = loaded(SMALL, [encode(Op.RECV)] * 5, LAYERS)
    flags, data, number = [0, 4, 2, 8, 130, 128, 252], [], len(ready)
    for flag in flags:
        data.append(Frame(Type.DATA, number, bytes([flag, 1, 3]) + bytes(range(4))))
        number += not flag & 2
    answers, core = exchange([(ready, len(ready)), *(([frame], 1) for frame in data)])
    golden = GoldenDevice(SMALL)
    wire = b"".join(golden.feed(frame.encode()) for frame in [*ready, *data])
    found = [frame.payload[0] for frame in answers]
    assert found == [frame.payload[0] for frame in FrameDecoder().feed(wire)]
    assert found[len(ready):] == [Status.RANGE if flag & 2 else Status.OK for flag in flags]
    assert sum(word["last"] for word in core.taken) == 5
