"""cocotb bench of the ECP5's registers of double data rate, against what Lattice says of them.

FPGA-TN-02035: an output register sends D0 while the clock is high and D1 while it is low, two rises
after it took both; an input register gives, from a rise on, the pin at the rise before it and at
the fall behind that. Half a cycle at a time; inputs also change where nobody is to look.
"""

import os
import random

import cocotb
from cocotb.triggers import Timer

CYCLES = 300
TOP = """module top(input clk, RST, D0, D1, D, output Q, Q0, Q1);
  ODDRX1F o(.SCLK(clk), .RST(RST), .D0(D0), .D1(D1), .Q(Q));
  IDDRX1F i(.SCLK(clk), .RST(RST), .D(D), .Q0(Q0), .Q1(Q1));
endmodule
"""


@cocotb.test()
async def follows_the_data_sheet(dut):
    rng = random.Random(int(os.environ["TRITGRAD_SEED"]))
    taken, seen = [(0, 0)] * 3, [(0, 0)] * 2  # by rises, the last one behind

    async def half(level, **pins):
        """Pins as they are at an edge; they change shortly after it."""
        for name, value in pins.items():
            getattr(dut, name).value = value
        await Timer(1, "ns")
        dut.clk.value = level
        await Timer(1, "ns")
        for name in pins:
            getattr(dut, name).value = rng.getrandbits(1)
        await Timer(1, "ns")

    def shown():
        return int(dut.Q.value), int(dut.Q0.value), int(dut.Q1.value)

    dut.clk.value = dut.RST.value = 0
    await Timer(1, "ns")
    for cycle in range(CYCLES):
        if cycle % 60 == 59:
            dut.RST.value = 1
            await Timer(1, "ns")
            taken, seen = [(0, 0)] * 3, [(0, 0)] * 2
            assert shown() == (0, 0, 0)
            dut.RST.value = 0
        d0, d1, rise, fall = (rng.getrandbits(1) for _ in range(4))
        await half(1, D0=d0, D1=d1, D=rise)
        taken.append((d0, d1))
        assert shown() == (taken[-3][0], *seen[-1])
        await half(0, D=fall)
        seen.append((rise, fall))
        assert shown() == (taken[-3][1], *seen[-2])
