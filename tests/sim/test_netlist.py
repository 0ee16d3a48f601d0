"""Synthesised netlists of boards train through their UART's pins as the golden model does."""

import hashlib
import json
import random
from dataclasses import replace

import pytest

from tritgrad.boards import find_board
from tritgrad.boards.__main__ import SMALL_CLOCKS
from tritgrad.boards.flow import place, synthesise
from tritgrad.errors import ToolError
from tritgrad.host.device import serial_port
from tritgrad.host.run.options import TrainOptions
from tritgrad.sim.board import CompiledBoard
from tritgrad.sim.exam import examine, faults_found
from tritgrad.sim.netlist import netlist_verilog

from .test_virtual import lasting, trained

#: 16-8-4 on the smallest cores that have all parts: several banks or one, several steps a word.
CORES = {
    "icebreaker": ({"lanes": 4, "banks": 1, "update_lanes": 2},
                   {"SB_SPRAM256KA", "SB_RAM40_4K", "SB_PLL40_PAD", "SB_CARRY"}),
    "ulx3s-25f": ({"lanes": 4, "banks": 2, "update_lanes": 2},
                  {"DP16KD", "EHXPLLL", "CCU2C", "TRELLIS_FF"}),
    "tang-nano-9k": ({"lanes": 4, "banks": 2, "update_lanes": 2},
                     {"DPX9B", "RAM16SDP4", "rPLL", "ALU"}),
}
#: Where each family's Yosys leaves its netlist, if it is not top.json.
NETLISTS = {"tang-nano-9k": "top.syn.json"}
#: LUTs of the Gowin netlist that are inverted one after the other.
FAULTS = 4


def table_of_samples(path, rows=90):
    """Four classes of 16 features that overlap a little."""
    rng = random.Random(5)
    lines = [",".join([*(f"f{n}" for n in range(16)), "class"])]
    for _ in range(rows):
        label = rng.randrange(4)
        lines.append(",".join(str(rng.randrange(8) + 6 * (n % 4 == label)) for n in range(16))
                     + f",{label}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("name", CORES)
def test_a_netlist_trains_as_the_golden_model_and_fits(tmp_path, monkeypatch, name):
    monkeypatch.setattr(serial_port, "CONTACT_S", 120.0)
    monkeypatch.setattr(serial_port, "FIRST_BYTE_S", 0.01)
    sizes, cells = CORES[name]
    gowin = name == "tang-nano-9k"
    board = replace(find_board(name).resized(
        network=(16, 8, 4), clock_hz=SMALL_CLOCKS[name], store=False, **sizes),
        lutram=find_board(name).lutram if gowin else ())
    made = synthesise(board, tmp_path / "build")
    netlist = tmp_path / "build" / NETLISTS.get(name, "top.json")
    types = {cell["type"] for cell in
             json.loads(netlist.read_text())["modules"]["top"]["cells"].values()}
    assert cells <= types
    options = TrainOptions(dataset=str(table_of_samples(tmp_path / "rows.csv")), hidden=(8,),
                           epochs=2, seed=3, planes=min(4, board.config.input_planes))
    for folder in "model", "device":
        (tmp_path / folder).mkdir()
    expected = lasting(trained(options, tmp_path / "model")[0])
    power_up = random.randrange(1, 1 << 31)
    print(f"memories at power-up: seed {power_up}")
    faults = FAULTS if gowin else 0
    # These lie where so small a network comes; bits of counters that it does not reach can't show.
    text = netlist_verilog(netlist, board.fpga.family, faults, seed=3)
    key = hashlib.sha256(text.encode()).hexdigest()

    def device(fault=0):
        return CompiledBoard(lambda: text, key, made.clock_hz, power_up=power_up, fault=fault)

    with device() as whole:
        found = lasting(trained(options, tmp_path / "device", whole)[0])
    if faults:
        with device() as whole:
            assert examine(whole, board.config, 60, power_up).frames == 60
        assert faults_found(device, board.config, faults, 100, 1).missed == []
    assert found == expected
    assert sum(found["updates_by_epoch"]) > 20
    if gowin:
        return  # the placer takes longer than all of this; tests.boards builds one
    report = place(made)
    assert report.resources["dsp"].used == 0
    assert report.clock["achieved_mhz"] >= SMALL_CLOCKS[name] / 1e6


def test_what_cannot_be_simulated_is_refused(tmp_path):
    path = tmp_path / "top.json"
    with pytest.raises(ToolError, match="simulated of ice40, ecp5, gowin, not 'max10'"):
        netlist_verilog(path, "max10")
    path.write_text(json.dumps({"modules": {"top": {
        "ports": {"button": {"direction": "input", "bits": [2]}}, "netnames": {}, "cells": {}}}}))
    with pytest.raises(ToolError, match="pins for clk, rx, tx and led, not 'button'"):
        netlist_verilog(path, "ecp5")
