"""ONNX and QONNX files: equal to `predict` on every row, by other people's programs."""

import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest

from tritgrad.errors import BadInput, ToolError
from tritgrad.host.data.codings.coding import Coding
from tritgrad.host.data.datasets import load
from tritgrad.host.data.scaling import Scaling
from tritgrad.host.interchange import graph
from tritgrad.host.interchange.export import as_onnx, as_qonnx, factors, write_onnx
from tritgrad.host.run.export import write_c_header
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.report import as_model
from tritgrad.host.run.running import begun, planned
from tritgrad.host.run.training import Watcher, open_learner
from tritgrad.model.scales.chip import apply_codes

from ..command import call

COMPILER = next((c for c in ("cc", "gcc", "clang") if shutil.which(c)), None)
MAIN = Path(__file__).parents[3] / "examples" / "c" / "main.c"
WINE = str(Path(__file__).parents[3] / "examples" / "wine.csv")


def trained(dataset, **changes):
    """A network, and all rows of its data as numbers."""
    options = TrainOptions(**{"dataset": dataset, "hidden": (24,), "epochs": 2,
                              "device": "model"} | changes)
    plan = planned(options, options.load_data(), Watcher())
    model = as_model(begun(plan, None, Watcher()).run())
    return model, np.concatenate([plan.data.rows.train, plan.data.rows.test]).astype(np.float64)


def golden(model, values):
    options = TrainOptions(device="model", rule=model.rule)
    learner = open_learner(options, model.recipe, Watcher())
    learner.load(model.state)
    return learner.infer(model.coding.apply(values))[1]


def by_onnxruntime(made, values):
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(made.SerializeToString(), settings,
                                           providers=["CPUExecutionProvider"])
    return session.run(["scores", "label"], {"features": values})


def by_qonnx(made, values):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from qonnx.core.modelwrapper import ModelWrapper
        from qonnx.core.onnx_exec import execute_onnx
        from qonnx.transformation.infer_shapes import InferShapes

        made.graph.input[0].type.tensor_type.shape.dim[0].dim_value = len(values)
        for output in made.graph.output:
            output.type.tensor_type.shape.dim[0].dim_value = len(values)
        wrapped = ModelWrapper(made).transform(InferShapes())
        found = execute_onnx(wrapped, {"features": values})
    return found["scores"], found["label"]


CASES = [
    (WINE, {"encode": "planes:4"}), (WINE, {"encode": "signed,repeat:3"}),
    (WINE, {"encode": "thermometer:9,select:60"}), ("digits", {"encode": "planes:3"}),
    ("digits", {"encode": "edges:40+90:5:3"}), ("digits", {"encode": "planes", "scales": True}),
    ("digits", {"encode": "planes", "hidden": (17, 17, 9), "skip": 2}),
    (WINE, {"encode": "planes:4", "hidden": (9, 9), "scales": True}),
]


@pytest.mark.parametrize(("dataset", "changes"), CASES)
def test_every_row_is_scored_as_by_the_golden_model(dataset, changes):
    model, values = trained(dataset, **changes)
    # outside the range, on its edge, and halfway between two codes
    low, high = values.min(axis=0), values.max(axis=0)
    values = np.concatenate([values, [low - 9e9, high + 9e9, low, high, (low + high) / 2]])
    expected = golden(model, values)
    for scores, label in (by_onnxruntime(as_onnx(model), values),
                          by_qonnx(as_qonnx(model), values)):
        assert (scores == expected).all()
        assert (label == expected.argmax(axis=1)).all()


@pytest.mark.skipif(COMPILER is None, reason="no C compiler on this machine")
@pytest.mark.parametrize(("dataset", "changes"), CASES)
def test_the_example_in_c_predicts_the_same(tmp_path, dataset, changes):
    model, values = trained(dataset, **changes)
    write_c_header(model, tmp_path / "model.h")
    shutil.copy(MAIN, tmp_path)
    subprocess.run([COMPILER, "-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror",
                    "-o", "classify", "main.c"], cwd=tmp_path, check=True)
    rows = "\n".join(",".join(map(repr, row)) for row in values.tolist())
    done = subprocess.run([tmp_path / "classify"], input=rows, capture_output=True, text=True,
                          check=True)
    expected = golden(model, values).argmax(axis=1)
    assert done.stdout.split("\n")[:-1] == [model.class_names[k] for k in expected]


def test_a_network_of_one_layer_and_a_constant_feature():
    recipe = TrainOptions().plain_recipe((2, 2), 2)
    one = TrainedModel(recipe, "margin", (np.array([[100, -100], [0, 100]], np.int16),), ("a", "b"),
                       Coding.plain(Scaling(np.array([0.0, 5.0]), np.array([1.0, 5.0])), 2), "x")
    values = np.random.default_rng(1).uniform(-1, 6, (50, 2))
    assert (by_onnxruntime(as_onnx(one), values)[0] == golden(one, values)).all()
    assert (by_qonnx(as_qonnx(one), values)[0] == golden(one, values)).all()


def test_factors_are_those_of_the_chip():
    codes = np.arange(256, dtype=np.uint8)
    z = np.arange(-70, 70)[:, None] * np.ones(256, int)
    a, b = factors(codes)
    expected = np.stack([apply_codes(row, codes) for row in z])
    assert (np.floor(a * z) + np.floor(b * z) == expected).all()


def test_the_command_and_what_it_says(tmp_path):
    model, values = trained("digits", encode="planes")
    model.save(tmp_path / "m.npz")
    call("export", tmp_path / "m.npz", "--onnx", tmp_path / "m.onnx", "--qonnx",
         tmp_path / "q.onnx")
    for name in "m.onnx", "q.onnx":
        found = onnx.load(tmp_path / name)
        properties = {entry.key: entry.value for entry in found.metadata_props}
        assert properties["state_sha256"] == model.state_sha256
    assert {node.domain for node in onnx.load(tmp_path / "m.onnx").graph.node} == {""}
    data = load("digits")
    session_scores = by_onnxruntime(onnx.load(tmp_path / "m.onnx"), data.rows.test.astype(float))
    assert (session_scores[1] == golden(model, data.rows.test).argmax(axis=1)).all()


def test_what_cannot_be_exported():
    model, _ = trained("digits", encode="deskew:128,planes")
    with pytest.raises(BadInput, match="ONNX export has no coding deskew, and the model's is "
                                       "deskew:128,planes; train with another --encode"):
        as_onnx(model)


def test_without_the_package_the_extra_is_named(monkeypatch, tmp_path):
    model, _ = trained(WINE, encode="planes")
    def missing(name):
        raise ImportError(name)
    monkeypatch.setattr(graph, "import_module", missing)
    with pytest.raises(ToolError, match=r"need the package onnx: pip install 'tritgrad\[onnx\]'"):
        write_onnx(model, tmp_path / "m.onnx")
