"""Cells of what shifts stored images and puts them in the order of tiles, alone, on an ECP5."""

import tempfile
from collections import Counter
from pathlib import Path

from _rtl import write
from amaranth.back import rtlil
from array_area import statistics
from conv_area import ports

from tritgrad.hw.store.images import ImageShifter, RowShifter
from tritgrad.model.config import CoreConfig


def core(shift: int, planes: int) -> CoreConfig:
    """Of a ulx3s: 36 lanes, images of 28 x 28 pixels."""
    return CoreConfig(lanes=36, update_lanes=36, input_planes=4, store=1, store_bits=24,
                      store_shift=shift, store_rows=28, store_columns=28, store_planes=planes)


def main() -> None:
    found: dict[str, object] = {}
    for kind, shift, planes in ((ImageShifter, 1, 1), (ImageShifter, 2, 1), (ImageShifter, 1, 2),
                                (ImageShifter, 1, 4), (RowShifter, 1, 2)):
        unit = kind(core(shift, planes))
        with tempfile.TemporaryDirectory() as folder:
            text = rtlil.convert(unit, name="top", ports=ports(unit), emit_src=False)
            (Path(folder) / "top.il").write_text(text)
            cells = Counter(statistics("ecp5", Path(folder)))
        luts = cells["LUT4"] + 2 * cells["CCU2C"]
        name = f"{kind.__name__}, by {shift}, {planes} bits"
        print(f"{name}: {luts} LUT4 in all ({cells['LUT4']} LUT4, {cells['CCU2C']} CCU2C), "
              f"{cells['TRELLIS_FF']} FF")
        found[name] = {"LUT4 in all": luts, "cells": cells}
    write("shift_area", found)


if __name__ == "__main__":
    main()
