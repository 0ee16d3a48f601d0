"""A coding as C99: the user's numbers to the inputs of the network, step by step."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy.typing as npt

from ..data.codings.choice import Repeat, Select
from ..data.codings.coding import Coding
from ..data.codings.images import DIRECTIONS, Channels, Deskew, Edges, TopBits
from ..data.codings.numbers import Planes, Signed, Thermometer
from ..data.codings.step import Step

__all__ = ["c_coding", "lines_of"]

HEAD = """\
/* Inputs from your numbers, coded as {text}: exactly those of the training. */
static inline void {p}_scale(const double *features, uint8_t *x)
{{"""


def c_coding(coding: Coding, prefix: str) -> list[str]:
    """Constants, and the function ``prefix_scale``, which runs the steps one after the other.

    Signed halves multiply, then divide, then add: no two of them can be fused into one rounding.
    """
    constants: list[str] = []
    body: list[str] = []
    source, inputs = "features", coding.features
    for n, step in enumerate(coding.steps, 1):
        target = "x" if n == len(coding.steps) else f"step_{n}"
        if target != "x":
            body.append(f"    uint8_t {target}[{step.outputs}];")
        name = f"{prefix}_step_{n}"
        values, code = CODE[type(step)](step, name, source, target, inputs)
        for suffix, (kind, numbers) in values.items():
            constants += [f"static const {kind} {name}_{suffix}[{len(numbers)}] = {{",
                          *lines_of(map(repr, numbers)), "};", ""]
        body += [f"    {line}" for line in code]
        source, inputs = target, step.outputs
    return [*constants, HEAD.format(p=prefix, text=coding.text), *body, "}", ""]


def lines_of(items: Iterable[str], width: int = 100) -> list[str]:
    """Comma-separated items in indented lines."""
    lines, line = [], "   "
    for item in items:
        if len(line) + len(item) + 2 > width and line.strip():
            lines.append(line)
            line = "   "
        line += f" {item},"
    return [*lines, line]


Constants = dict[str, tuple[str, list[Any]]]
Code = tuple[Constants, list[str]]


def _flat(values: npt.NDArray[Any]) -> list[Any]:
    flat: list[Any] = values.ravel().tolist()
    return flat


def _planes(step: Planes, name: str, source: str, target: str, inputs: int) -> Code:
    scaling = step.scaling
    return {"minimum": ("double", _flat(scaling.minimum)),
            "maximum": ("double", _flat(scaling.maximum))}, [
        f"for (int i = 0; i < {inputs}; i++) {{",
        f"    double low = {name}_minimum[i], high = {name}_maximum[i], v = 0.0;",
        "    if (low < high)",
        f"        v = 255.0 * ({source}[i] - low) / (high - low) + 0.5;",
        "    v = v >= 255.0 ? 255.0 : v >= 0.0 ? v : 0.0;",
        f"    {target}[i] = (uint8_t)((int)v >> {8 - step.planes});",
        "}"]


def _signed(step: Signed, name: str, source: str, target: str, inputs: int) -> Code:
    top = (1 << step.planes) - 1
    return {"mean": ("double", _flat(step.mean)), "sd": ("double", _flat(step.sd))}, [
        f"for (int i = 0; i < {inputs}; i++) {{",
        "    double z = 0.0, up, down;",
        f"    if ({name}_sd[i] > 0.0)",
        f"        z = ({source}[i] - {name}_mean[i]) / {name}_sd[i];",
        f"    up = (z >= 2.0 ? 2.0 : z > 0.0 ? z : 0.0) * {top}.0;",
        f"    down = (z <= -2.0 ? 2.0 : z < 0.0 ? -z : 0.0) * {top}.0;",
        f"    {target}[i] = (uint8_t)(up / 2.0 + 0.5);",
        f"    {target}[i + {inputs}] = (uint8_t)(down / 2.0 + 0.5);",
        "}"]


def _thermometer(step: Thermometer, name: str, source: str, target: str, inputs: int) -> Code:
    levels = step.levels.shape[1]
    return {"levels": ("double", _flat(step.levels))}, [
        f"for (int i = 0; i < {inputs * levels}; i++)",
        f"    {target}[i] = {source}[i / {levels}] > {name}_levels[i];"]


def _deskew(step: Deskew, name: str, source: str, target: str, inputs: int) -> Code:
    rows, columns = step.shape
    return {}, [
        "{",
        "    int64_t m = 0, sr = 0, sc = 0, src = 0, srr = 0, num, den, k = 0, centre;",
        f"    for (int r = 0; r < {rows}; r++)",
        f"        for (int c = 0; c < {columns}; c++)",
        f"            if ({source}[r * {columns} + c] >= {step.threshold}) {{",
        "                m++; sr += r; sc += c; src += r * c; srr += r * r;",
        "            }",
        "    den = m * srr - sr * sr;",
        "    num = 64 * (m * src - sr * sc) + den;",
        "    if (den > 0) {",
        "        k = num / (2 * den) - (num % (2 * den) < 0);",
        "        k = k < -32 ? -32 : k > 32 ? 32 : k;",
        "    }",
        f"    centre = m ? (2 * sr + m) / (2 * m) : {rows // 2};",
        f"    for (int r = 0; r < {rows}; r++) {{",
        "        int64_t t = k * (r - centre) + 16;",
        "        int64_t right = -(t / 32 - (t % 32 < 0));",
        f"        for (int c = 0; c < {columns}; c++) {{",
        "            int64_t s = c - right;",
        f"            int inside = s >= 0 && s < {columns};",
        f"            {target}[r * {columns} + c] = inside ? {source}[r * {columns} + s] : 0;",
        "        }",
        "    }",
        "}"]


def _top_bits(step: TopBits, name: str, source: str, target: str, inputs: int) -> Code:
    return {}, [f"for (int i = 0; i < {inputs}; i++)",
                f"    {target}[i] = {source}[i] >> {8 - step.planes};"]


def _edges(step: Edges, name: str, source: str, target: str, inputs: int) -> Code:
    (height, width), pool = step.grid, step.pool
    first = f"(r / {pool} * {width} + c / {pool}) * {len(step.thresholds) * step.directions}"
    place = f"{target}[{first} + t * {step.directions} + d] = 1"
    return _rises(step, name, source, target, (height * pool, width * pool), place)


def _channels(step: Channels, name: str, source: str, target: str, inputs: int) -> Code:
    rows, columns = step.shape
    place = f"{target}[(d * {rows} + r) * {columns} + c]++"
    return _rises(step, name, source, target, step.shape, place)


def _rises(step: Edges | Channels, name: str, source: str, target: str, area: tuple[int, int],
           place: str) -> Code:
    """Where the brightness rises by threshold t in direction d at (r, c), do what `place` says."""
    rows, columns = step.shape
    directions = DIRECTIONS[:step.directions]
    return {"thresholds": ("int", list(step.thresholds)),
            "down": ("int", [d[0] for d in directions]),
            "right": ("int", [d[1] for d in directions])}, [
        f"for (int i = 0; i < {step.outputs}; i++)",
        f"    {target}[i] = 0;",
        f"for (int r = 0; r < {area[0]}; r++)",
        f"    for (int c = 0; c < {area[1]}; c++)",
        f"        for (int d = 0; d < {len(directions)}; d++) {{",
        f"            int dr = {name}_down[d], dc = {name}_right[d], up = 0;",
        f"            if (r + dr >= 0 && r + dr < {rows} && c + dc >= 0 && c + dc < {columns})",
        f"                up = {source}[(r + dr) * {columns} + c + dc];",
        f"            if (r - dr >= 0 && r - dr < {rows} && c - dc >= 0 && c - dc < {columns})",
        f"                up -= {source}[(r - dr) * {columns} + c - dc];",
        f"            for (int t = 0; t < {len(step.thresholds)}; t++)",
        f"                if (up >= {name}_thresholds[t])",
        f"                    {place};",
        "        }"]


def _repeat(step: Repeat, name: str, source: str, target: str, inputs: int) -> Code:
    return {}, [f"for (int i = 0; i < {step.outputs}; i++)",
                f"    {target}[i] = {source}[i % {inputs}];"]


def _select(step: Select, name: str, source: str, target: str, inputs: int) -> Code:
    kind = "uint16_t" if step.inputs <= 1 << 16 else "uint32_t"
    return {"positions": (kind, _flat(step.positions))}, [
        f"for (int i = 0; i < {step.outputs}; i++)",
        f"    {target}[i] = {source}[{name}_positions[i]];"]


CODE: dict[type[Step], Callable[[Any, str, str, str, int], Code]] = {
    Planes: _planes, Signed: _signed, Thermometer: _thermometer, Deskew: _deskew,
    TopBits: _top_bits, Edges: _edges, Channels: _channels,
    Repeat: _repeat, Select: _select}
