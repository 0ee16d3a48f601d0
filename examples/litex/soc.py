"""A LiteX SoC whose CPU trains a tritgrad core: Verilog, firmware, and a simulation of both.

    pip install -e '.[litex,sim]'
    python examples/litex/soc.py --out build/litex

A PicoRV32 of LiteX has the core on its Wishbone bus. Its program, in C, loads a network for the
digits of scikit-learn, trains it, classifies digits that it has not seen and prints the core's
memories; they are compared with what the golden model's are after the same.

For an FPGA, take `add_core` into a SoC for your board, and `tritgrad.h` into its firmware.
"""

import argparse
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from litex.build.generic_platform import Pins, Subsignal
from litex.build.sim import SimPlatform
from litex.gen import LiteXModule
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCCore
from litex.soc.interconnect import wishbone
from migen import ClockDomain, ClockSignal, Instance, ResetSignal, Signal
from sklearn.datasets import load_digits

from tritgrad.firmware import programs
from tritgrad.firmware.frames import PROTOCOL_VERSION, FrameDecoder, Type
from tritgrad.firmware.wire import pack_samples
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import GoldenTransport
from tritgrad.hw.emit import emit
from tritgrad.model.config import CoreConfig
from tritgrad.model.margin import MarginNetwork, state_sha256
from tritgrad.model.recipe import Recipe
from tritgrad.sim.compiled import CompiledCore
from tritgrad.sim.verilate import TOP

HERE = Path(__file__).parent
#: Where the core's registers are, in the region that PicoRV32 does not cache.
ORIGIN = 0x9000_0000
CORE = "tritgrad_core"
TRAINED, TESTED, EPOCHS, CHUNK = 160, 60, 4, 16
RECIPE = replace(Recipe.default((64, 24, 10), 1), gains=(2, 0), margin=8)
CONFIG = CoreConfig.for_network(RECIPE.layers, RECIPE.planes, lanes=8, banks=4, update_lanes=4,
                                slot_bytes=512)
#: Seconds of a clock of 10 MHz after which the simulation is given up, and what ends it before.
PATIENCE_CYCLES, END = 60_000_000, 4
#: C for rv32i, and what a compiler wants of a C library: Zig's, from its wheel.
COMPILER = [sys.executable, "-m", "ziglang", "cc", "-target", "riscv32-freestanding",
            "-mcpu=generic_rv32"]
IO = [("sys_clk", 0, Pins(1)), ("sys_rst", 0, Pins(1)),
      ("serial", 0, *(Subsignal(f"{side}_{name}", Pins(width)) for side in ("source", "sink")
                      for name, width in (("valid", 1), ("ready", 1), ("data", 8))))]


def add_core(soc, name, origin, verilog):
    """Put the core of ``tritgrad verilog --interface wishbone`` on a SoC's bus.

    Parameters
    ----------
    soc
        A `SoCCore` whose bus has words of 32 bits.
    name
        The module's.
    origin
        Address of its registers.
    verilog
        Its file; None if it is added otherwise.

    Returns
    -------
    The interrupt, high while bytes wait and it is enabled.
    """
    bus, irq = wishbone.Interface(data_width=32, address_width=32, addressing="word"), Signal()
    soc.bus.add_slave(name, bus, SoCRegion(origin=origin, size=0x1000, cached=False))
    soc.specials += Instance(
        name, i_clk=ClockSignal("sys"), i_rst=ResetSignal("sys"), i_wb_cyc=bus.cyc,
        i_wb_stb=bus.stb, i_wb_we=bus.we, i_wb_adr=bus.adr[:2], i_wb_sel=bus.sel,
        i_wb_dat_w=bus.dat_w, o_wb_dat_r=bus.dat_r, o_wb_ack=bus.ack, o_irq=irq)
    if verilog is not None:
        soc.platform.add_source(str(verilog))
    return irq


class Clock(LiteXModule):
    """Clock and reset from the simulation's pins."""

    def __init__(self, platform):
        self.cd_sys = ClockDomain()
        self.comb += [self.cd_sys.clk.eq(platform.request("sys_clk")),
                      self.cd_sys.rst.eq(platform.request("sys_rst"))]


class SimSoC(SoCCore):
    """A PicoRV32, ROM, RAM, a console, and the core."""

    def __init__(self):
        platform = SimPlatform("SIM", list(IO))
        self.crg = Clock(platform)
        super().__init__(platform, 10_000_000, cpu_type="picorv32", cpu_variant="minimal",
                         uart_name="sim", integrated_rom_size=0x8000, integrated_rom_init=[0],
                         integrated_sram_size=0x2000, with_timer=False)
        add_core(self, CORE, ORIGIN, None)

    def verilog(self):
        """Its Verilog, and the texts that go with it: the CPU's, not the core's."""
        self.finalize()
        fragment = self.get_fragment()
        self.platform.finalize(fragment)
        made = self.platform.get_verilog(fragment, name="sim", regular_comb=False)
        return made.main_source, [Path(path).read_text() for path, *_ in self.platform.sources]


class Recorded(GoldenTransport):
    """Keeps the requests that a driver sends."""

    def __init__(self, config):
        super().__init__(config)
        self.requests = []

    def write(self, data):
        self.requests += FrameDecoder().feed(data)
        super().write(data)


def job():
    """The firmware's ``job.h``, and what the READs at its end have to answer, and the state."""
    data = load_digits()
    order = np.random.default_rng(1).permutation(len(data.data))[:TRAINED + TESTED]
    x, y = (data.data[order] > 7).astype(np.uint8), data.target[order].astype(np.uint8)
    network, transport = MarginNetwork(RECIPE), Recorded(CONFIG)
    driver = Driver(Session(transport, nonce=1))
    begun = len(transport.requests)
    driver.load(layer_table(RECIPE, RECIPE.gains), network.counters, network.prng.state)
    loading = transport.requests[begun:]
    for _ in range(EPOCHS):
        driver.train_chunk(x[:TRAINED], y[:TRAINED], RECIPE.margin)
        for row, label in zip(x[:TRAINED], y[:TRAINED], strict=True):
            network.train_sample(row, label, RECIPE.gains)
    expected = state_sha256(network.counters)
    asked = len(transport.requests)
    if state_sha256(driver.counters()) != expected:
        raise SystemExit("golden device and golden model differ")
    reads = [frame for frame in transport.requests[asked:] if frame.type == Type.READ]
    memories = [driver.session.request(Type.READ, frame.payload) for frame in reads]
    predictions, _, _ = driver.infer(x[TRAINED:])
    packed, depth = pack_samples(x, RECIPE.planes), RECIPE.depth

    def array(name, values, kind="uint8_t", dims=""):
        return f"static const {kind} {name}{dims}[] = {{{', '.join(map(str, values))}}};"

    def words(program):
        return np.array(program, "<u4").tobytes()

    lines = [
        f"enum {{ PROTOCOL = {PROTOCOL_VERSION}, TRAINED = {TRAINED}, TESTED = {TESTED} }};",
        f"enum {{ EPOCHS = {EPOCHS}, CHUNK = {CHUNK}, SAMPLE_BYTES = {packed.shape[1]} }};",
        f"#define TRITGRAD ((volatile uint32_t *){ORIGIN:#x}u)",
        "/* Requests that load the network: type, length of the payload in two bytes, payload. */",
        array("load", b"".join(bytes([f.type]) + len(f.payload).to_bytes(2, "little") + f.payload
                               for f in loading)),
        array("train", words(programs.train(depth, TRAINED, RECIPE.margin))),
        array("infer", words(programs.infer(depth, TESTED))),
        array("trained", packed[:TRAINED].tobytes()), array("trained_labels", y[:TRAINED]),
        array("tested", packed[TRAINED:].tobytes()), array("tested_labels", y[TRAINED:]),
        f"static const uint8_t reads[][{len(reads[0].payload)}] = {{" + ", ".join(
            "{" + ", ".join(map(str, frame.payload)) + "}" for frame in reads) + "};",
    ]
    return "\n".join(lines) + "\n", memories, int((predictions == y[TRAINED:]).sum()), expected


def firmware(folder):
    """The words of the CPU's program; `job.h` is in the folder."""
    elf = folder / "firmware.elf"
    subprocess.run([*COMPILER, "-std=c11", "-Os", "-Wall", "-Wextra", "-Wconversion", "-Werror",
                    "-ffreestanding", "-I", folder, "-T", HERE / "link.ld", "-o", elf,
                    HERE / "main.c"], check=True)
    return np.frombuffer(loaded(elf.read_bytes()), "<u4")


def loaded(elf):
    """What an ELF of 32 bits puts into a memory that begins at address 0."""
    first, size, count = (int.from_bytes(elf[at:at + width], "little")
                          for at, width in ((28, 4), (42, 2), (44, 2)))
    image = bytearray()
    for header in (np.frombuffer(elf, "<u4", 8, first + n * size) for n in range(count)):
        kind, offset, _, address, length = map(int, header[:5])
        if kind == 1 and length:
            image[len(image):] = bytes(max(0, address + length - len(image)))
            image[address:address + length] = elf[offset:offset + length]
    return bytes(image) + bytes(-len(image) % 4)


def bench(soc, sources, words):
    """Verilog whose top has the console as byte streams, with the program in the ROM."""
    rom = "\n".join(f"\trom[{n}] = 32'h{int(word):08x};" for n, word in enumerate(words))
    soc = re.sub(r'\t\$readmemh\("sim_rom.init", rom\);', lambda _: rom, soc)
    soc = re.sub(r'\t\$readmemh\("sim_sram.init", sram\);', "", soc)
    return soc + "\n".join(sources) + f"""
module {TOP}(input clk, input rst, input [7:0] i__payload, input i__valid, output i__ready,
             output [7:0] o__payload, output o__valid, input o__ready);
  sim soc(.sys_clk(clk), .sys_rst(rst), .sim_trace(1'b0),
    .serial_sink_data(i__payload), .serial_sink_valid(i__valid), .serial_sink_ready(i__ready),
    .serial_source_data(o__payload), .serial_source_valid(o__valid),
    .serial_source_ready(o__ready));
endmodule
"""


def console(text):
    """What the CPU prints, and the cycles that it took."""
    with CompiledCore(lambda: text, f"litex {text}") as core:
        said = b""
        while core.cycles < PATIENCE_CYCLES and END not in said:
            said += core.run(b"", 100_000, stop_at_frame=False)[1]
        return said.split(bytes([END]))[0].decode(errors="replace"), core.cycles


def main():
    """Exit code 0 if the core has learned what the golden model has."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/litex"), metavar="DIR",
                        help="folder for what is made (default: %(default)s)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    soc = SimSoC()
    verilog, sources = soc.verilog()
    header, memories, right, expected = job()
    header += f"#define UART ((volatile uint32_t *){soc.csr.regions['uart'].origin:#x}u)\n"
    (options.out / "job.h").write_text(header)
    core = emit(CONFIG, name=CORE, interface="wishbone")[0]
    words = firmware(options.out)
    text = bench(verilog, [*sources, core], words)
    (options.out / "soc.v").write_text(text)
    said, cycles = console(text)
    lines = said.splitlines()
    read = [bytes.fromhex(line.split()[1]) for line in lines if line.startswith("memory ")]
    print(*(line for line in lines if not line.startswith("memory ")), sep="\n")
    print(f"{cycles:,} cycles, {4 * len(words):,} bytes of program and samples")
    if read != memories or f"{right} of {TESTED} unseen ones right" not in lines:
        raise SystemExit("the core and the golden model differ")
    print(f"T and R as in the golden model, state {expected}")


if __name__ == "__main__":
    main()
