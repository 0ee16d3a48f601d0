"""ProgramGrad's README, run as written under its own name, and the shapes of what it returns."""

import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tritgrad.errors import BadInput
from tritgrad.sources import programgrad

from .alias import alias

README = '''
from programgrad import Tensor, soft_if, trace

x = Tensor(0.7, name="x")
threshold = Tensor(1.0, requires_grad=True, name="threshold")

with trace(mode="dual", relaxation="soft_gate", fidelity=True) as tr:
    score = x - threshold
    y = soft_if(score, true_value=2 * x, false_value=x**2, beta=5.0)
    loss = (y - 1.4) ** 2
    loss.backward()

print(threshold.grad)
print(tr.show())
tr.export_svg("threshold_trace.svg")
'''
PUBLIC = {
    "GradcheckResult", "Tensor", "TraceContext", "bounded_loop", "diff_if", "gradcheck",
    "soft_argmax", "soft_if", "soft_select", "trace", "EvaluationRow",
    "TemperatureSensitivityRow", "format_hard_soft_table", "format_temperature_table", "hard_data",
    "hard_soft_rows", "hard_squared_loss", "hybrid_loss", "soft_only_region",
    "temperature_sensitivity", "training_mode", "training_trace"}


def close(a, b):
    return math.isclose(a, b, rel_tol=0, abs_tol=1e-12)


def test_the_readme_runs_as_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    with alias(programgrad=programgrad):
        exec(README, names)
    printed = capsys.readouterr().out.splitlines()
    assert close(float(printed[0]), 1.0097713308324812)
    assert printed[1] == "ProgramGrad trace"
    assert "  #0 hard=false gate=0.182426 hard=0.49 soft=0.656007 gap=0.166007" in printed
    root = ElementTree.parse("threshold_trace.svg").getroot()
    assert (root.get("width"), root.get("height")) == ("900", "178")
    y, loss, made = names["y"], names["loss"], names["tr"]
    assert close(y.data, 0.6560072266637842) and close(y.hard_value, 0.49)
    assert close(loss.data, 0.5535252467765137)
    (row,) = made.fidelity_report()["branches"]
    assert set(row) == {"hard_value", "soft_value", "output_gap", "path_agreement",
                        "gate_entropy", "temperature"}
    assert close(row["output_gap"], 0.16600722666378426)
    assert close(row["gate_entropy"], 0.47505156369228685)
    assert row["path_agreement"] is True and row["temperature"] == 5
    assert made.hard_path() == ["branch#0:false(score=-0.3)"]
    assert made.soft_gates() == [pytest.approx(0.18242552380635635)]


def test_public_names_and_what_they_are_made_of():
    assert set(programgrad.__all__) == PUBLIC
    assert all(hasattr(programgrad, name) for name in PUBLIC)
    x = programgrad.Tensor(2.0, requires_grad=True, name="x")
    y = x * 3.0
    assert isinstance(y, programgrad.Tensor) and isinstance(1.0 / y, programgrad.Tensor)
    assert isinstance(x.data, float) and isinstance(x.grad, float) and isinstance(y.item(), float)
    y.backward()
    assert x.grad == 3.0 and y.detach().grad == 0.0 and not y.detach().requires_grad
    x.zero_grad()
    assert x.grad == 0.0
    constant = programgrad.Tensor(1.0)
    constant.backward()
    assert constant.grad == 1.0
    assert y.hard_value is None and y.hard_error is None and programgrad.hard_data(y) == 6.0


def test_hard_values_are_set_and_go_along():
    soft = programgrad.Tensor(0.25, requires_grad=True)
    soft.hard_value = 2.0
    out = (soft * 3.0 + 1.0).relu()
    assert (out.data, out.hard_value) == (1.75, 7.0)
    assert programgrad.hard_data(out.detach()) == 7.0
    zero = programgrad.Tensor(2.0)
    zero.hard_value = 0.0
    bad = 1.0 / zero
    assert (bad.data, bad.hard_value) == (0.5, None) and "ZeroDivisionError" in bad.hard_error
    with pytest.raises(ValueError, match="^hard-program value is unavailable: ZeroDivisionError"):
        programgrad.hard_data(bad.detach())
    with pytest.raises(ValueError, match="^hard-program value is unavailable"):
        programgrad.soft_if(-1.0, 4.0, bad)
    assert programgrad.soft_if(1.0, 4.0, bad).hard_value == 4.0


@pytest.mark.parametrize("mode, data, slopes", [
    ("soft", 2.761594155955765, (2.0998717080701326, 0.8807970779778823, 0.11920292202211769)),
    ("straight_through", 3.0, (2.0998717080701326, 1.0, 0.0)), ("pathwise", 3.0, (0.0, 1.0, 0.0))])
def test_diff_if(mode, data, slopes):
    made = [programgrad.Tensor(v, requires_grad=True) for v in (0.2, 3.0, 1.0)]
    with programgrad.trace() as tr:
        out = programgrad.diff_if(made[0], lambda: made[1], lambda: made[2], mode=mode, beta=10)
    out.backward()
    assert close(out.data, data) and all(map(close, [t.grad for t in made], slopes))
    condition = tr.branches[0].condition
    assert (condition.comparator, condition.hard_value) == ("> 0", True)
    assert (condition.gate is None) == (condition.temperature is None) == (mode == "pathwise")
    assert tr.gradient_ledger()[0]["gradient_contract"] == condition.gradient_contract


def test_soft_select_soft_argmax_and_gumbel():
    weights = programgrad.soft_argmax([1.0, 2.0, 0.5], tau=0.5)
    assert [w.data for w in weights] == pytest.approx(
        [.11419519938459449, .8437947344813395, .04201006613406605], abs=1e-12)
    scores = [programgrad.Tensor(v, requires_grad=True) for v in (1.0, 2.0, 0.5)]
    out = programgrad.soft_select([10, 20, 30], scores, tau=0.5)
    out.backward()
    assert close(out.data, 19.278148667494715) and out.hard_value == 20
    assert [s.grad for s in scores] == pytest.approx(
        [-2.1190400740089372, 1.2181887068925974, .9008513671163426], abs=1e-12)
    for mode in "gumbel", "gumbel_st":
        first, second = (programgrad.soft_select([1.0, 5.0], [0.0, 2.0], mode=mode, seed=7)
                         for _ in range(2))
        assert first.data == second.data and first.hard_value == 5.0
    drawn = {programgrad.soft_select([1.0, 5.0], [0.0, 2.0], mode="gumbel").data
             for _ in range(5)}
    assert len(drawn) == 5
    with programgrad.trace() as tr:
        programgrad.soft_select([1.0, 2.0], [0.0, 1.0])
    assert tr.searches[0].candidates == ["candidate_0", "candidate_1"]


@pytest.mark.parametrize("mode, data", [("survival", 2.9563445058544096),
                                        ("exit_distribution", 3.3926447581698995)])
def test_bounded_loop(mode, data):
    theta = programgrad.Tensor(2.5, requires_grad=True)
    with programgrad.trace() as tr:
        out = programgrad.bounded_loop(0, 4, lambda i, s: s + 1, lambda i, s: theta - s, beta=2,
                                       mode=mode)
    out.backward()
    assert close(out.data, data) and out.hard_value == 3
    if mode == "survival":
        assert close(theta.grad, .8384756994013596)
    assert [frame.hard_carried_state for frame in tr.loops] == [1, 2, 3, 3]
    assert tr.hard_path()[-1] == "loop#3:iteration[3]:stop(score=-0.5)"
    assert tr.fidelity_report()["loops"][0]["hard_value"] == 3
    assert programgrad.bounded_loop(3.0, 0, lambda i, s: s, lambda i, s: 1.0).hard_value == 3


def test_a_body_that_loses_the_hard_value():
    start = programgrad.Tensor(0.0)
    start.hard_value = 0.0
    with pytest.raises(ValueError, match="^body of bounded_loop dropped hard_value in iteration 0"):
        programgrad.bounded_loop(start, 2, lambda i, s: s.data + 1.0, lambda i, s: 1.0)


def test_gradcheck_has_floats():
    found = programgrad.gradcheck(lambda x, y: x * y + x.sigmoid() + y**2, [0.3, -0.4])
    assert found.passed and all(isinstance(g, float) for g in found.analytical + found.numerical)
    with pytest.raises(TypeError):
        programgrad.gradcheck(lambda x: x.data, [1.0])


def test_traces_refuse_settings_that_are_none():
    for error, options in ((TypeError, {"mode": 1}), (ValueError, {"relaxation": " "}),
                           (TypeError, {"fidelity": "yes"}), (TypeError, {"hard_shadow": 1}),
                           (ValueError, {"hard_shadow": False})):
        with pytest.raises(error) as caught:
            programgrad.trace(**options)
        assert isinstance(caught.value, BadInput)
    with pytest.raises(TypeError, match="^hard_shadow must be a bool, not 1$"):
        programgrad.training_mode(hard_shadow=1)


def test_training_and_regions_off_the_hard_path():
    with programgrad.training_trace() as tr, programgrad.soft_only_region():
        programgrad.soft_if(1.0, 2.0, 0.0)
    assert tr.branches[0].fidelity is None and not tr.branches[0].on_hard_path
    assert not tr.record_ops_enabled and programgrad.hard_soft_rows(tr) == []
    value = programgrad.Tensor(1.0)
    value.hard_value = 9.0
    with programgrad.training_mode():
        assert (value * 2.0).hard_value is None
    assert (value * 2.0).hard_value == 18.0


def test_json_and_text_of_all_kinds(tmp_path):
    with programgrad.trace(record_ops=True) as tr:
        a = programgrad.soft_if(1.0, 2.0, 0.0)
        b = programgrad.soft_select([a, 3.0], [0.5, 1.0])
        programgrad.bounded_loop(b, 3, lambda i, s: s + 1.0, lambda i, s: 0.5 - i)
    found = json.loads(tr.export_json(tmp_path / "deep" / "trace.json").read_text())
    assert [len(found[kind]) for kind in ("branches", "searches", "loops", "ledger")] == [
        1, 1, 3, 2]
    assert found["ops"] and found["record_ops"] is True
    text = tr.show()
    for part in "branches:", "searches:", "loops:", "gradient ledger:", "hard=soft-unroll":
        assert part in text


def test_the_submodules_share_all_classes_under_either_name():
    with alias(programgrad=programgrad):
        from programgrad import trace
        from programgrad.relaxations import sigmoid_gate, softmax, straight_through_gate
        from programgrad.tensor import Tensor
        from programgrad.trace import hard_shadow_enabled, ops_recording_enabled

        assert Tensor is programgrad.Tensor
        assert hard_shadow_enabled() and not ops_recording_enabled()
        with programgrad.trace(record_ops=True) as tr, trace():
            assert not ops_recording_enabled()
        assert tr.ops == []
    score = Tensor(0.3, requires_grad=True)
    gate, soft = straight_through_gate(score, beta=2.0), sigmoid_gate(0.3, beta=2.0)
    gate.backward()
    assert gate.data == 1.0 and close(score.grad, 2 * soft.data * (1 - soft.data))
    assert close(sum(w.data for w in softmax([0.0, 1.0], 0.5)), 1.0)


def test_traces_of_threads_are_apart():
    tr = programgrad.trace()
    with tr:
        thread = threading.Thread(target=lambda: programgrad.soft_if(1.0, 1.0, 0.0))
        thread.start()
        thread.join(5)
    assert tr.branches == []


def test_its_own_suite(tmp_path):
    """A folder with a suite is run under the alias; the source's own one where it is at hand."""
    run = [sys.executable, "-m", "tritgrad.sources.programgrad"]
    for wanted, code in ((2.0, 0), (3.0, 1)):
        # A folder each: compiled modules are told apart by size and second alone.
        folder = tmp_path / str(code)
        (folder / "tests").mkdir(parents=True)
        (folder / "tests" / "test_one.py").write_text(
            "import unittest\nfrom programgrad import Tensor\n\n"
            "class One(unittest.TestCase):\n    def test_one(self):\n"
            f"        self.assertEqual((Tensor(1.0) + 1.0).data, {wanted})\n")
        assert subprocess.run([*run, folder], capture_output=True).returncode == code
    assert subprocess.run([*run, tmp_path / "none"], capture_output=True).returncode == 2
    if source := os.environ.get("PROGRAMGRAD"):
        done = subprocess.run([*run, Path(source).resolve()], capture_output=True, text=True,
                              cwd=tmp_path)
        assert done.returncode == 0 and "Ran 67 tests" in done.stderr, done.stderr
