# amaranth: UnusedElaboratable=no
import random

import pytest

from tritgrad.firmware.frames import ESC, FLAG, SLOTS, Frame, FrameDecoder, Status
from tritgrad.hw.link.receiver import Receiver

from .harness import damage, get, put, random_frame, random_wire, simulate, stalls, wait

Seen = list[tuple[Status, bytes]]


def ref_receive(wire: bytes, slot_bytes: int) -> Seen:
    """Status of each frame, with header and payload of the good ones."""
    return [(Status.OK, frame.body()[:-4]) if isinstance(frame, Frame) else (frame, b"")
            for frame in FrameDecoder(slot_bytes).feed(wire)]


async def read(ctx, dut, offsets) -> bytes:
    """Bytes of the frame in hand."""
    read = bytearray()
    for offset in offsets:
        ctx.set(dut.i_offset, offset)
        await ctx.tick()
        read.append(ctx.get(dut.o_byte))
    return bytes(read)


async def take(ctx, dut, idle: int = 0) -> tuple[Status, int]:
    item = await get(ctx, dut.o_frame, idle)
    return Status(item.status), item.length


async def release(ctx, dut) -> None:
    ctx.set(dut.i_release, 1)
    await ctx.tick()
    ctx.set(dut.i_release, 0)


def rtl_receive(wire: bytes, count: int, slot_bytes: int, rng: random.Random,
                i_most: int = 0, o_most: int = 0) -> Seen:
    """As `ref_receive`, for `count` frames; reads each in order, then parts in any order."""
    dut = Receiver(slot_bytes)
    seen: Seen = []

    async def send(ctx):
        idle = stalls(rng, i_most)
        for byte in wire:
            await put(ctx, dut.i, byte, idle())

    async def consume(ctx):
        idle = stalls(rng, o_most)
        while len(seen) < count:
            status, length = await take(ctx, dut, idle())
            body = b""
            if status is Status.OK:
                body = await read(ctx, dut, range(length + 4))
                again = rng.sample(range(length + 4), rng.randint(0, length + 4))
                assert await read(ctx, dut, again) == bytes(body[n] for n in again)
            await wait(ctx, idle() * slot_bytes // 2)
            seen.append((status, body))
            await release(ctx, dut)
        await wait(ctx, 20)
        assert not ctx.get(dut.o_pending)

    simulate(dut, send, consume)
    return seen


@pytest.mark.parametrize("slot_bytes", [8, 64, 128])
@pytest.mark.parametrize("i_most, o_most", [(0, 0), (4, 0), (0, 4), (3, 3)])
def test_random(slot_bytes, i_most, o_most, fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    wire = b"".join(random_wire(rng, slot_bytes) for _ in range(800 // slot_bytes + 15))
    wire += Frame(1, 2, b"end").encode()
    expected = ref_receive(wire, slot_bytes)
    try:
        assert rtl_receive(wire, len(expected), slot_bytes, rng, i_most, o_most) == expected
    except AssertionError as error:
        raise AssertionError(f"seed {seed}") from error


def test_a_good_frame_is_found_after_a_bad_one(fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    frames = [random_frame(rng, 60) for _ in range(12)]
    wire = b"".join(damage(rng, frame.encode()) + frame.encode() for frame in frames)
    expected = ref_receive(wire, 64)
    got = rtl_receive(wire, len(expected), 64, rng)
    assert got == expected, f"seed {seed}"
    assert {frame.body()[:-4] for frame in frames} <= {body for _, body in got}, f"seed {seed}"


@pytest.mark.parametrize("wire, statuses", [
    (bytes([FLAG, FLAG, FLAG]), []),
    (bytes([FLAG, ESC, FLAG]), [Status.LENGTH]),
    (bytes([FLAG, 1, 2, 3, 4, 5, 6, 7, FLAG]), [Status.LENGTH]),
    (bytes([FLAG, 1, 2, 3, 4, 5, 6, 7, 8, FLAG]), [Status.CRC]),
    (bytes([FLAG]) + bytes(68) + bytes([FLAG]), [Status.CRC]),
    (bytes([FLAG]) + bytes(69) + bytes([FLAG]), [Status.OVERFLOW]),
    (bytes([FLAG]) + bytes(1000) + bytes([FLAG]), [Status.OVERFLOW]),
    (Frame(1, 2, bytes(60)).encode(), [Status.OK]),
    (Frame(1, 2, bytes(61)).encode(), [Status.OVERFLOW]),
    (Frame(1, 2, bytes(60)).encode()[:-1], []),
], ids=["flags", "escape", "seven", "eight", "full", "over", "far over", "longest", "too long",
        "unfinished"])
def test_status(wire, statuses):
    expected = ref_receive(wire, 64)
    assert [status for status, _ in expected] == statuses
    assert rtl_receive(wire, len(expected), 64, random.Random(0)) == expected


def test_two_frames_are_kept_and_a_third_waits():
    dut = Receiver(64)
    frames = [Frame(1, n, bytes([n]) * 60) for n in range(4)]
    sent = 0

    async def send(ctx):
        nonlocal sent
        for frame in frames:
            for byte in frame.encode():
                await put(ctx, dut.i, byte)
            sent += 1

    async def consume(ctx):
        assert not ctx.get(dut.o_pending)
        for n, frame in enumerate(frames):
            assert await take(ctx, dut) == (Status.OK, 60)
            await wait(ctx, 300)
            assert sent == min(n + SLOTS, len(frames))
            assert ctx.get(dut.o_pending) == (n + 1 < len(frames))
            assert not ctx.get(dut.o_frame.valid)
            assert ctx.get(dut.i.ready) or n + 1 < len(frames)
            assert await read(ctx, dut, range(64)) == frame.body()[:-4]
            await release(ctx, dut)

    assert Receiver.SLOTS == SLOTS
    simulate(dut, send, consume)


def test_nothing_in_hand_changes_while_bad_frames_arrive():
    dut = Receiver(64)
    frame = Frame(3, 4, bytes(range(60)))

    async def run(ctx):
        for byte in frame.encode():
            await put(ctx, dut.i, byte)
        assert await take(ctx, dut) == (Status.OK, 60)
        for byte in [0x11] * 1000 + [FLAG]:
            await put(ctx, dut.i, byte)
        assert ctx.get(dut.o_pending)
        assert await read(ctx, dut, range(64)) == frame.body()[:-4]
        await release(ctx, dut)
        assert (await take(ctx, dut))[0] is Status.OVERFLOW

    simulate(dut, run)


def test_latency_and_throughput():
    """A wire byte a cycle, and the frame announced in the cycle after its flag."""
    dut = Receiver(64)
    wire = Frame(1, 2, bytes(range(0xA0, 0xC0))).encode()

    async def run(ctx):
        ctx.set(dut.i.valid, 1)
        for byte in wire:
            ctx.set(dut.i.payload, byte)
            assert ctx.get(dut.i.ready) and not ctx.get(dut.o_frame.valid)
            await ctx.tick()
        assert ctx.get(dut.o_frame.valid)

    simulate(dut, run)


@pytest.mark.parametrize("slot_bytes", [0, 4, 100, -8])
def test_slot_bytes_is_checked(slot_bytes):
    with pytest.raises(ValueError, match=(
            rf"^slot_bytes must be a power of two of at least 8, not {slot_bytes}$")):
        Receiver(slot_bytes)
