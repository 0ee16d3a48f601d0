"""What data sheets say of the memories on boards, in picoseconds unless it says otherwise."""

import ctypes
from dataclasses import astuple, dataclass, fields
from typing import Any

__all__ = ["FLASHES", "HYPERS", "SDRAMS", "FlashPart", "HyperPart", "SdramPart", "structure"]

NS, US, MS = 1_000, 1_000_000, 1_000_000_000


@dataclass(frozen=True)
class SdramPart:
    """An SDRAM of 16 bits and four banks; fields as in ``sdram.hpp``."""

    column_bits: int
    row_bits: int = 13
    clock_2: int = 10 * NS
    clock_3: int = 7_500
    access_2: int = 6 * NS
    access_3: int = 5_400
    hold: int = 2_500
    drive: int = 0
    release: int = 6 * NS
    setup: int = 1_500
    input_hold: int = 800
    rcd: int = 20 * NS
    rp: int = 20 * NS
    ras: int = 45 * NS
    ras_most: int = 100 * US
    rc: int = 66 * NS
    rfc: int = 70 * NS
    rrd: int = 15 * NS
    wr: int = 15 * NS
    mode_clocks: int = 2
    power_up: int = 200 * US
    first_refreshes: int = 8
    refresh: int = 64 * MS
    trip: int = 0


@dataclass(frozen=True)
class FlashPart:
    """A serial flash; fields as in ``flash.hpp``. Times of writing are typical ones."""

    bytes: int
    id: int
    period_read: int = 20 * NS
    period: int = 10 * NS
    half: int = 3_300
    setup: int = 2 * NS
    hold: int = 3 * NS
    select_setup: int = 5 * NS
    select_hold: int = 5 * NS
    deselect_read: int = 10 * NS
    deselect: int = 50 * NS
    output: int = 7 * NS
    output_hold: int = 1_500
    release: int = 7 * NS
    program: int = 700 * US
    status: int = 10 * MS
    sector: int = 45 * MS
    half_block: int = 120 * MS
    block: int = 150 * MS
    chip: int = 40_000 * MS
    wake: int = 3 * US
    reset: int = 30 * US
    trip: int = 0


@dataclass(frozen=True)
class HyperPart:
    """A HyperBus PSRAM; fields as in ``hyper.hpp``."""

    bytes: int
    period: int = 6 * NS
    half: int = 2_700
    setup: int = 1 * NS
    hold: int = 1 * NS
    select_setup: int = 3 * NS
    deselect: int = 10 * NS
    recover: int = 40 * NS
    access: int = 40 * NS
    select_most: int = 4 * US
    output: int = 7 * NS
    output_hold: int = 1 * NS
    release: int = 7 * NS
    power_up: int = 150 * US
    cr0: int = 0x8F1F
    collides: int = 16
    trip: int = 0


#: By name: the slowest of what boards are sold with, where makers differ. The 64 MB part is what
#: some ULX3S have; the 4 MB part is half of one of 32 bits, whose other half nobody reads.
SDRAMS = {
    "4M": SdramPart(column_bits=8, row_bits=11, refresh=32 * MS),
    "32M": SdramPart(column_bits=9),
    "64M": SdramPart(column_bits=10),
}
FLASHES = {
    "W25Q128JV": FlashPart(1 << 24, 0x1840EF),
    "W25Q64": FlashPart(1 << 23, 0x1740EF),
    "W25Q32": FlashPart(1 << 22, 0x1640EF),
    "P25Q32": FlashPart(1 << 22, 0x166085, program=2 * MS, sector=12 * MS, half_block=12 * MS,
                        block=12 * MS, chip=12 * MS, wake=8 * US),
}
#: One of the two dies of a GW1NR-9; times are those that makers of such parts have in common.
HYPERS = {"W955D8MBYA": HyperPart(1 << 22)}


def structure(part: SdramPart | FlashPart | HyperPart) -> Any:
    """The part as the models take it: its fields as numbers of 64 bits, in their order."""
    numbers = [(field.name, ctypes.c_uint64) for field in fields(part)]
    kind = type(type(part).__name__, (ctypes.Structure,), {"_fields_": numbers})
    return kind(*astuple(part))
