"""Convolutions in training on compiled RTL: equality with the model, cycles, what is hidden.

The golden model trains all epochs of the run but the last; the samples that are counted are the
first of the last epoch, so that as few learn as at the end of a run. Kept in build/ for the next
time. Counted, in cycles in which the program did not wait for the link:

- a trained sample, by the program of a run;
- a sample without learning, and what of it is not there once its features are: the wait for CONV
  (the program goes through layer 1 once, three and four times);
- a sample whose KERNELS finds no error, so that the next one has not been looked at ahead. Kernels
  with errors take taps + 5 more each, as tests/units/conv/test_learn.py counts.

From these the share of the convolution's cycles that is not hidden behind the dense layers.
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
from tritgrad.host.device.table import layer_table
from tritgrad.host.device.transport import SimTransport
from tritgrad.model.config import CoreConfig
from tritgrad.model.convolution.fast import FastConvNetwork
from tritgrad.model.convolution.shape import Convolution
from tritgrad.model.state import state_sha256

EPOCHS, SEED = 30, 1
STATES = Path("build/conv_rtl")



def config_of(name: str) -> CoreConfig:
    """The board's core for the recipe, fed over the link."""
    board = BOARDS[BOARD_OF[name]].for_recipe(name.lower())
    return board.resized(store=False).config


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


class Counted:
    """A net on compiled RTL, and cycles a sample of programs there."""

    def __init__(self, net: FastConvNetwork, config: CoreConfig):
        self.recipe = net.recipe
        self.driver = Driver(Session(SimTransport(config, progress=print)))
        self.load(net)

    def load(self, net: FastConvNetwork) -> None:
        """Put the net there, with the exponents of the last epoch."""
        table = layer_table(self.recipe, self.recipe.gains_in(EPOCHS - 1), self.driver.config)
        self.driver.load(table, [net.kernels, *net.counters], net.prng_state)

    def cycles(self, x: Any, y: Any, times: int, more: str = "") -> float:
        """Of samples that go through layer 1 so many times, and through `more` at the end."""
        forward = "\n".join(["FWD 1"] * times)
        program = assemble(f"COUNT samples\nnext: RECV\nCONV\n{forward}\nFWD 2\nERR 1\n{more}\n"
                           "LOOP next\nHALT", layers=2, symbols={"samples": len(x)})
        return self.driver.run(program, x, y).cycles / len(x)

    def train(self, x: Any, y: Any) -> Any:
        """Learn samples as a run does; what was counted."""
        program = programs.train(2, len(x), self.recipe.margin, front="learns", wrong=1)
        return self.driver.run(program, x, y)


def look_cycles(conv: Convolution, at_once: int) -> int:
    """Of the forward pass of an image, as docs/convolution.md has it."""
    rows, columns = conv.windows
    groups = conv.kernels // at_once
    return columns * ((rows - 1) * max(groups, conv.pool + 2)
                      + max(groups, conv.kernel + conv.pool + 3))


def measure(name: str, samples: int, few: int) -> dict[str, Any]:
    """All figures of a net."""
    row, board = ROWS[name], BOARD_OF[name]
    conv, config = row.conv, config_of(name)
    net, before_share = late(name)
    x, y = next(batches(row, EPOCHS, EPOCHS - 1, SEED))
    x, y = x[:samples], y[:samples].astype(np.int64)

    counted = Counted(net, config)
    kernels_alone = counted.cycles(x[:few], y[:few], 1, "KERNELS")  # no errors yet
    once, thrice, four = (counted.cycles(x[:few], y[:few], n) for n in (1, 3, 4))
    counted.load(net)
    done = counted.train(x, y)
    found = state_sha256(counted.driver.counters())
    prng = counted.driver.prng()
    counted.driver.close()
    expected = net.train(x, y, net.recipe.gains_in(EPOCHS - 1), wrong=1)
    equal = (found == net.state_sha256() and prng == net.prng_state
             and (done.correct, done.updates, done.flips)
             == (expected.correct, expected.updates, expected.flips))

    learned, clock = done.updates / samples, BOARDS[board].clock_hz
    wait = max(0.0, once - (thrice - 2 * (four - thrice)))
    steps = conv.kernels * (conv.taps + 5)
    look = look_cycles(conv, config.conv_at_once)
    kernels = conv.outputs + conv.kernel + conv.pool + 2 + 2 * conv.kernels + steps
    not_hidden = wait + learned * (kernels_alone - once + steps)
    cycles = done.cycles / samples
    return {
        "board": board, "lanes": config.lanes, "banks": config.banks, "kernels at once":
        config.conv_at_once, "samples": samples, "equal to model": equal, "state_sha256": found,
        "learned in the epoch before": round(100 * before_share, 2),
        "learned": round(100 * learned, 2), "cycles a trained sample": round(cycles, 1),
        "cycles a sample without learning": round(once, 1), "of them waits for CONV":
        round(wait, 1), "cycles of CONV": look, "cycles of KERNELS, about": kernels,
        "cycles behind a sample that learned, KERNELS in it": round(kernels_alone - once + steps),
        "convolution's share not hidden": round(
            100 * not_hidden / (look + learned * (look + kernels)), 1),
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
