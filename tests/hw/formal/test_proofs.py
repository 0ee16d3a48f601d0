"""Each property holds of its unit, and fails where a fault is planted in it: docs/proofs.md."""

import re
from pathlib import Path

import pytest

from .prover import Answer, prove, why_not
from .rows import OPEN, ROWS

ROOT = Path(__file__).parents[3]
# ``make proofs`` asks for the other faults and for the long rows too.
CASES = [(row.name, fault) for row in ROWS.values() if not row.long
         for fault in (None, *range(len(row.faults[:1])))]

needs_solver = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


@needs_solver
@pytest.mark.parametrize("name,fault", CASES, ids=[
    name if fault is None else f"{name}, fault {fault}" for name, fault in CASES])
def test_property(name, fault, tmp_path):
    row = ROWS[name]
    verdict = prove(row.property(fault), row.depth, tmp_path,
                    induction=row.induction and fault is None)
    assert verdict.answer is (Answer.PASS if fault is None else Answer.FAIL), (
        (tmp_path / "log").read_text()[-2000:])


def test_every_unit_is_proved_or_named_as_open():
    found = {f"{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}"
             for folder in ("hw", "units") for path in (ROOT / folder).rglob("*.py")
             if re.search(r"^class \w+\(wiring\.Component\)|^def delayed", path.read_text(), re.M)}
    proved = {row.module for row in ROWS.values()}
    assert found - proved == set(OPEN)
    assert not proved & set(OPEN)


def test_the_page_lists_every_row():
    text = (ROOT / "docs" / "proofs.md").read_text()
    told = re.findall(r"^\| ([^|]+?) \| `([^`]+)` \| ([^|]+?) \| ([^|]+?) \|", text, re.M)
    assert told == [(row.name, row.module, row.says, row.mode) for row in ROWS.values()], (
        "python -m tests.hw.formal prints the table anew")
    for name in OPEN:
        assert f"`{name}`" in text
