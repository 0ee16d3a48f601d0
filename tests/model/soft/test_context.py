"""The trace: events field by field, JSON, SVG."""

import json
import threading
from importlib.resources import files
from xml.etree import ElementTree

import jsonschema
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.soft import (
    Tensor,
    bounded_loop,
    diff_if,
    soft_if,
    soft_select,
    trace,
    training_mode,
)

SCHEMA = json.loads((files("tritgrad.model.soft") / "trace.schema.json").read_text())
FIELDS = {
    "ops": {"id", "op_name", "inputs", "output", "value", "local_derivative"},
    "branches": {"id", "condition", "selected_path", "output_hard", "output_soft", "fidelity",
                 "on_hard_path"},
    "searches": {"id", "candidates", "scores", "selected_index", "soft_weights", "output_hard",
                 "output_soft", "fidelity", "relaxation", "soft_scores", "on_hard_path"},
    "loops": {"id", "iteration_index", "carried_state", "continue_score", "continue_gate",
              "hard_carried_state", "hard_continue_score", "hard_alive", "on_hard_path",
              "output_soft", "fidelity"},
    "ledger": {"id", "surrogate_type", "gradient_contract", "bias_warning", "fidelity_metrics",
               "approximates", "gradient_flows_to", "estimator", "recommended_checks"},
}


def program(**options):
    """One event of each kind at least."""
    x = Tensor(0.7, requires_grad=True, name="x")
    with trace(**options) as made:
        a = soft_if(x - 0.5, lambda: x * 2.0, 1.0)
        b = diff_if(a - 5.0, 1.0, lambda: a, mode="pathwise")
        c = diff_if(b, b, -b, mode="straight_through")
        d = soft_select([a, c], [0.1, 0.2])
        e = soft_select([a, d], [0.1, 0.2], mode="gumbel")
        f = soft_select([a, e], [0.1, 0.2], mode="gumbel_st")
        bounded_loop(f, 3, lambda i, s: s - 1.0, lambda i, s: s)
        soft_if(Tensor([1.0, -1.0]), Tensor([1.0, 2.0]), 0.0)
    return made


def ids(made):
    return [event["id"] for name in FIELDS if name != "ledger" for event in made.to_dict()[name]]


@pytest.mark.parametrize("record_ops", [False, True])
def test_trace_ir(record_ops):
    made = program(record_ops=record_ops)
    found = made.to_dict()
    for name, fields in FIELDS.items():
        assert all(set(event) == fields for event in found[name])
        assert [event["id"] for event in found[name]] == sorted(
            {event["id"] for event in found[name]})
    assert sorted(ids(made)) == list(range(len(ids(made))))
    assert bool(found["ops"]) == record_ops
    assert (len(found["branches"]), len(found["searches"]), len(found["loops"])) == (4, 3, 3)


def test_an_operation_field_by_field():
    x, y = Tensor(3.0, requires_grad=True, name="x"), Tensor(2.0, name="y")
    with trace(record_ops=True) as made:
        z = x * y
        w = z.exp()
    first, second = made.to_dict()["ops"]
    assert first == {"id": 0, "op_name": "mul", "inputs": ["x", "y"], "output": z.name,
                     "value": 6.0, "local_derivative": {"x": 2.0, "y": 3.0}}
    assert second["inputs"] == [z.name] and second["local_derivative"] == {z.name: w.item()}


def test_semantic_ledger_with_bias_warning():
    made = program()
    assert len(made.gradient_ledger()) == len(made.branches) + len(made.searches)
    assert [entry.surrogate_type for entry in made.ledger] == [
        "soft_gate", "pathwise", "straight_through", "softmax_select", "gumbel_softmax_select",
        "gumbel_straight_through_select", "soft_gate"]
    assert all(entry.bias_warning and entry.recommended_checks for entry in made.ledger)


@pytest.mark.parametrize("options", [
    {}, {"record_ops": True}, {"fidelity": False}, {"hard_shadow": False},
    {"mode": "soft", "relaxation": "mine"}])
def test_json_and_svg_export(tmp_path, options):
    made = program(**options)
    assert made.export_json(tmp_path / "new" / "trace.json") == tmp_path / "new" / "trace.json"
    assert made.export_svg(tmp_path / "new" / "trace.svg") == tmp_path / "new" / "trace.svg"
    found = json.loads((tmp_path / "new" / "trace.json").read_text())
    jsonschema.validate(found, SCHEMA)
    assert found == made.to_dict()
    root = ElementTree.parse(tmp_path / "new" / "trace.svg").getroot()
    name = "{http://www.w3.org/2000/svg}"
    rows = len(made.branches) + len(made.searches) + len(made.loops) + min(20, len(made.ops))
    boxes = [box for box in root.iter(f"{name}rect") if box.get("class") == "row"]
    assert len(boxes) == rows
    assert (root.get("width"), root.get("height")) == ("900", str(70 + 108 * rows))
    assert [(box.get("x"), box.get("y"), box.get("width"), box.get("height"))
            for box in boxes] == [("20", str(82 + 108 * n), "860", "92") for n in range(rows)]
    texts = [text.text for text in root.iter(f"{name}text")]
    assert texts[0] == "ProgramGrad Trace"


def test_the_schema_refuses_what_is_no_trace():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    found = program().to_dict()
    found["branches"][0]["condition"]["comparator"] = ">= 0"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, SCHEMA)


def test_an_empty_trace_has_one_row():
    with trace() as made:
        pass
    root = ElementTree.fromstring(made.as_svg())
    assert root.get("height") == "178" and "Empty trace" in made.as_svg()
    jsonschema.validate(made.to_dict(), SCHEMA)
    assert made.summary() == {"decisions": 0, "path_agreement": None, "output_gap": None,
                              "gate_entropy": None}


def test_names_with_markup_are_no_markup():
    with trace() as made:
        soft_select([1.0, 2.0], [1.0, 2.0], candidate_names=["a<b", "x & <y>"])
    assert "x & <y>" in "".join(ElementTree.fromstring(made.as_svg()).itertext())


def test_the_innermost_trace_listens():
    with trace() as outer:
        soft_if(1.0, 1.0, 2.0)
        with trace() as inner:
            soft_if(1.0, 1.0, 2.0)
            soft_if(1.0, 1.0, 2.0)
        soft_if(1.0, 1.0, 2.0)
    soft_if(1.0, 1.0, 2.0)
    assert (len(outer.branches), len(inner.branches)) == (2, 2)
    assert [branch.id for branch in inner.branches] == [0, 1]


def test_an_error_inside_ends_the_trace():
    with pytest.raises(ZeroDivisionError), trace() as made:
        raise ZeroDivisionError
    soft_if(1.0, 1.0, 2.0)
    assert made.branches == []


def test_threads_do_not_hear_each_other():
    inside, done = threading.Event(), threading.Event()
    with trace(record_ops=True) as other:
        pass

    def work():
        with other:
            inside.set()
            done.wait(2)
            Tensor(1.0) + 2.0

    thread = threading.Thread(target=work)
    with trace(record_ops=True) as own:
        thread.start()
        assert inside.wait(2)
        Tensor(3.0) + 4.0
        done.set()
        thread.join(2)
    assert [len(made.ops) for made in (own, other)] == [1, 1]


def test_training_mode_keeps_no_hard_values():
    value = Tensor(1.0).with_hard(Tensor(9.0))
    with trace(record_ops=True) as made, training_mode():
        assert (value * 2.0).hard_data() == 2.0
        assert soft_if(value - 5.0, 1.0, 0.0).hard_data() < 0.5
    assert made.ops == [] and made.branches[0].selected_path == "false"
    with training_mode(hard_shadow=True):
        assert (value * 2.0).hard_data() == 18.0
    assert (value * 2.0).hard_data() == 18.0


def test_without_fidelity_there_are_no_metrics():
    made = program(fidelity=False)
    assert made.fidelity_report() == {"branches": [], "searches": [], "loops": []}
    assert all(entry.fidelity_metrics is None for entry in made.ledger)


def test_summary_over_all_decisions():
    with trace() as made:
        soft_if(1.0, 1.0, 0.0, beta=1.0)
        soft_if([0.0, 2.0, -1.0], 1.0, 0.0, beta=1.0)
    found = made.summary()
    assert found["decisions"] == 4 and found["path_agreement"] == 0.75
    assert 0 < found["output_gap"] < 0.6 and 0.3 < found["gate_entropy"] < 0.7


def test_show_has_a_line_a_decision():
    made = program()
    lines = made.show().splitlines()
    assert len(lines) == 1 + len(made.hard_path())
    assert "straight" not in lines[0] and "soft_gate: 4 branches, 3 searches" in lines[0]


def test_a_file_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="^cannot write .*: "):
        program().export_json(tmp_path / "file" / "trace.json")
