"""The clock of a board's core and its reset."""

from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, Const, Elaboratable, Instance, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from .board import Board
from .pll import PllSetting

__all__ = ["ClockSource", "ResetTimer"]

#: Block RAM of an iCE40 reads as zeros for about 3 us after configuration, going by the chip's own
#: oscillator; Amaranth's iCE40 platform waits five times as long, and so do we.
RESET_SECONDS = 15e-6


class ClockSource(Elaboratable):
    """The crystal's pin, and the PLL behind it.

    Parameters
    ----------
    board
        The board.
    bypass_pll
        Give out the crystal's clock as it is, for simulation and netlist checks.

    Attributes
    ----------
    clk : the clock.
    locked : the PLL has settled; asynchronous.
    """

    def __init__(self, board: Board, bypass_pll: bool = False):
        self.board = board
        self.bypass_pll = bypass_pll
        self.clk = Signal()
        self.locked = Signal()

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        port = platform.request(platform.default_clk, dir="-")
        setting = self.board.pll
        if setting.primitive == "SB_PLL40" and not self.bypass_pll:
            m.submodules.pll = self._sb_pll40_pad(port.io, setting)
            return m
        m.submodules.buffer = buffer = io.Buffer("i", port)
        if self.bypass_pll:
            m.d.comb += [self.clk.eq(buffer.i), self.locked.eq(1)]
        elif setting.primitive == "EHXPLLL":
            m.submodules.pll = self._ehxplll(buffer.i, setting)
        else:
            m.submodules.pll = self._rpll(buffer.i, setting, platform.family)
        return m

    def _sb_pll40_pad(self, pin: Any, setting: PllSetting) -> Instance:
        """Lattice FPGA-TN-02052: the PLL of the pin that the crystal is on."""
        return Instance(
            "SB_PLL40_PAD",
            p_FEEDBACK_PATH="SIMPLE",
            p_PLLOUT_SELECT="GENCLK",
            **{f"p_{name}": Const(value, bits) for name, value, bits in (
                ("DIVR", setting.parameters["DIVR"], 4),
                ("DIVF", setting.parameters["DIVF"], 7),
                ("DIVQ", setting.parameters["DIVQ"], 3),
                ("FILTER_RANGE", setting.parameters["FILTER_RANGE"], 3))},
            i_PACKAGEPIN=pin,
            i_RESETB=Const(1),
            i_BYPASS=Const(0),
            o_PLLOUTGLOBAL=self.clk,
            o_LOCK=self.locked)

    def _ehxplll(self, pin: Signal, setting: PllSetting) -> Instance:
        """Lattice FPGA-TN-02200: CLKOP is fed back, CLKOS is the output, both in phase."""
        fed_back = Signal()
        dividers = setting.parameters
        low = ("RST", "STDBY", "PHASESEL0", "PHASESEL1", "PHASEDIR", "PHASESTEP", "PHASELOADREG",
               "PLLWAKESYNC", "ENCLKOP", "ENCLKOS")
        return Instance(
            "EHXPLLL",
            # What Lattice's own generator sets for loop filters of this kind; with the last two
            # left at their defaults the filter's amplifier is off, and the PLL may never lock.
            a_ICP_CURRENT="12", a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1", a_MFG_GMCREF_SEL="2",
            a_FREQUENCY_PIN_CLKI=f"{setting.input_hz / 1e6:g}",
            a_FREQUENCY_PIN_CLKOS=f"{float(setting.output_hz) / 1e6:g}",
            p_FEEDBK_PATH="CLKOP",
            p_CLKOP_ENABLE="ENABLED", p_CLKOP_FPHASE=0,
            p_CLKOP_CPHASE=dividers["CLKOP_DIV"] - 1,
            p_CLKOS_ENABLE="ENABLED", p_CLKOS_FPHASE=0,
            p_CLKOS_CPHASE=dividers["CLKOS_DIV"] - 1,
            **{f"p_{name}": value for name, value in dividers.items()},
            **{f"i_{name}": Const(0) for name in low},
            i_CLKI=pin,
            i_CLKFB=fed_back,
            o_CLKOP=fed_back,
            o_CLKOS=self.clk,
            o_LOCK=self.locked)

    def _rpll(self, pin: Signal, setting: PllSetting, device: str) -> Instance:
        """Gowin UG286: the output divider is outside the loop, CLKOUT is the VCO / ODIV."""
        return Instance(
            "rPLL",
            p_FCLKIN=f"{setting.input_hz / 1e6:g}",
            p_DEVICE=device,
            **{f"p_{name}": value for name, value in setting.parameters.items()},
            p_DYN_IDIV_SEL="false", p_DYN_FBDIV_SEL="false", p_DYN_ODIV_SEL="false",
            p_DYN_DA_EN="false", p_PSDA_SEL="0000", p_DUTYDA_SEL="1000",
            p_CLKFB_SEL="internal", p_CLKOUT_BYPASS="false", p_CLKOUTP_BYPASS="false",
            p_CLKOUTD_BYPASS="false", p_DYN_SDIV_SEL=2,
            i_CLKIN=pin,
            **{f"i_{name}": Const(0, bits) for name, bits in (
                ("RESET", 1), ("RESET_P", 1), ("CLKFB", 1), ("FBDSEL", 6), ("IDSEL", 6),
                ("ODSEL", 6), ("PSDA", 4), ("DUTYDA", 4), ("FDLY", 4))},
            o_CLKOUT=self.clk,
            o_LOCK=self.locked)


class ResetTimer(Elaboratable):
    """Holds the reset until the clock has been stable for `RESET_SECONDS`; again if lock is lost.

    Parameters
    ----------
    clk, locked
        Of the clock; `locked` is asynchronous.
    clock_hz
        Its frequency.

    Attributes
    ----------
    reset : for the domain of `clk`, synchronous to it.
    cycles : how long it is held.
    """

    def __init__(self, clk: Signal, locked: Signal, clock_hz: float):
        self.clk, self.locked = clk, locked
        self.cycles = 1 << int(RESET_SECONDS * clock_hz).bit_length()
        self.reset = Signal(init=1)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.domains.por = ClockDomain("por", local=True, reset_less=True)
        m.d.comb += ClockSignal("por").eq(self.clk)
        locked = Signal()
        m.submodules.locked = FFSynchronizer(self.locked, locked, o_domain="por")
        count = Signal(range(self.cycles))
        with m.If(~locked):
            m.d.por += [count.eq(0), self.reset.eq(1)]
        with m.Elif(count == self.cycles - 1):
            m.d.por += self.reset.eq(0)
        with m.Else():
            m.d.por += count.eq(count + 1)
        return m
