"""A chain of dense layers read from an ONNX or QONNX file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .graph import QONNX, onnx

__all__ = ["Activation", "Dense", "Network", "read_network"]

Floats = npt.NDArray[np.float64]

#: Operators that leave the numbers of a row as they are.
PASSED = {"Identity", "Cast", "Flatten", "Reshape", "Dropout", "Squeeze"}
#: Operators behind the last layer that leave the order of its scores.
LAST = {"Softmax", "LogSoftmax", "ArgMax", "Identity", "Cast"}
#: Domains whose ``Quant`` is QONNX's.
DOMAINS = (QONNX, "onnx.brevitas", "finn.custom_op.general")


@dataclass(frozen=True)
class Activation:
    """What follows a hidden layer: a ReLU, and how it is quantised if it is.

    Attributes
    ----------
    bits
        Of an unsigned code; None for a float.
    scale
        Of one step of the code.
    down
        Whether codes round down, not to the nearest.
    """

    bits: int | None = None
    scale: float = 1.0
    down: bool = False

    def apply(self, z: Floats) -> Floats:
        """Activations of sums."""
        if self.bits is None:
            return np.maximum(z, 0.0)
        codes = np.floor(z / self.scale) if self.down else np.rint(z / self.scale)
        return np.clip(codes, 0, (1 << self.bits) - 1) * self.scale


@dataclass
class Dense:
    """A layer.

    Attributes
    ----------
    weights
        float64 (outputs, inputs), with their scale.
    scale
        Of a quantised weight's unit, or None for floats.
    bias
        float64 (outputs,), or None.
    activation
        None behind the last layer.
    """

    weights: Floats
    scale: Floats | None = None
    bias: Floats | None = None
    activation: Activation | None = None

    @property
    def trits(self) -> npt.NDArray[np.int8] | None:
        """Weights as trits, if all of them are -1, 0 or 1 times one scale."""
        if self.scale is None:
            return None
        units = np.rint(self.weights / self.scale)
        return units.astype(np.int8) if np.abs(units).max(initial=0) <= 1 else None


@dataclass
class Network:
    """Layers, and the unsigned code that their inputs are if they are one."""

    layers: list[Dense] = field(default_factory=list)
    code: Activation | None = None

    def scores(self, x: Floats) -> Floats:
        """Scores (rows, classes) of inputs (rows, inputs) as the file computes them."""
        if self.code is not None:
            x = self.code.apply(x)
        for layer in self.layers:
            x = x @ layer.weights.T + (0.0 if layer.bias is None else layer.bias)
            x = x if layer.activation is None else layer.activation.apply(x)
        return x


def read_network(path: str | Path) -> Network:
    """The layers of a file: MatMul or Gemm, Add, BatchNormalization, Relu and Quant, in a row.

    What comes before an input that is quantised is left to the coding.

    Raises
    ------
    BadInput
        No ONNX file, or a node that is none of these, by its name.
    """
    try:
        model = onnx().load(str(path))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from None
    except Exception:  # whatever protobuf raises of bytes that are no message
        raise BadInput(f"{path} is no ONNX file") from None
    reader = _Reader(str(path), model)
    reader.read()
    return reader.network


class _Reader:
    """Walks the nodes in their order, which is that of computing."""

    def __init__(self, path: str, model: Any):
        self.path, self.graph = path, model.graph
        to_array = onnx().numpy_helper.to_array
        self.constants: dict[str, Floats] = {
            tensor.name: np.asarray(to_array(tensor), np.float64)
            for tensor in self.graph.initializer if tensor.data_type not in (8,)}
        self.scales: dict[str, Floats] = {}
        self.network = Network()
        inputs = [i.name for i in self.graph.input if i.name not in self.constants]
        if len(inputs) != 1:
            raise BadInput(f"{path} has {len(inputs)} inputs; import takes networks of one")
        self.current = inputs[0]
        self.coded = self._first_quant() if inputs else None

    def _first_quant(self) -> str | None:
        """Output of the node that quantises the inputs, before the first layer."""
        moving = {self.current}
        for node in self.graph.node:
            if not moving & set(node.input):
                continue
            if node.op_type in ("MatMul", "Gemm"):
                return None
            if node.op_type == "Quant":
                return str(node.output[0])
            moving |= set(node.output)
        return None

    def read(self) -> None:
        """Fill `network`."""
        waiting = self.coded is not None
        for node in self.graph.node:
            if all(name in self.constants for name in node.input):
                self._fold(node)
            elif waiting:
                if node.output[0] == self.coded:
                    self.network.code, self.current = self._quant(node), node.output[0]
                    waiting = False
            elif self.current in node.input:
                self._step(node)
                self.current = node.output[0]
            else:
                self._refuse(node, "is not in a row with the others")
        layers = self.network.layers
        if not layers:
            raise BadInput(f"{self.path} has no MatMul or Gemm with constant weights")
        if layers[-1].activation is not None:
            raise BadInput(f"{self.path} ends with an activation; import takes networks whose last "
                           f"layer gives scores")
        if any(layer.activation is None for layer in layers[:-1]):
            raise BadInput(f"{self.path} has two layers without a Relu between them")

    def _step(self, node: Any) -> None:
        layers, kind = self.network.layers, node.op_type
        if kind in ("MatMul", "Gemm"):
            layers.append(self._dense(node))
        elif kind in PASSED or layers and kind in LAST:
            pass
        elif not layers:
            self._refuse(node, "comes before the first layer; leave such steps to --encode")
        elif kind == "Add":
            self._add(node)
        elif kind == "BatchNormalization":
            self._normalise(node)
        elif kind in ("Mul", "Div"):
            self._stretch(node)
        elif kind == "Relu":
            if layers[-1].activation is None:
                layers[-1].activation = Activation()
        elif kind == "Quant":
            layers[-1].activation = self._quant(node)
        else:
            self._refuse(node, "is none that import knows")

    def _refuse(self, node: Any, why: str) -> None:
        name = f"node {node.name}" if node.name else "a node"
        raise BadInput(f"{self.path}: {name}, {node.op_type}, {why}; import takes MatMul or Gemm, "
                       f"Add, BatchNormalization, Relu and Quant in a row")

    def _constant(self, node: Any, place: int | None = None) -> Floats:
        names = [n for n in node.input if n != self.current] if place is None else [
            node.input[place]]
        if len(names) != 1 or names[0] not in self.constants:
            self._refuse(node, "has inputs that are no constants")
        return self.constants[names[0]]

    def _attributes(self, node: Any) -> dict[str, Any]:
        get = onnx().helper.get_attribute_value
        return {a.name: get(a) for a in node.attribute}

    def _fold(self, node: Any) -> None:
        """A node of constants."""
        output, kind = node.output[0], node.op_type
        given = [self.constants[name] for name in node.input]
        if kind == "Constant":
            value = self._attributes(node).get("value")
            if value is None:
                self._refuse(node, "is a constant of another form")
            self.constants[output] = np.asarray(onnx().numpy_helper.to_array(value), np.float64)
            return
        scale = self.scales.get(node.input[0])
        if kind == "Quant" and node.domain in DOMAINS:
            self.constants[output], scale = self._rounded(node, *given)
        elif kind == "Transpose":
            self.constants[output] = given[0].T
            scale = None if scale is None else scale.T
        elif kind in PASSED:
            self.constants[output] = given[0]
        else:
            self._refuse(node, "makes constants in a way that import does not know")
        if scale is not None:
            self.scales[output] = scale

    def _rounded(self, node: Any, values: Floats, scale: Floats, zero: Floats,
                 bits: Floats) -> tuple[Floats, Floats]:
        """Weights as they are quantised, and their unit."""
        given = self._attributes(node)
        if np.any(zero) or not given.get("signed", 1):
            self._refuse(node, "has weights with a zero point or without a sign")
        half = 2 ** (float(bits) - 1)
        units = np.clip(np.rint(values / scale), -half + given.get("narrow", 0), half - 1)
        return units * scale, np.asarray(scale, np.float64)

    def _quant(self, node: Any) -> Activation:
        """The code of inputs or activations."""
        given = self._attributes(node)
        scale, zero, bits = (self.constants.get(name) for name in node.input[1:4])
        if scale is None or zero is None or bits is None or scale.size != 1 or np.any(zero):
            self._refuse(node, "has activations with a zero point or a scale of each channel")
        assert scale is not None and bits is not None
        width = int(bits.item()) - (1 if given.get("signed", 1) else 0)  # after a ReLU half is used
        if not 1 <= width <= 8:
            self._refuse(node, f"has activations of {width} bits, which must be 1 to 8")
        mode = given.get("rounding_mode", b"ROUND")
        return Activation(width, float(scale.item()), mode in (b"FLOOR", "FLOOR"))

    def _dense(self, node: Any) -> Dense:
        weights, given = self._constant(node, 1), self._attributes(node)
        scale = self.scales.get(node.input[1])
        transposed = bool(given.get("transB", 0))
        if given.get("transA", 0) or given.get("alpha", 1.0) != 1 or given.get("beta", 1.0) != 1:
            self._refuse(node, "has alpha, beta or transA")
        if weights.ndim != 2:
            self._refuse(node, f"has weights of {weights.ndim} dimensions")
        turn: Callable[[Floats], Floats] = (lambda a: a) if transposed else (lambda a: a.T)
        bias = None
        if node.op_type == "Gemm" and len(node.input) > 2:
            bias = self._constant(node, 2).ravel()
        return Dense(turn(weights).copy(), None if scale is None else turn(scale), bias)

    def _add(self, node: Any) -> None:
        layer = self.network.layers[-1]
        if layer.activation is not None:
            self._refuse(node, "follows an activation")
        added = np.broadcast_to(self._constant(node).ravel(), len(layer.weights))
        layer.bias = added + (0.0 if layer.bias is None else layer.bias)

    def _normalise(self, node: Any) -> None:
        layer = self.network.layers[-1]
        if layer.activation is not None:
            self._refuse(node, "follows an activation")
        gain, shift, mean, variance = (self._constant(node, n) for n in range(1, 5))
        factor = gain / np.sqrt(variance + self._attributes(node).get("epsilon", 1e-5))
        bias = 0.0 if layer.bias is None else layer.bias
        self._multiply(layer, factor)
        layer.bias = shift + (bias - mean) * factor

    def _stretch(self, node: Any) -> None:
        layer, factor = self.network.layers[-1], self._constant(node).ravel()
        if layer.activation is not None or (node.op_type == "Div" and
                                            node.input[0] != self.current):
            self._refuse(node, "follows an activation, or divides by it")
        factor = factor if node.op_type == "Mul" else 1 / factor
        self._multiply(layer, factor)
        layer.bias = None if layer.bias is None else layer.bias * factor

    def _multiply(self, layer: Dense, factor: Floats) -> None:
        rows = np.broadcast_to(factor, len(layer.weights))[:, None]
        layer.weights = layer.weights * rows
        layer.scale = None if layer.scale is None else layer.scale * rows
