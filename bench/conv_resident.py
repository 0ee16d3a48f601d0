"""Boards with a convolution learn from the SDRAM beside them: whole top levels, through their pins.

A board's top level with the core of a recipe, compiled, has a UART and the model of its SDRAM at
its pins. Images are written by FILL and checked by CHECK, which the board answers only where the
CRC-32 of all of them is right; then it learns them, the first ones of the run's last epoch, by
PLAY. State, counts and PRNG must be the golden model's. Cycles are those of the board from the
program's start to the last STATUS, with all that waits for the line.

Past the line, but by the board's own requests, one byte a cycle (`sim.direct`): the network's
state, and the images on their way into the memory. The program, PLAY and STATUS go by the UART at
its rate.
"""

import argparse
from typing import Any

from _rtl import before, write
from conv_rtl import BOARD_OF, Counted, late, same, samples_of

from tritgrad.boards import BOARDS
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.sim.board import memory_of
from tritgrad.sim.direct import DirectBoard, DirectWired

#: Of the UART, where the board's bridge allows it.
RATE = 3_000_000


def played(name: str, board_name: str, samples: int) -> dict[str, Any]:
    """What a board does with the first samples of a late epoch."""
    board = BOARDS[board_name].for_recipe(name.lower()).resized(store=True)
    net, _ = late(name)
    x, y = samples_of(name, samples)
    memory = memory_of(board)
    chip = DirectBoard.of(board, progress=print, memory=memory)
    rate = min(RATE, board.rates[-1])
    wired = DirectWired(chip, rate)
    driver = Driver(Session(wired, 1))
    wired.direct = True
    counted = Counted(net, driver, x, y)
    wired.direct = False
    began = chip.cycles
    done = counted.train()
    cycles = chip.cycles - began
    wired.direct = True
    found = counted.state()
    driver.close()
    memory.close()
    clock_hz = float(board.pll.output_hz)
    return {"board": board_name, "samples": samples, "clock_hz": clock_hz, "baud": rate,
            "record_bytes": 2 * counted.rows.words,
            "cycles_per_sample": round(cycles / samples, 1),
            "core_cycles_per_sample": round(done.cycles / samples, 1),
            "samples_per_second": round(clock_hz * samples / cycles),
            "learned": round(100 * done.updates / samples, 2),
            "equal to model": same(net, x, y, done, found), "state_sha256": found[0]}


def main() -> None:
    """Print the figures and keep them as JSON; fails if a board and the model differ."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", metavar="NET", default=[*BOARD_OF],
                        help=f"of {', '.join(BOARD_OF)} (default: all)")
    parser.add_argument("--board", metavar="BOARD", help="another board than the net's")
    parser.add_argument("--samples", metavar="N", type=int, default=5000,
                        help="samples, at most 5000 (default: %(default)s)")
    options = parser.parse_args()
    found: dict[str, Any] = before("conv_resident")
    for name in options.nets:
        board = options.board or BOARD_OF[name]
        row = found[f"{name} {board}"] = played(name, board, options.samples)
        print(name, *(f"  {key}: {value}" for key, value in row.items()), sep="\n", flush=True)
        write("conv_resident", found)
        if not row["equal to model"]:
            raise SystemExit(f"{name}: {board} and the golden model differ")


if __name__ == "__main__":
    main()
