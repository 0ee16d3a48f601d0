"""The assembler: encodings, and errors that name line and operand."""

import random

import pytest

from tritgrad.firmware.assembler import AssemblyError, assemble, disassemble
from tritgrad.firmware.isa import INSTRUCTIONS, Op, Operand, decode, encode
from tritgrad.firmware.programs import infer, train


def test_train_is_these_words():
    assert train(2, 1000, 64) == [
        0x010003E8, 0x03000000, 0x04000001, 0x04000002, 0x05000040, 0x06000009, 0x07000002,
        0x08000001, 0x08000002, 0x02000001, 0x00000000]


def test_infer_is_these_words():
    assert infer(1, 7) == [0x01000007, 0x03000000, 0x04000001, 0x09000000, 0x02000001, 0x00000000]


def test_disassembly_assembles_to_the_same():
    words = train(3, 5, 9)
    assert assemble(disassemble(words), layers=3) == words
    assert disassemble([0x77000000]) == ".word 0x77000000"


def test_every_instruction_is_in_the_table():
    assert set(INSTRUCTIONS) == set(Op)
    for op in Op:
        assert decode(encode(op, 5)) == (op, 5)


def test_labels_symbols_comments_and_numbers():
    assert assemble("a: b: COUNT n ; text\n\n LOOP b\nskip 0x1", layers=1, symbols={"n": 3}) == [
        0x01000003, 0x02000000, 0x06000001]


@pytest.mark.parametrize("source, message", [
    ("HALT\nJUMP 3", r"^line 2: no instruction 'JUMP'; there are HALT, COUNT, "),
    ("FWD", r"^line 1: FWD takes one operand \(layer\), not ''$"),
    ("HALT 3", r"^line 1: HALT takes no operand, not '3'$"),
    ("\nFWD 3", r"^line 2: FWD 3: the layer must be from 1 to 2, not 3$"),
    ("FWD 0", r"^line 1: FWD 0: the layer must be from 1 to 2, not 0$"),
    ("ERR 0", r"^line 1: ERR 0: the margin must be from 1 to 8388607, not 0$"),
    ("COUNT 0x1000000", r"^line 1: COUNT 0x1000000: the count must be from 1 to 16777215, not "),
    ("LOOP there", r"^line 1: LOOP there: no such label$"),
    ("LOOP 1", r"^line 1: LOOP 1: the target must be from 0 to 0, not 1$"),
    ("COUNT many", r"^line 1: COUNT many: no such name or number$"),
    ("a: HALT\na: HALT", r"^line 2: label 'a' is already defined$"),
    ("1a: HALT", r"^line 1: '1a' cannot be a label$"),
])
def test_errors_name_line_and_operand(source, message):
    with pytest.raises(AssemblyError, match=message):
        assemble(source, layers=2)


@pytest.mark.parametrize("source, message", [
    ("FWD 1 2", r"^line 1: FWD takes one operand \(layer\), not '1 2'$"),
    ("COUNT 0", r"^line 1: COUNT 0: the count must be from 1 to 16777215, not 0$"),
    ("COUNT -1", r"^line 1: COUNT -1: the count must be from 1 to 16777215, not -1$"),
    ("ERR 8388608", r"^line 1: ERR 8388608: the margin must be from 1 to 8388607, not 8388608$"),
    ("bwd n", r"^line 1: BWD n: the layer must be from 1 to 2, not 9$"),
    ("UPD nine", r"^line 1: UPD nine: no such name or number$"),
    ("SKIP end\nend:", r"^line 1: SKIP end: the target must be from 0 to 0, not 1$"),
    ("HALT ; a\n\n  SEND it", r"^line 3: SEND takes no operand, not 'it'$"),
    ("n: HALT", r"^line 1: label 'n' is already defined$"),
    (": HALT", r"^line 1: '' cannot be a label$"),
])
def test_more_errors_name_line_and_operand(source, message):
    with pytest.raises(AssemblyError, match=message):
        assemble(source, layers=2, symbols={"n": 9})


@pytest.mark.parametrize("value", [-1, 1 << 24])
def test_an_immediate_has_24_bits(value):
    message = rf"^an immediate must be from 0 to 2\^24 - 1, not {value}$"
    with pytest.raises(ValueError, match=message):
        encode(Op.COUNT, value)


@pytest.mark.parametrize("seed", range(10))
def test_random_programs_survive_disassembly(seed):
    rng = random.Random(seed)
    length = rng.randint(1, 30)
    limits = {Operand.NONE: (0, 0), Operand.COUNT: (1, (1 << 24) - 1), Operand.LAYER: (1, 7),
              Operand.TARGET: (0, length - 1), Operand.MARGIN: (1, (1 << 23) - 1),
              Operand.MODE: (0, 3), Operand.SPARSITY: (0, 6),
              Operand.LIMITS: (0, (1 << 21) - 1), Operand.EXPONENT: (0, 31),
              Operand.EXTRA: (0, 1)}
    ops = [rng.choice(list(Op)) for _ in range(length)]
    words = [encode(op, rng.randint(*limits[INSTRUCTIONS[op].operand])) for op in ops]
    assert assemble(disassemble(words), layers=7) == words


@pytest.mark.parametrize("line, layers, expected", [
    ("FWD 1..last", 3, ["FWD 1", "FWD 2", "FWD 3"]), ("BWD last..2", 3, ["BWD 3", "BWD 2"]),
    ("BWD last..2", 1, []), ("UPD 2..last", 1, []), ("UPD 3..1", 3, ["UPD 3", "UPD 2", "UPD 1"]),
    ("UPD last", 2, ["UPD 2"])])
def test_a_range_is_an_instruction_for_each_layer(line, layers, expected):
    words = assemble(f"{line}\nend: LOOP end", layers=layers)
    assert disassemble(words).splitlines() == [*expected, f"LOOP {len(expected)}"]


@pytest.mark.parametrize("line, reason", [
    ("FWD 1..no", "line 1: FWD 1..no: a range has numbers or last at its ends"),
    ("FWD 1..3", "line 1: FWD 3: the layer must be from 1 to 2, not 3"),
    ("COUNT 1..3", "line 1: COUNT 1..3: no such name or number")])
def test_a_range_that_is_none_is_refused(line, reason):
    with pytest.raises(AssemblyError, match=f"^{reason}$"):
        assemble(line, layers=2)
