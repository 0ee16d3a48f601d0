"""What puts networks on devices and trains them names no unit: each has parts of its own there."""

import re
from pathlib import Path

import pytest

from tritgrad.host.run.options import TrainOptions
from tritgrad.units import UNITS
from tritgrad.units.device_part import DevicePart
from tritgrad.units.registry import COLUMNS, LAYER_ROW, OPTIONS, TRAINING, run_parts
from tritgrad.units.run_part import RunPart

ROOT = Path(__file__).resolve().parents[2]
#: Words that speak of a unit. That there may be no memory R is known wherever T and R are.
WORDS = ({unit.name for unit in UNITS} | {*OPTIONS} | {column.name for column in COLUMNS}
         | {act for unit in UNITS for act in unit.acts} | {"granules", "sums"}) - {"trainable"}
#: A convolution in front is part of a network's shape, as its hidden layers are, so whoever makes a
#: core or a program for a network asks the network for it.
SHAPE = {"conv"}


@pytest.mark.parametrize("name", ["driver", "runner", "memories", "session", "transport", "open"])
def test_no_unit_is_named(name):
    text = (ROOT / "host" / "device" / f"{name}.py").read_text()
    words = WORDS - (SHAPE if name == "open" else set())
    assert sorted(words & set(re.findall(r"\w+", text))) == []


@pytest.mark.parametrize("name", ["options", "training"])
def test_no_unit_is_named_by_a_run(name):
    text = (ROOT / "host" / "run" / f"{name}.py").read_text()
    assert sorted(((WORDS | {*TRAINING}) - SHAPE) & set(re.findall(r"\w+", text))) == []


def test_a_name_is_found():
    assert WORDS & set(re.findall(r"\w+", "if self.config.row_sums: self.scrub()")) == {
        "row_sums", "scrub"}


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.device], ids=lambda u: u.name)
def test_a_part_is_there_with_what_its_record_says(unit):
    part = unit.loaded("device", unit.device)
    assert issubclass(part, DevicePart)
    own = {name for name in vars(part) if not name.startswith("_")} - {*vars(DevicePart)}
    assert own == {*unit.acts}
    assert ("state" in vars(part)) == bool(unit.state)


def test_parts_of_runs_are_there_with_what_their_base_has():
    assert len(run_parts()) == sum(bool(unit.run) for unit in UNITS)
    for part in run_parts():
        own = {name for name in vars(type(part)) if not name.startswith("_")}
        assert isinstance(part, RunPart) and own <= {*vars(RunPart)}


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.training], ids=lambda u: u.name)
def test_options_of_training_ask_for_a_core_with_the_unit(unit):
    first = unit.training[0]
    value = (True if first.flag else first.choices[0] if first.choices else
             (first.limits or (1,))[0] if not first.many else (60,) * first.count)
    options = TrainOptions(**{first.name: value})
    assert getattr(options.core((9, 8, 8, 3), 1), unit.field)
    assert not getattr(TrainOptions().core((9, 8, 8, 3), 1), unit.field)


def test_the_layer_row_has_the_columns_of_units_last():
    assert [name for name, _ in LAYER_ROW] == ["inputs", "outputs", "planes", "shift", "gain",
                                               "skip"]
