"""Networks that come in: QONNX exactly, floats as trits, and all of them learn on."""

import json

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from tritgrad.errors import BadInput
from tritgrad.host.interchange.bring import brought
from tritgrad.host.interchange.export import write_onnx, write_qonnx
from tritgrad.host.interchange.parse import read_network
from tritgrad.host.interchange.ternarise import RESIDUALS, counters_of, ternarised
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.host.run.options import TrainOptions
from tritgrad.model.arithmetic import trits

from ..command import call, refusal
from .test_export import golden, trained


def written(path, nodes, constants, outputs=10, domain=False):
    """A file of nodes from ``x`` to ``out``, each (operator, inputs, output, attributes)."""
    made = [helper.make_node(op, inputs, [output], name=f"{op}_{n}", **attributes)
            for n, (op, inputs, output, attributes) in enumerate(nodes)]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        made, "net", [value("x", onnx.TensorProto.FLOAT, ["n", None])],
        [value("out", onnx.TensorProto.FLOAT, ["n", outputs])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()])
    opsets = [helper.make_opsetid("", 17)]
    if domain:
        opsets.append(helper.make_opsetid("qonnx.custom_op.general", 1))
    onnx.save(helper.make_model(graph, opset_imports=opsets), path)
    return path


def perceptron(path, **changes):
    """scikit-learn's perceptron on digits from 0 to 1, as Gemm, Relu and MatMul, Add."""
    x, y = load_digits(return_X_y=True)
    net = MLPClassifier((32,), max_iter=60, random_state=1, tol=0, n_iter_no_change=99)
    with np.errstate(all="ignore"):
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            net.fit(x / 16, y)
    (a, b), (c, d) = net.coefs_, net.intercepts_
    return written(path, [
        ("Gemm", ["x", "a", "c"], "h", {"transB": 1}), ("Relu", ["h"], "r", {}),
        ("MatMul", ["r", "b"], "z", {}), ("Add", ["z", "d"], "s", {}),
        ("Softmax", ["s"], "out", {"axis": 1})],
        {"a": a.T.astype(np.float32), "b": b.astype(np.float32), "c": c.astype(np.float32),
         "d": d.astype(np.float32)}), net


@pytest.mark.parametrize("changes", [
    {"encode": "planes:3"}, {"encode": "edges:60:4:2"}, {"hidden": (9, 11), "encode": "planes"},
    {"encode": "signed"},
])
@pytest.mark.parametrize("residuals", RESIDUALS)
def test_what_went_out_as_qonnx_comes_in_as_it_was(tmp_path, changes, residuals):
    model, values = trained("digits", **changes)
    write_qonnx(model, tmp_path / "q.onnx")
    options = TrainOptions(dataset="digits", device="model", encode=changes["encode"])
    found = brought(tmp_path / "q.onnx", options, options.load_data(), residuals)
    assert found.notes == []
    assert found.original == found.accuracy
    assert all((a == b).all() for a, b in zip(found.model.trits(), model.trits(), strict=True))
    assert (golden(found.model, values) == golden(model, values)).all()


def test_a_net_as_brevitas_writes_it(tmp_path):
    """Weights (outputs, inputs) of a scale a tensor, turned, and codes behind a ReLU."""
    rng = np.random.default_rng(3)
    one, two = rng.integers(-1, 2, (8, 64)), rng.integers(-1, 2, (10, 8))
    quant = {"domain": "qonnx.custom_op.general", "signed": 1, "narrow": 1,
             "rounding_mode": "ROUND"}
    code = quant | {"signed": 0, "narrow": 0, "rounding_mode": "FLOOR"}
    f = np.float32
    path = written(tmp_path / "b.onnx", [
        ("Quant", ["x", "sx", "zero", "four"], "qx", code),
        ("Quant", ["w1", "s1", "zero", "two"], "q1", quant),
        ("Transpose", ["q1"], "t1", {"perm": [1, 0]}), ("MatMul", ["qx", "t1"], "z1", {}),
        ("Relu", ["z1"], "r1", {}), ("Quant", ["r1", "sh", "zero", "four"], "h", code),
        ("Quant", ["w2", "s2", "zero", "two"], "q2", quant),
        ("Gemm", ["h", "q2"], "out", {"transB": 1})],
        {"sx": f(1 / 16), "zero": f(0), "two": f(2), "four": f(4), "w1": (one * 0.3).astype(f),
         "s1": f(0.3), "sh": f(0.3 / 16 * 8), "w2": (two * 0.7).astype(f), "s2": f(0.7)},
        domain=True)
    options = TrainOptions(dataset="digits", device="model", encode="planes:4")
    found = brought(path, options, options.load_data())
    assert [t.tolist() for t in found.model.trits()] == [one.tolist(), two.tolist()]
    assert found.model.recipe.shifts == (3,)
    assert found.notes == []
    assert found.original == found.accuracy


@pytest.mark.parametrize("residuals", RESIDUALS)
@pytest.mark.parametrize("bits", [6, 8, 14])
def test_counters_are_in_the_cells_of_their_trits(tmp_path, bits, residuals):
    path, _ = perceptron(tmp_path / "m.onnx")
    data = TrainOptions(dataset="digits", encode="planes:4", device="model").load_data()
    made = ternarised(read_network(path), data.coding, data.x_train, data.y_train)
    for counters, wanted in zip(counters_of(made, bits, residuals), made.trits, strict=True):
        assert (trits(counters, bits) == wanted).all()


def test_a_float_network_is_measured_becomes_trits_and_learns_on_alike_everywhere(tmp_path):
    path, net = perceptron(tmp_path / "m.onnx")
    done = json.loads(call("import", path, "--dataset", "digits", "--encode", "planes:4",
                           "--divide", "16", "-o", tmp_path / "m.npz", "--json").stdout)
    assert done["layers"] == [64, 32, 10]
    assert len(done["notes"]) == 5
    x, y = load_digits(return_X_y=True)
    data = TrainOptions(dataset="digits", device="model").load_data()
    assert done["original_accuracy"] == pytest.approx(
        100 * net.score(data.rows.test / 16, data.y_test))
    assert done["accuracy"] > 80
    ends = {json.loads(call("train", "--from", tmp_path / "m.npz", "--dataset", "digits",
                            "--epochs", "1", "--limit", "200", "--device", device, "--lanes", "8",
                            "--banks", "4", "--json", "--out", tmp_path / device).stdout)[
                                "state_sha256"] for device in ("model", "sim")}
    assert len(ends) == 1
    assert ends != {TrainedModel.load(tmp_path / "m.npz").state_sha256}


def test_a_network_of_features_is_spread_over_their_codes(tmp_path):
    path, _ = perceptron(tmp_path / "m.onnx")
    for encode in "signed", "thermometer:5", "planes:4,repeat:2", "signed,select:70":
        options = TrainOptions(dataset="digits", device="model", encode=encode)
        found = brought(path, options, options.load_data(), divide=16.0)
        assert found.model.coding.text == encode
        assert found.accuracy > 30  # of ten classes; biases are lost


@pytest.mark.parametrize(("nodes", "message"), [
    ([("Sigmoid", ["x"], "out", {})],
     "node Sigmoid_0, Sigmoid, comes before the first layer; leave such steps to --encode"),
    ([("MatMul", ["x", "w"], "z", {}), ("Tanh", ["z"], "out", {})],
     "node Tanh_1, Tanh, is none that import knows"),
    ([("MatMul", ["x", "w"], "z", {}), ("Relu", ["z"], "out", {})], "ends with an activation"),
    ([("MatMul", ["x", "w"], "z", {}), ("MatMul", ["z", "v"], "out", {})],
     "two layers without a Relu between them"),
    ([("Identity", ["x"], "out", {})], "has no MatMul or Gemm with constant weights"),
    ([("MatMul", ["x", "w"], "z", {}), ("MatMul", ["x", "w"], "z2", {})],
     "is not in a row with the others"),
])
def test_other_networks_are_refused_by_the_node(tmp_path, nodes, message):
    w = np.ones((64, 10), np.float32)
    written(tmp_path / "m.onnx", nodes, {"w": w, "v": np.ones((10, 10), np.float32)})
    with pytest.raises(BadInput, match=message):
        read_network(tmp_path / "m.onnx")


def test_files_that_are_none_and_data_that_do_not_fit(tmp_path):
    (tmp_path / "text.onnx").write_text("no model at all")
    arguments = ["--dataset", "digits", "--encode", "planes", "-o", tmp_path / "out.npz"]
    assert refusal("import", tmp_path / "none.onnx", *arguments).endswith(
        "none.onnx: No such file or directory")
    assert "text.onnx is no ONNX file" in refusal("import", tmp_path / "text.onnx", *arguments)
    model, _ = trained("digits", encode="planes:4")
    write_onnx(model, tmp_path / "o.onnx")
    assert "leave such steps to --encode" in refusal("import", tmp_path / "o.onnx", *arguments)
    write_qonnx(model, tmp_path / "q.onnx")
    assert "takes inputs of 4 bits, the coding planes:3 makes 3" in refusal(
        "import", tmp_path / "q.onnx", "--dataset", "digits", "--encode", "planes:3",
        "-o", tmp_path / "out.npz")
