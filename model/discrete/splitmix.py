"""SplitMix64 as a stream that splits, and the trits and colours that are read from it.

Every value is a function of a seed and an index, so neither order nor parallelism changes it.
Sources: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014;
plurigrid/asi, skills gay-mcp, splitmixternary-opine, spi-parallel-verify, og, unison-acset,
skill-embedding-vss, ordered-locale and triad-interleave.
"""

from collections.abc import Sequence
from typing import Literal, TypedDict, get_args

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ..rng import check_seed, splitmix64

__all__ = ["Color", "ColorRule", "SplitMix64", "SplitMixTernary", "Trits", "chain_seed",
           "hue_trits", "interleaved", "mix", "splitmix_ternary", "trits_of"]

Trits = npt.NDArray[np.int8]
Words = npt.NDArray[np.uint64]

#: How a colour is read from the stream: see `SplitMixTernary`.
ColorRule = Literal["sequential", "jump", "fields", "raw"]

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


class Color(TypedDict):
    """A colour of the stream."""

    L: float    #: lightness, 10 to 95
    C: float    #: chroma, 0 to 100
    H: float    #: hue in degrees, 0 to 360
    trit: int   #: -1, 0 or +1
    index: int  #: where in the stream


def mix(z: int) -> int:
    """The finaliser of SplitMix64: a bijection of 64-bit words, `z` taken mod 2^64."""
    return splitmix64(z & MASK, -1)


def trits_of(words: Words) -> Trits:
    """The trits of raw 64-bit outputs: (word mod 3) - 1, int8 of the same shape."""
    return ((words % np.uint64(3)).astype(np.int8) - 1).astype(np.int8)


def hue_trits(draws: Words, top: int = MASK) -> Trits:
    """The trits of hues 360 * draw / `top` degrees, decided on integers.

    Warm hues, below 60 or from 300, are +1; from 60 below 180 is 0; from 180 below 300 is -1.

    Returns
    -------
    array of int8
        As `draws`.
    """
    below_60, below_180 = np.uint64((top - 1) // 6), np.uint64((top - 1) // 2)
    from_300 = np.uint64(-(-5 * top // 6))
    warm = (draws <= below_60) | (draws >= from_300)
    return np.where(warm, 1, np.where(draws <= below_180, 0, -1)).astype(np.int8)


class SplitMix64:
    """The generator as a sequence, with the ways in which the sources split it.

    Parameters
    ----------
    seed
        0 to 2^64 - 1. Raises `BadInput` otherwise.

    Attributes
    ----------
    seed
        What it started with.
    state
        64 bits: the seed plus the golden constant for each draw.
    """

    def __init__(self, seed: int):
        self.seed = self.state = check_seed(seed)

    def next(self) -> int:
        """The next output, 64 bits."""
        output = splitmix64(self.state, 0)
        self.state = (self.state + GOLDEN) & MASK
        return output

    def at(self, n: int) -> int:
        """What the n-th call of `next` (from 0) after the start gives; moves nothing."""
        return splitmix64(self.seed, n)

    def random(self) -> float:
        """The next output over 2^64 - 1: a float from 0 to 1, both included."""
        return self.next() / MASK

    def split(self, offset: int) -> "SplitMix64":
        """A child seeded with state XOR offset * golden (skill splitmixternary-opine)."""
        return type(self)(self.state ^ (offset * GOLDEN & MASK))

    def jump(self, offset: int) -> "SplitMix64":
        """A child seeded with the output that is `offset` draws ahead (the taxonomy's split)."""
        return type(self)(splitmix64(self.state, offset))

    def trifurcate(self) -> tuple["SplitMix64", "SplitMix64", "SplitMix64"]:
        """Children minus, ergodic and plus, seeded with the next three outputs."""
        minus, ergodic, plus = (type(self)(self.next()) for _ in range(3))
        return minus, ergodic, plus


class SplitMixTernary(SplitMix64):
    """Trits and colours from SplitMix64.

    Parameters
    ----------
    seed
        0 to 2^64 - 1.
    rule
        How `color_at(n)` reads the outputs o(n), and where its trit comes from. The sources hold
        three incompatible ways:

        - ``sequential`` (skills gay-mcp and og): lightness, chroma and hue are o(n), o(n + 1) and
          o(n + 2), so that neighbours overlap; trit of the hue.
        - ``jump`` (skill spi-parallel-verify): lightness and chroma are both o(n), hue is
          o(n + 1); trit of the hue.
        - ``fields`` (skill unison-acset): bits 15:0, 31:16 and 47:32 of o(n); trit of the hue.
        - ``raw``: colours as in ``sequential``, trit of o(n) itself as in `next_trit`.
    """

    def __init__(self, seed: int, rule: ColorRule = "sequential"):
        super().__init__(seed)
        if rule not in get_args(ColorRule):
            raise BadInput(f"rule of colours must be {', '.join(get_args(ColorRule))}, "
                           f"not {rule!r}")
        self.rule = rule
        self._triple: list[int] = []

    def next_trit(self) -> int:
        """The trit of the next output: (output mod 3) - 1."""
        return self.next() % 3 - 1

    def next_trits(self, n: int) -> Trits:
        """What the next `n` calls of `next_trit` give, int8 (n,)."""
        trits = trits_of(splitmix64(self.state, np.arange(n)))
        self.state = (self.state + n * GOLDEN) & MASK
        return trits

    def next_trit_conserved(self) -> int:
        """The next trit of a stream whose aligned triples each sum to 0 mod 3.

        Two of three trits are drawn, the third makes the sum.
        """
        if not self._triple:
            first, second = self.next_trit(), self.next_trit()
            self._triple = [first, second, (1 - first - second) % 3 - 1]
        return self._triple.pop(0)

    def trits_at(self, n: npt.NDArray[np.integer]) -> Trits:
        """The trits of the colours with indices `n`, int8 of the same shape."""
        if self.rule == "raw":
            return trits_of(splitmix64(self.seed, n))
        draws, top = self._draws(n)[2]
        return hue_trits(draws, top)

    def colors_at(self, n: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.float64], Trits]:
        """Lightness, chroma and hue (..., 3) and trits (...,) of the colours `n`."""
        scaled = [draws.astype(np.float64) / top for draws, top in self._draws(n)]
        parts = np.stack(scaled, axis=-1) * [85.0, 100.0, 360.0] + [10.0, 0.0, 0.0]
        return parts, self.trits_at(n)

    def color_at(self, n: int) -> Color:
        """The colour with index `n`."""
        parts, trit = self.colors_at(np.array(n))
        lightness, chroma, hue = (float(part) for part in parts)
        return Color(L=lightness, C=chroma, H=hue, trit=int(trit), index=n)

    def _draws(self, n: npt.NDArray[np.integer]) -> list[tuple[Words, int]]:
        """The numbers behind lightness, chroma and hue, and what stands for 1."""
        first = splitmix64(self.seed, n)
        if self.rule == "fields":
            return [(first >> np.uint64(low) & np.uint64(0xFFFF), 0xFFFF) for low in (0, 16, 32)]
        second = splitmix64(self.seed, np.asarray(n + 1))
        if self.rule == "jump":
            return [(first, MASK), (first, MASK), (second, MASK)]
        return [(first, MASK), (second, MASK), (splitmix64(self.seed, np.asarray(n + 2)), MASK)]


def splitmix_ternary(seed: int) -> tuple[int, int, int]:
    """Three words, each the hash of the one before, from `seed` (skill ordered-locale)."""
    first = splitmix64(check_seed(seed), 0)
    second = splitmix64(first, 0)
    return first, second, splitmix64(second, 0)


def interleaved(seed: int) -> tuple[SplitMix64, SplitMix64, SplitMix64]:
    """Three streams that start one golden constant apart (skill triad-interleave)."""
    check_seed(seed)
    first, second, third = (SplitMix64((seed + k * GOLDEN) & MASK) for k in range(3))
    return first, second, third


def chain_seed(seed: int, trits: Sequence[int] | Trits) -> int:
    """The seed that follows from a seed and the trits it led to (skill triad-interleave)."""
    balance = (sum(int(t) for t in trits) + 1) % 3 - 1
    return mix(check_seed(seed) + balance * GOLDEN + GOLDEN)
