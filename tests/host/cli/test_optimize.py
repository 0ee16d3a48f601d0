"""`tritgrad optimize`: what it finds, and what it refuses."""

import ast
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.cli.expression import FUNCTIONS, LossExpression

from .. import command

pytestmark = pytest.mark.usefixtures("folder")

PNG = b"\x89PNG\r\n\x1a\n"


def call(*arguments, code=0):
    return command.call("optimize", *arguments, code=code)


def found(*arguments):
    result = call(*arguments, "--json")
    assert len(result.stdout.splitlines()) == 1
    return json.loads(result.stdout)


def refusal(*arguments):
    return command.refusal("optimize", *arguments)


def test_cli_optimize():
    result = found("--loss", "x**2 + y**2", "--init", "[5, 5]", "--steps", "100")
    assert result == {
        "loss": "x**2 + y**2", "method": "finite-difference", "variables": ["x", "y"],
        "init": [5.0, 5.0], "best": [0.0, 0.0], "best_loss": 0.0, "best_step": 5, "steps": 6,
        "stopped_early": True, "evaluations": 1 + 6 * (5 + 1),
        "losses": [50.0, 32.0, 18.0, 8.0, 2.0, 0.0, 0.0]}


def test_without_json_there_is_a_table():
    result = call("--loss", "x**2 + y**2", "--init", "[0.3, -1.2]", "--steps", "10")
    assert "x = 0.3, y = 0.6" in result.stdout
    assert "10, all of them; the best after 2" in result.stdout
    assert result.stderr == ""


def test_spsa_takes_two_losses_a_step_and_repeats_with_its_seed():
    arguments = ["--loss", "x**2 + y**2 + z**2", "--init", "[5, -4, 3]", "--method", "spsa",
                 "--steps", "60", "--patience", "60"]
    results = [found(*arguments, "--seed", seed) for seed in (1, 1, 2)]
    assert results[0] == results[1] != results[2]
    assert all(r["evaluations"] == 1 + 60 * 3 for r in results)
    assert all(r["best_loss"] < 10 for r in results)


def test_rate_epsilon_and_threshold_arrive():
    # at 1 with epsilon 1/4 the difference is 1: trit -1, confidence 1
    assert found("--loss", "x**2", "--init", "[1]", "--epsilon", "0.25", "--lr", "0.5",
                 "--steps", "1")["losses"] == [1.0, 0.25]
    assert found("--loss", "x**2", "--init", "[1]", "--threshold", "5")["steps"] == 1
    assert found("--loss", "x", "--init", "[1]", "--steps", "0")["losses"] == [1.0]


def test_names_are_in_alphabetical_order_or_given():
    assert found("--loss", "b*100 + x10 + x2", "--init", "[1, 2, 3]",
                 "--steps", "0")["variables"] == ["b", "x2", "x10"]
    assert found("--loss", "a - b", "--init", '{"b": 2, "a": 5}',
                 "--steps", "0")["losses"] == [3.0]


@pytest.mark.parametrize(("text", "values", "expected"), [
    ("-x + 2 * y - 7 // 2 + 7 % 4 + 1 / 4", [1, 2], 3.25),
    ("x ** 0.5 if x > 0 and not y == 1 else abs(y)", [9, 2], 3),
    ("x ** 0.5 if 0 < x < 5 or y >= 3 else abs(y)", [9, -2], 2),
    ("max(x, 1, y) + min(x, y) + floor(2.5) + ceil(2.5) + round(2.4) + sign(x)", [-2, 4], 8),
    ("exp(0 * x) + log(1) + sqrt(4) + sin(0) + cos(0) + tan(0) + tanh(0) + pi", [1], 4 + np.pi),
    ("(x != 1) + (x <= 1)", [1], 1),
    ("x ** 400", [10], np.inf),
    ("1 / x", [0], np.inf),
    ("-exp(x)", [1e9], -np.inf),
])
def test_expressions(text, values, expected):
    assert LossExpression(text)(np.array(values, float)) == pytest.approx(expected)


def test_every_function_is_python_free_of_surprises():
    for name in FUNCTIONS:
        value = LossExpression(f"{name}(x, 1)" if name in ("max", "min") else f"{name}(x)")(
            np.array([0.5]))
        assert isinstance(value, float)
        assert np.isfinite(value)


def test_hash_has_no_pattern_and_can_be_searched():
    hashed = LossExpression("hash(x)")
    values = [hashed(np.array([float(x)])) for x in range(-500, 500)]
    assert len(set(values)) == 1000
    assert np.mean(values) == pytest.approx(0.5, abs=0.05)
    assert hashed(np.array([3.75])) == hashed(np.array([3.0]))
    assert np.isnan(LossExpression("hash(1 / x)")(np.array([0.0])))
    result = found("--loss", "hash(x) + hash(y + 0.5)", "--init", "[0, 0]", "--steps", "200")
    assert result["best_loss"] < result["losses"][0]


@pytest.mark.parametrize(("loss", "message"), [
    ("__import__('os').system('true')", "calls what is no name; a loss may call abs, ceil"),
    ("__import__('os')", "calls __import__; a loss may call"),
    ("open('x')", "calls open; a loss may call"),
    ("eval('1')", "calls eval; a loss may call"),
    ("x.__class__", "attribute is not allowed; a loss is arithmetic on numbers and names"),
    ("().__class__.__bases__[0]", "subscript is not allowed"),
    ("x[0]", "subscript is not allowed"),
    ("'a' * 10", "'a' is not allowed"),
    ("f'{x}'", "joinedstr is not allowed"),
    ("b'a'", "is not allowed"),
    ("None", "'None' is not allowed"),
    ("True + x", "'True' is not allowed"),
    ("2j * x", "'2j' is not allowed"),
    ("...", "'Ellipsis' is not allowed"),
    ("[x for y in x]", "listcomp is not allowed"),
    ("lambda: x", "lambda is not allowed"),
    ("(x := 1)", "namedexpr is not allowed"),
    ("x << 40", "lshift is not allowed"),
    ("x | 1", "bitor is not allowed"),
    ("x @ x", "matmult is not allowed"),
    ("x is 1", "is is not allowed"),
    ("x in (1, 2)", "in is not allowed"),
    ("~x", "invert is not allowed"),
    ("await x", "await is not allowed"),
    ("min(*x)", "starred is not allowed"),
    ("max(x, key=abs)", "calls max with keywords; a loss may call"),
    ("abs", "the name abs is not allowed"),
    ("min(abs, x)", "the name abs is not allowed"),
    ("_x + 1", "the name _x is not allowed"),
    ("abs(x)(x)", "calls what is no name"),
    ("import os", "is no expression: invalid syntax"),
    ("x = 1", "is no expression: "),
    ("x; x", "is no expression: invalid syntax"),
    ("", "is no expression: invalid syntax"),
    ("x +", "is no expression: invalid syntax"),
    ("(" * 300 + "x" + ")" * 300, "is no expression: too many nested parentheses"),
    ("-" * 500 + "x", "is nested more than 200 deep"),
    ("x" + "+x" * 400, "is nested more than 200 deep"),
    ("abs(-" * 120 + "x" + ")" * 120, "is nested more than 200 deep"),
    ("9" * 400 + "*x", "holds a number beyond float64"),
    ("x" * 1001, "a loss must have 1,000 characters at most, not 1,001"),
    ("abs(x, x)", "cannot be evaluated: abs() takes exactly one argument (2 given)"),
    ("sqrt() + x", "cannot be evaluated: "),
    ("1 + 1", "a loss must name at least one variable"),
    ("x\0", "is no expression: "),
])
def test_hostile_losses_are_refused(loss, message):
    assert message in refusal("--loss", loss, "--init", "[5]")


@pytest.mark.parametrize("loss", ["9**9**9**9**9 * x", "x**x**x**x", "hash(1e300 * x)",
                                  "x" + " + x" * 180, "(" * 150 + "x" + ")" * 150])
def test_large_losses_are_bounded(loss):
    result = found("--loss", loss, "--init", "[9]", "--steps", "3")
    assert len(result["losses"]) <= 4


@pytest.mark.parametrize(("init", "message"), [
    ("[5", "--init must be JSON, a number for each of x, y, not '[5'"),
    ("5", "--init must have a number for each of x, y, not '5'"),
    ("[5]", "--init must have a number for each of x, y, not '[5]'"),
    ("[5, 6, 7]", "--init must have a number for each of x, y, not '[5, 6, 7]'"),
    ("[5, \"6\"]", "--init must have a number for each of x, y, not '[5, \"6\"]'"),
    ("[5, true]", "--init must have a number for each of x, y, not '[5, true]'"),
    ("[5, NaN]", "--init must have a number for each of x, y, not '[5, NaN]'"),
    ("[5, 1e999]", "--init must have a number for each of x, y, not '[5, 1e999]'"),
    ("[5, [6]]", "--init must have a number for each of x, y, not '[5, [6]]'"),
    ("{\"x\": 5}", "--init must have a number for each of x, y, not for x"),
    ("{}", "--init must have a number for each of x, y, not for none"),
    ("[" * 100_000, "--init must be JSON, a number for each of x, y, not '[[[[["),
    ("[1, 1" + "0" * 400 + "]", "--init must have a number for each of x, y, not '[1, 1000"),
    ("[1, 1" + "0" * 5000 + "]", "--init must "),
])
def test_wrong_starts_are_refused(init, message):
    assert refusal("--loss", "x + y", "--init", init).startswith(message)


@pytest.mark.parametrize(("arguments", "message"), [
    (["--lr", "nan"], "--lr must be a finite number, not nan"),
    (["--epsilon", "0"], "--epsilon must be a number above 0, not 0.0"),
    (["--epsilon", "inf"], "--epsilon must be a number above 0, not inf"),
    (["--threshold", "-1"], "--threshold must be a number of at least 0, not -1.0"),
    (["--method", "spsa", "--seed", "-1"], "--seed must be an integer from 0 to 2^64 - 1, not -1"),
    (["--plot", "x.txt"], "--plot must be a .png, .svg, .pdf file, not 'x.txt'"),
    (["--plot", "none/x.png"], "--plot none/x.png: there is no folder none"),
])
def test_wrong_options_are_refused(arguments, message):
    assert refusal("--loss", "x", "--init", "[5]", *arguments) == message


def test_a_loss_that_is_no_number_is_refused():
    assert refusal("--loss", "sqrt(x)", "--init", "[0.5]") == (
        "the loss must be a number, not nan as at [-0.5]")
    assert refusal("--loss", "log(x - 9)", "--init", "[5]") == (
        "the loss must be a number, not nan as at [5.0]")


def test_an_infinite_loss_is_a_wall():
    result = found("--loss", "exp(999) if x < 3 else x", "--init", "[6]")
    assert (result["best"], result["best_loss"]) == ([3.0], 3.0)
    result = found("--loss", "exp(1e9 * x)", "--init", "[5]")
    assert result["losses"] == [None, None]
    assert result["best_loss"] is None


@pytest.mark.parametrize(("loss", "init"), [
    ("x**2 + y**2", "[5, 5]"), ("x**2", "[5]"), ("x + y + z", "[1, 2, 3]"),
    ("1 / (x - 5) + 0 * y", "[5, 5]"), ("exp(999) + 0 * x", "[1]"), ("0 * x + 0 * y", "[1, 1]"),
])
def test_plot(loss, init, folder):
    result = call("--loss", loss, "--init", init, "--steps", "3", "--plot", "way.png")
    assert "picture: way.png" in result.stdout
    assert (folder / "way.png").read_bytes().startswith(PNG)


def test_ctrl_c_tells_the_best_so_far():
    code = ("from tritgrad.host.cli.main import main; import sys, tritgrad.host.cli.optimize; "
            "sys.argv = ['tritgrad', 'optimize', '--loss', 'abs(x) + abs(y)', '--init', "
            "'[90000, 5]', '--steps', '1000000', '--plot', 'started.svg']; "
            "print('ready', flush=True); main()")
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout.readline() == "ready\n"
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "interrupted after " in err
    assert "; best loss " in err
    assert "Traceback" not in err


def test_nothing_is_ever_handed_to_python_itself(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("an expression was executed")
    loss = LossExpression("x + hash(x)")
    monkeypatch.setattr("builtins.eval", refuse)
    monkeypatch.setattr("builtins.exec", refuse)
    assert loss(np.array([1.0])) > 1
    with pytest.raises(BadInput):
        LossExpression("exec('1')")
    assert isinstance(loss._tree, ast.AST)
