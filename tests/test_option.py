"""One form of an option: kinds, checks, texts, and the classes that are given some."""

import ast
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tritgrad.host.data.reading import Reading
from tritgrad.host.run.option_list import BY_NAME, FIRST, TRAIN
from tritgrad.host.run.options import TrainOptions
from tritgrad.model.config import CoreConfig
from tritgrad.option import Option, listed, with_options

ROOT = Path(__file__).resolve().parents[1]
FLAG = Option("flag")
NUMBER = Option("some_number", "From {range}.", 3, (1, 9))
OPEN = Option("open", default=None, limits=(0, None))
PART = Option("part", default=0.2)
WORD = Option("word", default=None, choices=("a", "b", "c"))
SIZES = Option("sizes", default=(1, 2))
PAIR = Option("pair", default=None, kind=int, count=2, many=True, metavar="A,B")


@pytest.mark.parametrize("option, kind", [
    (FLAG, bool), (NUMBER, int), (OPEN, int | None), (PART, float), (WORD, str | None),
    (SIZES, tuple[int, ...]), (PAIR, tuple[int, int] | None),
    (Option("texts", default=()), tuple[str, ...])])
def test_the_type_follows_from_what_is_said(option, kind):
    assert option.type == kind


@pytest.mark.parametrize("option, value", [
    (FLAG, True), (NUMBER, 9), (OPEN, None), (OPEN, 1 << 70), (PART, 1), (PART, 0.5), (WORD, "c"),
    (WORD, None), (SIZES, ()), (SIZES, (7,)), (PAIR, (1, 2))])
def test_a_value_is_good(option, value):
    assert option.fault(value) is None


@pytest.mark.parametrize("option, value, said", [
    (FLAG, 1, "flag must be a bool, not 1"),
    (FLAG, None, "flag must be a bool, not None"),
    (NUMBER, 0, "some_number must be an integer from 1 to 9, not 0"),
    (NUMBER, True, "some_number must be an integer from 1 to 9, not True"),
    (NUMBER, 2.0, "some_number must be an integer from 1 to 9, not 2.0"),
    (OPEN, -1, "open must be an integer of at least 0, not -1"),
    (PART, "0.5", "part must be a number, not '0.5'"),
    (WORD, "d", "word must be a, b or c, not 'd'"),
    (SIZES, 8, "sizes must be integers, not 8"),
    (SIZES, [8], "sizes must be integers, not [8]"),
    (SIZES, (8, "9"), "sizes must be integers, not (8, '9')"),
    (PAIR, (1,), "pair must be A,B, not '1'")])
def test_a_value_is_refused(option, value, said):
    assert option.fault(value) == said
    assert option.fault(value, "other") == said.replace(option.name, "other", 1)


def test_texts_become_values():
    assert NUMBER.parse("12") == 12 and PART.parse("1") == 1.0 and FLAG.parse("yes") is True
    assert SIZES.parse("1, 2") == (1, 2) and SIZES.parse("1x2", comma="x") == (1, 2)


@pytest.mark.parametrize("option, text, comma, said", [
    (NUMBER, "x", ",", "--some-number must be an integer, not 'x'"),
    (SIZES, "1,", ",", "--sizes must be integers separated by commas, not '1,'"),
    (SIZES, "1,2", "x", "--sizes must be integers joined by x, not '1,2'"),
    (FLAG, "true", ",", "--flag must be yes or no, not 'true'")])
def test_texts_that_are_none_are_refused(option, text, comma, said):
    with pytest.raises(ValueError) as caught:
        option.parse(text, comma=comma)
    assert str(caught.value) == said


def test_names_are_listed_in_a_sentence():
    assert [listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a", "a or b", "a, b or c"]


@dataclass(frozen=True)
@with_options((NUMBER, SIZES))
class Made:
    """Made.

    Parameters
    ----------
    own
        Its own.

    Raises
    ------
    ValueError
        Never.
    """

    own: int = 1


def test_a_class_has_fields_and_texts():
    assert Made() == Made(1, 3, (1, 2)) and replace(Made(), some_number=4).some_number == 4
    assert Made.OPTIONS == {"some_number": NUMBER, "sizes": SIZES}
    parameters, raises = Made.__doc__.split("Raises")
    assert "    some_number\n        From 1 to 9.\n" in parameters and "Never" in raises


def test_no_two_options_of_a_run_share_a_name():
    assert len(BY_NAME) == len(TRAIN)
    assert {*FIRST} < {*BY_NAME}
    assert {*Reading.OPTIONS} < {*BY_NAME} == {*TrainOptions.OPTIONS}


@pytest.mark.parametrize("option", [*TRAIN, *CoreConfig.OPTIONS.values()], ids=lambda o: o.name)
def test_defaults_and_trials_are_values_and_names_are_of_options(option):
    assert option.fault(option.default) is None
    assert "{" not in option.text
    assert {*filter(None, [option.beside])} <= {*BY_NAME}


def test_no_other_module_lists_the_options_of_a_run():
    """The click options of a run are made: none is written where commands are."""
    written = []
    for path in (ROOT / "host" / "cli" / "train.py", ROOT / "host" / "cli" / "train_options.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "click.option":
                written += [ast.literal_eval(name) for name in node.args]
    assert {name.strip("-").replace("-", "_") for name in written} & {*BY_NAME} == set()


def test_the_list_is_light():
    code = ("import sys; import tritgrad.host.run.option_list\n"
            "print([name for name in sys.modules if name in ('amaranth', 'click', 'numba') or "
            "name.startswith(('tritgrad.host.device', 'tritgrad.model.recipe'))])")
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
