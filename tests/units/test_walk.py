"""The contributors' walk: the unit of docs/contributing.md, added to a copy of the tree."""

import json
import shutil
from pathlib import Path

import pytest

from ..walk import added, blocks, python, ran

ROOT = Path(__file__).resolve().parents[2]
SECTION = "Add a unit"
#: Of the tests, what runs an engine beside the reference machine.
LOCKSTEP = ("__init__.py", "hw/__init__.py", "hw/cases.py", "hw/lockstep.py", "hw/unit_state.py")

ASK = """
import json, random, sys
from tests.hw.cases import random_lockstep
from tritgrad.boards import find_board
from tritgrad.document import instruction_set, units
from tritgrad.firmware.frames import Frame, FrameDecoder, Type, unpack_fields
from tritgrad.model.golden_device import GoldenDevice
from tritgrad.sim.trials import CORES, random_units, SMALL
from tritgrad.units.registry import HELLO_FIELDS, refused_pairs

seed = int(sys.argv[1])
device = GoldenDevice(SMALL.changed(tally=True))
answer, = FrameDecoder().feed(device.feed(Frame(Type.HELLO, 0, b"\\1\\0\\0\\0").encode()))
print(json.dumps({
    "hello": unpack_fields(HELLO_FIELDS, answer.payload[6:])[0]["tally"],
    "cores": [name for name, core in CORES.items() if core.tally],
    "drawn": sum(random_units(random.Random(n), SMALL).tally for n in range(40)),
    "refused": sorted(max(pair - {"tally"}) for pair in refused_pairs() if "tally" in pair),
    "pages": [name in page for name, page in (("tally", units()), ("WATCH", instruction_set()))],
}))
for number in range(3):
    run = random_lockstep(seed + number, units=["tally"], chance=0.2, max_size=10)
    run.run(limit=60)
"""

FUZZ = """
import random, sys
from tritgrad.model.golden_device import GoldenDevice
from tritgrad.sim.device import open_sim
from tritgrad.sim.fuzz import Mismatch, run
from tritgrad.sim.trials import CORES

config = CORES["tally"]


class Wrong:
    # A golden device that counts one flip too many.
    def __init__(self):
        self.device = GoldenDevice(config)
        machine, part = self.device.machine, self.device.machine.parts["tally"]

        def more(change):
            if change.number == part.layer:
                part.counts[machine.rows(change.number)][change.row] ^= 1

        machine.asks["updated"].append(more)

    def run(self, data, cycles):
        return len(data), self.device.feed(data)


try:
    run(Wrong(), GoldenDevice(config), 1500, random.Random(1), every=50)
except Mismatch as error:
    print(error)
else:
    raise AssertionError("fuzz does not see what the unit does")
with open_sim(config) as core:
    run(core, GoldenDevice(config), 1500, random.Random(int(sys.argv[1])), every=50)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A folder to import the copy from."""
    site = tmp_path_factory.mktemp("site")
    added(site, SECTION)
    for name in LOCKSTEP:
        target = site / "tests" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "tests" / name, target)
    return site


def test_only_its_own_folder_the_registry_and_numbers_are_written():
    walk = blocks(SECTION)
    files = {file for file, behind, _ in walk if behind}
    assert files == {"firmware/isa.py", "firmware/frames.py", "units/__init__.py"}
    lines = [text for _, behind, text in walk if behind]
    assert sum(text.count("\n") for text in lines) <= 7
    assert {file.rpartition("/")[0] for file, behind, _ in walk if not behind} == {
        "units/tally"}


def test_it_is_everywhere_and_does_what_its_golden_part_does(copy, fresh_seed):
    said = json.loads(python(copy, "-c", ASK, fresh_seed))
    assert said["hello"] == 1 and said["pages"] == [True, True]
    assert "tally" in said["cores"] and said["drawn"] > 0
    assert said["refused"] == ["trainable"]


def test_fuzz_attacks_it_and_sees_what_it_does(copy, fresh_seed):
    assert "answers otherwise" in python(copy, "-c", FUZZ, fresh_seed)


def test_a_fault_planted_in_the_circuit_is_found(copy, tmp_path):
    site = tmp_path / "site"
    shutil.copytree(copy, site, ignore=shutil.ignore_patterns("__pycache__"))
    path = site / "tritgrad" / "units" / "tally" / "rtl.py"
    text = path.read_text()
    assert text.count("writes.eq(ends & inside)") == 1
    path.write_text(text.replace("writes.eq(ends & inside)", "writes.eq(ends)"))
    found = [ran(site, "-c", ASK, seed) for seed in (1, 4)]
    assert any("AssertionError: TALLY[" in done.stderr for done in found), found[0].stderr[-2000:]


def test_the_command_line_offers_it(copy):
    assert "--tally" in python(copy, "-m", "tritgrad", "verilog", "--help")
