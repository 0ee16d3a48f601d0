"""Samples played from the memory beside a board's FPGA: whole boards through their pins.

Each board's top level, compiled, has a UART and the model of its memory at its pins, which stops
the run where a rule is broken. The golden model trains the first epoch of MNIST; then the board
learns the first samples of the second one from its memory, which holds all 60,000 (or as many as
it can, and both epochs are of these): in the order that the host names record by record (`random`),
and in the one that begins anywhere (`rotate`). State, counts and PRNG must be the model's. So with
``--digits``, scikit-learn's, of which 5,000 are several epochs. Cycles are those of the board from
the program's start to the last STATUS, with all that waits for the line.

Past the line, but by the board's own requests, one byte a cycle (`sim.direct`): the network's state
before, and its counters after the program. All else goes by the UART at its rate: the session's
begin, CHECK of a part of the records, the program, PLAY, STATUS. Past the pins: the records are put
into the model of the memory. ``--line`` has state go by the line too. Beside them, on one core
of this machine:
samples a second of the golden model and of scikit-learn's MLPClassifier, in CPU time.
"""

import argparse
import struct
import time
import warnings
import zlib
from collections.abc import Iterator, Sequence

import _mnist
import numpy as np
from _rtl import before, write
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from tritgrad.boards import BOARDS
from tritgrad.boards.board import Board
from tritgrad.boards.store import StoreMemory
from tritgrad.firmware import programs
from tritgrad.firmware.frames import Flags, Type
from tritgrad.firmware.store import Kind, pack_ram_records
from tritgrad.firmware.wire import pack_samples, pack_sparse
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.session import Session
from tritgrad.host.device.store import rows_that_fit
from tritgrad.model.fast import FastNetwork, TrainStats
from tritgrad.model.layout import tile_order
from tritgrad.model.margin import state_sha256
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order, rotated_order, splitmix64
from tritgrad.sim.board import memory_of
from tritgrad.sim.direct import DirectBoard, DirectWired
from tritgrad.sim.memories import SDRAMS, Hypers, Sdram, SerialFlash
from tritgrad.sim.memories.parts import SdramPart

#: Of the UART, where the board's bridge allows it.
RATE = 3_000_000
ORDERS = {"random": epoch_order, "rotate": rotated_order}
#: Records that CHECK is asked about, and the most of a run.
CHECKED, RUN = 1_000, 255
#: Samples from which on a result is kept.
KEPT = 5_000
#: Behind the name of a board that has its samples in its PSRAMs.
PSRAM = "-psram"
#: Of ``--digits``.
DIGITS = (64, 32, 10)


def load(layers: Sequence[int], planes: int) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Training rows of so many bits an input, their classes, and an image's size."""
    if layers[0] != DIGITS[0]:
        return *_mnist.load("train", planes), (28, 28)
    values, y = load_digits(return_X_y=True)
    return np.minimum(values, 15).astype(np.uint8) >> np.uint8(4 - planes), y, (8, 8)


def rows_of(order: str, seed: int, count: int, samples: int) -> np.ndarray:
    """Rows of the second epoch, and of those behind it where it has too few."""
    epochs = [ORDERS[order](seed, 1 + n, count) for n in range(-(-samples // count))]
    return np.concatenate(epochs)[:samples]


class Store:
    """A board's memory with all records in it, in the order in which `rotate` has them.

    Parameters
    ----------
    memory
        The model; it is filled past its pins.
    config
        The core.
    x, y
        All rows, inputs in the core's order.
    planes
        Bits of an input.
    beside
        What the board says of the memory.
    """

    def __init__(self, memory, config, x, y, planes: int, beside: StoreMemory):
        stored = np.argsort(splitmix64(0, np.arange(len(x))), kind="stable")
        self.config, self.first = config, 0
        #: The record of each row.
        self.number = np.argsort(stored)
        if config.store == Kind.RAM:
            self.records = pack_ram_records(x[stored], y[stored], config.lanes, planes)
            self.places, self.flags = np.arange(len(x)), Flags(0)
            if beside.hyper:
                words = self.records.reshape(-1)
                for half, shift in zip(memory.halves, (0, 8), strict=True):
                    half[:len(words)] = words >> shift & 0xFF
            else:
                _fill_sdram(memory, SDRAMS[beside.part], self.records)
            return
        flat, ends = pack_sparse(pack_samples(x[stored], planes), planes)
        self.places, self.flags = ends[:-1] + np.arange(len(x)), Flags.SPARSE | Flags.WIDE
        data = np.insert(flat, ends[:-1], y[stored].astype(np.uint8))
        self.records, self.first = data, beside.reserved
        memory.cells[self.first:self.first + len(data)] = data

    def check(self, session: Session) -> None:
        """Have the chip add up a part; raises SystemExit if it is not what was put there."""
        part = self.records[:CHECKED]
        found, phase = struct.unpack("<IB", session.request(
            Type.CHECK, self.first.to_bytes(3, "little") + CHECKED.to_bytes(3, "little"), 10.0))
        if found != zlib.crc32(part.tobytes()):
            raise SystemExit(f"CHECK finds {found:#x} with phase {phase}")

    def requests(self, rows: Sequence[int], order: str, room: int) -> Iterator[bytes]:
        """Payloads of PLAY for rows in an order, of which one has room for so many bytes."""
        numbers = self.number[np.asarray(rows)]
        size = 3 if self.flags & Flags.WIDE else 2
        if order == "random":
            parts = [(self.places[numbers], 1)]
        else:  # at most two stretches, each in runs and a shorter one
            parts = []
            for stretch in np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1):
                whole = len(stretch) // RUN * RUN
                parts += [(self.places[stretch[:whole:RUN]], RUN),
                          (self.places[stretch[whole:whole + 1]], len(stretch) - whole)]
        for entries, run in parts:
            for start in range(0, len(entries), (room - 7) // size):
                some = entries[start:start + (room - 7) // size]
                yield (self.first.to_bytes(3, "little") + bytes([run, self.flags])
                       + struct.pack("<H", len(some))
                       + b"".join(int(entry).to_bytes(size, "little") for entry in some))


def _fill_sdram(memory: Sdram, part: SdramPart, records: np.ndarray) -> None:
    """Consecutive rows lie in different banks."""
    words, columns, row_bits = records.reshape(-1), 1 << part.column_bits, part.row_bits
    for start in range(0, len(words), columns):
        row = start // columns
        memory.poke(((row & 3) << row_bits | row >> 2) * columns, words[start:start + columns])


def board_of(name: str) -> Board:
    """A board, of a name that ends so with its PSRAMs."""
    plain = name.removesuffix(PSRAM)
    return BOARDS[plain] if plain == name else BOARDS[plain].with_psram()


def played(name: str, layers: Sequence[int], planes: int, order: str, samples: int,
           progress: bool, line: bool) -> dict[str, object]:
    """What a board does with samples of the second epoch; SystemExit if the model does not."""
    board = board_of(name).resized(store=True)
    x, y, shape = load(layers, planes)
    if board.config.store == Kind.RAM:
        most = rows_that_fit(board.config, x.shape[1], planes)
        x, y = x[:most], y[:most]
    recipe = Recipe.default(tuple(layers), planes)
    model = FastNetwork(recipe)
    model.train(x, y, ORDERS[order](recipe.seed, 0, len(x)), recipe.gains_in(0))
    gains = recipe.gains_in(1)
    rows = rows_of(order, recipe.seed, len(x), samples)

    memory = memory_of(board)
    assert isinstance(memory, Hypers | Sdram | SerialFlash) and board.memory is not None
    chip = DirectBoard.of(board, progress=print if progress else None, memory=memory)
    rate = min(RATE, board.rates[-1])
    wired = DirectWired(chip, rate)
    driver = Driver(Session(wired, 1))
    # Only where no step is smaller than 1 may inputs come in another order.
    tiles = tile_order(shape, board.config.lanes) if gains[0] >= 0 else None
    wired.direct = not line
    driver.load(layer_table(recipe, gains), model.counters, prng_state=model.prng.state,
                input_order=tiles)
    wired.direct = False
    store = Store(memory, board.config, x if tiles is None else x[:, tiles], y, planes,
                  board.memory)
    store.check(driver.session)
    driver._start(programs.train(recipe.depth, len(rows), recipe.margin))
    began = chip.cycles
    for payload in store.requests(rows, order, driver.session.budget):
        driver.session.post(Type.PLAY, payload, work_s=10.0)
    status = driver.stopped(10.0)
    cycles = chip.cycles - began
    stats = model.train(x, y, rows, gains)
    wired.direct = not line
    state = equal_state(name, driver, status, stats, model)
    driver.close()
    memory.close()
    clock_hz = float(board.pll.output_hz)
    return {"samples": len(rows), "clock_hz": clock_hz, "baud": rate,
            "record_bytes": round(store.records.nbytes / len(x), 1),
            "cycles_per_sample": round(cycles / len(rows), 1),
            "core_cycles_per_sample": round(status["cycles"] / len(rows), 1),
            "samples_per_second": round(clock_hz * len(rows) / cycles),
            "epoch_s": round(len(x) * cycles / len(rows) / clock_hz, 3), "state_sha256": state}


def equal_state(name: str, driver: Driver, status: dict[str, int], stats: TrainStats,
                model: FastNetwork) -> str:
    """SHA-256 of a board's counters; SystemExit if state, counts or PRNG are not the model's."""
    found = (status["samples"], status["correct"], status["updates"], status["flips"],
             status["prng"], state_sha256(driver.counters()))
    wanted = (stats.samples, stats.correct, stats.updates, stats.flips, model.prng.state,
              state_sha256(model.counters))
    if found != wanted:
        raise SystemExit(f"{name}: the board has {found}, the model {wanted}")
    return found[-1]


def here(layers: Sequence[int], planes: int) -> dict[str, int]:
    """Samples a second of an epoch on one core, the best of three, by the CPU's time."""
    x, y, _ = load(layers, planes)
    recipe = Recipe.default(tuple(layers), planes)
    model = FastNetwork(recipe)
    order = epoch_order(recipe.seed, 0, len(x))
    model.train(x[:200], y[:200], np.arange(200), recipe.gains_in(0))
    floats = x.astype(np.float32) / ((1 << planes) - 1)

    def fit() -> None:
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore", ConvergenceWarning)
            MLPClassifier(tuple(layers[1:-1]), max_iter=1, random_state=1).fit(floats, y)

    def best(work) -> int:
        times = []
        for _ in range(3):
            began = time.process_time()  # others work on the machine too
            work()
            times.append(time.process_time() - began)
        return round(len(x) / min(times))

    return {"golden model": best(lambda: model.train(x, y, order, recipe.gains_in(1))),
            "MLPClassifier": best(fit)}


def keep(rows: dict[str, dict[str, object]], machine: dict[str, dict[str, int]]) -> None:
    """Write results as JSON, beside those that are there of other boards and networks."""
    result = before("resident")
    write("resident", {"boards": result.get("boards", {}) | rows, "samples_per_second_here":
                       result.get("samples_per_second_here", {}) | machine})


def main() -> None:
    """Print what each board and this machine do, and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    stored = [name for name, board in BOARDS.items() if board.memory]
    parser.add_argument("boards", metavar="BOARD", nargs="*", default=stored,
                        help="boards to run (default: all that have a memory); tang-nano-9k-psram "
                             "is one with its PSRAMs")
    parser.add_argument("--samples", metavar="N", type=int, default=5_000,
                        help="samples of the epoch (default: %(default)s)")
    parser.add_argument("--planes", metavar="P", type=int, nargs="+", default=[1],
                        help="bits of an input (default: 1)")
    parser.add_argument("--only", metavar="TEXT", default="",
                        help="runs whose names have this in them: '512-10, 1 bits, rotate'")
    parser.add_argument("--digits", action="store_true",
                        help=f"learn digits with {'-'.join(map(str, DIGITS))}, in place of MNIST")
    parser.add_argument("--here", action="store_true", help="measure this machine only")
    parser.add_argument("--line", action="store_true", help="state goes by the line too")
    parser.add_argument("--progress", action="store_true", help="say what is being compiled")
    options = parser.parse_args()
    # On another machine than before, all have to be measured again: --here.
    measured = set() if options.here else {*before("resident").get("samples_per_second_here", {})}
    for name in options.boards:
        for layers in (DIGITS,) if options.digits else board_of(name).networks:
            network = "-".join(map(str, layers))
            for planes in options.planes:
                if planes > board_of(name).config.input_planes:
                    continue
                for order in () if options.here else ORDERS:
                    key = f"{name} {network}, {planes} bits, {order}"
                    if options.only not in key:
                        continue
                    row = played(name, layers, planes, order, options.samples, options.progress,
                                 options.line)
                    print(f"{key}: {row}", flush=True)
                    if options.samples >= KEPT:
                        keep({key: row}, {})
                key = f"{network}, {planes} bits"
                if key not in measured:
                    measured.add(key)
                    machine = {key: here(layers, planes)}
                    print(machine, flush=True)
                    if options.samples >= KEPT:
                        keep({}, machine)


if __name__ == "__main__":
    main()
