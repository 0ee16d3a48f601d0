"""Tang Nano 9K: GW1NR-9 with BL702.

Pins of the PSRAMs, which are bonded inside, are those of apicula's database (``sip_cst`` of its
GW1N-9C).
"""

from typing import Any

from ..firmware.store import Kind
from .board import GW1NR_9, Board
from .store import StoreMemory

__all__ = ["BOARD"]


def _platform() -> Any:
    from amaranth.build import Attrs, Pins, PinsN, Resource, Subsignal
    from amaranth_boards.resources import LEDResources
    from amaranth_boards.tang_nano_9k import TangNano9kPlatform

    from .gowin import with_himbaechel
    from .pins import with_resources, with_two_lines

    # The bank of the LEDs has 1.8 V.
    lights = LEDResources(pins="10 11 13 14 15 16", invert=True, attrs=Attrs(IO_TYPE="LVCMOS18"))
    board = with_himbaechel(with_two_lines(with_resources(TangNano9kPlatform, *lights)))()
    # Two parts of 8 bits; the second one's pins go behind the first one's.
    board.add_resources([Resource(
        "psram", 0, Subsignal("ck", Pins("IOL8A IOL23B", dir="o")),
        Subsignal("ck_n", Pins("IOL7A IOL23A", dir="o")),
        Subsignal("cs", PinsN("IOL6B IOL22A", dir="o")),
        Subsignal("reset", PinsN("IOL2A IOL18A", dir="o")),
        Subsignal("rwds", Pins("IOL17A IOL27B", dir="io")),
        Subsignal("dq", Pins(
            "IOL2B IOL3A IOL3B IOL4A IOL9A IOL14A IOL16A IOL17B "
            "IOL18B IOL20A IOL20B IOL21A IOL24B IOL25A IOL26A IOL27A", dir="io")),
        Attrs(IO_TYPE="LVCMOS18"))])
    return board


BOARD = Board(
    name="tang-nano-9k", title="Tang Nano 9K", chip="GW1NR-9",
    part="GW1NR-LV9QN88PC6/I5", fpga=GW1NR_9, platform=_platform,
    input_hz=27_000_000, clock_hz=54_000_000,
    networks=((784, 64, 10),),
    sizes={"lanes": 18, "banks": 6, "update_lanes": 9, "max_classes": 16, "hidden_depth": 16,
           "input_planes": 1},
    usb=((0x0403, 0x6010),), loader="tangnano9k",
    lutram=("core.engine.lister.memory", "core.engine.counters.memory",
            "core.engine.counters.picture"),
    memory=StoreMemory(Kind.FLASH, "P25Q32, 4 MiB", 22, "P25Q32", "spi_flash_1x", lines=2),
    stored=True,
    psram=StoreMemory(Kind.RAM, "two W955D8MBYA in the package, 8 MiB", 22, "W955D8MBYA", "psram",
                      hyper=True),
    note="Inputs of one bit: the sample buffers have the one block memory that T and R leave. If "
         "the bridge loses bytes, name a lower rate: tang-nano-9k@PORT,1000000.")
