"""The top level of each board: pins, PLL, reset, and what it looks like without a board."""

import json
import re

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from tritgrad.boards import BOARDS
from tritgrad.boards.clocks import RESET_SECONDS, ResetTimer
from tritgrad.boards.pins import with_resources
from tritgrad.boards.top import BoardTop
from tritgrad.hw.parts.ports import RunState

SMALL = {"network": (16, 8, 4), "lanes": 4, "banks": 1}

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
PINS = {
    "icebreaker": ("pcf", {"6", "9", "35"}), "icesugar": ("pcf", {"4", "6", "35"}),
    "ulx3s-12f": ("lpf", {"M1", "L4", "G2"}), "ulx3s-25f": ("lpf", {"M1", "L4", "G2"}),
    "ulx3s-85f": ("lpf", {"M1", "L4", "G2"}), "icesugar-pro": ("lpf", {"A9", "B9", "P6"}),
    "tang-nano-9k": ("cst", {"18", "17", "52"}), "tang-primer-20k": ("cst", {"T13", "M11", "H11"}),
    "tang-nano-20k": ("cst", {"70", "69", "4"}), "icepi-zero": ("lpf", {"K16", "K15", "M1"}),
    "colorlight-i5": ("lpf", {"H18", "J17", "P3"}), "colorlight-i9": ("lpf", {"H18", "J17", "P3"}),
}


class Echo(wiring.Component):
    """In the core's place where the core does not matter: gives every byte back."""

    def __init__(self, config):
        self.config = config
        self.run = Signal(RunState)
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        wiring.connect(m, wiring.flipped(self.i), wiring.flipped(self.o))
        return m


@pytest.fixture
def echo(monkeypatch):
    monkeypatch.setattr("tritgrad.boards.top.Core", Echo)


def plan_of(board, **options):
    small = board.resized(**SMALL, store=False)
    return board.platform().prepare(BoardTop(small, **options), "top", emit_src=False,
                                    debug_verilog=False)


@each_board
def test_pins_and_pll(echo, board):
    plan = plan_of(board)
    ending, pins = PINS[board.name]
    constraints = plan.files[f"top.{ending}"]
    found = set(re.findall(r"(?:set_io \S+|SITE|IO_LOC \S+) \"?(\w+)", constraints))
    assert pins <= found
    netlist = plan.files["top.il"]
    cell = re.search(rf"cell \\{board.fpga.pll} .*?\n( *parameter.*\n)+", netlist)[0]
    for name, value in board.pll.parameters.items():
        text = re.search(rf"parameter \\{name} (.*)", cell)[1]
        number = int(text.partition("'")[2], 2) if "'" in text else int(text.split()[-1])
        assert number == value


@pytest.mark.parametrize("board", [board for board in BOARDS.values()
                                   if board.fpga.family == "ecp5"], ids=lambda board: board.name)
def test_the_loop_filter_of_the_ecp5_pll_is_on(echo, board):
    """The four that Lattice's generator sets together; without the last two it may never lock."""
    netlist = plan_of(board).files["top.il"]
    cell = re.search(r"((?: *attribute.*\n)+) *cell \\EHXPLLL ", netlist)[1]
    found = dict(re.findall(r'attribute \\(\w+) "?([^"\n]*)"?', cell))
    assert {name: found[name] for name in (
        "ICP_CURRENT", "LPF_RESISTOR", "MFG_ENABLE_FILTEROPAMP", "MFG_GMCREF_SEL")} == {
        "ICP_CURRENT": "12", "LPF_RESISTOR": "8",
        "MFG_ENABLE_FILTEROPAMP": "1", "MFG_GMCREF_SEL": "2"}


#: What a pin file says of pins that are not as amaranth-boards has them, by board.
LINES = {
    "ulx3s-25f": ['"uart_0__rx__io" IO_TYPE=LVCMOS33 PULLMODE=UP', 'gpio0__io" SITE "L2"'],
    "icesugar-pro": ['"uart_0__rx__io" IO_TYPE=LVCMOS33 PULLMODE=UP', '__g__io" SITE "B11"'],
    "tang-nano-9k": ['"led_0__io" IO_TYPE=LVCMOS18', '"uart_0__rx__io" PULL_MODE=UP'],
    "tang-primer-20k": ['"uart_0__rx__io" PULL_MODE=UP'],
    "tang-nano-20k": ['"uart_0__rx__io" PULL_MODE=UP', '"led_0__io" 15'],
    "icepi-zero": ['"uart_0__rx__io" IO_TYPE=LVCMOS33 DRIVE=4 PULLMODE=UP', '__io" SITE "E13"'],
    "colorlight-i5": ['"uart_0__rx__io" IO_TYPE=LVCMOS33 PULLMODE=UP', 'led_0__io" SITE "U16"'],
    "colorlight-i9": ['"uart_0__rx__io" IO_TYPE=LVCMOS33 PULLMODE=UP', 'led_0__io" SITE "L2"'],
}


@pytest.mark.parametrize("name", [*LINES, "ulx3s-12f", "ulx3s-85f"])
def test_pins_float_nowhere_and_have_their_banks_voltage(echo, name):
    board = BOARDS[name]
    constraints = plan_of(board).files[f"top.{PINS[name][0]}"]
    for line in LINES.get(name, LINES["ulx3s-25f"]):
        assert line in constraints


@pytest.mark.parametrize("name", ["icebreaker", "icesugar"])
def test_the_line_of_an_ice40_is_pulled_up(echo, name):
    netlist = plan_of(BOARDS[name]).files["top.il"]
    module = netlist[netlist.index("module \\top.rx"):].partition("\nend\n")[0]
    assert re.search(r"parameter \\PULLUP .*1", module)


@pytest.mark.parametrize(("name", "inverted"), [
    ("icebreaker", True), ("icesugar", True), ("icesugar-pro", True), ("tang-nano-9k", True),
    ("tang-primer-20k", True), ("tang-nano-20k", True), ("colorlight-i5", True),
    ("colorlight-i9", True), ("icepi-zero", False), ("ulx3s-25f", False)])
def test_the_light_is_on_where_its_pin_lights_it(echo, name, inverted):
    netlist = plan_of(BOARDS[name]).files["top.il"]
    module = netlist[netlist.index("module \\top.led"):].partition("\nend\n")[0]
    # Of no inverter an XOR with 0 is left.
    assert ("connect \\B 1'0" not in module) == inverted


def test_a_platform_that_has_changed_is_noticed():
    from amaranth.build import Pins, Resource
    from amaranth_boards.ulx3s import ULX3S_25F_Platform

    with pytest.raises(ValueError, match=r"ULX3S_25F_Platform has no \('lamp', 0\)"):
        with_resources(ULX3S_25F_Platform, Resource("lamp", 0, Pins("A1", dir="o")))


@each_board
def test_bypassed_pll_is_not_there(echo, board):
    netlist = plan_of(board, bypass_pll=True).files["top.il"]
    assert f"cell \\{board.fpga.pll}" not in netlist


@pytest.mark.parametrize("name", ["tang-nano-9k", "tang-primer-20k", "tang-nano-20k"])
def test_gowin_calls_the_placer_that_exists(echo, name):
    commands = json.loads(plan_of(BOARDS[name]).files["build_top.json"])["commands"]
    placer = commands[1]
    assert placer[0] == "nextpnr-himbaechel"
    assert "--family" not in placer and "--cst" not in placer
    assert any(word.startswith("family=GW") for word in placer) and "cst=top.cst" in placer
    assert "--mspi_as_gpio" in commands[2]


def test_netlist_does_not_depend_on_the_run():
    assert plan_of(BOARDS["ulx3s-25f"]).digest() == plan_of(BOARDS["ulx3s-25f"]).digest()


def test_reset_lasts_until_the_clock_is_stable_and_comes_back_with_loss_of_lock():
    clk, locked = Signal(), Signal()
    timer = ResetTimer(clk, locked, 2e6)
    assert timer.cycles / 2e6 >= RESET_SECONDS

    async def bench(ctx):
        async def cycles(number):
            held = 0
            for _ in range(number):
                ctx.set(clk, 1)
                await ctx.delay(1e-7)
                ctx.set(clk, 0)
                await ctx.delay(1e-7)
                held += ctx.get(timer.reset)
            return held

        assert await cycles(100) == 100  # no lock, no end
        ctx.set(locked, 1)
        held = await cycles(3 * timer.cycles)
        assert timer.cycles <= held <= timer.cycles + 4
        ctx.set(locked, 0)
        assert await cycles(10) >= 7
        ctx.set(locked, 1)
        held = await cycles(3 * timer.cycles)
        assert timer.cycles <= held <= timer.cycles + 4

    simulator = Simulator(timer)
    simulator.add_testbench(bench)
    simulator.run()


def test_top_without_a_platform_has_ports_alone(echo):
    text = rtlil.convert(BoardTop(BOARDS["icebreaker"].resized(**SMALL)), name="board_top",
                         emit_src=False)
    top = text[text.index("module \\board_top\n"):].partition("\nend\n")[0]

    listed = {name for _, name in re.findall(r"wire width 1 (input|output) \d+ +\\(\w+)", top)}
    assert listed == {"clk", "rx", "tx", "led"}


def test_bytes_come_back_over_the_line_in_order(echo):
    """The UART's two sides at the safe rate, through the byte that waits between core and line."""
    board = BOARDS["icebreaker"]
    top = BoardTop(board.resized(**SMALL))
    bit = board.clock_hz / 115_200
    sent = [0x00, 0x7E, 0x55, 0xFF, 0x31]

    async def bench(ctx):
        clock = 0

        async def run(cycles, until=lambda: False):
            nonlocal clock
            for _ in range(cycles):
                ctx.set(top.clk, 1)
                await ctx.delay(1e-8)
                ctx.set(top.clk, 0)
                await ctx.delay(1e-8)
                clock += 1
                if until():
                    return

        await run(600)
        line, levels = [], [1] * 30
        for byte in sent:
            levels += [0, *(byte >> n & 1 for n in range(8)), 1]
        levels += [1] * 30
        for number, level in enumerate(levels):
            ctx.set(top.rx, level)
            while clock - 600 < (number + 1) * bit:
                await run(1)
                line.append(ctx.get(top.tx))
        got, at = [], 0
        while 0 in line[at:]:
            at = line.index(0, at)
            bits = [line[int(at + (n + 0.5) * bit)] for n in range(10)]
            assert bits[0] == 0 and bits[9] == 1
            got.append(sum(value << n for n, value in enumerate(bits[1:9])))
            at = int(at + 9.5 * bit)
        assert got == sent

    simulator = Simulator(top)
    simulator.add_testbench(bench)
    simulator.run()
