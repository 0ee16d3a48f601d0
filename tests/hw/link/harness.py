"""Drives the link's units with stalls on both sides, and makes good and bad wire bytes."""

import random
import zlib
from collections.abc import Callable

from amaranth.sim import Simulator

from tritgrad.firmware.frames import ESC, FLAG, Frame, stuff


def simulate(dut, *testbenches, background=(), limit: int = 100_000) -> None:
    """Run until all but the background testbenches are done; fail after `limit` cycles."""
    async def watchdog(ctx):
        await wait(ctx, limit)
        raise AssertionError(f"not done after {limit} cycles")

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    for testbench in testbenches:
        sim.add_testbench(testbench)
    for testbench in (*background, watchdog):
        sim.add_testbench(testbench, background=True)
    sim.run()


def stalls(rng: random.Random, most: int) -> Callable[[], int]:
    """Idle cycles before a transfer: 0 to `most`, mostly few."""
    return lambda: rng.randint(0, rng.randint(0, most))


async def wait(ctx, cycles: int) -> None:
    """Let cycles pass. A loop, as `repeat` and `until` warn when they are left unfinished."""
    for _ in range(cycles):
        await ctx.tick()


async def put(ctx, stream, item, idle: int = 0) -> None:
    await wait(ctx, idle)
    ctx.set(stream.payload, item)
    ctx.set(stream.valid, 1)
    ready = False
    while not ready:
        *_, ready = await ctx.tick().sample(stream.ready)
    ctx.set(stream.valid, 0)


async def get(ctx, stream, idle: int = 0):
    await wait(ctx, idle)
    ctx.set(stream.ready, 1)
    valid = False
    while not valid:
        *_, item, valid = await ctx.tick().sample(stream.payload, stream.valid)
    ctx.set(stream.ready, 0)
    return item


async def get_packet(ctx, stream, idle: Callable[[], int]) -> bytes:
    """The bytes of a stream up to one that is the last."""
    packet, last = bytearray(), False
    while not last:
        item = await get(ctx, stream, idle())
        packet.append(item.data)
        last = item.last
    return bytes(packet)


def random_bytes(rng: random.Random, n: int) -> bytes:
    """Bytes of which about a third are flags and escapes."""
    special = bytes([FLAG, ESC, FLAG ^ 0x20, ESC ^ 0x20])
    return bytes(rng.choice(special) if rng.random() < 0.4 else rng.randrange(256)
                 for _ in range(n))


def random_frame(rng: random.Random, most: int) -> Frame:
    """A frame with up to `most` payload bytes, often none or all of them."""
    size = rng.choice([0, 1, most, rng.randint(0, most)])
    return Frame(rng.randrange(256), rng.randrange(256), random_bytes(rng, size))


def damage(rng: random.Random, wire: bytes) -> bytes:
    """One fault: a byte changed, lost, added or doubled, or the rest lost."""
    at = rng.randrange(len(wire))
    return rng.choice([
        wire[:at] + bytes([wire[at] ^ 1 << rng.randrange(8)]) + wire[at + 1:],
        wire[:at] + wire[at + 1:],
        wire[:at] + random_bytes(rng, 1) + wire[at:],
        wire[:at] + wire[at:at + 1] + wire[at:],
        wire[:at + 1],
    ])


def checked(head: bytes) -> bytes:
    """Wire bytes of a header and payload, whatever its length field says."""
    return bytes([FLAG]) + stuff(head + zlib.crc32(head).to_bytes(4, "little")) + bytes([FLAG])


def random_wire(rng: random.Random, limit: int) -> bytes:
    """What may come in place of a frame; `limit` is header and payload of the longest good one."""
    good = random_frame(rng, limit - 4)
    flags = bytes([FLAG]) * rng.randint(1, 3)
    head = good.body()[:-4]
    return rng.choice([
        good.encode(),
        good.encode() + flags,
        damage(rng, good.encode()),
        damage(rng, damage(rng, good.encode())),
        # A body of any length, most of them near the limits of short and long ones.
        flags + stuff(random_bytes(rng, rng.choice([
            rng.randint(1, 12), limit + rng.randint(0, 12), rng.randint(1, 3 * limit)]))) + flags,
        # A good check sum over a wrong length.
        checked(head[:2] + rng.randrange(1 << 16).to_bytes(2, "little") + head[4:]),
        checked(head[:2] + (len(good.payload) ^ 1 << rng.randrange(16)).to_bytes(2, "little")
                 + head[4:]),
        # Too long, with everything else right.
        random_frame(rng, limit + rng.randint(-3, 6)).encode(),
        Frame(1, 2, random_bytes(rng, limit + rng.randint(-6, 6))).encode(),
        bytes([ESC, FLAG]),
        good.encode()[:-1] + bytes([ESC, FLAG]),
        bytes([FLAG, FLAG, ESC, ESC, FLAG]),
    ])
