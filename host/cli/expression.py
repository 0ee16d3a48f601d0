"""Losses that a user types: arithmetic on named numbers, and nothing else.

Simpleeval evaluates, after a check that lets only arithmetic through: no strings, attributes,
subscripts or keywords. Every number is a float64, so none can grow; what overflows is infinite,
what is undefined is nan.
"""

import ast
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from simpleeval import InvalidExpression, SimpleEval

from ...errors import BadInput
from ...model.rng import splitmix64

__all__ = ["FUNCTIONS", "LossExpression"]

LONGEST = 1000
#: Python's own limit of 1,000 calls is met at twice this.
DEEPEST = 200


def _hash(value: float) -> float:
    """A float from 0 to below 1 that depends on the whole part only, without any pattern."""
    if not np.isfinite(value):
        return float("nan")
    return splitmix64(0, int(value)) / 2**64


#: What an expression may call.
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs, "ceil": np.ceil, "cos": np.cos, "exp": np.exp, "floor": np.floor, "hash": _hash,
    "log": np.log, "max": max, "min": min, "round": np.rint, "sign": np.sign, "sin": np.sin,
    "sqrt": np.sqrt, "tan": np.tan, "tanh": np.tanh,
}
CONSTANTS = {"pi": np.pi}
OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.Pow: operator.pow, ast.UAdd: operator.pos, ast.USub: operator.neg,
    ast.Not: operator.not_, ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}
SHAPES = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.And, ast.Or, ast.Compare,
          ast.IfExp, ast.Call, ast.Name, ast.Load, ast.Constant, *OPERATORS)


class LossExpression:
    """A function of named numbers, given as text.

    Parameters
    ----------
    text
        Such as ``x**2 + y**2``: numbers, names, ``+ - * / // % **``, comparisons, ``and or not``,
        ``A if CONDITION else B``, and calls of `FUNCTIONS`. At most 1,000 characters.

    Attributes
    ----------
    names
        The variables in alphabetical order, numbers in names by value (x2 before x10).

    Raises
    ------
    BadInput
        The text is anything else.
    """

    def __init__(self, text: str):
        self.text = text
        if len(text) > LONGEST:
            raise BadInput(f"a loss must have {LONGEST:,} characters at most, not {len(text):,}")
        tree = _parse(text)
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        self.names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)
                             and id(node) not in called and node.id not in CONSTANTS}, key=_natural)
        self._tree = tree.body
        self._evaluator = SimpleEval(operators=dict(OPERATORS), functions=dict(FUNCTIONS), names={})
        self._evaluator.nodes[ast.Constant] = lambda node: np.float64(node.value)

    def __call__(self, values: npt.NDArray[np.float64]) -> float:
        """The loss at values (names,); infinite or nan where arithmetic is.

        Raises
        ------
        BadInput
            A function takes another number of arguments.
        """
        named = dict(zip(self.names, values, strict=True))
        self._evaluator.names = named | {k: np.float64(v) for k, v in CONSTANTS.items()}
        try:
            with np.errstate(all="ignore"):
                return float(self._evaluator.eval(self.text, self._tree))
        except (InvalidExpression, TypeError, ValueError) as error:
            raise BadInput(f"loss {self.text!r} cannot be evaluated: {error}") from None


def _parse(text: str) -> ast.Expression:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice on literals; the text is refused
            tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = (error.msg if isinstance(error, SyntaxError)
                  else "nested too deeply" if isinstance(error, (RecursionError, MemoryError))
                  else str(error))
        raise BadInput(f"loss {_short(text)} is no expression: {reason}") from None
    _check(tree, text, 0)
    return tree


def _check(node: ast.AST, text: str, depth: int) -> None:
    if depth > DEEPEST:
        raise BadInput(f"loss {_short(text)} is nested more than {DEEPEST} deep")
    refused = None
    if not isinstance(node, SHAPES):
        refused = f"{type(node).__name__.lower()} is"
    elif isinstance(node, ast.Constant) and type(node.value) not in (int, float):
        refused = f"{_short(str(node.value))} is"
    elif isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
            name = node.func.id if isinstance(node.func, ast.Name) else "what is no name"
            how = " with keywords" if name in FUNCTIONS else ""
            raise BadInput(f"loss {_short(text)} calls {name}{how}; a loss may call "
                           f"{', '.join(FUNCTIONS)}")
        for argument in node.args:
            _check(argument, text, depth + 1)
        return
    elif isinstance(node, ast.Name) and (node.id in FUNCTIONS or node.id.startswith("_")):
        refused = f"the name {node.id} is"
    if refused is not None:
        raise BadInput(f"loss {_short(text)}: {refused} not allowed; a loss is arithmetic on "
                       "numbers and names")
    if isinstance(node, ast.Constant):
        try:
            float(node.value)  # type: ignore[arg-type]
        except OverflowError:
            raise BadInput(f"loss {_short(text)} holds a number beyond float64") from None
    for child in ast.iter_child_nodes(node):
        _check(child, text, depth + 1)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part)
            for part in re.split(r"([0-9]+)", name)]
