"""The golden device answers every request, and refuses what the protocol says it refuses."""

import struct
from dataclasses import replace

import numpy as np
import pytest

from tritgrad.firmware import frames, programs
from tritgrad.firmware.frames import Frame, FrameDecoder, Status, Type
from tritgrad.firmware.isa import Op, encode
from tritgrad.firmware.wire import unpack_sample
from tritgrad.model.config import CoreConfig
from tritgrad.model.golden_device import GoldenDevice, program_fault
from tritgrad.model.layout import Layer, TableError, check_table
from tritgrad.units.registry import LAYER_ROW

CONFIG = CoreConfig(lanes=4, banks=2, update_lanes=2, max_inputs=30, max_neurons=10,
                    max_classes=5, trit_depth=32, residual_depth=128, hidden_depth=8,
                    slot_bytes=128)
TABLE = (frames.pack_fields(LAYER_ROW, inputs=10, outputs=6, planes=2, shift=1, gain=0,
                            skip=0)
         + frames.pack_fields(LAYER_ROW, inputs=6, outputs=3, planes=4, shift=0, gain=-3,
                              skip=0))


class Host:
    def __init__(self):
        self.device = GoldenDevice(CONFIG)
        self.sequence = 0

    def send(self, kind, payload=b"", ahead=0):
        sequence = (self.device.expected + ahead) & 0xFF
        out = self.device.feed(Frame(kind, sequence, payload).encode())
        return list(FrameDecoder().feed(out))

    def status(self, kind, payload=b"", ahead=0):
        answer, *_ = self.send(kind, payload, ahead)
        return Status(answer.payload[0])

    def load(self):
        words = programs.train(2, 3, 10)
        for kind, payload in (
                (Type.HELLO, struct.pack("<I", 7)), (Type.TABLE, TABLE),
                (Type.PROGRAM, struct.pack(f"<{len(words)}I", *words)),
                (Type.WRITE, struct.pack("<BBHH", 0, 1, 3, 2) + b"\x12\x34"),
                (Type.PRNG, struct.pack("<Q", 99))):
            assert self.status(kind, payload) == Status.OK
        return self


SAMPLE = bytes([0, 1, 0]) + bytes(4)


def test_a_run_from_hello_to_halt():
    host = Host().load()
    assert host.status(Type.RUN) == Status.OK
    for _ in range(3):
        assert host.status(Type.DATA, SAMPLE) == Status.OK
    answer, = host.send(Type.STATUS, b"\1")
    record, rest = frames.unpack_fields(frames.STATUS_FIELDS, answer.payload[6:])
    assert rest == b""
    assert (record["run"], record["samples"], record["loaded"]) == (frames.Run.HALTED, 3, 15)


def test_what_was_written_is_read():
    host = Host().load()
    answer, = host.send(Type.READ, struct.pack("<BBHH", 0, 1, 3, 2))
    assert answer.payload[6:] == b"\x12\x34"


@pytest.mark.parametrize("kind, payload, status", [
    (0x44, b"", Status.TYPE),
    (Type.HELLO, b"\0\0\0\0", Status.RANGE),
    (Type.HELLO, b"\0\0\0", Status.LENGTH),
    (Type.PROGRAM, b"\0\0\0", Status.LENGTH),
    (Type.PROGRAM, b"\0\0\0\x77", Status.RANGE),
    (Type.TABLE, TABLE[:-1], Status.LENGTH),
    (Type.TABLE, TABLE[:7] + b"\1" + TABLE[8:], Status.RANGE),
    (Type.WRITE, struct.pack("<BBHH", 0, 0, 0, 1), Status.LENGTH),
    (Type.WRITE, struct.pack("<BBHH", 0, 2, 0, 1) + b"\0", Status.RANGE),
    (Type.WRITE, struct.pack("<BBHH", 0, 0, 32, 1) + b"\0", Status.RANGE),
    (Type.READ, struct.pack("<BBHH", 1, 1, 0, 1), Status.RANGE),
    (Type.READ, struct.pack("<BBHH", 1, 0, 0, 0), Status.RANGE),
    (Type.READ, struct.pack("<BBHH", 1, 0, 0, 100), Status.RANGE),
    (Type.PRNG, bytes(8), Status.RANGE),
    (Type.SEED, bytes(8), Status.LENGTH),
    (Type.STATUS, b"\2", Status.RANGE),
    (Type.DATA, SAMPLE, Status.STATE),
])
def test_a_bad_request_is_refused_and_changes_nothing(kind, payload, status):
    host = Host().load()
    machine = host.device.machine
    before = (machine.codes.copy(), machine.residuals.copy(), list(machine.program),
              list(machine.layers), machine.prng.state, host.device.expected, host.device.nonce)
    assert host.status(kind, payload) == status
    after = (machine.codes, machine.residuals, machine.program, machine.layers,
             machine.prng.state, host.device.expected, host.device.nonce)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_labels_and_lengths_of_data_are_checked_before_any_sample():
    host = Host().load()
    assert host.status(Type.RUN) == Status.OK
    assert host.status(Type.DATA, bytes([0, 1, 3]) + bytes(4)) == Status.RANGE
    assert host.status(Type.DATA, bytes([0, 2, 0, 0]) + bytes(4)) == Status.LENGTH
    assert host.device.machine.statistics.samples == 0
    assert host.status(Type.RUN) == Status.STATE


def test_a_reset_device_says_so_and_does_not_run():
    host = Host()
    assert host.status(Type.RUN) == Status.NO_HELLO
    assert host.status(Type.HELLO, struct.pack("<I", 1)) == Status.OK
    assert host.status(Type.RUN) == Status.STATE


def test_sequence_numbers():
    host = Host().load()
    assert host.status(Type.PRNG, struct.pack("<Q", 5), ahead=1) == Status.SEQUENCE
    assert host.device.machine.prng.state == 99
    assert host.status(Type.PRNG, struct.pack("<Q", 5), ahead=-1) == Status.OK
    assert host.device.machine.prng.state == 99
    repeated, = host.send(Type.READ, struct.pack("<BBHH", 0, 1, 3, 2), ahead=-1)
    assert repeated.payload[6:] == b"\x12\x34"


def test_samples_unpack_from_groups_of_planes():
    # Input 9 has the value 3, input 0 the value 1, the others 0.
    assert unpack_sample(bytes([1, 0, 2, 2]), 10, 2).tolist() == [1, *[0] * 8, 3]


@pytest.mark.parametrize("wire, status", [
    (b"\xa5" + bytes(8) + b"\xa5", Status.CRC),
    (b"\xa5\1\2\3\xa5", Status.LENGTH),
    (b"\xa5" + bytes(CONFIG.slot_bytes + 5) + b"\xa5", Status.OVERFLOW),
])
def test_what_cannot_be_read_is_answered_by_a_nak(wire, status):
    host = Host().load()
    expected = host.device.expected
    answer, = FrameDecoder().feed(host.device.feed(wire))
    head, rest = frames.unpack_fields(frames.ANSWER_HEAD, answer.payload)
    assert (answer.type, rest) == (frames.NAK, b"")
    assert head == {"status": status, "expected": expected, "nonce": 7}
    assert host.device.expected == expected


def test_repeated_data_is_one_sample():
    host = Host().load()
    assert host.status(Type.RUN) == Status.OK
    assert host.status(Type.DATA, SAMPLE) == Status.OK
    assert host.status(Type.DATA, SAMPLE, ahead=-1) == Status.OK
    assert host.device.machine.statistics.samples == 1


@pytest.mark.parametrize("space, bank, words, bits", [(0, 1, 32, 8), (1, 0, 128, 12)])
def test_whole_memories_come_back(space, bank, words, bits):
    rng = np.random.default_rng(space)
    host = Host().load()
    size = -(-bits // 8)
    half = words // 4
    sent = {}
    for first in range(0, words, half):
        values = rng.integers(0, 1 << bits, half)
        sent[first] = b"".join(int(v).to_bytes(size, "little") for v in values)
        place = struct.pack("<BBHH", space, bank, first, half)
        assert host.status(Type.WRITE, place + sent[first]) == Status.OK
    for first, data in sent.items():
        answer, = host.send(Type.READ, struct.pack("<BBHH", space, bank, first, half))
        assert answer.payload[6:] == data


def test_a_core_that_only_infers_refuses_the_update():
    config = CoreConfig(lanes=4, update_lanes=4, trainable=False)
    assert program_fault(config, programs.infer(2, 5)) is None
    train = programs.train(2, 5, 8)
    assert program_fault(replace(config, trainable=True), train) is None
    assert "BWD needs a core that can train" in program_fault(config, train)
    many = [Layer(1000, 256, 1, 0, 0), Layer(256, 10, 4, 0, 0)]
    check_table(replace(config, lanes=64, update_lanes=64, residual_depth=1), many)
    with pytest.raises(TableError, match="R memory"):
        check_table(CoreConfig(lanes=64, update_lanes=64, residual_depth=1), many)


def test_a_core_without_a_trace_unit_refuses_to_trace():
    config = CoreConfig(lanes=4, update_lanes=4)
    traced = programs.train(2, 1, 5, trace=3)
    assert program_fault(config, traced) == "address 2: TRACE needs a core with a trace unit"
    assert program_fault(config, programs.train(2, 1, 5)) is None
    assert program_fault(replace(config, trace=True), traced) is None
    wrong = [encode(Op.TRACE, 4)]
    assert program_fault(replace(config, trace=True), wrong) == (
        "address 0: TRACE takes 0 to 3, not 4")
