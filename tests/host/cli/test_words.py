"""Messages speak of what the user typed, and results say what is true."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from tritgrad.host.cli.main import cli
from tritgrad.host.cli.words import in_options
from tritgrad.host.device.transport import GoldenTransport
from tritgrad.host.run import plots, training
from tritgrad.model.config import CoreConfig
from tritgrad.sim.virtual import ModelBoard

from ...sim.ports import serving
from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")

QUICK = ["train", "--device", "model", "--hidden", "6", "--epochs", "1", "--limit", "60"]


@pytest.mark.parametrize("arguments, message", [
    (["--gain", "99"], "--gain must be from -15 to 6, not 99"),
    (["--output-gain", "-16"], "--output-gain must be from -15 to 6, not -16"),
    (["--counter-bits", "10", "--gain", "9"], "--gain must be from -15 to 8, not 9"),
    (["--act-shift", "40"], "--act-shift must be from 0 to 31, not 40"),
    (["--hidden", "70000"], "--hidden must be sizes from 1 to 65535, not 70000"),
    (["--planes", "9"], "--planes must be an integer from 1 to 8, not 9"),
    (["--prune", "0,5"], "EVERY of --prune must be an integer from 1 to 2147483647, not 0"),
    (["--rule", "sign", "--gain", "1"], "--rule sign has no --gain; leave it away"),
    (["--rule", "spsa", "--steps", "0"], "--steps must be an integer from 1 to 16777215, not 0"),
    (["--test-fraction", "2"], "--test-fraction must be above 0 and below 1, not 2.0"),
    (["--skip", "9"], "--skip must be an integer from 0 to 7, not 9"),
    (["--device", "sim", "--hidden", "5000,5000"],
     ("no core of 16 x 16 lanes holds the network 64-5000-5000-10 (trit_depth must be an integer "
      "from 1 to 65536, not 131072); lower --hidden, raise --banks or --lanes, or take --device "
      "model")),
])
def test_train_speaks_of_options(arguments, message):
    assert refusal(*QUICK, *arguments).splitlines()[-1].removeprefix("tritgrad: ") == message


@pytest.mark.parametrize("arguments, message", [
    (["--resident", "3", "--support"], "--support must be left away where --resident is 3"),
    (["--conserve"], "--conserve must be left away where --row-sums is not given"),
    (["--row-sums", "--infer-only"],
     "--row-sums must be left away where --infer-only is given"),
    (["--slot-bytes", "100"], "--slot-bytes must be a power of two, not 100"),
    (["--lanes", "6", "--update-lanes", "4"], "--update-lanes must divide --lanes (6), not 4"),
])
def test_verilog_speaks_of_options(arguments, message):
    assert refusal("verilog", "-o", "a.v", *arguments) == message


def test_words_that_are_no_fields_stay():
    train = cli.get_command(None, "train").params
    for text in ("a label column ('y') is for CSV files only, not for 'digits'",
                 "the data of out.npz are not those", "test.csv has no rows to test",
                 "a core with counter_bitsy", "/a/seed must/x.csv does not exist"):
        assert in_options(text, train) == text


def test_sizes_of_a_core_that_a_board_does_not_have_are_refused(folder):
    config = CoreConfig(lanes=8, banks=4, update_lanes=8)
    small = [*QUICK[:2], "--hidden", "6", "--epochs", "1", "--limit", "60"]
    with serving(ModelBoard(config), folder) as port:
        device = f"@{port.link}"
        small[2:2] = [device]
        line = refusal(*small, "--lanes", "16").splitlines()[-1].removeprefix("tritgrad: ")
        assert line == f"--lanes 16: the core on {device} has 8; leave --lanes away"
        call(*small, "--lanes", "8", "--out", "run")
        line = refusal("eval", "run/model.npz", "--device", device, "--banks", "2").splitlines()[-1]
        assert line.endswith(f"--banks 2: the core on {device} has 4; leave --banks away")


def test_a_device_that_counts_no_cycles_shows_none(monkeypatch):
    monkeypatch.setattr(training, "SimTransport", lambda config, *rest: GoldenTransport(config))
    result = call("train", "--device", "sim", *QUICK[3:])
    assert "cycles" not in result.stdout and "cycles" not in result.stderr


def test_the_forward_pass_is_not_more_than_all_of_something(monkeypatch):
    class Counting(GoldenTransport):
        """Counts what would be 109 % of the roofline: zeros are skipped."""
    from tritgrad.host.run.learners import DeviceLearner
    before = DeviceLearner.train

    def train(self, *arguments):
        done = before(self, *arguments)
        return replace(done, cycles=30 * done.samples, forward_cycles=5 * done.samples)
    monkeypatch.setattr(DeviceLearner, "train", train)
    monkeypatch.setattr(training, "SimTransport", lambda config, *rest: Counting(config))
    shown = call("train", "--device", "sim", *QUICK[3:]).stdout
    assert "% of dense" not in shown
    assert re.search(r"forward pass +│ 5.0 cycles, as zeros are skipped; dense data take [67]\.\d",
                     shown)


@pytest.mark.parametrize("updates, panes", [([3, 1], 2), ([0, 0], 1)])
def test_a_curve_has_no_empty_half(monkeypatch, updates, panes):
    drawn = []
    monkeypatch.setattr(plots, "save_figure", lambda figure, path: drawn.append(figure))
    plots.learning_curve({"train_accuracy": [1, 2], "test_accuracy": [1, 2], "updates": updates,
                          "samples": 5, "dataset": "d", "layers": [1, 2], "device": "model"},
                         "a.png")
    assert isinstance(drawn[0], Figure) and len(drawn[0].axes) == panes


def test_two_builds_in_a_folder(monkeypatch):
    from filelock import FileLock
    Path("out").mkdir()
    with FileLock("out/.lock"):
        assert refusal("build", "icebreaker", "--out", "out") == (
            "another tritgrad is at work in out; wait until it has ended, or choose another folder")
    assert np.all([name == ".lock" for name in [p.name for p in Path("out").iterdir()]])
