"""The board of docs/contributing.md: its file and its name in the registry are all it takes."""

import json

import pytest

from ..walk import added, python

ASK = """
import json
from tritgrad.boards import find_board
from tritgrad.sim.virtual import ModelBoard
board = find_board("breadboard")
board.check()
ModelBoard(board.config)
print(json.dumps([board.config.lanes, board.clock_hz, str(board.pll.output_hz)]))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = tmp_path_factory.mktemp("site")
    assert set(added(site, "Add a board")) == {"boards/breadboard.py", "boards/__init__.py"}
    return site


def test_its_core_fits_and_can_be_served(site):
    assert json.loads(python(site, "-c", ASK)) == [4, 16_500_000, "16500000"]


def test_the_commands_know_it(site):
    rows = json.loads(python(site, "-m", "tritgrad", "boards", "--json").splitlines()[-1])["boards"]
    row, = (row for row in rows if row["board"] == "breadboard")
    assert (row["lanes"], row["lut4"], row["networks"]) == (4, None, [[64, 32, 10]])
