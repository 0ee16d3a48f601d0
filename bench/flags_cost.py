"""What each optional unit costs: LUT4, flip-flops and block RAMs that a core has more with it.

The core is the one of ``bench/trace_cost.py``, for digits 64-64-10: 4 banks of 8 lanes, 4 counters
a cycle. Units grow with lanes and banks, so a board's figures differ; what is not built in costs
nothing.
"""

import argparse
from dataclasses import replace

from _rtl import before, write
from array_area import SYNTH
from rich.console import Console
from rich.table import Table
from trace_cost import area

from tritgrad.boards.tools import TOOLS
from tritgrad.model.config import CoreConfig

#: Fields of `CoreConfig` that are set, by what the table calls it, and what it is compared with.
FLAGS: dict[str, tuple[dict[str, int | bool], str]] = {
    "trainable": ({}, "infer only"),
    "seeder": ({"seeder": True}, ""),
    "trace": ({"trace": True}, ""),
    "row_sums": ({"row_sums": True}, ""),
    "conserve": ({"row_sums": True, "conserve": True}, "row_sums"),
    "support": ({"support": True}, ""),
    "resident = 63": ({"resident": 63}, ""),
    "scales": ({"scales": True}, ""),
    "skip": ({"skip": True}, ""),
    "drain = 2": ({"drain": 2}, ""),
    "update_rows = 2": ({"update_rows": 2}, ""),
    "update_rows = 4": ({"update_rows": 4}, ""),
}


def main() -> None:
    """Print the table and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", metavar="NAME", nargs="*", default=list(FLAGS),
                        help="rows to measure, the others stay as they are (default: all)")
    parser.add_argument("--families", nargs="*", default=list(SYNTH), choices=list(SYNTH))
    options = parser.parse_args()
    base = CoreConfig.for_network((64, 64, 10), 4, lanes=8, banks=4, update_lanes=4, seeder=False)
    known = {name: row for name, row in FLAGS.items()
             if name in options.names and all(hasattr(base, field) for field in row[0])}
    console, result = Console(), before("flags_cost").get("costs", {})
    for family in options.families:
        found = {"": area(base, family),
                 "infer only": area(replace(base, trainable=False), family)}
        table = Table(family, *found[""])
        table.add_row("without any", *map(str, found[""].values()))
        for name, (fields, beside) in known.items():
            found[name] = area(replace(base, **fields), family) if fields else found[""]
            added = {kind: found[name][kind] - found[beside][kind] for kind in found[name]}
            table.add_row(name, *(f"{value:+}" for value in added.values()))
            result.setdefault(name, {})[family] = added
        if len(known) == len(FLAGS):
            result.setdefault("without any", {})[family] = found[""]
        console.print(table)
    write("flags_cost", {"lanes": base.lanes, "banks": base.banks,
                         "update_lanes": base.update_lanes, "yosys": TOOLS["yosys"].version,
                         "costs": result})


if __name__ == "__main__":
    main()
