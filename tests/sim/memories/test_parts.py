"""The parts of data sheets are those that the C++ models take."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

import tritgrad.sim.memories.parts as parts
from tritgrad.sim.memories.parts import FlashPart, HyperPart, SdramPart


@pytest.mark.parametrize("part, file", [
    (SdramPart, "sdram.hpp"), (FlashPart, "flash.hpp"), (HyperPart, "hyper.hpp")])
def test_a_part_has_the_fields_of_its_struct_in_their_order(part, file):
    text = Path(parts.__file__).with_name(file).read_text()
    body = re.search(rf"struct {part.__name__} {{(.*?)}};", text, re.S)
    names = re.findall(r"uint64_t ([^;]+);", body[1])
    assert [field.name for field in fields(part)] == ", ".join(names).split(", ")
