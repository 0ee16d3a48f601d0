import random

import pytest

from tritgrad.firmware.frames import ESC, FLAG, Frame, FrameDecoder, stuff, unstuff
from tritgrad.hw.link.stuffing import Stuffer, Unstuffer

from .harness import get, put, random_bytes, simulate, stalls, wait

F, E = FLAG, ESC


def ref_unstuff(wire: bytes) -> list[bytes]:
    """Bodies of all finished frames."""
    return [unstuff(piece) for piece in wire.split(bytes([FLAG]))[:-1] if piece]


def rtl_unstuff(wire: bytes, i_idle=lambda: 0, o_idle=lambda: 0) -> list[bytes]:
    dut = Unstuffer()
    bodies: list[bytes] = []

    async def send(ctx):
        for byte in wire:
            await put(ctx, dut.i, byte, i_idle())
        await wait(ctx, 20)

    async def receive(ctx):
        body = bytearray()
        while True:
            item = await get(ctx, dut.o, o_idle())
            if item.end:
                bodies.append(bytes(body))
                body.clear()
            else:
                body.append(item.data)

    async def watch_valid(ctx):
        waiting = None
        while True:
            *_, valid, ready, item = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload.as_value())
            assert waiting is None or (valid and item == waiting), "item withdrawn"
            waiting = item if valid and not ready else None

    simulate(dut, send, background=[receive, watch_valid])
    return bodies


def rtl_stuff(packets: list[bytes], i_idle=lambda: 0, o_idle=lambda: 0) -> tuple[bytes, int]:
    """Wire bytes, and the cycles from the first byte offered to the last one out."""
    dut = Stuffer()
    expected = sum(len(stuff(packet)) + 2 for packet in packets)
    wire = bytearray()
    cycles = 0

    async def send(ctx):
        for packet in packets:
            for n, byte in enumerate(packet):
                item = {"data": byte, "last": n == len(packet) - 1}
                await put(ctx, dut.i, item, i_idle())

    async def receive(ctx):
        while len(wire) < expected:
            wire.append(await get(ctx, dut.o, o_idle()))

    async def count(ctx):
        nonlocal cycles
        while True:
            cycles += len(wire) < expected
            await ctx.tick()

    simulate(dut, send, receive, background=[count])
    return bytes(wire), cycles


@pytest.mark.parametrize("wire", [
    bytes([F, F, F]),
    bytes([1, 2, F]),
    bytes([F, 1, 2, F, F, 3, F]),
    bytes([F, E, F]),
    bytes([F, E, F, 1, F]),
    bytes([F, 1, E, F, 2, F]),
    bytes([F, E, E, F]),
    bytes([F, E, E ^ 0x20, E, F ^ 0x20, F]),
    bytes([F, E, E, E, F, 0x20, F]),
    bytes([F, 1, 2]),
], ids=lambda wire: wire.hex())
def test_unstuff_cases(wire):
    assert rtl_unstuff(wire) == ref_unstuff(wire)


def test_unstuff_random(fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    for _ in range(4):
        wire = random_bytes(rng, 300) + bytes([FLAG])
        got = rtl_unstuff(wire, stalls(rng, 3), stalls(rng, 3))
        assert got == ref_unstuff(wire), f"seed {seed}"


def test_unstuff_takes_a_byte_a_cycle():
    dut = Unstuffer()
    wire = stuff(bytes(range(256))) + bytes([FLAG, FLAG])

    async def send(ctx):
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.o.ready, 1)
        for byte in wire:
            ctx.set(dut.i.payload, byte)
            assert ctx.get(dut.i.ready)
            await ctx.tick()

    simulate(dut, send)


def test_stuff_cases():
    packets = [bytes([1]), bytes([F]), bytes([E]), bytes([F, E, F, E]), bytes([1, F]),
               bytes([E, 1]), bytes(range(256))]
    wire, cycles = rtl_stuff(packets)
    assert wire == b"".join(bytes([F]) + stuff(packet) + bytes([F]) for packet in packets)
    assert cycles == len(wire)


def test_stuff_random(fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    packets = [random_bytes(rng, rng.randint(1, 30)) for _ in range(30)]
    wire, _ = rtl_stuff(packets, stalls(rng, 3), stalls(rng, 3))
    assert ref_unstuff(wire) == packets, f"seed {seed}"


def test_stuff_and_decode_a_frame():
    frame = Frame(0xA5, 0x5B, bytes([F, E, 0, 0x85, 0x7B]))
    wire, _ = rtl_stuff([frame.body()])
    assert wire == frame.encode()
    assert list(FrameDecoder().feed(wire)) == [frame]
