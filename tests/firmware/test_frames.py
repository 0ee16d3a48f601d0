"""Frames on the wire: what goes in comes out, and nothing else does."""

import random
import struct
import zlib

import pytest

from tritgrad.firmware.frames import (
    CORE_FIELDS,
    ESC,
    FLAG,
    MAGIC,
    Frame,
    FrameDecoder,
    Status,
    pack_fields,
    stuff,
    unpack_fields,
    unstuff,
)


def test_a_frame_is_these_bytes():
    body = b"\x0a\x07\x01\x00\x01"
    wire = Frame(0x0A, 7, b"\x01").encode()
    assert wire == b"\xa5" + body + struct.pack("<I", zlib.crc32(body)) + b"\xa5"


@pytest.mark.parametrize("seed", range(10))
def test_frames_survive_any_split(seed):
    rng = random.Random(seed)
    sent = [Frame(rng.randrange(256), rng.randrange(256), bytes(
        rng.choice([FLAG, ESC, FLAG ^ 0x20, rng.randrange(256)]) for _ in range(rng.randint(0, 50))
    )) for _ in range(20)]
    wire = b"".join(frame.encode() for frame in sent)
    decoder, got = FrameDecoder(), []
    while wire:
        size = rng.randint(1, 30)
        got += decoder.feed(wire[:size])
        wire = wire[size:]
    assert got == sent


def test_stuffing_leaves_no_flag():
    everything = bytes(range(256))
    assert FLAG not in stuff(everything)
    assert unstuff(stuff(everything)) == everything


@pytest.mark.parametrize("wire, status", [
    (b"\xa5\x01\x02\xa5", Status.LENGTH),
    (b"\xa5\x5b\xa5", Status.LENGTH),
    (b"\xa5" + bytes(8) + b"\xa5", Status.CRC),
    (b"\xa5" + bytes(40) + b"\xa5", Status.OVERFLOW),
])
def test_what_is_no_frame_has_a_reason(wire, status):
    assert list(FrameDecoder(limit=32).feed(wire)) == [status]


def test_a_wrong_length_field_under_a_good_check_sum():
    body = b"\x01\x00\x05\x00abc"
    wire = b"\xa5" + stuff(body + struct.pack("<I", zlib.crc32(body))) + b"\xa5"
    assert list(FrameDecoder().feed(wire)) == [Status.LENGTH]


def test_records_pack_and_unpack():
    values = {name: 1 for name, _ in CORE_FIELDS} | {"magic": MAGIC}
    data = pack_fields(CORE_FIELDS, **values)
    assert unpack_fields(CORE_FIELDS, data + b"rest") == (values, b"rest")


@pytest.mark.parametrize("limit", [4, 5, 32])
def test_the_longest_frame(limit):
    fits, long = Frame(1, 2, bytes(limit - 4)), Frame(1, 2, bytes(limit - 3))
    wire = fits.encode() + long.encode() + fits.encode()
    assert list(FrameDecoder(limit).feed(wire)) == [fits, Status.OVERFLOW, fits]


def test_an_escape_at_the_end_is_dropped():
    frame = Frame(1, 2, b"abc")
    wire = frame.encode()[:-1] + bytes([ESC, FLAG])
    assert list(FrameDecoder().feed(wire)) == [frame]


def test_frames_may_share_a_flag_and_noise_between_them_is_reported():
    a, b = Frame(1, 2, b"\xa5"), Frame(3, 4)
    wire = b"xy" + a.encode()[:-1] + b.encode() + b"\xa5\xa5"
    assert list(FrameDecoder().feed(wire)) == [Status.LENGTH, a, b]
