"""Boards by name and port: on the command line, and networks that they cannot hold."""

import json
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from tritgrad.boards import BOARDS
from tritgrad.errors import BadInput
from tritgrad.host.device.address import board_and_port
from tritgrad.host.device.open import check_holds
from tritgrad.host.run.options import TrainOptions
from tritgrad.model.config import CoreConfig
from tritgrad.model.recipe import Recipe
from tritgrad.sim.virtual import ModelBoard

from ...sim.ports import serving
from ..command import call

pytestmark = pytest.mark.usefixtures("folder")

CONFIG = CoreConfig(lanes=8, banks=2, update_lanes=4, slot_bytes=512, max_inputs=64,
                    max_neurons=16, max_classes=10, trit_depth=128, residual_depth=512)
RUN = ["train", "--hidden", "12", "--epochs", "2", "--limit", "120", "--json"]
MEASURED = ("device", "seconds", "samples_per_second", "cycles", "cycles_per_sample",
            "roofline_fraction", "lanes", "total_lanes")


def results(*arguments):
    return json.loads(call(*arguments).stdout.splitlines()[-1])


@pytest.mark.parametrize("device, parts", [
    ("icebreaker@/dev/ttyUSB1", ("icebreaker", "/dev/ttyUSB1")), ("@COM3", ("", "COM3")),
    ("a@b@c", ("a", "b@c")), ("sim", None), ("icebreaker@", None), ("@", None)])
def test_board_and_port(device, parts):
    assert board_and_port(device) == parts


@pytest.mark.parametrize("device", ["gpu", "icebreaker@", "@", ""])
def test_no_such_device(device):
    message = f"device must be sim, model, BOARD@PORT or @PORT, not {device!r}"
    with pytest.raises(BadInput, match=f"^{re.escape(message)}$"):
        TrainOptions(device=device)


def test_train_and_evaluate_on_a_port(folder):
    expected = results(*RUN, "--device", "model", "--out", "model")
    with serving(ModelBoard(CONFIG), folder) as port:
        found = results(*RUN, "--device", f"@{port.link}", "--out", "board")
        assert (found["lanes"], found["total_lanes"]) == (8, 16)
        for name in expected:
            assert name in MEASURED or found[name] == expected[name], name
        there = results("eval", "board/model.npz", "--device", f"@{port.link}", "--json")
        here = results("eval", "board/model.npz", "--device", "model", "--json")
        assert there.pop("device") == f"@{port.link}"
        assert here.pop("device") == "model"
        assert there == here


def test_a_run_goes_on_on_a_port(folder):
    expected = results(*RUN, "--device", "model", "--out", "whole")
    call("train", "--hidden", "12", "--epochs", "2", "--limit", "120", "--device", "model",
         "--out", "parts")
    with serving(ModelBoard(CONFIG), folder) as port:
        found = results("train", "--resume", "parts", "--device", f"@{port.link}", "--json")
    assert found["state_sha256"] == expected["state_sha256"]


@pytest.mark.parametrize("arguments, message", [
    (["--hidden", "17"],
     "{cannot} hold the network 64-17-10: layer 1: outputs must be from 1 to 16, not 17"),
    (["--hidden", "16,16,16,16"],
     "{cannot} hold the network 64-16-16-16-16-10: a table has 1 to 4 layers, not 5"),
    (["--counter-bits", "10"],
     "the core on {port} has counter bits 8, the network 64-12-10 wants 10"),
    (["--vcd", "a.vcd"], "--vcd a.vcd needs --device sim, not @{port}"),
])
def test_a_network_that_the_core_cannot_hold_is_one_line(folder, arguments, message):
    with serving(ModelBoard(CONFIG), folder) as port:
        result = call(*RUN, *arguments, "--device", f"@{port.link}", code=2)
        cannot = f"the core on {port.link} cannot"
        assert result.stderr.splitlines()[-1] == (
            f"tritgrad: {message.format(port=port.link, cannot=cannot)}")
        assert result.stdout == ""
        call(*RUN, "--device", f"@{port.link}")  # the port has been let go


@pytest.mark.parametrize("name, has, wants", [("activation_bits", 3, 4), ("counter_bits", 9, 8)])
def test_bits_that_the_core_does_not_have(name, has, wants):
    recipe = Recipe.default((64, 16, 10), 4)
    message = (f"the core on here has {name.replace('_', ' ')} {has}, the network 64-16-10 wants "
               f"{wants}")
    with pytest.raises(BadInput, match=f"^{re.escape(message)}$"):
        check_holds(replace(CONFIG, **{name: has}), recipe, "here")
    check_holds(CONFIG, recipe, "here")


def test_words_that_the_core_lacks():
    recipe = Recipe.default((64, 16, 10), 4)
    small = CoreConfig(lanes=8, banks=2, update_lanes=4, max_inputs=64, max_neurons=16,
                       max_classes=10, trit_depth=16, residual_depth=512)
    message = ("the core on here cannot hold the network 64-16-10: the layers need 74 words of T "
               "memory, the core has 16")
    with pytest.raises(BadInput, match=f"^{re.escape(message)}$"):
        check_holds(small, recipe, "here")
    message = ("the core on here cannot hold the network 64-16-10: its program needs 11 "
               "instructions, the core has room for 8")
    with pytest.raises(BadInput, match=f"^{re.escape(message)}$"):
        check_holds(replace(small, trit_depth=128, program_depth=8), recipe, "here")


@pytest.mark.parametrize("device, code, start", [
    ("lighthouse@/dev/null", 2, "board must be one of icebreaker, "),
    ("icebreaker@/dev/ttyNONE", 1, "no such port: /dev/ttyNONE; there "),
    ("@/dev/null", 1, "/dev/null is no serial port: ")])
def test_a_device_that_does_not_open_is_one_line(device, code, start):
    result = call(*RUN, "--device", device, code=code)
    assert result.stderr.splitlines()[-1].startswith(f"tritgrad: {start}")


def port_info(**fields):
    return SimpleNamespace(**{"device": "/dev/ttyS0", "vid": None, "pid": None, "hwid": "n/a",
                              "serial_number": None, "description": "n/a"} | fields)


def test_ports(monkeypatch):
    icebreaker = port_info(device="/dev/ttyUSB1", vid=0x0403, pid=0x6010, serial_number="ib12",
                           description="Dual RS232-HS")
    monkeypatch.setattr(list_ports, "comports", lambda: [icebreaker, port_info()])
    found = json.loads(call("ports", "--json").stdout)["ports"]
    assert [row["port"] for row in found] == ["/dev/ttyS0", "/dev/ttyUSB1"]
    assert found[0] == {"port": "/dev/ttyS0", "usb": None, "serial_number": None,
                        "description": None, "boards": []}
    assert found[1]["usb"] == "0403:6010"
    assert "icebreaker" in found[1]["boards"]
    assert set(found[1]["boards"]) == {
        name for name, board in BOARDS.items() if (0x0403, 0x6010) in board.usb}
    shown = call("ports").stdout
    assert "/dev/ttyUSB1" in shown
    assert "icebreaker" in shown
    monkeypatch.setattr(list_ports, "comports", list)
    assert call("ports").stdout == "no serial ports\n"
    assert json.loads(call("ports", "--json").stdout.splitlines()[-1]) == {"ports": []}


def test_the_command_virtual_serves_a_board(folder):
    """As a user does: one process is the board, another trains on it."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tritgrad", "virtual", "icebreaker", "--model", "--flip",
         "0.0005", "--drop", "0.0005", "--link", "port"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    try:
        assert server.stdout.readline() == "port\n"
        small = ["--hidden", "12", "--epochs", "1", "--limit", "60", "--json"]
        found = results("train", *small, "--device", "icebreaker@port", "--out", "board")
        expected = results("train", *small, "--device", "model", "--out", "model")
        assert found["state_sha256"] == expected["state_sha256"]
    finally:
        server.send_signal(signal.SIGINT)
        output, errors = server.communicate(timeout=20)
    assert server.returncode == 130
    assert (output, errors) == ("", "tritgrad: interrupted\n")
    assert not Path("port").is_symlink()


@pytest.mark.parametrize("arguments, message", [
    (["lighthouse"], "board must be one of icebreaker, "),
    (["icebreaker", "--drop", "2"], "--drop must be a chance from 0 to 1, not 2.0"),
    (["icebreaker", "--model", "--link", "no/where"], "--link no/where: there is no folder no")])
def test_a_virtual_board_that_cannot_be_is_one_line(arguments, message):
    result = call("virtual", *arguments, code=2)
    assert result.stderr.startswith(f"tritgrad: {message}")
    assert result.stderr.count("\n") == 1
