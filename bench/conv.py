"""Accuracy of convolutions in front of the network, on the compiled golden model.

Each row is trained from seeds 1 to 3 with all training images; the accuracy is that of the last
epoch on the official test set, in per cent. A vote is the sum of the scores of all seeds. The file
of results is written after each seed; rows that are not run are kept in it.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import _mnist
import conv_table
import numpy as np
import numpy.typing as npt

from tritgrad.host.data.codings.images import Channels
from tritgrad.model.convolution.fast import FastConvNetwork
from tritgrad.model.convolution.shape import Convolution
from tritgrad.model.fast import TrainStats
from tritgrad.model.moves import Moves, move_images
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order

RESULT = Path(__file__).parent / "results" / "conv.json"
#: Samples whose images are moved and coded at once.
CHUNK = 5000

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Row:
    """A network and how it is trained; `least` is what the mean of the seeds must reach."""

    data: str
    conv: Convolution
    moves: Moves
    least: float
    hidden: int = 128
    shift: int | None = None
    clean: int = 0
    code: Callable[[Bytes], Bytes] = field(default=lambda x: x >> np.uint8(6))


TURNS = Moves(1, rotate=2, shear=3, vstretch=2, hstretch=2)
EDGES = Channels((28, 28))
ROWS = {
    "R5": Row("mnist", Convolution(28, 28, 12, 5), TURNS, 98.85),
    "R6": Row("mnist", Convolution(28, 28, 24, 5), TURNS, 99.1),
    "R7": Row("mnist", Convolution(28, 28, 24, 5), TURNS, 99.1, hidden=256),
    "R8": Row("fashion-mnist", Convolution(28, 28, 16, 5, 2, channels=4, gain=-3),
              Moves(1, flip=1), 92.0, shift=4, clean=6, code=EDGES.apply),
}


def recipe_of(row: Row, epochs: int, seed: int) -> Recipe:
    """The recipe of the dense layers."""
    return Recipe.default((row.conv.outputs, row.hidden, 10), row.conv.bits, epochs=epochs,
                          seed=seed, gain=0, output_gain=-2, floor=-2,
                          shifts=None if row.shift is None else [row.shift])


def batches(row: Row, epochs: int, epoch: int, seed: int) -> Iterator[tuple[Bytes, Bytes]]:
    """Samples of an epoch in their order, moved and coded, and their labels; so many at once."""
    images, y = _mnist.load("train", 8, row.data)
    images = images.reshape(-1, 28, 28)
    moves = row.moves if epoch < epochs - row.clean else Moves()
    order, amounts = epoch_order(seed, epoch, len(y)), moves.draws(seed, epoch, len(y))
    for first in range(0, len(y), CHUNK):
        rows = order[first:first + CHUNK]
        moved = move_images(images[rows], amounts[first:first + CHUNK])
        yield row.code(moved.reshape(len(rows), -1)), y[rows]


def trained(row: Row, epochs: int, seed: int, until: int | None = None,
            ) -> tuple[FastConvNetwork, TrainStats, float]:
    """The network, what its last epoch did, and the seconds that its training calls took.

    Training ends before epoch `until` of a run of so many, if that is given.
    """
    recipe = recipe_of(row, epochs, seed)
    net = FastConvNetwork(recipe, row.conv)
    seconds, done = 0.0, TrainStats()
    for epoch in range(epochs if until is None else until):
        done = TrainStats()
        for x, y in batches(row, epochs, epoch, seed):
            began = time.thread_time()
            done += net.train(x, y, recipe.gains_in(epoch), wrong=1)
            seconds += time.thread_time() - began
    return net, done, seconds


def run(name: str, row: Row, epochs: int, seeds: int, save: Callable[[Any], None]) -> None:
    """Train a row from its seeds, print and save it after each."""
    x, y = _mnist.load("t10k", 8, row.data)
    x, scores = row.code(x), np.zeros((len(y), 10), np.int64)
    found: dict[str, Any] = {"data": row.data, "conv": asdict(row.conv), "hidden": row.hidden,
                             "moves": asdict(row.moves), "clean": row.clean, "epochs": epochs,
                             "least": row.least, "seeds": []}
    for seed in range(1, seeds + 1):
        net, last, seconds = trained(row, epochs, seed)
        own = net.scores(x)
        scores += own
        found["seeds"].append({
            "seed": seed, "test": percent(own, y),
            "learned in last epoch": round(100 * last.updates / last.samples, 2),
            "samples/s": round(epochs * last.samples / seconds),
            "state_sha256": net.state_sha256()})
        found["votes"] = percent(scores, y)
        found["mean"] = round(float(np.mean([s["test"] for s in found["seeds"]])), 3)
        one = found["seeds"][-1]
        print(f"{name}  seed {seed}  test {one['test']:.2f}  mean {found['mean']:.3f}  votes of "
              f"{seed} {found['votes']:.2f}  learned {one['learned in last epoch']} %  "
              f"{one['samples/s']:,} samples/s", flush=True)
        save(found)


def percent(scores: npt.NDArray[np.integer], y: Bytes) -> float:
    """Correct predictions in per cent."""
    return round(100 * float(np.mean(np.argmax(scores, axis=1) == y)), 2)


def main() -> None:
    """Run rows, write them as JSON, and print the tables of all benches of convolutions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", metavar="LIST", default="R5,R6,R8",
                        help=f"rows to run, of {', '.join(ROWS)} (default: %(default)s)")
    parser.add_argument("--epochs", metavar="N", type=int, default=30)
    parser.add_argument("--seeds", metavar="N", type=int, default=3)
    parser.add_argument("--output", metavar="FILE", type=Path, default=RESULT,
                        help="JSON file to write (default: %(default)s)")
    parser.add_argument("--table", action="store_true",
                        help="run nothing, and print the tables of what is kept")
    options = parser.parse_args()
    names = [] if options.table else options.rows.split(",")
    if not set(names) <= set(ROWS):
        parser.error(f"rows must be of {', '.join(ROWS)}, not {options.rows!r}")
    for name in names:
        def save(found: Any, name: str = name) -> None:
            rows = json.loads(options.output.read_text())["rows"] if options.output.exists() else {}
            options.output.parent.mkdir(parents=True, exist_ok=True)
            options.output.write_text(json.dumps(
                {"machine": _mnist.machine(), "rows": {**rows, name: found}}, indent=1) + "\n")

        run(name, ROWS[name], options.epochs, options.seeds, save)
    print(*conv_table.lines(), sep="\n")


if __name__ == "__main__":
    main()
