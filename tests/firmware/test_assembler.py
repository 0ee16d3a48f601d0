"""The assembler: encodings, and errors that name line and operand."""

import pytest
from tritgrad.firmware.assembler import AssemblyError, assemble, disassemble
from tritgrad.firmware.isa import INSTRUCTIONS, Op, decode, encode
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
