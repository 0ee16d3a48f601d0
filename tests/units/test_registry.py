"""What is made from the units' records agrees with what a core allows."""

import itertools
import subprocess
import sys

import pytest

from tritgrad.errors import ConfigError
from tritgrad.firmware.frames import Space, size_of
from tritgrad.firmware.isa import Op
from tritgrad.model.config import EXCLUDED_FORMS, FORMS, CoreConfig
from tritgrad.model.machine import Machine
from tritgrad.units import UNITS, registry

OPTIONS = registry.OPTIONS
VARIANTS = [*registry.CHOICES, *FORMS]


def fields_of(name):
    """A variant as fields, with the options that it needs."""
    if name in FORMS:
        return {name: FORMS[name]}
    if OPTIONS[name].default:
        return {name: OPTIONS[name].absent}
    return {wanted: OPTIONS[wanted].trial for wanted in registry.implied(name)}


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_is_possible_alone(name):
    CoreConfig(**fields_of(name))


@pytest.mark.parametrize("a, b", list(itertools.combinations(VARIANTS, 2)))
def test_the_refused_pairs_are_those_that_a_core_refuses(a, b):
    listed = registry.refused_pairs() | {frozenset(pair): "" for pair in EXCLUDED_FORMS}
    try:
        CoreConfig(**fields_of(a) | fields_of(b))
        refused = False
    except ConfigError:
        refused = True
    assert refused == (frozenset((a, b)) in listed)


def test_hello_has_the_fields_it_had():
    """New ones come behind them, with another PROTOCOL_VERSION: old hosts read these."""
    names = [name for name, _ in registry.HELLO_FIELDS]
    assert names[19:] == ["store", "store_bits", "trainable", "trace", "row_sums", "conserve",
                          "resident", "support", "scales", "skip", "watchdog", "signature"]
    assert names[:4] == ["magic", "protocol", "slots", "slot_bytes"]


@pytest.mark.parametrize("conv", [{}, {"conv_channels": 1}, {"conv_channels": 3}])
@pytest.mark.parametrize("shift", [0, 3])
@pytest.mark.parametrize("rows", [1, 2, 4])
def test_hello_tells_what_only_some_cores_have(conv, rows, shift):
    fields = fields_of("conv_kernels") | {"conv_channels": 1} | conv if conv else {}
    if shift and fields:
        fields |= {"conv_channels": 1}
    config = CoreConfig(update_rows=rows, **fields)
    if shift:
        sizes = {f"store_{name}": getattr(config, f"conv_{name}") or 4
                 for name in ("rows", "columns", "planes")}
        config = config.changed(store=1, store_bits=9, store_shift=shift, **sizes)
    tail = registry.hello_fields(config)[len(registry.HELLO_FIELDS):]
    told = registry.hello_tail(size_of(tail)) if tail else ()
    assert told == tail
    fields = [name for name, _ in (*registry.HELLO_FIELDS, *told) if hasattr(config, name)]
    assert config == CoreConfig(**{name: getattr(config, name) for name in fields})


def test_no_instruction_and_no_memory_has_two_owners():
    ops = [op for unit in UNITS for op in unit.ops]
    spaces = [window.space for unit in UNITS for window in unit.windows]
    assert len(set(ops)) == len(ops) and len(set(spaces)) == len(spaces)
    assert set(spaces) == set(Space) - {Space.T, Space.R}
    assert {op for op in Op if registry.needed_by(op) is None} == set(
        registry.available(CoreConfig(trainable=False)))


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.windows], ids=lambda u: u.name)
def test_what_is_put_into_a_window_is_there(unit):
    config = CoreConfig(lanes=4, update_lanes=4, banks=2, max_inputs=40, **fields_of(unit.field))
    machine = Machine(config)
    for window in unit.windows:
        size, depth = window.word_bytes(config), window.depth(config)
        ones = bytes([1] + [0] * (size - 1))
        machine.write(window.space, depth - 2, 2 * ones)
        assert machine.read(window.space, depth - 2, depth) == 2 * ones
        assert not any(machine.read(window.space, 0, depth - 2))
        assert size == -(-window.bits(config) // 8)


def test_a_record_loads_neither_amaranth_nor_the_model():
    code = ("import sys; import tritgrad.units.registry\n"
            "print([name for name in sys.modules if name.split('.')[0] == 'amaranth'"
            " or name.startswith(('tritgrad.model', 'tritgrad.hw', 'tritgrad.host'))])")
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
