"""Sizes that modules and functions keep; those that do not yet are listed as data."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("boards", "firmware", "host", "hw", "model", "sim", "tritgrad", "units")
#: Lines of a module and of a function.
MODULE, FUNCTION = 400, 80
#: Parameters of a compiled function.
PARAMETERS = 9

#: Modules that are longer, with the lines that they may have.
LONG_MODULES: dict[str, int] = {}
#: Functions that are longer, with theirs.
LONG_FUNCTIONS: dict[str, int] = {}


def modules():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def functions():
    """Each function's file and name, its node, and its lines."""
    for name, text in modules():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno is not None
                yield f"{name} {node.name}", node, node.end_lineno - node.lineno + 1


def beyond(found, limit, exceptions):
    """What is longer than it may be, and exceptions that are no longer needed."""
    sizes = dict(found)
    return ([f"{name}: {size}" for name, size in sizes.items()
             if size > exceptions.get(name, limit)]
            + [f"{name}: no exception" for name in exceptions if sizes.get(name, 0) <= limit])


def test_modules_are_short():
    found = ((name, len(text.splitlines())) for name, text in modules())
    assert beyond(found, MODULE, LONG_MODULES) == []


def test_functions_are_short():
    longest: dict[str, int] = {}
    for name, _, size in functions():
        longest[name] = max(size, longest.get(name, 0))
    assert beyond(longest.items(), FUNCTION, LONG_FUNCTIONS) == []


def test_compiled_functions_have_few_parameters():
    many = [f"{name}: {len(node.args.args)}" for name, node, _ in functions()
            if any("njit" in ast.unparse(mark) for mark in node.decorator_list)
            and len(node.args.args) > PARAMETERS]
    assert many == []


@pytest.mark.parametrize("exceptions, wrong", [
    ({}, ["a: 5"]), ({"a": 5}, []), ({"a": 4}, ["a: 5"]),
    ({"b": 9}, ["a: 5", "b: no exception"]), ({"a": 5, "c": 9}, ["c: no exception"])])
def test_the_limits_are_held(exceptions, wrong):
    assert beyond([("a", 5), ("b", 2)], 3, exceptions) == wrong
