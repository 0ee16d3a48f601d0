"""The contributors' walk: the unit of docs/contributing.md, added to a copy of the tree."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("boards", "firmware", "host", "hw", "model", "sim", "units")
#: Of the tests, what runs an engine beside the reference machine.
LOCKSTEP = ("__init__.py", "hw/__init__.py", "hw/lockstep.py")

BLOCK = re.compile(r'^```python\n# (\S+?)(?:, behind "([^\n]*)")?\n(.*?)^```$', re.M | re.S)

ASK = """
import json, random, sys
from tests.hw.lockstep import random_lockstep
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


def blocks():
    """File, the line that it goes behind or "", and text of each block of the page."""
    page = (ROOT / "docs" / "contributing.md").read_text()
    return [(file, behind.replace('\\"', '"'), text) for file, behind, text in BLOCK.findall(page)]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A folder to import the copy from."""
    site = tmp_path_factory.mktemp("site")
    ignore = shutil.ignore_patterns("__pycache__", "reports", "*.egg-info")
    shutil.copytree(ROOT / "tritgrad", site / "tritgrad", ignore=ignore)
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, site / "tritgrad" / folder, ignore=ignore)
    for name in LOCKSTEP:
        target = site / "tests" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "tests" / name, target)
    for file, behind, text in blocks():
        path = site / "tritgrad" / file
        if not behind:
            path.parent.mkdir(exist_ok=True)
            assert not path.exists()
            path.write_text(text)
            continue
        before = path.read_text()
        assert before.count(behind + "\n") == 1, (file, behind)
        path.write_text(before.replace(behind + "\n", behind + "\n" + text))
    return site


def python(site, *arguments):
    environment = os.environ | {"PYTHONPATH": str(site), "COLUMNS": "200"}
    return subprocess.run([sys.executable, *arguments], env=environment, cwd=site,
                          capture_output=True, text=True)


def test_only_its_own_folder_the_registry_and_numbers_are_written():
    files = {file for file, behind, _ in blocks() if behind}
    assert files == {"firmware/isa.py", "firmware/frames.py", "units/__init__.py"}
    added = [text for _, behind, text in blocks() if behind]
    assert sum(text.count("\n") for text in added) <= 7
    assert {file.rpartition("/")[0] for file, behind, _ in blocks() if not behind} == {
        "units/tally"}


def test_it_is_everywhere_and_does_what_its_golden_part_does(copy, fresh_seed):
    done = python(copy, "-c", ASK, str(fresh_seed))
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout)
    assert said["hello"] == 1 and said["pages"] == [True, True]
    assert "tally" in said["cores"] and said["drawn"] > 0
    assert said["refused"] == ["trainable"]


def test_a_fault_planted_in_the_circuit_is_found(copy, tmp_path):
    site = tmp_path / "site"
    shutil.copytree(copy, site, ignore=shutil.ignore_patterns("__pycache__"))
    path = site / "tritgrad" / "units" / "tally" / "rtl.py"
    text = path.read_text()
    assert text.count("writes.eq(ends & inside)") == 1
    path.write_text(text.replace("writes.eq(ends & inside)", "writes.eq(ends)"))
    found = [python(site, "-c", ASK, str(seed)) for seed in (1, 4)]
    assert any("AssertionError: TALLY[" in done.stderr for done in found), found[0].stderr[-2000:]


def test_the_command_line_offers_it(copy):
    assert "--tally" in python(copy, "-m", "tritgrad", "verilog", "--help").stdout
