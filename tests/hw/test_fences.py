"""Cores are what they were when their cells and cycles were measured."""

from dataclasses import replace
from importlib.metadata import version

import pytest

from tritgrad.boards import BOARDS

from .fences import FENCES, core_config, fences, rtlil_sha256

#: Boards with the same core as one that is listed before.
SAME = {name for n, name in enumerate(BOARDS)
        if any(BOARDS[name].config == BOARDS[other].config for other in list(BOARDS)[:n])}


def test_every_board_has_a_fence():
    assert set(BOARDS) <= set(fences())


@pytest.mark.parametrize("name", [name for name in fences() if name not in SAME])
def test_core_is_unchanged(name):
    fence = fences()[name]
    if version("amaranth") != fence["amaranth"]:
        pytest.skip(f"the hashes are of Amaranth {fence['amaranth']}")
    assert rtlil_sha256(core_config(name, fence)) == fence["rtlil_sha256"], (
        f"{name} is another core than the one that took {fence['lut4']} LUT4; if that is meant, "
        f"run `make fences`, see what moved, and commit {FENCES.name}")


def test_another_core_has_another_hash():
    name, fence = next((name, fence) for name, fence in fences().items() if "config" in fence)
    config = core_config(name, fence)
    assert rtlil_sha256(replace(config, activation_bits=config.activation_bits + 1)) != (
        fence["rtlil_sha256"])
