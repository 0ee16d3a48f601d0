"""Cycles a sample of MNIST training on each board's core: compiled RTL, equal to the model.

The model runs the epochs before; the samples that are counted are the first of the epoch that
follows. Which bitstream meets which clock is in the boards' build reports. Beside them, what a
sample takes on the line in its sparse form, with its label, on average.
"""

import argparse

import numpy as np
from _rtl import before, open_driver, trained, write
from rich.console import Console
from rich.progress import Progress

from tritgrad.boards import BOARDS
from tritgrad.firmware.wire import pack_samples, pack_sparse
from tritgrad.model.layout import tile_order
from tritgrad.model.margin import state_sha256

CHUNK = 500


def main() -> None:
    """Print the figures and keep them as JSON; fails if RTL and model differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("boards", metavar="BOARD", nargs="*", default=list(BOARDS),
                        help="boards to run (default: all)")
    parser.add_argument("--epoch", metavar="E", type=int, default=1,
                        help="epoch to count, from 0 (default: %(default)s)")
    parser.add_argument("--samples", metavar="N", type=int, default=3000,
                        help="samples of the epoch (default: %(default)s)")
    parser.add_argument("--banks", metavar="N", type=int,
                        help="of the boards' cores; then nothing is kept")
    parser.add_argument("--update-rows", metavar="N", type=int,
                        help="of the boards' cores; then nothing is kept")
    options = parser.parse_args()
    asked = {"banks": options.banks, "update_rows": options.update_rows}
    console = Console()
    found: dict[str, dict[str, object]] = {}
    cores: dict[tuple[object, ...], dict[str, object]] = {}
    for name in options.boards:
        board = BOARDS[name].resized(store=False, **asked)  # its cycles are the samples'
        for layers in board.networks:
            key = (board.config, layers)
            if key not in cores:
                cores[key] = count(board.config, layers, options.epoch, options.samples)
            row = {**cores[key], "clock_hz": board.clock_hz, "samples_per_second_at_clock":
                   round(board.clock_hz / cores[key]["cycles_per_sample"])}
            console.print(f"{name} {'-'.join(map(str, layers))}: {row}")
            found[f"{name} {'-'.join(map(str, layers))}"] = row
    if any(asked.values()):
        return
    counted = {"epoch": options.epoch, "samples": options.samples}
    result = before("board_cycles")
    if {key: result.get(key) for key in counted} == counted:  # boards not asked for stay
        found = result["boards"] | found
    write("board_cycles", {**counted, "boards": found})


def sparse_bytes(x, lanes) -> float:
    """Bytes of a sample of one bit an input and its label, sent tile by tile, on average."""
    _, ends = pack_sparse(pack_samples(x[:, tile_order((28, 28), lanes)], 1), 1)
    return round(1 + float(ends[-1]) / len(x), 2)


def count(config, layers, epoch, samples) -> dict[str, object]:
    """Cycles of `samples` samples on a core; raises SystemExit if its counters are not right."""
    state = trained(layers, epoch)
    x, y = state.x[:samples], state.y[:samples]
    driver = open_driver(config, state)
    totals = dict.fromkeys(("samples", "updates", "flips", "cycles", "forward_cycles"), 0)
    with Progress(transient=True) as progress:
        for start in progress.track(range(0, len(x), CHUNK), description=str(layers)):
            part = slice(start, start + CHUNK)
            stats = driver.train_chunk(x[part], y[part], state.recipe.margin)
            for name in totals:
                totals[name] += getattr(stats, name)
    counters = driver.counters()
    driver.close()
    state.network.train(x, y, np.arange(len(x)), state.gains)
    if state_sha256(counters) != state_sha256(state.network.counters):
        raise SystemExit(f"RTL and golden model differ: {config!r}, {layers}")
    return {"lanes": config.lanes, "sparse_bytes_per_sample": sparse_bytes(state.x, config.lanes),
            "banks": config.banks, "update_lanes": config.update_lanes,
            "cycles_per_sample": totals["cycles"] / totals["samples"],
            "forward_cycles_per_sample": totals["forward_cycles"] / totals["samples"],
            "updates_per_sample": totals["updates"] / totals["samples"]}


if __name__ == "__main__":
    main()
