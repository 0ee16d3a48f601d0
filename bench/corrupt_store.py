"""Bits that turn in the memory beside a core: found by CHECK, refused by PLAY, or of no account.

Small cores of boards, compiled, with the model of their memory at the pins; digits at two bits,
64-16-10. The host writes the rows. First, a bit of a record is turned, the host has the chip CHECK
all records, then learns that record, alone or as the first of a run, and the bit is turned back. A
golden device with the same bit turned must answer the same and come to the same state.

refused: PLAY ends with STORE, as the label is of no class. same: the record reads as before, so
that what was learned is what the sample would have brought. other: another sample was learned,
which only CHECK tells. All of them must be found by CHECK.

Second, whole runs of three epochs, in each of which a bit turns at a random time. equal: the run
ends with the clean run's state, where the host can write the rows again. named: it ends with a
line that names the record. silent: it ends with another state; there must be none.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterable

import numpy as np
from _rtl import before, write
from sklearn.datasets import load_digits

from tritgrad.boards import BOARDS
from tritgrad.errors import DeviceError
from tritgrad.firmware import programs
from tritgrad.firmware.frames import Type
from tritgrad.firmware.store import Kind
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.flash_rows import FlashRows
from tritgrad.host.device.flash_sets import write_set
from tritgrad.host.device.session import RequestRefused, Session
from tritgrad.host.device.store import RowStore
from tritgrad.host.device.transport import GoldenTransport
from tritgrad.host.run.learners import DeviceLearner
from tritgrad.model.margin import state_sha256
from tritgrad.model.recipe import Recipe
from tritgrad.sim.board import CompiledBoard, memory_of
from tritgrad.sim.exam import Wired

NETWORK, PLANES, ROWS = (64, 16, 10), 2, 100
RECIPE = Recipe.default(NETWORK, PLANES, seed=3)
RATE = 2_000_000
#: Records of a run that begins with the one whose bit has turned.
RUN = 16
EPOCHS, CHUNK = 3, 25
SIZES = {"ulx3s-25f": {"lanes": 20, "banks": 2, "update_lanes": 4},
         "icebreaker": {"lanes": 8, "banks": 1, "update_lanes": 4},
         "tang-nano-9k": {"lanes": 18, "banks": 2, "update_lanes": 9, "input_planes": 2}}


def rows() -> tuple[np.ndarray, np.ndarray]:
    """Digits at two bits; what has a padded word is so too."""
    values, classes = load_digits(return_X_y=True)
    return (np.minimum(values[:ROWS], 15).astype(np.uint8) >> (4 - PLANES)), classes[:ROWS]


class Beside:
    """A board and a golden device with the same rows in their memories.

    Parameters
    ----------
    name
        Of the board; its core is a small one.
    """

    def __init__(self, name: str):
        self.board = BOARDS[name].resized(network=NETWORK, store=True, **SIZES[name])
        self.memory = memory_of(self.board)
        self.chip = CompiledBoard.of(self.board, memory=self.memory)
        golden = GoldenTransport(self.board.config)
        self.golden = golden.device
        self.ram = self.board.config.store == Kind.RAM
        self.drivers = Driver(Session(Wired(self.chip, RATE), 1)), Driver(Session(golden, 1))
        self.rows: list[RowStore | FlashRows] = []
        for driver in self.drivers:
            driver.board = self.board
            learner = DeviceLearner(driver, RECIPE)
            learner.start()
            self.rows.append(self._kept(driver))
        driver.board = None

    def _kept(self, driver: Driver) -> RowStore | FlashRows:
        if self.ram:
            made: RowStore | FlashRows = RowStore(driver, *rows())
        else:
            made = FlashRows(driver, *rows())
            write_set(made, "digits")
            made.seek()
        made.fill()
        return made

    def record(self, number: int) -> tuple[int, int]:
        """Where a record begins, and its bytes."""
        ours = self.rows[0]
        if isinstance(ours, RowStore):
            return 2 * ours.words * number, 2 * ours.words
        assert ours.found is not None
        start, end = (int(n) for n in ours.starts[number:number + 2])
        return ours.found.first + start, end - start

    def turn(self, at: int, bit: int, golden: bool = True) -> None:
        """Turn a bit of a byte in both memories, or in the board's alone."""
        if self.ram:
            place, mask = at >> 1, 1 << (bit + 8 * (at & 1))
            columns, row = place & 511, place >> 9  # consecutive rows lie in different banks
            there = ((row & 3) << 13 | row >> 2) << 9 | columns
            self.memory.poke(there, self.memory.peek(there, 1) ^ mask)
            if golden:
                self.golden.store.cells[place] ^= mask
        else:
            self.memory.cells[at] ^= 1 << bit
            if golden:
                self.golden.store.cells[at] ^= 1 << bit

    def learn(self, records: Iterable[int]) -> tuple[list[object], bool]:
        """What board and golden device say of learning them, and whether PLAY was refused."""
        row_of, answers, refused = np.argsort(self.rows[0].number), [], False
        for rows_ in self.rows:
            numbers = row_of[list(records)]
            program = programs.train(RECIPE.depth, len(numbers), RECIPE.margin)
            try:
                done = rows_.play(program, numbers)
                answers.append((done.samples, done.correct, done.updates, done.flips))
            except RequestRefused as error:
                answers.append((error.request, error.status))
                refused = True
                rows_.driver.session.request(Type.ABORT)
        return answers, refused

    def states(self) -> list[str]:
        """Of both: counters and PRNG."""
        return [f"{state_sha256(driver.counters())} {driver.prng():x}" for driver in self.drivers]

    def read(self, number: int) -> tuple[bytes, int]:
        """A record as the golden device would learn it: inputs and label."""
        place, _ = self.record(number)
        (inputs, label), = self.golden.store.play(
            number if self.ram else place, 1, layer_table(RECIPE, RECIPE.gains)[0], 256,
            not self.ram and self.rows[0].sparse)
        return inputs.tobytes(), label

    def close(self) -> None:
        """Let the board go."""
        self.drivers[0].close()
        self.memory.close()


def bits(both: Beside, count: int, rng: random.Random) -> dict[str, int]:
    """Turn so many bits, each back again."""
    found: Counter[str] = Counter()
    for trial in range(count):
        number = rng.randrange(ROWS - RUN)
        first, size = both.record(number)
        clean = both.read(number)
        at, bit = first + rng.randrange(size), rng.randrange(8)
        both.turn(at, bit)
        intact = [rows_.intact() for rows_ in both.rows]
        if intact[0] != intact[1]:
            raise SystemExit(f"bit {bit} of byte {at}: CHECK says {intact}")
        found["found by CHECK"] += not intact[0]
        answers, refused = both.learn(range(number, number + (RUN if trial % 2 else 1)))
        if answers[0] != answers[1]:
            raise SystemExit(f"bit {bit} of byte {at}: board and golden device say {answers}")
        found["refused" if refused else "same" if both.read(number) == clean else "other"] += 1
        both.turn(at, bit)
    if not all(rows_.intact() for rows_ in both.rows):
        raise SystemExit("the memory is not as it was")
    states = both.states()
    if states[0] != states[1]:
        raise SystemExit(f"board and golden device differ: {states}")
    return {"tried": count, **dict(sorted(found.items()))}


def runs(both: Beside, count: int, rng: random.Random) -> dict[str, int]:
    """So many runs on the board, a bit turned in each; it is turned back for the next one."""
    found: Counter[str] = Counter()
    wanted = _run(both, None)
    for _ in range(count):
        first, size = both.record(rng.randrange(ROWS))
        at, bit = first + rng.randrange(size), rng.randrange(8)
        try:
            ended = _run(both, (rng.randrange(EPOCHS * ROWS // CHUNK), at, bit))
            found["equal" if ended == wanted else "silent"] += 1
        except DeviceError as error:
            found["named" if " of 100 differ" in str(error) else "another error"] += 1
        if not both.rows[0].intact():
            both.turn(at, bit, golden=False)
    return {"tried": count, **dict(sorted(found.items()))}


def _run(both: Beside, turned: tuple[int, int, int] | None) -> str:
    """Three epochs in order, and what the state is then; `turned`: when, which byte, which bit."""
    both.drivers[0].board = both.board
    learner = DeviceLearner(both.drivers[0], RECIPE)
    learner.start()
    x, y = rows()
    learner.keep(x, y, lambda done, whole: None)
    if not learner.keeps:
        raise SystemExit("the rows are not in the memory")
    for chunk in range(EPOCHS * ROWS // CHUNK):
        if turned and chunk == turned[0]:
            both.turn(turned[1], turned[2], golden=False)
        learner.train_kept(np.arange(CHUNK) + chunk * CHUNK % ROWS, RECIPE.gains)
        if (chunk + 1) % (ROWS // CHUNK) == 0:
            learner.state()
    return learner.state().sha256


def main() -> None:
    """Turn bits on each board, print what became of them, and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("boards", metavar="BOARD", nargs="*", default=list(SIZES))
    parser.add_argument("--bits", metavar="N", type=int, default=300)
    parser.add_argument("--runs", metavar="N", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    result = before("corrupt_store").get("boards", {})
    for name in options.boards:
        both = Beside(name)
        result[name] = {"seed": options.seed,
                        "bits": bits(both, options.bits, random.Random(options.seed)),
                        "runs": runs(both, options.runs, random.Random(options.seed))}
        print(f"{name}: {result[name]}", flush=True)
        both.close()
    write("corrupt_store", {"boards": result})


if __name__ == "__main__":
    main()
