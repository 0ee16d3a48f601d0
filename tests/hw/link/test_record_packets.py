"""Packets of the trace unit's bytes against the golden model's cutting."""

import random
import struct

import pytest

from tritgrad.firmware.frames import TRACE, Frame
from tritgrad.firmware.records import PIECE_BYTES
from tritgrad.hw.link.record_packets import PieceSender

from .harness import get_packet, put, simulate, stalls, wait


@pytest.mark.parametrize("most_in, most_out", [(0, 0), (3, 0), (0, 3), (2, 2)])
def test_packets(most_in, most_out, fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    lengths = [1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES, 3, rng.randint(1, 700)]
    records = [rng.randbytes(length) for length in lengths]
    pieces = [record[n:n + PIECE_BYTES] for record in records
              for n in range(0, len(record), PIECE_BYTES)]
    first = rng.choice([0, 255, (1 << 32) - 1])
    expected = [Frame(TRACE, number & 0xFF, struct.pack("<I", number % (1 << 32)) + piece)
                .body()[:-4] for number, piece in enumerate(pieces, first)]
    expected.append(Frame(TRACE, 0, struct.pack("<I", 0) + b"\7").body()[:-4])
    dut = PieceSender()
    found = []

    async def send(ctx):
        idle = stalls(rng, most_in)
        ctx.set(dut.number, first)
        for record in records:
            for place, byte in enumerate(record, 1):
                await put(ctx, dut.i, {"data": byte, "last": place == len(record)}, idle())
        while ctx.get(dut.busy):
            await ctx.tick()
        # The bytes of a piece that was not sent are forgotten.
        await put(ctx, dut.i, {"data": 1, "last": 0})
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        await wait(ctx, 1)
        await put(ctx, dut.i, {"data": 7, "last": 1})

    async def receive(ctx):
        idle = stalls(rng, most_out)
        for _ in expected:
            found.append(await get_packet(ctx, dut.o, idle))

    simulate(dut, send, receive)
    assert found == expected
