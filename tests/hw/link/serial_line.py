"""Bytes on a serial line, and taken off it, in tests of the UART."""

#: `harness.simulate` has a clock of 1 MHz; all rates scale with it.
CYCLE_S = 1e-6


def bit_time(clock_hz, rate, error=0.0):
    return CYCLE_S * clock_hz / rate / (1 + error)


async def send(ctx, line, data, bit_s, gap=lambda: 0.0):
    """Put bytes on a line, each followed by a gap in bits."""
    for byte in data:
        for bit in (0, *(byte >> n & 1 for n in range(8)), 1):
            ctx.set(line, bit)
            await ctx.delay(bit_s)
        if idle := gap():
            await ctx.delay(idle * bit_s)


def listen(line, bit_s, received):
    """A testbench that takes bytes off a line for ever; None for one without a stop bit."""
    async def testbench(ctx):
        while True:
            await ctx.negedge(line)
            await ctx.delay(bit_s / 2)
            assert ctx.get(line) == 0, "glitch"
            byte = 0
            for n in range(8):
                await ctx.delay(bit_s)
                byte |= ctx.get(line) << n
            await ctx.delay(bit_s)
            received.append(byte if ctx.get(line) else None)
    return testbench


def take(stream, received, idle=lambda: 0):
    """A testbench that takes bytes off a stream for ever; a byte that is offered must stay."""
    async def testbench(ctx):
        while True:
            for _ in range(idle()):
                *_, valid, offered = await ctx.tick().sample(stream.valid, stream.payload)
                assert not valid or (ctx.get(stream.valid) and ctx.get(stream.payload) == offered)
            ctx.set(stream.ready, 1)
            *_, valid, byte = await ctx.tick().sample(stream.valid, stream.payload)
            ctx.set(stream.ready, 0)
            if valid:
                received.append(byte)
    return testbench
