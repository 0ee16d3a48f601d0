"""Units join by sockets: what puts a core together names none, and a unit has those it says."""

import re
from pathlib import Path

import pytest
from amaranth.hdl import Fragment
from amaranth.lib import wiring

from tritgrad.hw.engine import Engine
from tritgrad.sim.trials import SMALL
from tritgrad.units import UNITS
from tritgrad.units.record import SOCKETS
from tritgrad.units.registry import OPTIONS, implied

ROOT = Path(__file__).resolve().parents[2]
NAMES = {unit.name for unit in UNITS} | set(OPTIONS)
JOINING = [ROOT / "hw" / name for name in (
    "core.py", "engine.py", "forward_pass.py", "joins.py", "training.py", "control/sequencer.py")]
#: Sockets that are parts of the circuit, in place of a core's own, or forms without wires.
PARTS, FORMS = {"inputs", "reader"}, {"masks", "debt", "training", "front"}


def asked(text):
    """Units that a module asks for: their options, or modules of their folders."""
    fields = "|".join(sorted(NAMES))
    return re.findall(rf"config\.(?:{fields})\b|units\.(?:{fields})\b", text)


def test_what_asks_for_a_unit_is_found():
    assert asked("if config.row_sums:") == ["config.row_sums"]
    assert asked("from ..units.scales.rtl import ScaleUnit") == ["units.scales"]
    assert asked("takes(config, 'stage'); from ..units.registry import takes") == []


@pytest.mark.parametrize("path", [
    *JOINING, *sorted((ROOT / "hw/link").glob("*.py")),
    *sorted((ROOT / "hw/datapath").glob("*.py")),
], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_unit_is_asked_for(path):
    allowed = {"hw/link/table.py": {"config.trainable"}, "hw/link/window.py": {"config.trainable"}}
    assert set(asked(path.read_text())) <= allowed.get(str(path.relative_to(ROOT)), set())


@pytest.mark.parametrize(("path", "lines"), [("hw/engine.py", 200), ("model/machine.py", 300)])
def test_the_engine_and_the_machine_name_no_unit(path, lines):
    text = (ROOT / path).read_text()
    assert sorted(NAMES & set(re.findall(r"\w+", text))) == []
    assert len(text.splitlines()) < lines


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.circuit], ids=lambda u: u.name)
def test_a_circuit_has_the_sockets_of_its_record(unit):
    config = SMALL.changed(**dict(unit.trial_sizes) | {
        name: OPTIONS[name].trial for name in implied(unit.field)})
    engine = Engine(config)
    Fragment.get(engine, None)  # what is made must be used
    circuit = engine.sockets.units[unit.name]
    wires = set(unit.sockets) - PARTS - FORMS
    assert set(circuit.signature.members) == wires
    assert all(isinstance(getattr(circuit, name), wiring.Component)
               for name in PARTS & set(unit.sockets))


def test_all_sockets_are_named_once():
    taken = {name for unit in UNITS for name in (
        *unit.sockets, *(name for option in unit.options for name in option.sockets))}
    assert taken == set(SOCKETS)
