"""The comparison with a constant, for all values."""

import pytest
from amaranth import *
from tritgrad.hw.compare import exceeds

from .link.harness import simulate


@pytest.mark.parametrize("limit", range(35))
def test_all_values(limit):
    m = Module()
    value, above = Signal(5), Signal()
    m.d.comb += above.eq(exceeds(value, limit))
    clocked = Signal()
    m.d.sync += clocked.eq(above)

    async def testbench(ctx):
        for n in range(32):
            ctx.set(value, n)
            assert ctx.get(above) == (n > limit)

    simulate(m, testbench)
