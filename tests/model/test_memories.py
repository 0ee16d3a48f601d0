"""The memories that a board is asked for are those of the elaborated core."""

import re

import pytest
from amaranth.back import rtlil

from tritgrad.hw.core import Core
from tritgrad.model.config import CoreConfig
from tritgrad.model.memories import copied, memories
from tritgrad.units import registry

SMALL = CoreConfig(
    lanes=2, banks=2, update_lanes=1, activation_bits=2, input_planes=2, max_layers=2,
    max_inputs=21, max_neurons=11, max_classes=5, trit_depth=40, residual_depth=120,
    hidden_depth=6, program_depth=8, slot_bytes=128)


def elaborated(config):
    """(depth, width) of each memory by the path of its module, copies together."""
    found, module = {}, ""
    for line in rtlil.convert(Core(config), name="core", emit_src=False).splitlines():
        if match := re.match(r"module \\core\.(\S+)", line):
            module = re.sub(r"\$\d+", "", match[1])
        if match := re.match(r"\s*memory width (\d+) size (\d+) ", line):
            found.setdefault(module, []).append((int(match[2]), int(match[1])))
    return found


def of_path(found, path):
    """Those of `elaborated` that a record's path names: itself, or it with more behind."""
    return [shape for module, shapes in found.items() for shape in shapes
            if re.fullmatch(rf"{re.escape(path)}(\d+|\..*)?", module)]


def checked(config):
    found, listed = elaborated(config), memories(config)
    for memory in listed:
        shapes = of_path(found, memory.path)
        assert shapes == [(memory.depth, memory.width)] * memory.copies, memory.name
    assert sum(memory.copies for memory in listed) == sum(map(len, found.values()))


@pytest.mark.parametrize("field", ["", *registry.CHOICES])
def test_the_list_is_what_is_elaborated(field):
    """With each option at its trial value, or without what is there by default."""
    option = registry.OPTIONS.get(field)
    if option is None:
        checked(SMALL)
    elif option.default:
        checked(SMALL.changed(**{field: option.absent}))
    else:
        on = {name: registry.OPTIONS[name].trial for name in registry.implied(field)}
        image = {"lanes": 4, "max_inputs": 40} if field.startswith("conv_") else {}
        checked(SMALL.changed(**image, **on))


@pytest.mark.parametrize(("path", "more", "modules"), [
    ("engine.inputs.memory", {}, ["engine.inputs.memory"]),
    ("engine.lister.memory", {"update_rows": 2},
     ["engine.lister.memory0", "engine.lister.memory1"]),
    ("engine.inputs.memory", {
        "lanes": 4, "max_inputs": 60, "conv_channels": 3,
        **{name: registry.OPTIONS[name].trial for name in registry.implied("conv_channels")}},
     [f"engine.inputs.memory{n}" for n in range(3)])])
def test_a_copy_of_a_memory_is_a_module_of_its_own(path, more, modules):
    config = SMALL.changed(**more)
    assert list(copied(config, [path, "commands.hello.memory"])) == [
        *modules, "commands.hello.memory"]
    assert set(modules) <= set(elaborated(config))


def test_units_that_share_a_field_count_it_once():
    checked(SMALL.changed(row_sums=True, scales=True, trace=True))


def test_wide_lanes_and_one_bank():
    checked(SMALL.changed(lanes=32, update_lanes=32, banks=1, resident=3))
