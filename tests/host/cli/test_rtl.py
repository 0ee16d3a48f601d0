"""The host on the compiled core: whole runs equal to the golden model's, and the commands."""

import json
import random
import re
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from tritgrad.host.cli.main import cli
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import FaultyTransport, SimTransport
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.report import report
from tritgrad.host.run.training import Watcher, open_learner, start

from ..command import call

CYCLES = ("cycles", "cycles_per_sample", "forward_cycles_per_sample", "dense_cycles",
          "roofline_fraction", "seconds", "samples_per_second", "device")
OPTIONS = TrainOptions(hidden=(20,), epochs=3, limit=300, lanes=8, banks=4, update_lanes=4)


def run(options, folder, learner=None):
    data = options.load_data()
    learner = learner or open_learner(options, options.recipe(data), Watcher(),
                                      image_shape=data.image_shape)
    try:
        outcome = start(options, data, folder, learner, Watcher()).run()
        return outcome, learner.infer(data.x_test)[1]
    finally:
        learner.close()


def same(options, folder):
    """Run on both devices; the report of the RTL."""
    rtl, scores = run(options, folder)
    model, expected = run(TrainOptions(**{**options.as_json(), "device": "model"}), folder)
    assert np.array_equal(scores, expected)
    a, b = ({k: v for k, v in report(outcome).items() if k not in CYCLES}
            for outcome in (rtl, model))
    assert a == b
    return report(rtl)


@pytest.mark.parametrize("changes", [
    {}, {"hidden": (9, 13), "shift_augment": 1, "val_fraction": 0.1},
    {"planes": 3, "gain": 2, "output_gain": -6, "margin": 30, "act_shift": (5,)},
    {"scales": True, "scale_refresh": 3},
])
def test_a_run_on_the_rtl_is_the_run_of_the_model(tmp_path, changes):
    result = same(TrainOptions(**{**OPTIONS.as_json(), **changes}), tmp_path)
    assert len(result["cycles_per_sample"]) == 3
    assert result["cycles"] == pytest.approx(300 * sum(result["cycles_per_sample"]))
    assert result["roofline_fraction"] > 0.2


@pytest.mark.parametrize("seed", range(2))
def test_random_cores_and_networks(tmp_path, seed):
    rng = random.Random(seed)
    lanes = rng.choice([3, 4, 6, 8, 12])
    same(TrainOptions(
        hidden=tuple(rng.randint(2, 40) for _ in range(rng.randint(1, 3))), epochs=2, limit=120,
        counter_bits=rng.randint(6, 14), planes=rng.randint(1, 8), seed=rng.randrange(2**64),
        lanes=lanes, banks=rng.randint(1, 9),
        update_lanes=rng.choice([u for u in range(1, lanes + 1) if lanes % u == 0])), tmp_path)


def test_a_bad_cable_changes_nothing(tmp_path):
    options = TrainOptions(**{**OPTIONS.as_json(), "epochs": 1})
    data = options.load_data()
    recipe = options.recipe(data)
    cable = FaultyTransport(SimTransport(options.core(recipe.layers, recipe.planes)), 0.0005,
                            random.Random(1))
    learner = DeviceLearner(Driver(Session(cable, nonce=1)), recipe)
    outcome, scores = run(options, tmp_path, learner)
    assert learner.driver.session.repairs > 3
    expected, right = run(options, tmp_path, ModelLearner(recipe))
    assert outcome.state_sha256 == expected.state_sha256
    assert np.array_equal(scores, right)


def test_a_reset_in_the_middle_changes_nothing(tmp_path):
    options = TrainOptions(**{**OPTIONS.as_json(), "epochs": 1})
    data = options.load_data()
    recipe = options.recipe(data)
    transport = SimTransport(options.core(recipe.layers, recipe.planes))
    learner = DeviceLearner(Driver(Session(transport)), recipe)
    learner.chunk = 60
    learner.start()
    train, calls = learner.train, []

    def train_then_reset(*chunk):
        stats = train(*chunk)
        calls.append(stats)
        if len(calls) in (2, 3):
            transport.core.reset()
        return stats

    learner.train = train_then_reset
    outcome, _ = run(options, tmp_path, learner)
    expected, _ = run(options, tmp_path, ModelLearner(recipe))
    assert outcome.state_sha256 == expected.state_sha256


def test_commands_on_the_rtl(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train = ["train", "--hidden", "20", "--epochs", "1", "--limit", "60", "--lanes", "8", "--banks",
             "4", "--update-lanes", "4", "--json"]
    found = json.loads(call(*train, "--out", "here", "--vcd", "wave.vcd").stdout)
    assert found["device"] == "sim"
    assert (tmp_path / "wave.vcd").stat().st_size > 1000
    measured = json.loads(call("eval", "here/model.npz", "--device", "sim", "--lanes", "8",
                               "--banks", "4", "--update-lanes", "4", "--json").stdout)
    assert measured["accuracy"] == found["test_accuracy"][-1]
    shutil.rmtree("here")
    text = call("check", "--samples", "100", "--lanes", "8", "--banks", "4", "--update-lanes",
                "4").stdout
    assert text == "RTL and golden model agree: 2 networks, 100 samples, 4 x 8 lanes\n"


def test_verilog_has_the_ports_that_its_list_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sizes = ["--lanes", "4", "--banks", "2", "--max-inputs", "64", "--max-neurons", "32",
             "--max-classes", "8", "--trit-depth", "64", "--residual-depth", "256"]
    call("verilog", *sizes, "-o", "core.v")
    text = (tmp_path / "core.v").read_text()
    ports = json.loads((tmp_path / "core.json").read_text())
    assert ports["module"] == "tritgrad_core"
    body = text[text.index("module tritgrad_core("):]
    body = body[:body.index("endmodule")]
    found = {(name, direction, int(high or 0) + 1) for direction, high, name in
             re.findall(r"^  (input|output)(?: reg)?(?: \[(\d+):0\])? (\w+);", body, re.MULTILINE)}
    assert found == {(p["name"], p["direction"], p["width"]) for p in ports["ports"]}
    assert str(tmp_path) not in text
    assert ".py" not in text


def test_verilog_of_a_board_has_its_core_its_style_and_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call("verilog", "--board", "ulx3s-25f", "--name", "mine", "--banks", "2", "-o", "mine.v")
    about = json.loads((tmp_path / "mine.json").read_text())
    assert (about["module"], about["family"]) == ("mine", "ecp5")
    assert (about["config"]["lanes"], about["config"]["banks"]) == (36, 2)
    text = (tmp_path / "mine.v").read_text()
    assert "module mine(" in text and text.count('ram_style = "distributed"') == 1
    assert '-file "*mine.v"' in (tmp_path / "mine.vlt").read_text()


def test_doctor_names_every_tool():
    result = CliRunner().invoke(cli, ["doctor"])
    for name in ("python", "amaranth", "verilator", "C++ compiler"):
        assert name in result.stdout
