"""Pictures of a convolution: its kernels, what they found in an image, who listens to them."""

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.image import imsave

from ...model import arithmetic
from ...model.convolution.kernels import ConvKernels, Features
from ...model.convolution.shape import Convolution
from ...model.soft.decisions import SampleDecisions
from .model_file import TrainedModel

__all__ = ["Seen", "by_kernel", "kernel_pictures", "picture", "see"]

Array = npt.NDArray[Any]

#: Kernels that are shown.
SHOWN = 64


@dataclass(frozen=True)
class Seen:
    """An image (inputs,), by channel, row, column, and what the kernels found in it."""

    pixels: npt.NDArray[np.uint8]
    features: Features


def see(model: TrainedModel, pixels: npt.NDArray[np.uint8]) -> list[Seen]:
    """Images (rows, inputs) as the kernels of a model see them."""
    assert model.recipe.conv is not None
    kernels = ConvKernels(model.recipe.conv, model.recipe.seed)
    kernels.counters = np.array(model.counters[0], np.int64)
    return [Seen(image, kernels.forward(image)) for image in pixels]


def kernel_pictures(model: TrainedModel, seen: Seen, made: SampleDecisions) -> dict[str, Any]:
    """What the page shows of a convolution: the image's channels, and kernel by kernel."""
    conv = model.recipe.conv
    assert conv is not None
    weights, h = model.trits()[0], seen.features.h
    maps, top = _maps(h, conv), (1 << conv.bits) - 1
    errors = _maps(_errors(model, seen, made), conv)
    shape = conv.channels, conv.kernel, conv.kernel
    return {
        "conv": conv, "more": conv.kernels - min(SHOWN, conv.kernels),
        "channels": [picture(channel, "gray", 0, max((1 << conv.planes) - 1, int(channel.max())))
                     for channel in seen.pixels.reshape(conv.channels, conv.rows, conv.columns)],
        "kernels": [{
            "number": f, "map": picture(maps[f], "gray", 0, top),
            "channels": [picture(tile, "RdBu_r", -1, 1) for tile in weights[f].reshape(shape)],
            "positive": int((weights[f] > 0).sum()), "negative": int((weights[f] < 0).sum()),
            "off": int((maps[f] == 0).sum()), "windows": maps[f].size,
            "up": int((errors[f] > 0).sum()), "down": int((errors[f] < 0).sum())}
            for f in range(min(SHOWN, conv.kernels))]}


def by_kernel(values: Array, conv: Convolution) -> Array:
    """Numbers of all outputs (outputs,) as a grid of maps, one a kernel; between them NaN."""
    maps = _maps(values, conv).astype(np.float64)
    wide = next(n for n in range(1, len(maps) + 1) if n * n >= len(maps))
    high = -(-len(maps) // wide)
    rows, columns = conv.windows
    grid = np.full((high * (rows + 1) - 1, wide * (columns + 1) - 1), np.nan)
    for f, tile in enumerate(maps):
        r, c = f // wide * (rows + 1), f % wide * (columns + 1)
        grid[r:r + rows, c:c + columns] = tile
    return grid


def picture(values: Array, colours: str, low: float, high: float) -> str:
    """A PNG of numbers (rows, columns) in a data URL; NaN is transparent."""
    buffer = io.BytesIO()
    imsave(buffer, np.ma.masked_invalid(np.asarray(values, np.float64)), cmap=colormaps[colours],
           vmin=low, vmax=high, format="png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _maps(values: Array, conv: Convolution) -> Array:
    """(kernels, rows, columns) of outputs, which go by column of windows, row, kernel."""
    rows, columns = conv.windows
    return values.reshape(columns, rows, conv.kernels).transpose(2, 1, 0)


def _errors(model: TrainedModel, seen: Seen, made: SampleDecisions) -> Array:
    """The error trit of each output, as learning the sample would send it down."""
    if not made.learned:
        return np.zeros_like(seen.features.h)
    if made.hidden:
        above = made.hidden[0].errors
    else:
        above = np.zeros(model.recipe.layers[-1], np.int64)
        above[made.label], above[made.rival] = 1, -1
    return arithmetic.backward(model.trits()[1].astype(np.int64), above, seen.features.gates)
