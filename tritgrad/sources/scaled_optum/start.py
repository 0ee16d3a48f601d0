"""Where trits and exponents of a layer come from; the source's own choice is not public."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tritgrad.model.discrete.splitmix import trits_of
from tritgrad.model.rng import check_seed, splitmix64

__all__ = ["drawn", "exponents_for", "rounded"]

Trits = npt.NDArray[np.int8]
Exponents = npt.NDArray[np.int8]


def drawn(outputs: int, inputs: int, size: int, seed: int) -> tuple[Trits, Exponents]:
    """Random trits (outputs, inputs), and the exponent that keeps the variance of a sum about 1."""
    trits = trits_of(splitmix64(check_seed(seed), np.arange(outputs * inputs)))
    exponent = round(-np.log2(2 * inputs / 3) / 2)
    return (trits.reshape(outputs, inputs),
            np.full(-(-outputs * inputs // size), exponent, np.int8))


def rounded(weights: npt.NDArray[Any], size: int) -> tuple[Trits, Exponents]:
    """The nearest trits to weights over each group's mean size, and log2 of that, rounded.

    The rule of BitNet b1.58 (Ma and others, 2024), by groups.
    """
    w = np.asarray(weights, np.float64)
    groups = -(-w.size // size)
    flat = np.zeros(groups * size)
    flat[:w.size] = w.reshape(-1)
    counts = np.minimum(size, w.size - size * np.arange(groups))
    mean = np.abs(flat).reshape(groups, size).sum(axis=1) / counts
    mean = np.where(mean > 0, mean, 1.0)
    trits = np.rint(np.clip(flat.reshape(groups, size) / mean[:, None], -1, 1))
    return (trits.reshape(-1)[:w.size].reshape(w.shape).astype(np.int8), exponents_for(mean))


def exponents_for(scales: npt.NDArray[Any]) -> Exponents:
    """round(log2) of scales above 0, within int8."""
    return np.clip(np.rint(np.log2(scales)), -128, 127).astype(np.int8)
