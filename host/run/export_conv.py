"""A convolution for other programs: arrays, and C99 that gives the golden model's numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt

from .export_coding import lines_of
from .model_file import TrainedModel

__all__ = ["c_convolution", "npz_convolution"]


def npz_convolution(model: TrainedModel) -> dict[str, npt.NDArray[Any]]:
    """Arrays of an .npz file, see `export.write_npz`; none without a convolution."""
    conv = model.recipe.conv
    if conv is None:
        return {}
    shape = (conv.kernels, conv.channels, conv.kernel, conv.kernel)
    return {"kernels": model.trits()[0].reshape(shape), "pool": np.array(conv.pool),
            "pixel_bits": np.array(conv.planes), "conv_shift": np.array(conv.shift)}


def c_convolution(model: TrainedModel, prefix: str) -> list[str]:
    """The kernels' trits, and ``prefix_convolve`` from pixels to the first layer's inputs."""
    conv = model.recipe.conv
    if conv is None:
        return []
    (rows, columns), side, pool = conv.windows, conv.kernel, conv.pool
    top, trits = (1 << conv.bits) - 1, model.trits()[0]
    return [
        f"/* {conv.kernels} kernels; by channel, row, column. */",
        f"static const int8_t {prefix}_kernels[{trits.size}] = {{",
        *lines_of(map(str, trits.ravel().tolist())), "};", "",
        "/* Inputs of the first layer: the greatest sum of each window, by column of windows, row,",
        " * kernel; shifted and clipped. */",
        f"static inline void {prefix}_convolve(const uint8_t *x, uint8_t *h)", "{",
        f"    for (int w = 0; w < {rows * columns}; w++)",
        f"        for (int f = 0; f < {conv.kernels}; f++) {{",
        "            int32_t best = 0;",
        f"            for (int n = 0; n < {pool * pool}; n++) {{",
        f"                int r = w % {rows} * {pool} + n / {pool};",
        f"                int c = w / {rows} * {pool} + n % {pool};",
        "                int32_t z = 0;",
        f"                for (int t = 0; t < {conv.taps}; t++) {{",
        f"                    int i = t % {side * side} / {side}, j = t % {side};",
        f"                    int row = t / {side * side} * {conv.rows} + r + i;",
        f"                    int k = {prefix}_kernels[f * {conv.taps} + t];",
        f"                    z += k * x[row * {conv.columns} + c + j];",
        "                }",
        "                best = n == 0 || z > best ? z : best;",
        "            }",
        f"            best = best < 0 ? 0 : best >> {conv.shift};",
        f"            h[w * {conv.kernels} + f] = (uint8_t)(best > {top} ? {top} : best);",
        "        }",
        "}", ""]
