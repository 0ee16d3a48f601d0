# amaranth: UnusedElaboratable=no
import random

import pytest

from tritgrad.firmware.frames import FrameDecoder, stuff
from tritgrad.hw.link.transmitter import Arbiter, Transmitter

from .harness import get, get_packet, put, random_frame, simulate, stalls


async def put_packet(ctx, stream, packet: bytes, idle) -> None:
    for n, byte in enumerate(packet):
        await put(ctx, stream, {"data": byte, "last": n == len(packet) - 1}, idle())


@pytest.mark.parametrize("i_most, o_most", [(0, 0), (3, 0), (0, 3), (2, 2)])
def test_frames(i_most, o_most, fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    frames = [random_frame(rng, 40) for _ in range(25)]
    expected = b"".join(frame.encode() for frame in frames)
    dut = Transmitter()
    wire = bytearray()
    cycles = 0

    async def send(ctx):
        for frame in frames:
            await put_packet(ctx, dut.i, frame.body()[:-4], stalls(rng, i_most))

    async def receive(ctx):
        idle = stalls(rng, o_most)
        while len(wire) < len(expected):
            wire.append(await get(ctx, dut.o, idle()))

    async def count(ctx):
        nonlocal cycles
        while True:
            cycles += len(wire) < len(expected)
            await ctx.tick()

    simulate(dut, send, receive, background=[count])
    assert wire == expected, f"seed {seed}"
    assert list(FrameDecoder().feed(wire)) == frames, f"seed {seed}"
    if not i_most and not o_most:
        # n + 6 and one for each escape; the first byte comes a cycle late.
        lengths = [len(stuff(frame.body())) + 2 for frame in frames]
        assert cycles == 1 + sum(lengths), f"seed {seed}"


@pytest.mark.parametrize("inputs", [1, 2, 3])
@pytest.mark.parametrize("i_most, o_most", [(0, 0), (6, 0), (0, 3), (6, 2)])
def test_arbiter(inputs, i_most, o_most, fresh_seed):
    """Packets stay whole and in order; when all have one, each gets its turn."""
    seed = fresh_seed
    rng = random.Random(seed)
    packets = [[bytes([n, number, *rng.randbytes(rng.randint(0, 5))]) for number in range(20)]
               for n in range(inputs)]
    dut = Arbiter(inputs)
    got: list[bytes] = []

    def sender(n):
        async def send(ctx):
            for packet in packets[n]:
                await put_packet(ctx, dut.i[n], packet, stalls(rng, i_most))
        return send

    async def receive(ctx):
        idle = stalls(rng, o_most)
        while len(got) < 20 * inputs:
            got.append(await get_packet(ctx, dut.o, idle))

    simulate(dut, receive, *(sender(n) for n in range(inputs)))
    for n in range(inputs):
        assert [packet for packet in got if packet[0] == n] == packets[n], f"seed {seed}"
    if not i_most:
        turns = [packet[0] for packet in got]
        assert all(len(set(turns[at:at + inputs])) == inputs
                   for at in range(0, len(turns), inputs)), f"seed {seed}"


def test_arbiter_needs_an_input():
    with pytest.raises(ValueError, match=r"^inputs must be at least 1, not 0$"):
        Arbiter(0)
