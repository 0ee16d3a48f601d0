"""An ONNX graph under construction; the package onnx is loaded when one is made."""

from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ToolError

__all__ = ["QONNX", "Graph", "onnx"]

#: The domain of QONNX's own operators.
QONNX = "qonnx.custom_op.general"
#: Versions of ONNX's operators and of its file, old enough for most readers.
OPSET, IR = 17, 8


def onnx() -> Any:
    """The package. Raises `ToolError` that names the extra where it is missing."""
    try:
        return import_module("onnx")
    except ImportError:
        raise ToolError("ONNX files need the package onnx: pip install 'tritgrad[onnx]'") from None


class Graph:
    """Nodes and constants of a model.

    Parameters
    ----------
    features
        Numbers of a row of the input ``features``, float64 (rows, features).
    """

    def __init__(self, features: int):
        self._onnx = onnx()
        self.features = features
        self.nodes: list[Any] = []
        self._constants: dict[str, npt.NDArray[Any]] = {}

    def constant(self, values: npt.ArrayLike, dtype: npt.DTypeLike, name: str = "c") -> str:
        """A constant's name."""
        found = f"{name}_{len(self._constants)}"
        self._constants[found] = np.ascontiguousarray(np.array(values, dtype)).reshape(
            np.shape(values))
        return found

    def add(self, operator: str, *inputs: str, domain: str = "", output: str | None = None,
            **attributes: Any) -> str:
        """The output of a new node."""
        output = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(self._onnx.helper.make_node(
            operator, list(inputs), [output], domain=domain, name=f"n{len(self.nodes)}",
            **attributes))
        return output

    def cast(self, value: str, dtype: npt.DTypeLike) -> str:
        """A value in another type."""
        kind = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.add("Cast", value, to=kind)

    def model(self, classes: int, dtype: npt.DTypeLike, meta: dict[str, str],
              quantised: bool) -> Any:
        """The model, checked, with outputs ``scores`` (rows, classes) and ``label`` (rows,)."""
        helper, kinds = self._onnx.helper, self._onnx.TensorProto
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes, "tritgrad", [value("features", kinds.DOUBLE, ["rows", self.features])],
            [value("scores", helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), ["rows", classes]),
             value("label", kinds.INT64, ["rows"])],
            [self._onnx.numpy_helper.from_array(array, name)
             for name, array in self._constants.items()])
        opsets = [helper.make_opsetid("", OPSET)]
        if quantised:
            opsets.append(helper.make_opsetid(QONNX, 1))
        model = helper.make_model(graph, opset_imports=opsets, producer_name="tritgrad")
        model.ir_version = IR
        helper.set_model_props(model, meta)
        self._onnx.checker.check_model(model)
        return model
