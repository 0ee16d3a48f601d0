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
TOYS = '''Memory("TOYS", "toys", 100 * c.toys, 16, "engine.row_sums.toys"),
                        '''

ASK = '''
import json, random
from tritgrad.boards import find_board
from tritgrad.document import units
from tritgrad.errors import ConfigError
from tritgrad.model.config import CoreConfig
from tritgrad.model.golden_device import GoldenDevice
from tritgrad.firmware.frames import Frame, FrameDecoder, Type, unpack_fields
from tritgrad.sim.trials import CORES, SMALL, random_units
from tritgrad.units.registry import HELLO_FIELDS

def refusal(make):
    try:
        make()
    except ConfigError as error:
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
}))
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A folder to import a copy of tritgrad from."""
    site = tmp_path_factory.mktemp("site")
    copied(site)
    path = site / "tritgrad" / RECORD
    text = path.read_text()
    assert text.count(BEHIND) == text.count(MEMORY) == 1
    path.write_text(text.replace(BEHIND, BEHIND + OPTION).replace(MEMORY, MEMORY + TOYS))
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


@pytest.mark.parametrize("command", ["verilog", "build"])
def test_the_command_line_offers_it(copy, command):
    text = python(copy, "-m", "tritgrad", command, "--help")
    assert "--toys N" in text and "Keep N toys beside the sums." in text
