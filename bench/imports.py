"""A float perceptron made ternary: what that costs, and how it learns on from either residuals."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import _mnist
import numpy as np
from onnx import TensorProto, helper, numpy_helper, save
from sklearn.neural_network import MLPClassifier

from tritgrad.host.interchange.bring import brought
from tritgrad.host.interchange.ternarise import RESIDUALS
from tritgrad.host.run.options import TrainOptions
from tritgrad.model.fast import FastNetwork
from tritgrad.model.rng import epoch_order

RESULT = Path(__file__).parent / "results" / "imports.json"


def float_network(x: np.ndarray, y: np.ndarray, path: Path, epochs: int) -> None:
    """Train 784-128-10 on pixels from 0 to 1, and write it as ONNX."""
    net = MLPClassifier((128,), batch_size=128, max_iter=epochs, random_state=1, tol=0.0)
    for _ in range(epochs):
        net.partial_fit(x, y, classes=np.arange(10))
    (a, b), (c, d) = net.coefs_, net.intercepts_
    nodes = [helper.make_node("Gemm", ["x", "a", "c"], ["h"]),
             helper.make_node("Relu", ["h"], ["r"]),
             helper.make_node("Gemm", ["r", "b", "d"], ["out"])]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "perceptron", [value("x", TensorProto.FLOAT, ["n", x.shape[1]])],
        [value("out", TensorProto.FLOAT, ["n", 10])],
        [numpy_helper.from_array(part.astype(np.float32), name)
         for name, part in zip("abcd", (a, b, c, d), strict=True)])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)


def accuracies(network: FastNetwork, data, gains, epochs: int) -> list[float]:
    """Per cent of the test rows after each epoch."""
    found = []
    for epoch in range(epochs):
        network.train(data.x_train, data.y_train, epoch_order(1, epoch, len(data.x_train)), gains)
        right = network.predict(data.x_test) == data.y_test
        found.append(round(100 * float(right.mean()), 2))
    return found


def main() -> None:
    """Print the figures and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=["mnist", "fashion-mnist"], metavar="NAME",
                        help="data sets (default: %(default)s)")
    parser.add_argument("--float-epochs", type=int, default=10, metavar="N",
                        help="epochs of the float network (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=5, metavar="N",
                        help="epochs afterwards (default: %(default)s)")
    parser.add_argument("--output", metavar="FILE", type=Path, default=RESULT,
                        help="JSON file to write (default: %(default)s)")
    given = parser.parse_args()
    results: dict = {"arguments": " ".join(sys.argv[1:]), "machine": _mnist.machine()}
    for name in given.data:
        options = TrainOptions(dataset=name, device="model", encode="planes:4")
        data = options.load_data()
        results[name] = {}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "net.onnx")
            float_network(data.rows.train / 255.0, data.y_train, path, given.float_epochs)
            for residuals in RESIDUALS:
                found = brought(path, options, data, residuals, 255.0)
                recipe = found.model.recipe
                for speed, epoch in (("first gains", 0), ("last gains", recipe.epochs - 1)):
                    network = FastNetwork(recipe)
                    network.load(found.model.counters, 1)
                    results[name]["float, %"] = round(found.original or 0.0, 2)
                    results[name][f"{residuals}, {speed}"] = [
                        round(found.accuracy or 0.0, 2),
                        *accuracies(network, data, recipe.gains_in(epoch), given.epochs)]
        scratch = FastNetwork(recipe)
        results[name]["from scratch, first gains"] = [None, *accuracies(
            scratch, data, recipe.gains_in(0), given.epochs)]
        print(name, json.dumps(results[name], indent=1), flush=True)
    given.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
