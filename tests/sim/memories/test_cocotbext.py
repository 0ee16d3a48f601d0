"""The flash's model beside another's, that of cocotbext-qspi, bit by bit in what both know."""

import importlib.util
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sim.memories.drivers import NS, US, FlashDriver
from tritgrad.sim.memories import FlashPart, SerialFlash

#: As the other one's parameters are. Both write within the time that the driver waits.
PART = FlashPart(1 << 16, 0x1840EF, program=1 * US, sector=5 * US)
#: Plays steps from a file: the time in ns, chip select, clock, data, who drives; prints the pins.
BENCH = """`timescale 1ns/1ps
module bench;
  reg csb = 1, clk = 0;
  reg [3:0] data = 15, drive = 0;
  wire [3:0] io;
  genvar n;
  for (n = 0; n < 4; n = n + 1) assign io[n] = drive[n] ? data[n] : 1'bz;
  qspi_flash flash(.clk(clk), .csb(csb), .io(io));
  integer file, got, at, c, k, d, e;
  initial begin
    file = $fopen("steps", "r");
    got = $fscanf(file, "%d %d %d %d %d", at, c, k, d, e);
    while (got == 5) begin
      #(at - $time - 1) $display("%b", io[1]);
      #1 csb = c[0]; clk = k[0]; data = d[3:0]; drive = e[3:0];
      got = $fscanf(file, "%d %d %d %d %d", at, c, k, d, e);
    end
    $finish;
  end
endmodule
"""


class Recorded(SerialFlash):
    """A flash that remembers its steps, and what was read in each."""

    def __init__(self, part):
        super().__init__(part)
        self.steps = []

    def step(self, now, select_n, clock, data=15, drive=1):
        seen = super().step(now, select_n, clock, data, drive)
        self.steps.append((now, select_n, clock, data, drive, seen >> 1 & 1))
        return seen


def others(folder, steps):
    """What the other model's second data pin shows 1 ns before each of some steps."""
    model = Path(importlib.util.find_spec("cocotbext.qspi").origin).parent / "verilog"
    (folder / "bench.v").write_text(BENCH)
    (folder / "steps").write_text("".join(" ".join(map(str, step)) + "\n" for step in steps))
    subprocess.run(["iverilog", "-g2012", "-o", "bench", "bench.v", str(model / "qspi_flash.v")],
                   cwd=folder, check=True)
    done = subprocess.run(["vvp", "bench"], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.split()


@pytest.mark.skipif(not shutil.which("iverilog"), reason="Icarus Verilog is not installed")
def test_equal_to_another_model(tmp_path, fresh_seed):
    pytest.importorskip("cocotbext.qspi", reason="cocotbext-qspi is not installed")
    rng = random.Random(fresh_seed)
    model = Recorded(PART)
    model.cells[:] = 0xFF  # as the other one begins
    driver = FlashDriver(model)
    for _ in range(12):
        at = rng.randrange(0, 1 << 16, 256).to_bytes(3, "big")
        data = rng.randbytes(rng.randint(1, 60))
        driver.command(b"\x06")
        driver.command(b"\x05", 2)
        driver.command(b"\x20" + at)
        driver.command(b"\x05", 2)
        driver.now += 6 * US
        driver.command(b"\x06")
        driver.command(b"\x02" + at + data)
        driver.command(b"\x05", 2)
        driver.now += 2 * US
        driver.command(b"\x9f", 3)
        assert driver.command(b"\x03" + at, len(data) + 5) == data + b"\xff" * 5
        driver.command(b"\x03" + rng.randrange(1 << 16).to_bytes(3, "big"), rng.randint(1, 80))
    steps, wanted = [], []
    for now, *pins, seen in model.steps:
        if now % NS:  # a look at the pins, 1 ps before the clock falls
            wanted.append((len(steps), seen))
        elif steps and steps[-1][0] == now // NS:
            steps[-1] = (now // NS, *pins)
        else:
            steps.append((now // NS, *pins))
    shown = others(tmp_path, steps)
    assert len(shown) == len(steps) and len(wanted) > 5_000
    # Where it takes a byte the other one does not drive the pin, and ours reads a pull-up.
    assert [shown[n].replace("z", "1") for n, _ in wanted] == [str(bit) for _, bit in wanted]
