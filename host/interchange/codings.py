"""Codings as ONNX's standard operators: exactly the codes of `Coding.apply`, as whole floats."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import BadInput
from ..data.codings.choice import Repeat, Select
from ..data.codings.coding import Coding
from ..data.codings.images import DIRECTIONS, Channels, Edges, TopBits
from ..data.codings.numbers import CLIP, Planes, Signed, Thermometer
from ..data.codings.step import Step
from .graph import Graph

__all__ = ["add_coding"]


def add_coding(graph: Graph, coding: Coding, source: str) -> str:
    """Codes, float32 (rows, inputs), of numbers, float64 (rows, features).

    Every step is one rounding in float64, or whole numbers, in the order in which NumPy does it.

    Raises
    ------
    BadInput
        A step that standard operators cannot do.
    """
    value = source
    for step in coding.steps:
        build = BUILDERS.get(type(step))
        if build is None:
            raise BadInput(f"ONNX export has no coding {step.kind}, and the model's is "
                           f"{coding.text}; train with another --encode, or export with "
                           f"--c-header or --npz")
        value = build(graph, step, value)
    return value


def _planes(graph: Graph, step: Planes, x: str) -> str:
    low, high = step.scaling.minimum, step.scaling.maximum
    span = high - low
    part = graph.add("Sub", x, graph.constant(low, np.float64))
    part = graph.add("Mul", part, graph.constant(255.0, np.float64))
    part = graph.add("Div", part, graph.constant(np.where(span == 0, 1.0, span), np.float64))
    codes = _whole(graph, part, 255.0)
    if (span == 0).any():
        codes = graph.add("Mul", codes, graph.constant(span > 0, np.float64))
    return _top(graph, graph.cast(codes, np.float32), 8 - step.planes)


def _whole(graph: Graph, value: str, top: float) -> str:
    """floor(value + 1/2), clipped to 0..top."""
    value = graph.add("Floor", graph.add("Add", value, graph.constant(0.5, np.float64)))
    return graph.add("Clip", value, graph.constant(0.0, np.float64),
                     graph.constant(top, np.float64))


def _top(graph: Graph, codes: str, drop: int) -> str:
    """Whole numbers without their lowest bits."""
    if not drop:
        return codes
    return graph.add("Floor", graph.add("Mul", codes, graph.constant(0.5**drop, np.float32)))


def _signed(graph: Graph, step: Signed, x: str) -> str:
    varies, top = step.sd > 0, float((1 << step.planes) - 1)
    z = graph.add("Sub", x, graph.constant(step.mean, np.float64))
    z = graph.add("Div", z, graph.constant(np.where(varies, step.sd, 1.0), np.float64))
    halves = []
    for half in z, graph.add("Neg", z):
        part = graph.add("Clip", half, graph.constant(0.0, np.float64),
                         graph.constant(CLIP, np.float64))
        part = graph.add("Div", part, graph.constant(CLIP, np.float64))
        part = _whole(graph, graph.add("Mul", part, graph.constant(top, np.float64)), top)
        if not varies.all():
            part = graph.add("Mul", part, graph.constant(varies, np.float64))
        halves.append(part)
    return graph.cast(graph.add("Concat", *halves, axis=1), np.float32)


def _thermometer(graph: Graph, step: Thermometer, x: str) -> str:
    wide = graph.add("Unsqueeze", x, graph.constant([2], np.int64))
    above = graph.add("Greater", wide, graph.constant(step.levels[None], np.float64))
    return graph.add("Reshape", graph.cast(above, np.float32),
                     graph.constant([-1, step.outputs], np.int64))


def _top_bits(graph: Graph, step: TopBits, x: str) -> str:
    return _top(graph, x, 8 - step.planes)


def _rises(graph: Graph, step: Edges | Channels, x: str) -> str:
    """1 where the brightness rises by a threshold in a direction, else 0.

    By row, threshold, direction, row and column of the image.
    """
    directions, thresholds = DIRECTIONS[:step.directions], step.thresholds
    kernels = np.zeros((len(directions), 1, 3, 3))
    for n, (down, right) in enumerate(directions):
        kernels[n, 0, 1 + down, 1 + right] = 1
        kernels[n, 0, 1 - down, 1 - right] = -1
    images = graph.add("Reshape", x, graph.constant([-1, 1, *step.shape], np.int64))
    steps = graph.add("Conv", images, graph.constant(kernels, np.float32), pads=[1, 1, 1, 1],
                      kernel_shape=[3, 3])
    wide = graph.add("Unsqueeze", steps, graph.constant([1], np.int64))
    levels = np.array(thresholds).reshape(1, -1, 1, 1, 1)
    over = graph.add("GreaterOrEqual", wide, graph.constant(levels, np.float32))
    return graph.cast(over, np.float32)


def _channels(graph: Graph, step: Channels, x: str) -> str:
    counts = graph.add("ReduceSum", _rises(graph, step, x), graph.constant([1], np.int64),
                       keepdims=0)
    return graph.add("Reshape", counts, graph.constant([-1, step.outputs], np.int64))


def _edges(graph: Graph, step: Edges, x: str) -> str:
    maps, pool = len(step.thresholds) * step.directions, step.pool
    found = graph.add("Reshape", _rises(graph, step, x),
                      graph.constant([-1, maps, *step.shape], np.int64))
    if pool > 1:
        found = graph.add("MaxPool", found, kernel_shape=[pool, pool], strides=[pool, pool])
    last = graph.add("Transpose", found, perm=[0, 2, 3, 1])
    return graph.add("Reshape", last, graph.constant([-1, step.outputs], np.int64))


def _repeat(graph: Graph, step: Repeat, x: str) -> str:
    return graph.add("Concat", *[x] * step.times, axis=1) if step.times > 1 else x


def _select(graph: Graph, step: Select, x: str) -> str:
    return graph.add("Gather", x, graph.constant(step.positions, np.int64), axis=1)


BUILDERS: dict[type[Step], Callable[[Graph, Any, str], str]] = {
    Planes: _planes, Signed: _signed, Thermometer: _thermometer, TopBits: _top_bits,
    Edges: _edges, Channels: _channels, Repeat: _repeat, Select: _select}
