"""What there is to know about a board, and the FPGAs that boards have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import ConfigError
from ..firmware.rates import SAFE_RATE, supported_rates
from ..firmware.store import Kind
from ..model.config import CoreConfig
from ..model.memories import copied
from ..units import UNITS
from .memory import (
    BSRAM,
    DP16KD,
    EBR,
    LUTRAM,
    LUTRAM_LUTS,
    SPRAM,
    BlockMemory,
    Store,
    check_fits,
    core_config,
    stores,
)
from .pll import (
    ECP5_LIMITS,
    GW1N_LIMITS,
    GW2A_LIMITS,
    ICE40_LIMITS,
    Limits,
    PllSetting,
    ecp5_pll,
    gowin_pll,
    ice40_pll,
)
from .recipe import Fitted, behind, for_recipe
from .store import StoreMemory, shift_fields

__all__ = ["ECP5_25F", "ECP5_45F", "ECP5_85F", "GW1NR_9", "GW2A_18", "UP5K", "Board", "Fpga"]

#: What the command line lets a user set by hand, as fields of `CoreConfig`.
SIZES = ("lanes", "banks", "update_lanes", "update_rows", "counter_bits")


@dataclass(frozen=True)
class Fpga:
    """An FPGA as the open tools see it.

    Parameters
    ----------
    family
        ``ice40``, ``ecp5`` or ``gowin``: decides the tools.
    lut4, carry, ff
        How many LUTs with four inputs, carry bits and flip-flops it has.
    blocks
        How many block memories of each name.
    weights, buffers
        The block memory that holds T and R, and the one that holds all else.
    pll
        Name of the PLL that makes the core's clock.
    limits
        Of that PLL.
    """

    family: str
    lut4: int
    carry: int
    ff: int
    blocks: dict[str, int] = field(hash=False)
    weights: BlockMemory
    buffers: BlockMemory
    pll: str
    limits: Limits

    def pll_setting(self, input_hz: int, output_hz: int) -> PllSetting:
        """How to make a frequency (Hz), or the nearest one.

        Raises
        ------
        ConfigError
            The PLL comes no closer than 1 %.
        """
        if self.family == "ice40":
            return ice40_pll(input_hz, output_hz, self.limits)
        if self.family == "ecp5":
            return ecp5_pll(input_hz, output_hz, self.limits)
        return gowin_pll(input_hz, output_hz, self.limits)


UP5K = Fpga("ice40", lut4=5_280, carry=5_280, ff=5_280, blocks={"EBR": 30, "SPRAM": 4},
            weights=SPRAM, buffers=EBR, pll="SB_PLL40_PAD", limits=ICE40_LIMITS)
ECP5_25F = Fpga("ecp5", lut4=24_288, carry=24_288, ff=24_288, blocks={"DP16KD": 56},
                weights=DP16KD, buffers=DP16KD, pll="EHXPLLL", limits=ECP5_LIMITS)
ECP5_45F = Fpga("ecp5", lut4=43_848, carry=43_848, ff=43_848, blocks={"DP16KD": 108},
                weights=DP16KD, buffers=DP16KD, pll="EHXPLLL", limits=ECP5_LIMITS)
ECP5_85F = Fpga("ecp5", lut4=83_640, carry=83_640, ff=83_640, blocks={"DP16KD": 208},
                weights=DP16KD, buffers=DP16KD, pll="EHXPLLL", limits=ECP5_LIMITS)
GW1NR_9 = Fpga("gowin", lut4=8_640, carry=6_480, ff=6_480, blocks={"BSRAM": 26},
               weights=BSRAM, buffers=BSRAM, pll="rPLL", limits=GW1N_LIMITS)
GW2A_18 = Fpga("gowin", lut4=20_736, carry=15_552, ff=15_552, blocks={"BSRAM": 46},
               weights=BSRAM, buffers=BSRAM, pll="rPLL", limits=GW2A_LIMITS)


@dataclass(frozen=True)
class Board:
    """A board and the core that it carries.

    Parameters
    ----------
    name
        As on the command line.
    title
        As its maker calls it.
    chip, part
        The FPGA, in short and with its package.
    fpga
        What the FPGA has.
    platform
        Makes the Amaranth platform; imports `amaranth_boards` only then.
    input_hz
        Frequency of the crystal.
    clock_hz
        Frequency wanted for the core.
    networks
        Inputs, hidden sizes and classes of the networks that must fit, the largest first.
    sizes
        `lanes`, `banks`, `update_lanes` of the core, and what else `core_config` takes.
    usb
        Vendor and product of the bridge to the UART.
    loader
        What openFPGALoader calls the board (``--list-boards``); empty if it cannot load it.
    flash_only
        Whether it can write the flash memory alone, as the board has no way into the FPGA.
    max_rate
        Most bits a second that the bridge does.
    lutram
        Units whose memories are to be look-up tables, as block memories are scarce.
    sites
        Block memories that are not left to the placer: the cell's name in the netlist, and
        nextpnr's name of the block (BEL).
    placer
        Options of nextpnr that only this board needs.
    aimed_hz
        What nextpnr is asked for in place of the clock: timing-driven routing stops where it
        estimates that to be reached, and ends a little below. None: the clock.
    seeds
        Of the placer: those that its report is of.
    note
        What a user has to know, if anything.
    memory
        What is beside the FPGA for samples, if anything.
    stored
        Whether the core plays samples from there unless it is asked not to: where that is faster
        than the line.
    psram
        PSRAMs in the FPGA's package that may stand in for `memory`, see `with_psram`.
    recipes
        Recipes with a convolution that it can be built for, see `for_recipe`.
    recipe
        That which it is built for; empty for the board's own core.
    """

    name: str
    title: str
    chip: str
    part: str
    fpga: Fpga
    platform: Callable[[], Any]
    input_hz: int
    clock_hz: int
    networks: tuple[tuple[int, ...], ...]
    sizes: dict[str, int | bool] = field(hash=False)
    usb: tuple[tuple[int, int], ...]
    loader: str = ""
    flash_only: bool = False
    max_rate: int = 3_000_000
    lutram: tuple[str, ...] = ()
    sites: tuple[tuple[str, str], ...] = ()
    placer: tuple[str, ...] = ()
    aimed_hz: int | None = None
    seeds: tuple[int, ...] = (1, 2, 3)
    note: str = ""
    memory: StoreMemory | None = None
    stored: bool = False
    psram: StoreMemory | None = None
    recipes: Mapping[str, Fitted] = field(default_factory=dict, hash=False)
    recipe: str = ""

    @property
    def build(self) -> str:
        """Name of its build and report: the board's, and the recipe's."""
        return f"{self.name}-{self.recipe}" if self.recipe else self.name

    def for_recipe(self, recipe: str) -> "Board":
        """The board with a core for a recipe's network behind a convolution.

        Raises
        ------
        ConfigError
            It is not fitted to that: says what it holds.
        """
        made: Board = for_recipe(self, recipe)
        return made

    def with_psram(self) -> "Board":
        """The board with its PSRAMs in place of `memory`, and a core that plays samples from there.

        Raises
        ------
        ConfigError
            It has none.
        """
        if self.psram is None:
            raise ConfigError(f"psram must be left away on {self.name}: there is none in its "
                              "FPGA's package")
        return replace(self, memory=self.psram, stored=True)

    @property
    def config(self) -> CoreConfig:
        """The core's configuration."""
        store = {}
        if self.stored and self.memory is not None:
            store = {"store": int(self.memory.kind), "store_bits": self.memory.bits}
        return core_config(self.networks, self.fpga.weights,
                           **self.sizes, **store)  # type: ignore[arg-type]

    @property
    def pll(self) -> PllSetting:
        """How the PLL makes the core's clock."""
        return self.fpga.pll_setting(self.input_hz, self.clock_hz)

    @property
    def rates(self) -> tuple[int, ...]:
        """Bits a second that core and bridge both do, ascending, the safe rate first."""
        return self.rates_at(float(self.pll.output_hz))

    def rates_at(self, clock_hz: float) -> tuple[int, ...]:
        """The rates of a core with another clock."""
        return tuple(rate for rate in supported_rates(clock_hz)
                     if SAFE_RATE <= rate <= self.max_rate)

    @property
    def stores(self) -> tuple[Store, ...]:
        """All memories of the core, and what they are made of."""
        return stores(self.config, self.fpga.weights, self.fpga.buffers, self.lutram)

    @property
    def in_tables(self) -> tuple[str, ...]:
        """The modules of `lutram`, each copy of a memory by itself."""
        paths = [unit.removeprefix("core.") for unit in self.lutram]
        return tuple(f"core.{path}" for path in copied(self.config, paths))

    @property
    def memory_map(self) -> str:
        """Which primitive holds what; a line each."""
        tables = [store.name for store in self.stores if store.primitive == LUTRAM]
        return "\n".join([*(str(store) for store in self.stores if store.primitive != LUTRAM),
                          *([f"in look-up tables: {', '.join(tables)}"] if tables else [])])

    def check(self) -> None:
        """Refuse what cannot fit, before synthesis.

        Raises
        ------
        ConfigError
            Names the field, its value and what is left for it, or the nearest frequency.
        """
        self.fpga.pll_setting(self.input_hz, self.clock_hz)
        available = self.fpga.blocks | {LUTRAM.name: self.fpga.lut4 // LUTRAM_LUTS}
        check_fits(self.config, self.stores, available, self.name)

    def resized(self, *, network: tuple[int, ...] | None = None, clock_hz: int | None = None,
                infer_only: bool = False, store: bool | None = None,
                shifter: tuple[int, int] | None = None,
                units: Mapping[str, int | bool] | None = None, **sizes: int | None) -> "Board":
        """The board with another core.

        Parameters
        ----------
        network
            Inputs, hidden sizes and classes of the only network that must fit.
        clock_hz
            Another frequency for the core.
        infer_only
            Leave out memory R and the update unit.
        store
            Whether samples are played from the board's memory; None: as `stored` says.
        shifter
            Pixels by which images in that can be shifted on their way, and the bits of a pixel.
        units
            Optional units: fields of `CoreConfig` such as `trace`, `row_sums`, `resident` or
            `skip`. With a unit that excludes `drain` the array drains one sum a cycle; with one
            that excludes `update_rows` a row is updated at a time.
        sizes
            Any of `lanes`, `banks`, `update_lanes`, `update_rows`, `counter_bits`; None leaves one
            as it is. With an odd number of lanes or banks the array drains one sum a cycle; a
            board's own `update_rows` that do not divide the banks are not updated at once.

        Raises
        ------
        ConfigError
            A value that no core can have, or that does not fit the board.
        """
        networks = self.networks if network is None else (network,)
        chosen = dict(self.sizes)
        chosen.update({name: value for name, value in sizes.items() if value is not None})
        if sizes.get("lanes") is not None and sizes.get("update_lanes") is None:
            chosen["update_lanes"] = chosen["lanes"]
        for name in SIZES:
            if name in chosen and chosen[name] < 1:
                raise ConfigError(f"{name} must be at least 1, not {chosen[name]!r}")
        lutram = self.lutram
        if infer_only:
            # Without R there are blocks enough for what had to be of look-up tables.
            chosen["trainable"], lutram = False, ()
        if store and self.memory is None:
            raise ConfigError(f"store must be left away on {self.name}: no memory that a core "
                              "can use is beside its FPGA")
        chosen.update(units or {})
        if units and units.get("conv_kernels"):
            networks = behind(networks, chosen)
        stored = self.stored if store is None else store
        if shifter is not None:
            if not stored or self.memory is None or self.memory.kind != Kind.RAM:
                raise ConfigError(f"shifter must be left away on {self.name}: its core has no RAM "
                                  "for samples")
            chosen.update(shift_fields(*shifter, networks[0][0], chosen))
        odd = {"drain": any(chosen[name] % chosen.get("drain", 1) for name in ("lanes", "banks")),
               "update_rows": infer_only or chosen["banks"] % chosen.get("update_rows", 1)}
        for form in odd.keys() & chosen.keys():
            if sizes.get(form) is None and (odd[form] or any(
                    chosen.get(unit.field) and form in unit.excludes for unit in UNITS)):
                chosen[form] = 1
        made = replace(self, networks=networks, sizes=chosen, lutram=lutram,
                       clock_hz=clock_hz or self.clock_hz,
                       aimed_hz=None if clock_hz else self.aimed_hz, stored=stored)
        made.check()
        return made
