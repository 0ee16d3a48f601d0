"""Cells of the convolution's unit alone, on an ECP5: images, forward pass, sums, steps."""

import argparse
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from _rtl import before, write
from amaranth import Module, Value
from amaranth.back import rtlil
from amaranth.lib import wiring
from array_area import statistics

from tritgrad.model.config import CoreConfig
from tritgrad.units.conv.rtl import ConvUnit

#: The cores of docs/convolution.md's nets: lanes of a ulx3s, Q kernels at once.
SIZES = {
    "R5": {"conv_kernels": 12, "conv_at_once": 1, "max_inputs": 1024},
    "R6": {"conv_kernels": 24, "conv_at_once": 4, "max_inputs": 1536},
    "R8": {"conv_kernels": 16, "conv_at_once": 4, "conv_pool": 2, "conv_channels": 4,
           "max_inputs": 4032},
}


def core(name: str) -> CoreConfig:
    """A core for a net of 28 x 28 pixels of two bits, kernels of 5 x 5, pool 3 or as said."""
    sizes = {"conv_pool": 3, **SIZES[name]}
    return CoreConfig(
        lanes=36, banks=14, update_lanes=36, input_planes=2, activation_bits=2, max_neurons=128,
        trit_depth=1024, residual_depth=16384, hidden_depth=65, conv_rows=28, conv_columns=28,
        conv_kernel=5, conv_planes=2, conv_bits=2, conv_counter_bits=12, **sizes)


def ports(component: wiring.Component) -> list[Any]:
    """The signals of its interface that go into it from outside, and those that come out."""
    return [Value.cast(value) for _, _, value in component.signature.flatten(component)]


def area(config: CoreConfig) -> dict[str, int]:
    """Cells by kind, after synthesis."""
    unit, m = ConvUnit(config), Module()
    m.submodules.unit, m.submodules.inputs = unit, unit.inputs
    inside = {"row_address", "seen", "row", "shown", "final", "hand"}
    images = [Value.cast(value) for path, _, value in unit.inputs.signature.flatten(unit.inputs)
              if path[0] not in inside]
    with tempfile.TemporaryDirectory() as folder:
        text = rtlil.convert(m, name="top", ports=[*ports(unit), *images], emit_src=False)
        (Path(folder) / "top.il").write_text(text)
        return statistics("ecp5", Path(folder))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nets", nargs="*", default=[*SIZES], help="R5, R6, R8; all by default")
    found: dict[str, object] = before("conv_area")
    for name in parser.parse_args().nets:
        cells = Counter(area(core(name)))
        # Two LUT4 a carry cell, four a LUT RAM of 16 x 4.
        luts = cells["LUT4"] + 2 * cells["CCU2C"] + 4 * cells["TRELLIS_DPR16X4"]
        print(f"{name}: {luts} LUT4 in all ({cells['LUT4']} LUT4, {cells['CCU2C']} CCU2C, "
              f"{cells['TRELLIS_DPR16X4']} DPR16X4), {cells['TRELLIS_FF']} FF, "
              f"{cells['DP16KD']} DP16KD")
        found[name] = {"LUT4 in all": luts, "cells": cells}
    write("conv_area", found)


if __name__ == "__main__":
    main()
