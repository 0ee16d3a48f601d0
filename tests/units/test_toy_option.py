"""An option added to one record, in a copy of the tree, is everywhere without another edit."""

import json

import pytest

from ..walk import copied, python

RECORD = "units/row_sums/__init__.py"
BEHIND = 'passes over each row; needs --row-sums.", sockets=("debt",)),\n'
OPTION = '''        Option("toys", "Keep N toys beside the sums.", default=0, limits=(0, 900),
               trial=5, code="H"),
'''
MEMORY = "    memories=lambda c: ("
ASKED = '    wanted=lambda run: {'
TRAINING = '    training=(Option(\n        "gf3",'
TOYED = '''    training=(Option("toyed", "Train beside N toys, {range}.", None, (1, 900)), Option(
        "gf3",'''
TOYS = '''Memory("TOYS", "toys", 100 * c.toys, 16, "engine.row_sums.toys"),
                        '''

ASK = '''
import json, random
from tritgrad.boards import find_board
from tritgrad.document import units
from tritgrad.errors import BadInput, ConfigError
from tritgrad.host.api.estimator import TernaryClassifier
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.sweep.grid import parse_grid, points
from tritgrad.model.config import CoreConfig
from tritgrad.model.golden_device import GoldenDevice
from tritgrad.firmware.frames import Frame, FrameDecoder, Type, unpack_fields
from tritgrad.sim.trials import CORES, SMALL, random_units
from tritgrad.units.registry import HELLO_FIELDS

def refusal(make):
    try:
        make()
    except (BadInput, ConfigError) as error:
        return str(error)

device = GoldenDevice(SMALL.changed(row_sums=True, toys=700))
answer, = FrameDecoder().feed(device.feed(Frame(Type.HELLO, 0, b"\\1\\0\\0\\0").encode()))
seeds = [random_units(random.Random(seed), SMALL).toys for seed in range(40)]
print(json.dumps({
    "range": refusal(lambda: CoreConfig(row_sums=True, toys=901)),
    "alone": refusal(lambda: CoreConfig(toys=3)),
    "hello": unpack_fields(HELLO_FIELDS, answer.payload[6:])[0]["toys"],
    "cores": [name for name, core in CORES.items() if core.toys],
    "seeds": sorted(set(seeds)),
    "board": refusal(lambda: find_board("icebreaker").resized(
        units={"row_sums": True, "toys": 900})),
    "page": units(),
    "trained": refusal(lambda: TrainOptions(toyed=901)),
    "core": TrainOptions(toyed=7, gf3="check").core((9, 8, 3), 1).toys,
    "kept": TrainOptions.from_json(TrainOptions(toyed=7).as_json()).toyed,
    "old": TrainOptions.from_json({name: value for name, value in TrainOptions().as_json().items()
                                   if name != "toyed"}).toyed,
    "parameter": TernaryClassifier(toyed=4).get_params()["toyed"],
    "grid": [run.options.toyed for run in points(TrainOptions(), parse_grid(["toyed=1,2"]), (1,))],
}))
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A folder to import a copy of tritgrad from."""
    site = tmp_path_factory.mktemp("site")
    copied(site)
    path = site / "tritgrad" / RECORD
    text = path.read_text()
    for old, new in ((BEHIND, BEHIND + OPTION), (MEMORY, MEMORY + TOYS), (TRAINING, TOYED),
                     (ASKED, ASKED + '"toys": run.toyed or 0, ')):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text)
    return site


@pytest.fixture(scope="module")
def said(copy):
    return json.loads(python(copy, "-c", ASK))


def test_the_checks_know_it(said):
    assert said["range"] == "toys must be an integer from 0 to 900, not 901"
    assert said["alone"] == "toys must be 0 where row_sums is False, not 3"


def test_hello_tells_it(said):
    assert said["hello"] == 700


def test_fuzz_and_lockstep_build_it(said):
    assert said["cores"] and said["seeds"] == [0, 5]


def test_the_board_s_estimate_counts_it(said):
    assert said["board"].startswith(
        "toys 900 does not fit on icebreaker: 1 x 90000 words of 16 bits take ")


def test_the_matrix_has_it(said):
    row, = (line for line in said["page"].splitlines() if line.startswith("| `toys` |"))
    sums, = (line for line in said["page"].splitlines() if line.startswith("| `row_sums` |"))
    assert row.count("no ") == sums.count("no ") > 0
    assert "| `--toys` | `units/row_sums` | Keep N toys beside the sums. |" in said["page"]
    assert "| `--toyed` | `units/row_sums` | Train beside N toys, 1 to 900. |" in said["page"]


def test_a_run_checks_it_and_asks_for_a_core_with_it(said):
    assert said["trained"] == "toyed must be an integer from 1 to 900, not 901"
    assert said["core"] == 7


def test_checkpoints_keep_it_and_old_ones_are_read(said):
    assert (said["kept"], said["old"]) == (7, None)


def test_the_estimator_and_grids_of_sweeps_have_it(said):
    assert (said["parameter"], said["grid"]) == (4, [1, 2])


def test_train_offers_it(copy):
    text = python(copy, "-m", "tritgrad", "train", "--help")
    assert "--toyed N" in text and "Train beside N toys, 1 to 900." in text


@pytest.mark.parametrize("command", ["verilog", "build"])
def test_the_command_line_offers_it(copy, command):
    text = python(copy, "-m", "tritgrad", command, "--help")
    assert "--toys N" in text and "Keep N toys beside the sums." in text
