"""The netlist of a whole ECP5 core learns from its SDRAM, through the registers of its pins.

A small core of the ulx3s-25f with its store is synthesised; what runs is the FPGA's own cells, with
the model of the SDRAM and a UART at the pins and noise in all memories. Records are filled by FILL,
summed up by CHECK and played by PLAY, in one order and as a run; counts, PRNG and state must be the
golden model's. Then a bit of the memory turns, which CHECK must find, and look-up tables drawn
blindly are inverted, one at a time: how many of them this finds.
"""

import argparse
import hashlib
import json
import struct
import zlib
from pathlib import Path

import numpy as np
from _rtl import write

from tritgrad.boards import find_board
from tritgrad.boards.__main__ import SMALL_CLOCKS
from tritgrad.boards.flow import synthesise
from tritgrad.errors import TritgradError
from tritgrad.firmware import programs
from tritgrad.firmware.frames import Flags, Type
from tritgrad.firmware.store import pack_ram_records
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.samples import PackedSamples
from tritgrad.host.device.session import Session
from tritgrad.model.fast import FastNetwork
from tritgrad.model.margin import state_sha256
from tritgrad.model.recipe import Recipe
from tritgrad.sim.board import CompiledBoard
from tritgrad.sim.exam import Wired
from tritgrad.sim.memories import SDRAMS, Sdram
from tritgrad.sim.netlist import netlist_verilog

NAME, NETWORK, COUNT = "ulx3s-25f", (40, 12, 4), 60
SIZES = {"lanes": 4, "banks": 1, "update_lanes": 4}


class Wrong(Exception):
    """The netlist does not what the golden model does."""


def need(same: bool, what: str) -> None:
    """Raise `Wrong` unless it is so."""
    if not same:
        raise Wrong(what)


def learned(chip: CompiledBoard, memory: Sdram, seed: int, turn: bool = False) -> str:
    """SHA-256 of the state after two epochs from the memory; `Wrong` if it is not the model's."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, COUNT)
    x = (rng.integers(0, 2, (COUNT, NETWORK[0]))
         & (np.arange(NETWORK[0]) // 10 == y[:, None])).astype(np.uint8)
    recipe = Recipe.default(NETWORK, 1)
    model, gains = FastNetwork(recipe), recipe.gains_in(0)
    driver = Driver(Session(Wired(chip), 1))
    driver.load(layer_table(recipe, gains), model.counters, prng_state=model.prng.state)
    packed, done = PackedSamples(x, y, 1), 0
    while done < COUNT:
        payload, count = packed.payload(done, driver.session.budget - 3)
        driver.session.post(Type.FILL, done.to_bytes(3, "little") + payload, work_s=1.0)
        done += count
    wanted = zlib.crc32(pack_ram_records(x, y, SIZES["lanes"], 1).tobytes())
    for turned in range(1 + turn):  # once all is written
        if turned:
            memory.poke(5, memory.peek(5, 1) ^ 0x0040)
        found, = struct.unpack("<I", driver.session.request(
            Type.CHECK, bytes(3) + COUNT.to_bytes(3, "little"), work_s=1.0)[:4])
        need(found == wanted, "CHECK")
    order = rng.permutation(COUNT)
    for entries, run, rows in (order, 1, order), ([0], COUNT, np.arange(COUNT)):
        driver._start(programs.train(2, COUNT, recipe.margin))
        driver.session.post(Type.PLAY, bytes([0, 0, 0, run, Flags(0)])
                            + struct.pack(f"<H{len(entries)}H", len(entries), *entries), work_s=1.0)
        status = driver.stopped(1.0)
        stats = model.train(x, y, rows, gains)
        need((status["samples"], status["correct"], status["updates"], status["flips"],
              status["prng"]) == (COUNT, stats.correct, stats.updates, stats.flips,
                                  model.prng.state), "STATUS")
    state = state_sha256(driver.counters())
    need(state == state_sha256(model.counters) and memory.unwritten == 0, "state")
    return state


def main() -> None:
    """Print what was shown and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=4, metavar="N")
    parser.add_argument("--out", type=Path, default=Path("build/netlist-plays"), metavar="DIR")
    options = parser.parse_args()
    board = find_board(NAME).resized(network=NETWORK, store=True, clock_hz=SMALL_CLOCKS[NAME],
                                     **SIZES)
    made = synthesise(board, options.out)
    text = netlist_verilog(options.out / "top.json", "ecp5", options.faults, seed=1)

    def run(fault: int = 0, turn: bool = False) -> tuple[str, int]:
        memory = Sdram(SDRAMS[board.memory.part], seed=1)
        key = hashlib.sha256(text.encode()).hexdigest()
        with CompiledBoard(lambda: text, key, made.clock_hz, power_up=7, fault=fault,
                           memory=memory) as chip:
            try:
                return learned(chip, memory, 3, turn), chip.cycles
            finally:
                memory.close()

    def differs(fault: int, turn: bool = False) -> bool:
        try:
            run(fault, turn)
        except (Wrong, TritgradError):
            return True
        return False

    state, cycles = run()
    if not differs(0, turn=True):
        raise SystemExit("a bit that turned in the memory was not found")
    missed = [fault for fault in range(1, options.faults + 1) if not differs(fault)]
    result = {"board": NAME, "samples": 2 * COUNT, "cycles": cycles, "state_sha256": state,
              "luts_inverted": options.faults, "luts_missed": missed}
    print(json.dumps(result, indent=1))
    write("netlist_plays", result)


if __name__ == "__main__":
    main()
