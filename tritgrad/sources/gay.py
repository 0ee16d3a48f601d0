"""gay (plurigrid/asi, skill gay-mcp): colours and trits that are functions of a seed and an index.

`tritgrad.model.discrete.splitmix` and `gf3` do the work. Programs run after
``sys.modules["gay"] = tritgrad.sources.gay``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tritgrad.model.discrete import splitmix
from tritgrad.model.discrete.gf3 import TripartiteStreams
from tritgrad.model.discrete.splitmix import (
    GOLDEN,
    ColorRule,
    SplitMix64,
    chain_seed,
    interleaved,
    splitmix_ternary,
)
from tritgrad.model.discrete.splitmix import MASK as MASK64

__all__ = ["GOLDEN", "MASK64", "MIX1", "MIX2", "SEED", "SplitMix64", "SplitMixTernary",
           "TripartiteStreams", "chain_seed", "hue_to_trit", "interleaved", "oklch_to_hex",
           "palette", "splitmix_ternary"]

MIX1, MIX2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
#: The source's default.
SEED = 1069

#: Rows: linear red, green and blue from the cubes of l, m and s; l, m and s from a and b.
RGB = ((4.0767416621, -3.3077115913, 0.2309699292), (-1.2684380046, 2.6097574011, -0.3413193965),
       (-0.0041960863, -0.7034186147, 1.7076147010))
LMS = ((0.3963377774, 0.2158037573), (-0.1055613458, -0.0638541728), (-0.0894841775, -1.2914855480))


class SplitMixTernary(splitmix.SplitMixTernary):
    """The stream of the library with the source's default seed, and colours in hex.

    Parameters
    ----------
    seed
        0 to 2^64 - 1.
    rule
        Which of the source's three incompatible `color_at`, or ``raw``.
    """

    def __init__(self, seed: int = SEED, rule: ColorRule = "sequential"):
        super().__init__(seed, rule)

    def color_at(self, n: int) -> dict[str, Any]:  # type: ignore[override]
        """The colour with index `n`: L, C, H, trit, index, and hex by `oklch_to_hex`."""
        color = super().color_at(n)
        return {**color, "hex": oklch_to_hex(color["L"], color["C"], color["H"])}

    @classmethod
    def prove_out_of_order(cls, seed: int = SEED,
                           indices: Sequence[int] = (1, 5, 10, 20, 50)) -> dict[str, Any]:
        """Whether the colours are the same in order, backwards and shuffled."""
        stream = cls(seed)
        ordered = [stream.color_at(n) for n in indices]
        turned = [cls(seed).color_at(n) for n in reversed(indices)][::-1]
        places = np.argsort([stream.at(n) for n in indices])
        shuffled: list[Any] = [None] * len(ordered)
        for place in places:
            shuffled[place] = stream.color_at(indices[place])
        same = ordered == turned == shuffled
        return {"ordered_equals_reversed": ordered == turned,
                "ordered_equals_shuffled": ordered == shuffled,
                "proof": "QED: Math is doable out of order" if same else "no proof"}


def hue_to_trit(hue: float) -> int:
    """+1 for warm hues, below 60 degrees or from 300; 0 from 60 below 180; else -1."""
    return 1 if hue < 60 or hue >= 300 else 0 if hue < 180 else -1


def oklch_to_hex(L: float, C: float, H: float) -> str:
    """A colour as ``#RRGGBB``, by the formula that the skill prints.

    The skill takes L in per cent but C as it is, so that nearly all of its colours are outside
    what a screen shows and end at 00 or FF.
    """
    angle = math.radians(H)
    a, b = C * math.cos(angle), C * math.sin(angle)
    cubes = [(L / 100 + ka * a + kb * b) ** 3 for ka, kb in LMS]
    parts = (sum(k * cube for k, cube in zip(row, cubes, strict=True)) for row in RGB)
    return "#" + "".join(f"{max(0, min(255, int(part * 255))):02X}" for part in parts)


def palette(n: int, seed: int = SEED, rule: ColorRule = "sequential") -> list[dict[str, Any]]:
    """The colours 0 to n - 1."""
    stream = SplitMixTernary(seed, rule)
    return [stream.color_at(k) for k in range(n)]
