"""A network as a page takes it: its sizes, its trits as bytes."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...model.arithmetic import trits
from ...model.recipe import Recipe
from ..run.model_file import TrainedModel

__all__ = ["as_text", "shown_layers", "trits_of"]

#: Weights of a layer that are shown: those of the first neurons.
SHOWN = 64


def shown_layers(recipe: Recipe) -> list[int | str]:
    """Kernels if there are any, inputs of the first layer, neurons of each layer."""
    conv = recipe.conv
    kernels = [f"{conv.kernels}x{conv.kernel}x{conv.kernel}"] if conv else []
    return [*kernels, *recipe.layers]


def trits_of(model: TrainedModel, counters: Sequence[npt.NDArray[np.integer]],
             ) -> list[dict[str, Any]]:
    """Trits of the first rows of each layer, a byte each, 1 more than the trit, for a page.

    Kernels come first; their images are one channel below the other.
    """
    recipe, conv, pixels = model.recipe, model.recipe.conv, model.pixels
    found = []
    for n, layer in enumerate(counters):
        bits = recipe.counter_bits
        title = f"layer {n if conv else n + 1}: {len(layer)} neurons"
        shape = list(pixels) if n == 0 and pixels else None
        if conv is not None and n == 0:
            bits, title = conv.counter_bits, f"{len(layer)} kernels"
            shape = [conv.channels * conv.kernel, conv.kernel]
        found.append({
            "title": title,
            "outputs": len(layer), "shown": min(SHOWN, len(layer)), "inputs": layer.shape[1],
            "shape": shape, "trits": as_text((trits(layer[:SHOWN], bits) + 1).astype(np.uint8))})
    return found


def as_text(values: npt.NDArray[np.uint8]) -> str:
    """Bytes as a page takes them."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
