"""A trained network as ONNX, in standard operators or with QONNX's ``Quant``."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...model.scales.chip import FRACTION_BITS
from ...model.scales.rows import RowScales
from ..data.npz import write_whole
from ..run.model_file import TrainedModel
from .codings import add_coding
from .graph import QONNX, Graph

__all__ = ["as_onnx", "as_qonnx", "factors", "write_onnx", "write_qonnx"]


def as_onnx(model: TrainedModel) -> Any:
    """The network in ONNX's standard operators, its coding included.

    Input ``features`` float64 (rows, features), outputs ``scores`` (rows, classes), the exact
    scores, and ``label`` int64 (rows,), the place of the class in the property ``class_names``.
    Sums are whole numbers that float32 holds exactly, else float64 is taken.

    Raises
    ------
    BadInput
        The rule is sign, or the coding is not of standard operators.
    """
    graph = Graph(model.coding.features)
    x = add_coding(graph, model.coding, "features")
    recipe, dtype = model.recipe, _exact(model)
    x = _convolved(graph, model, x)
    x = x if dtype is np.float32 else graph.cast(x, dtype)
    top = float((1 << recipe.activation_bits) - 1)
    for n, weights in enumerate(model.trits()[-recipe.depth:]):
        z = graph.add("MatMul", x, graph.constant(weights.T, dtype, "weights"))
        z = _skipped(graph, z, x, recipe.skips[n], dtype)
        z = _scaled(graph, z, model, n, dtype)
        if n + 1 == recipe.depth:
            return _done(graph, model, z, dtype, False)
        z = graph.add("Floor", graph.add("Mul", z, graph.constant(0.5**recipe.shifts[n], dtype)))
        x = graph.add("Clip", z, graph.constant(0.0, dtype), graph.constant(top, dtype))
    raise AssertionError("a network has layers")


def as_qonnx(model: TrainedModel) -> Any:
    """The same with ``Quant`` nodes: weights of 2 bits, narrow; inputs and activations unsigned.

    An activation node has the scale 2^shift and rounds down, so values behind it are the core's
    times the product of the scales before; the last layer's are divided by it again.
    """
    graph = Graph(model.coding.features)
    recipe, dtype = model.recipe, _exact(model)
    if recipe.conv is not None:
        raise BadInput("the model has a convolution, which QONNX export would leave out; export "
                       "with --onnx")
    if dtype is not np.float32:
        raise BadInput(f"QONNX computes in float32, which cannot hold the sums of "
                       f"{'-'.join(map(str, recipe.layers))} exactly; export with --onnx")
    x = _quant(graph, add_coding(graph, model.coding, "features"), 1.0, recipe.planes)
    scale = 1.0
    for n, weights in enumerate(model.trits()):
        trits = graph.add("Quant", graph.constant(weights.T, dtype, "weights"),
                          *(graph.constant(v, dtype) for v in (1.0, 0.0, 2.0)), domain=QONNX,
                          signed=1, narrow=1, rounding_mode="ROUND")
        z = graph.add("MatMul", x, trits)
        z = _skipped(graph, z, x, recipe.skips[n], dtype)
        if scale != 1.0 and (model.recipe.scale_refresh is not None or n + 1 == recipe.depth):
            z, scale = graph.add("Mul", z, graph.constant(1 / scale, dtype)), 1.0
        z = _scaled(graph, z, model, n, dtype)
        if n + 1 == recipe.depth:
            return _done(graph, model, z, dtype, True)
        scale *= 2.0**recipe.shifts[n]
        x = _quant(graph, z, scale, recipe.activation_bits)
    raise AssertionError("a network has layers")


def write_onnx(model: TrainedModel, path: str | Path) -> None:
    """Write `as_onnx`, whole or not at all."""
    write_whole(Path(path), as_onnx(model).SerializeToString())


def write_qonnx(model: TrainedModel, path: str | Path) -> None:
    """Write `as_qonnx`, whole or not at all."""
    write_whole(Path(path), as_qonnx(model).SerializeToString())


def factors(codes: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float64], ...]:
    """Two powers of two, or 0, for each row's factor: z becomes floor(a z) + floor(b z).

    The same as `tritgrad.model.scales.chip.apply_codes`.
    """
    top = FRACTION_BITS + 1
    upper, lower = (codes.astype(int) & 15) ^ FRACTION_BITS, codes.astype(int) >> 4
    a = np.where(upper <= top, 2.0 ** (1 + upper - top), 0.0)
    b = np.where((lower >= 1) & (lower <= top) & (upper != top), 2.0 ** (lower - top), 0.0)
    return np.where(codes == 0, 1.0, a), np.where(codes == 0, 0.0, b)


def _exact(model: TrainedModel) -> type[np.floating[Any]]:
    """The narrowest type that holds every sum of the network."""
    recipe, largest = model.recipe, 0
    for n, inputs in enumerate(recipe.layers[:-1]):
        bits = recipe.activation_bits if n else recipe.planes
        skip = 1 << (recipe.skips[n] - 1) if recipe.skips[n] else 0
        largest = max(largest, (inputs + skip) * ((1 << bits) - 1))
    return np.float32 if 2 * largest <= 1 << 24 else np.float64


def _convolved(graph: Graph, model: TrainedModel, x: str) -> str:
    """Outputs of the convolution, if there is one; its sums are whole numbers below 2^12."""
    conv = model.recipe.conv
    if conv is None:
        return x
    kernels = model.trits()[0].reshape(conv.kernels, conv.channels, conv.kernel, conv.kernel)
    shape = [-1, conv.channels, conv.rows, conv.columns]
    z = graph.add("Reshape", x, graph.constant(shape, np.int64))
    z = graph.add("Conv", z, graph.constant(kernels, np.float32, "kernels"),
                  kernel_shape=[conv.kernel, conv.kernel])
    z = graph.add("MaxPool", z, kernel_shape=[conv.pool] * 2, strides=[conv.pool] * 2)
    z = graph.add("Floor", graph.add("Mul", z, graph.constant(0.5**conv.shift, np.float32)))
    z = graph.add("Clip", z, graph.constant(0.0, np.float32),
                  graph.constant(float((1 << conv.bits) - 1), np.float32))
    z = graph.add("Transpose", z, perm=[0, 3, 2, 1])  # column of windows, row, kernel
    return graph.add("Reshape", z, graph.constant([-1, conv.outputs], np.int64))


def _skipped(graph: Graph, z: str, x: str, skip: int, dtype: npt.DTypeLike) -> str:
    if not skip:
        return z
    return graph.add("Add", z, graph.add("Mul", x, graph.constant(2.0 ** (skip - 1), dtype)))


def _scaled(graph: Graph, z: str, model: TrainedModel, layer: int, dtype: npt.DTypeLike) -> str:
    scales = RowScales.of(model.parts)
    if scales is None:
        return z
    parts = [graph.add("Floor", graph.add("Mul", z, graph.constant(f, dtype)))
             for f in factors(np.asarray(scales.codes[layer]))]
    return graph.add("Add", *parts)


def _quant(graph: Graph, x: str, scale: float, bits: int) -> str:
    return graph.add("Quant", x, *(graph.constant(v, np.float32) for v in (scale, 0.0, bits)),
                     domain=QONNX, signed=0, narrow=0, rounding_mode="FLOOR")


def _done(graph: Graph, model: TrainedModel, z: str, dtype: npt.DTypeLike,
          quantised: bool) -> Any:
    scores = graph.add("Identity", z, output="scores")
    graph.add("ArgMax", scores, output="label", axis=1, keepdims=0)
    return graph.model(model.recipe.layers[-1], dtype, {
        "class_names": json.dumps(model.class_names), "coding": model.coding.text,
        "dataset": model.dataset, "state_sha256": model.state_sha256,
        "tritgrad": model.version}, quantised)
