"""Shifted images of MNIST played from the memory beside a board's FPGA, through its pins.

As `bench/resident.py`, in the order in which the host names each record, of a core with
``--shifter 1``: the host sends three bytes a sample, and the board shifts. State, counts and PRNG
must be those of the golden model with images that are shifted before.
"""

import argparse

import _mnist
import numpy as np
from _rtl import before, write
from resident import RATE, Store, equal_state

from tritgrad.boards import BOARDS
from tritgrad.firmware import programs
from tritgrad.firmware.frames import Type
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.session import Session
from tritgrad.host.device.shifted import shiftable, shifted_entries
from tritgrad.host.device.stored import MOST_RECORDS
from tritgrad.model.fast import FastNetwork
from tritgrad.model.layout import tile_order
from tritgrad.model.moves import Moves, move_images
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order
from tritgrad.sim.board import CompiledBoard, memory_of
from tritgrad.sim.exam import Wired

SHAPE = (28, 28)


def played(name: str, samples: int, progress: bool) -> dict[str, object]:
    """What a board does with samples of the second epoch; SystemExit if the model does not."""
    board = BOARDS[name].resized(store=True, shifter=(1, 1))
    x, y = _mnist.load("train", 1)
    recipe = Recipe.default(board.networks[0], 1)
    model = FastNetwork(recipe)
    model.train(x, y, epoch_order(recipe.seed, 0, len(x)), recipe.gains_in(0))
    rows = epoch_order(recipe.seed, 1, len(x))[:samples]
    amounts = Moves(1).draws(recipe.seed, 1, len(x))[:samples]
    moved = move_images(x[rows].reshape(-1, *SHAPE), amounts).reshape(samples, -1)

    memory = memory_of(board)
    assert board.memory is not None
    chip = CompiledBoard.of(board, progress=print if progress else None, memory=memory)
    driver = Driver(Session(Wired(chip, RATE), 1))
    driver.load(layer_table(recipe, recipe.gains_in(1)), model.counters,
                prng_state=model.prng.state, input_order=tile_order(SHAPE, board.config.lanes))
    images, why_not = shiftable(driver, SHAPE, 1)
    if images is None:
        raise SystemExit(why_not)
    driver.set_table(images.table(driver.rows))
    store = Store(memory, board.config, images.laid(x), y, 1, board.memory)
    store.check(driver.session)
    driver._start(programs.train(recipe.depth, samples, recipe.margin))
    began = chip.cycles
    for payload, _ in shifted_entries(store.number[rows], amounts[:, :2], driver.session.budget,
                                      MOST_RECORDS):
        driver.session.post(Type.PLAY, payload, work_s=10.0)
    status = driver.stopped(10.0)
    cycles = chip.cycles - began
    stats = model.train(moved, y[rows], np.arange(samples), recipe.gains_in(1))
    state = equal_state(name, driver, status, stats, model)
    driver.close()
    memory.close()
    clock_hz = float(board.pll.output_hz)
    return {"samples": samples, "clock_hz": clock_hz,
            "cycles_per_sample": round(cycles / samples, 1),
            "core_cycles_per_sample": round(status["cycles"] / samples, 1),
            "samples_per_second": round(clock_hz * samples / cycles), "state_sha256": state}


def main() -> None:
    """Print what each board does, and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("boards", metavar="BOARD", nargs="*", default=["ulx3s-25f"])
    parser.add_argument("--samples", metavar="N", type=int, default=2_000,
                        help="samples of the epoch (default: %(default)s)")
    parser.add_argument("--progress", action="store_true", help="say what is being compiled")
    options = parser.parse_args()
    result = before("shifted")
    for name in options.boards:
        result[name] = played(name, options.samples, options.progress)
        print(f"{name}: {result[name]}", flush=True)
    write("shifted", result)


if __name__ == "__main__":
    main()
