"""The row of the layer table in front of the layers: a convolution (`model.convolution`).

Its inputs are an image, row by row of all channels, each row of a channel in lanes of its own:
``rows * channels * lanes`` inputs, of which the first `columns` of so many lanes are pixels. Its
outputs are the first layer's inputs, its skip says the image's columns, planes, shift and gain are
its own.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import BadInput
from .config import CoreConfig, ceil_div
from .convolution.shape import Convolution

__all__ = ["convolution_of", "core_fields", "front_fields", "in_lanes", "kernel_counters",
           "most_bits", "most_cycles"]


def front_fields(config: CoreConfig, conv: Convolution) -> dict[str, int]:
    """The fields of a convolution's row (`model.layout.Layer`)."""
    return {"inputs": conv.rows * conv.channels * config.lanes, "outputs": conv.outputs,
            "planes": conv.planes, "shift": conv.shift, "gain": conv.gain, "skip": conv.columns}


def core_fields(conv: Convolution, lanes: int) -> dict[str, int]:
    """Fields of a core for a convolution: as many kernels at once as divide all, 4 at most."""
    at_once = max(n for n in range(1, 5) if conv.kernels % n == lanes % n == 0)
    return {"conv_kernels": conv.kernels, "conv_rows": conv.rows, "conv_columns": conv.columns,
            "conv_kernel": conv.kernel, "conv_pool": conv.pool, "conv_planes": conv.planes,
            "conv_at_once": at_once, "conv_bits": conv.bits,
            "conv_counter_bits": conv.counter_bits, "conv_channels": conv.channels}


def convolution_of(config: CoreConfig, row: Any) -> Convolution:
    """The convolution that a row says, on a core that has one.

    Raises
    ------
    BadInput
        Names what this core cannot do.
    """
    def check(name: str, value: int, low: int, high: int) -> None:
        if not low <= value <= high:
            raise BadInput(f"convolution: {name} must be from {low} to {high}, not {value}")

    c, side = config, config.conv_kernel + config.conv_pool - 1
    words = ceil_div(row.inputs, c.lanes)
    rows, rest = divmod(words, c.conv_channels)
    if rest:
        raise BadInput(f"convolution: inputs must be rows of {c.lanes} lanes of {c.conv_channels} "
                       f"channels, not {row.inputs}")
    check("rows", rows, side, c.conv_rows)
    check("columns", row.skip, side, c.conv_columns)
    check("planes", row.planes, 1, c.conv_planes)
    check("shift", row.shift, 0, 15)
    check("gain", row.gain, -15, 0)
    windows = ((rows - c.conv_kernel + 1) // c.conv_pool) * (
        (row.skip - c.conv_kernel + 1) // c.conv_pool)
    groups, rest = divmod(row.outputs, windows * c.conv_at_once)
    if rest or not 1 <= groups <= c.conv_kernels // c.conv_at_once:
        raise BadInput(f"convolution: outputs must be {windows} for each of up to "
                       f"{c.conv_kernels} kernels, {c.conv_at_once} at once, not {row.outputs}")
    return Convolution(
        rows=rows, columns=row.skip, kernels=groups * c.conv_at_once, kernel=c.conv_kernel,
        pool=c.conv_pool, channels=c.conv_channels, planes=row.planes, bits=c.conv_bits,
        counter_bits=c.conv_counter_bits, shift=row.shift, gain=row.gain)


def in_lanes(x: npt.NDArray[np.uint8], conv: Convolution, lanes: int) -> npt.NDArray[np.uint8]:
    """Images (samples, pixels), by channel, row, column, as inputs of the row in front.

    Those are (samples, rows * channels * lanes): each row of a channel in lanes of its own.
    """
    images = x.reshape(len(x), conv.channels, conv.rows, conv.columns).swapaxes(1, 2)
    return np.pad(images, (*[(0, 0)] * 3, (0, lanes - conv.columns))).reshape(len(x), -1)


def kernel_counters(config: CoreConfig, row: Any, data: bytes) -> npt.NDArray[np.int64]:
    """Counters (kernels, taps) of the bytes of a core's memory K."""
    conv = convolution_of(config, row)
    words = np.frombuffer(data, "<u2").astype(np.int64)
    half = 1 << (conv.counter_bits - 1)
    return ((words ^ half) - half).reshape(conv.kernels, conv.taps)


def most_bits(config: CoreConfig) -> tuple[int, int]:
    """Bits of a pixel at most, and those of an output."""
    return config.conv_planes, config.conv_bits


def most_cycles(config: CoreConfig, row: Any) -> int:
    """Cycles that no sample exceeds, generously: twice forward, sums, and steps."""
    return 8 * (row.outputs + row.inputs) + config.conv_kernels * (
        config.conv_channels * config.conv_kernel ** 2 + 16)
