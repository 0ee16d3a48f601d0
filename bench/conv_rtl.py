"""Convolutions in training on compiled RTL: equality with the model, cycles, what is hidden.

The golden model trains all epochs of the run but the last; the samples that are counted are the
first of the last epoch, so that as few learn as at the end of a run. Kept in build/ for the next
time. They are played from the core's store, whose memory is on the chip here and gives a word of 16
bits in two cycles. Counted, in cycles in which the program did not wait for samples:

- a trained sample, by the program of a run;
- an image that is only gone through: RECV and CONV;
- a sample without learning, and what of it is not there once its features are: the wait for CONV
  (the program goes through layer 1 once, three and four times);
- a sample that learns, whatever its scores, with KERNELS behind its updates and without: what is
  more of it is what KERNELS takes, and CONV of the next sample where a trit has changed.

From these the share of the convolution's cycles that is not hidden behind the dense layers. Those
of a CONV that is done again are not counted among its cycles, only what is waited for it.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from _rtl import before, write
from conv import ROWS, batches, recipe_of, trained
from conv_table import BOARD_OF

from tritgrad.boards import BOARDS
from tritgrad.firmware import programs
from tritgrad.firmware.assembler import assemble
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.store import RowStore
from tritgrad.host.device.table import layer_table
from tritgrad.host.device.transport import SimTransport
from tritgrad.model.config import CoreConfig
from tritgrad.model.convolution.fast import FastConvNetwork
from tritgrad.model.state import state_sha256
from tritgrad.units.conv import sizes_of

EPOCHS, SEED = 30, 1
#: 2,076 images of four channels.
STORE_BITS = 20
#: A margin that every sample violates.
ALL = 1 << 22
STATES = Path("build/conv_rtl")


def config_of(name: str) -> CoreConfig:
    """The board's core for the recipe, with a store of just enough words."""
    board = BOARDS[BOARD_OF[name]].for_recipe(name.lower())
    return board.resized(store=True).config.changed(store_bits=STORE_BITS)


def late(name: str) -> tuple[FastConvNetwork, float]:
    """The net before its last epoch, and the share of the epoch before that learned."""
    row, path = ROWS[name], STATES / f"{name}.npz"
    if path.exists():
        with np.load(path) as kept:
            net = FastConvNetwork(recipe_of(row, EPOCHS, SEED), row.conv)
            net.load(kept["kernels"], [kept["hidden"], kept["output"]], int(kept["prng"]))
            return net, float(kept["learned"])
    net, done, _ = trained(row, EPOCHS, SEED, until=EPOCHS - 1)
    learned = done.updates / done.samples
    STATES.mkdir(parents=True, exist_ok=True)
    np.savez(path, kernels=net.kernels, hidden=net.counters[0], output=net.counters[1],
             prng=np.uint64(net.prng_state), learned=learned)
    return net, learned


def samples_of(name: str, count: int) -> tuple[Any, Any]:
    """The first samples of the last epoch, moved and coded, and their labels."""
    x, y = next(batches(ROWS[name], EPOCHS, EPOCHS - 1, SEED))
    return x[:count], y[:count].astype(np.int64)


class Counted:
    """A net on a core with samples in its store, and cycles a sample of programs there."""

    def __init__(self, net: FastConvNetwork, driver: Driver, x: Any, y: Any):
        self.recipe = net.recipe
        self.driver = driver
        self.load(net)
        self.rows = RowStore(self.driver, x, y)
        self.rows.fill()

    def load(self, net: FastConvNetwork) -> None:
        """Put the net there, with the exponents of the last epoch."""
        table = layer_table(self.recipe, self.recipe.gains_in(EPOCHS - 1), self.driver.config)
        self.driver.load(table, [net.kernels, *net.counters], net.prng_state)

    def cycles(self, samples: int, *instructions: str) -> float:
        """Of the first samples that go through CONV and these."""
        program = assemble("\n".join(["COUNT samples", "next: RECV", "CONV", *instructions,
                                      "LOOP next", "HALT"]),
                           layers=2, symbols={"samples": samples})
        return self.rows.play(program, np.arange(samples)).cycles / samples

    def train(self) -> Any:
        """Learn all samples as a run does; what was counted."""
        samples = len(self.rows.y)
        program = programs.train(2, samples, self.recipe.margin, front="learns", wrong=1)
        return self.rows.play(program, np.arange(samples))

    def state(self) -> tuple[str, int]:
        """SHA-256 of the counters, and the PRNG."""
        return state_sha256(self.driver.counters()), self.driver.prng()


def same(net: FastConvNetwork, x: Any, y: Any, done: Any, found: tuple[str, int]) -> bool:
    """Whether the net, once it has learned the samples too, is what a core made of them."""
    expected = net.train(x, y, net.recipe.gains_in(EPOCHS - 1), wrong=1)
    return (found == (net.state_sha256(), net.prng_state)
            and (done.correct, done.updates, done.flips)
            == (expected.correct, expected.updates, expected.flips))


def measure(name: str, samples: int, few: int) -> dict[str, Any]:
    """All figures of a net."""
    row, board = ROWS[name], BOARD_OF[name]
    conv, config = row.conv, config_of(name)
    net, before_share = late(name)
    x, y = samples_of(name, samples)

    counted = Counted(net, Driver(Session(SimTransport(config, progress=print))), x, y)
    done = counted.train()
    found = counted.state()
    counted.load(net)
    look = counted.cycles(few)
    once, thrice, four = (counted.cycles(few, *["FWD 1"] * n, "FWD 2", "ERR 1")
                          for n in (1, 3, 4))
    learns = ("FWD 1", "FWD 2", f"ERR {ALL}", "BWD 2", "BWD 1", "UPD 1", "UPD 2")
    dense = counted.cycles(few, *learns)
    counted.load(net)
    behind = counted.cycles(few, *learns, "KERNELS") - dense
    counted.driver.close()
    equal = same(net, x, y, done, found)

    learned, clock = done.updates / samples, BOARDS[board].for_recipe(name.lower()).clock_hz
    wait = max(0.0, once - (thrice - 2 * (four - thrice)))
    sizes = sizes_of(config)
    kernels = (conv.outputs + conv.kernel + conv.pool + 2
               + conv.kernels * (conv.taps // sizes.together + 2))
    cycles = done.cycles / samples
    return {
        "board": board, "lanes": config.lanes, "banks": config.banks, "kernels at once":
        config.conv_at_once, "samples": samples, "equal to model": equal, "state_sha256": found[0],
        "learned in the epoch before": round(100 * before_share, 2),
        "learned": round(100 * learned, 2), "cycles a trained sample": round(cycles, 1),
        "cycles a sample without learning": round(once, 1), "of them waits for CONV":
        round(wait, 1), "cycles of CONV": round(look, 1), "cycles of KERNELS, about": kernels,
        "cycles of a sample that learns, without KERNELS": round(dense, 1),
        "KERNELS behind it": round(behind, 1),
        "convolution's share not hidden": round(
            100 * (wait + learned * behind) / (look + learned * kernels), 1),
        "clock_hz": clock, "samples/s": round(clock / cycles)}


def main() -> None:
    """Print the figures and keep them as JSON; fails if RTL and model differ."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", metavar="NET", default=[*BOARD_OF],
                        help=f"of {', '.join(BOARD_OF)} (default: all)")
    parser.add_argument("--samples", metavar="N", type=int, default=2000,
                        help="samples that are learned (default: %(default)s)")
    parser.add_argument("--few", metavar="N", type=int, default=200,
                        help="samples that are only looked at (default: %(default)s)")
    options = parser.parse_args()
    found: dict[str, Any] = before("conv_rtl")
    for name in options.nets:
        found[name] = measure(name, options.samples, options.few)
        print(name, *(f"  {key}: {value}" for key, value in found[name].items()), sep="\n",
              flush=True)
        write("conv_rtl", found)
        if not found[name]["equal to model"]:
            raise SystemExit(f"{name}: RTL and golden model differ")


if __name__ == "__main__":
    main()
