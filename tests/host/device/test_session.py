"""Conversations with the golden device: repair of faults, refusals, resets, strangers."""

import random
import struct

import pytest

from tritgrad.errors import DeviceError
from tritgrad.firmware import frames
from tritgrad.firmware.frames import Frame, FrameDecoder, Status, Type
from tritgrad.host.device.session import DeviceAstray, DeviceReset, RequestRefused, Session
from tritgrad.host.device.transport import FaultyTransport, GoldenTransport
from tritgrad.model.config import CoreConfig
from tritgrad.units.registry import HELLO_FIELDS

CONFIG = CoreConfig(lanes=8, banks=2, update_lanes=4, slot_bytes=256, trit_depth=64,
                    residual_depth=256, seeder=False)


class Scripted:
    """A pipe whose answers are given: each read takes the next item, then silence."""

    name = "stranger"
    byte_time_s = 0.0

    def __init__(self, *replies):
        self.replies = list(replies)
        self.sent = b""

    def write(self, data):
        self.sent += data

    def read(self, timeout_s):
        return self.replies.pop(0) if self.replies else b""

    def close(self):
        pass


def hello_answer(nonce=1, **changed):
    fields = {name: getattr(CONFIG, name) for name, _ in HELLO_FIELDS
              if hasattr(CONFIG, name)}
    fields |= {"magic": frames.MAGIC, "protocol": frames.PROTOCOL_VERSION, "slots": 2} | changed
    head = frames.pack_fields(frames.ANSWER_HEAD, status=0, expected=(nonce + 1) & 255,
                              nonce=nonce)
    payload = head + frames.pack_fields(HELLO_FIELDS, **fields)
    return Frame(Type.HELLO | frames.ANSWER_BIT, nonce & 255, payload).encode()


def write_word(space, address, data):
    return struct.pack("<BBHH", space, 0, address, 1) + data


def read_word(address):
    return struct.pack("<BBHH", 0, 0, address, 1)


def test_hello_tells_the_configuration():
    session = Session(GoldenTransport(CONFIG))
    assert session.config == CONFIG
    assert session.slots == frames.SLOTS


def test_pipelined_requests_are_answered_in_order():
    session = Session(GoldenTransport(CONFIG))
    for address in range(64):
        session.post(Type.WRITE, write_word(0, address, bytes([address, 1])))
    reads = [session.post(Type.READ, read_word(address)) for address in range(64)]
    session.flush()
    assert [pending.answer for pending in reads] == [bytes([a, 1]) for a in range(64)]
    assert session.repairs == 0


@pytest.mark.parametrize("block", range(10))
def test_every_request_is_done_exactly_once_on_a_bad_cable(block):
    """Each write adds to a log inside the device; the log must be the list of requests."""
    repairs = 0
    for seed in range(30 * block, 30 * block + 30):
        rng = random.Random(seed)
        transport = GoldenTransport(CONFIG)
        log = []
        original = transport.device._window
        transport.device._window = lambda payload, original=original, log=log: (
            log.append(payload), original(payload))[1]
        session = Session(FaultyTransport(transport, rng.choice([0.001, 0.003, 0.01]), rng),
                          nonce=seed + 1)
        wanted = []
        for n in range(80):
            wanted.append(write_word(0, rng.randrange(64), struct.pack("<H", n)))
            session.post(Type.WRITE, wanted[-1])
        session.flush()
        assert log == wanted
        address = rng.randrange(64)
        last = [w for w in wanted if w[2] == address]
        assert session.request(Type.READ, read_word(address)) == (
            last[-1][6:] if last else b"\0\0")
        repairs += session.repairs
    assert repairs > 50


def test_a_refusal_names_request_and_reason_and_the_session_goes_on():
    session = Session(GoldenTransport(CONFIG))
    session.post(Type.WRITE, write_word(0, 1000, b"\1\2"))
    with pytest.raises(RequestRefused, match=r"^golden model refused WRITE: RANGE \(a value is "
                                             r"outside what this core allows\)$") as caught:
        session.post(Type.WRITE, write_word(0, 5, b"\1\2"))
        session.flush()
    assert (caught.value.request, caught.value.status) == (Type.WRITE, Status.RANGE)
    with pytest.raises(RequestRefused, match=r"^golden model refused RUN: STATE"):
        session.request(Type.RUN)
    with pytest.raises(RequestRefused, match=r"^golden model refused SEED: TYPE"):
        session.request(Type.SEED, bytes(16))
    session.request(Type.WRITE, write_word(0, 5, b"\3\0"))
    assert session.request(Type.READ, read_word(5)) == b"\3\0"


def test_a_reset_is_noticed_and_hello_mends_it():
    transport = GoldenTransport(CONFIG)
    session = Session(transport)
    session.request(Type.WRITE, write_word(0, 5, b"\3\0"))
    transport.device.reset()
    with pytest.raises(DeviceReset, match=r"^golden model was reset: it has lost its state$"):
        session.request(Type.READ, read_word(5))
    session.hello()
    assert session.request(Type.READ, read_word(5)) == b"\0\0"


def test_a_payload_longer_than_a_slot_is_a_mistake_of_the_caller():
    session = Session(GoldenTransport(CONFIG))
    with pytest.raises(ValueError, match=r"^a payload has at most 252 bytes, not 253$"):
        session.post(Type.DATA, bytes(253))


def test_at_most_as_many_requests_as_slots_are_on_their_way():
    session = Session(Scripted(hello_answer(7)), nonce=7)
    session.transport.sent = b""  # type: ignore[attr-defined]
    with pytest.raises(DeviceError, match=r"^stranger has fallen silent: no answer to WRITE after "
                                          r"10 tries$"):
        for address in range(3):
            session.post(Type.WRITE, write_word(0, address, b"\0\0"))
    sent = list(FrameDecoder().feed(session.transport.sent))  # type: ignore[attr-defined]
    assert {frame.payload[2] for frame in sent} == {0, 1}


@pytest.mark.parametrize(("replies", "message"), [
    ([], "stranger does not answer"),
    ([b"\r\nlogin: "] * 3, "stranger does not answer"),
    ([b"x" * (1 << 19)], "stranger sends bytes that are no frames of this protocol"),
    ([hello_answer(magic=b"ELSE")], "stranger is no tritgrad core: it says b'ELSE', not b'TRIT'"),
    ([hello_answer(protocol=9)], "stranger speaks protocol 9, this host speaks 5"),
    ([hello_answer(lanes=0)],
     "stranger describes an impossible core: lanes must be an integer from 1 to 256, not 0"),
    ([hello_answer(nonce=2)], "stranger does not answer"),
])
def test_strangers(replies, message):
    with pytest.raises(DeviceError) as caught:
        Session(Scripted(*replies), nonce=1)
    assert str(caught.value) == message


def test_answers_to_another_session_are_ignored():
    stale = Frame(Type.ABORT | frames.ANSWER_BIT, 2, frames.pack_fields(
        frames.ANSWER_HEAD, status=Status.STATE, expected=9, nonce=99)).encode()
    good = Frame(Type.ABORT | frames.ANSWER_BIT, 2, frames.pack_fields(
        frames.ANSWER_HEAD, status=Status.OK, expected=3, nonce=1)).encode()
    session = Session(Scripted(stale + hello_answer(1), stale, good), nonce=1)
    assert session.request(Type.ABORT) == b""


@pytest.mark.parametrize("upset", [
    lambda device: setattr(device, "nonce", device.nonce ^ 1 << 20),
    lambda device: setattr(device, "expected", device.expected ^ 0x20),
], ids=["nonce", "sequence"])
def test_a_device_that_forgets_session_or_place_is_astray_not_a_bad_wire(upset):
    """A bit that turns there: a new session sets both right."""
    transport = GoldenTransport(CONFIG)
    session = Session(transport, nonce=5)
    session.request(Type.WRITE, write_word(0, 3, b"\3\1"))
    upset(transport.device)
    with pytest.raises(DeviceAstray, match="answers, but not what it was asked"):
        session.request(Type.WRITE, write_word(0, 4, b"\1\1"))
    session.hello()
    assert session.request(Type.READ, read_word(3)) == b"\3\1"


class EveryOther(GoldenTransport):
    """The first sending of each request arrives damaged."""

    damages = False

    def write(self, data):
        self.damages = not self.damages
        super().write(data[:3] + bytes([data[3] ^ 1]) + data[4:] if self.damages else data)


def test_a_long_run_may_need_any_number_of_repairs(monkeypatch):
    """Only repairs in a row, of one request, end it."""
    monkeypatch.setattr("tritgrad.host.device.session.MAX_REPAIRS", 2)
    transport = EveryOther(CONFIG)
    session = Session(transport)
    for address in range(20):
        transport.damages = False
        session.request(Type.WRITE, write_word(0, address, bytes([address, 1])))
    assert session.repairs >= 20
    assert session.request(Type.READ, read_word(7)) == b"\7\1"


def test_the_budget_grows_with_each_answer_and_halves_with_a_repair():
    session = Session(GoldenTransport(CoreConfig(**{**vars(CONFIG), "slot_bytes": 4096})))
    found = [session.budget]
    for _ in range(4):
        session.request(Type.WRITE, write_word(0, 1, b"\1\1"))
        found.append(session.budget)
    assert found == [512, 1024, 2048, 4092, 4092]
    for _ in range(20):
        session._repair()
        found.append(session.budget)
    assert found[5:10] == [2046, 1023, 511, 255, 127]
    assert session.budget == 64
