"""Group scales from integer correlation: the exact rule of ScaledOptum (CLIWorks/ARBS).

A group of weights has fixed trits T and the scale S = 2^E (1 + corr / (step * size)), where corr
adds up the score of every step: the votes -sign(dL/dw) on the group's trits. The source leaves the
sign of a vote open; this one descends, the other one diverges.
"""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ...errors import BadInput

__all__ = ["TRACK_THRESHOLD", "GroupScales", "pack_trits", "unpack_trits"]

#: Net votes after which slow tracking moves an exponent by one.
TRACK_THRESHOLD = 4

_PLACES = np.array([1, 3, 9, 27, 81], np.int64)


def pack_trits(trits: npt.ArrayLike) -> tuple[npt.NDArray[np.uint8], int]:
    """Five trits a byte, flat row-major, digit = trit + 1, and how many digits 0 pad the last."""
    flat = np.asarray(trits, np.int64).reshape(-1)
    if flat.size and not -1 <= flat.min() <= flat.max() <= 1:
        raise BadInput(f"trits must be -1, 0 or 1, not {flat.min()} to {flat.max()}")
    pad = -flat.size % 5
    digits = np.concatenate([flat + 1, np.zeros(pad, np.int64)]).reshape(-1, 5)
    return (digits @ _PLACES).astype(np.uint8), pad


def unpack_trits(packed: npt.NDArray[np.uint8], pad: int) -> npt.NDArray[np.int8]:
    """The trits of `pack_trits`, flat, without its padding."""
    if not 0 <= pad <= 4:
        raise BadInput(f"pad must be from 0 to 4, not {pad!r}")
    if packed.size and packed.max() > 242:
        raise BadInput(f"a byte of five trits must be at most 242, not {int(packed.max())!r}")
    flat = (packed.astype(np.int64)[:, None] // _PLACES % 3).reshape(-1) - 1
    return flat[:flat.size - pad].astype(np.int8)


class GroupScales:
    """Trits in groups of `size`, flat row-major; a short last group still counts `size` trits.

    Parameters
    ----------
    trits
        Any shape, -1, 0 or 1; never changed.
    exponents
        (groups,) from -128 to 127.
    size
        Weights of a group, 1 to 32767.
    track
        Whether exponents slowly follow the scores (the source's residual rule).
    ascend
        Whether a vote is +sign(dL/dw), as the source's formula reads: it climbs the loss.

    Attributes
    ----------
    corr
        int64 (groups,), the sum of all scores; never clipped and never reset.
    step
        Number of updates.
    residual
        int8 (groups,), what slow tracking has gathered, -3 to 3 between calls.
    grad
        The gradient of the weights, of the shape of the trits, summed over the batch, or None.
    """

    def __init__(self, trits: npt.ArrayLike, exponents: npt.ArrayLike, size: int = 32, *,
                 track: bool = False, ascend: bool = False):
        self.trits = np.asarray(trits, np.int8).copy()
        pack_trits(self.trits)
        if not 1 <= size <= 32767:
            raise BadInput(f"group size must be from 1 to 32767, not {size!r}")
        groups = -(-self.trits.size // size)
        wide = np.asarray(exponents, np.int64)
        if wide.shape != (groups,):
            raise BadInput(f"exponents must have shape ({groups},), not {wide.shape!r}")
        if groups and not -128 <= wide.min() <= wide.max() <= 127:
            raise BadInput(f"exponents must be from -128 to 127, not {wide.min()} to {wide.max()}")
        self.size, self.track, self.ascend = size, track, ascend
        self.exponents = wide.astype(np.int8)
        self.corr = np.zeros(groups, np.int64)
        self.residual = np.zeros(groups, np.int8)
        self.step = 0
        self.grad: npt.NDArray[np.generic] | None = None

    def scores(self, gradient: npt.ArrayLike) -> npt.NDArray[np.int16]:
        """Score (groups,) of a gradient: the sum of -sign(gradient) * trit, at most `size`."""
        g = np.asarray(gradient)
        if g.shape != self.trits.shape:
            raise BadInput(f"gradient must have shape {self.trits.shape!r}, not {g.shape!r}")
        if not np.all(np.isfinite(g)):
            raise BadInput("gradient must be finite")
        votes = (1 if self.ascend else -1) * np.sign(g).astype(np.int64) * self.trits
        padded = np.zeros(len(self.corr) * self.size, np.int64)
        padded[:votes.size] = votes.reshape(-1)
        return padded.reshape(-1, self.size).sum(axis=1).astype(np.int16)

    def update(self, gradient: npt.ArrayLike) -> npt.NDArray[np.int16]:
        """Learn one gradient; the scores it gave."""
        scores = self.scores(gradient)
        self.corr += scores
        self.step += 1
        if self.track:
            self._follow(scores)
        return scores

    def update_corr(self) -> None:
        """`update` with the stored `grad`; nothing without one."""
        if self.grad is not None:
            self.update(self.grad)

    @property
    def denominator(self) -> int:
        """D = step * size, common to all groups."""
        return self.step * self.size

    def numerators(self) -> list[int]:
        """N = D + corr per group, 0 to 2 D."""
        return [self.denominator + int(c) for c in self.corr]

    def scales(self) -> list[Fraction]:
        """S = 2^E N / D per group, exactly; 2^E before the first step."""
        d = self.denominator
        factors = [Fraction(n, d) if d else Fraction(1) for n in self.numerators()]
        return [Fraction(2) ** int(e) * f for e, f in zip(self.exponents, factors, strict=True)]

    def exponential_scales(self, slope: int = 4) -> npt.NDArray[np.float64]:
        """S = 2^(E + slope * corr / D) per group, a later form of the source; it never is 0."""
        mean = self.corr / (self.denominator or 1)
        return np.exp2(self.exponents + slope * mean)

    def forward(self, x: npt.ArrayLike) -> list[Fraction]:
        """Outputs of trits (outputs, inputs) for integers x (inputs,), exactly.

        The sum runs over integers N * (T x) << (E - Emin); one division by D ends each output.
        """
        values = np.asarray(x, np.int64)
        if self.trits.ndim != 2 or values.shape != self.trits.shape[1:]:
            raise BadInput(f"x must be one row for trits {self.trits.shape!r}, "
                           f"not {values.shape!r}")
        low = min(map(int, self.exponents), default=0)
        d = self.denominator
        numerators = self.numerators() if d else [1] * len(self.corr)
        products = (self.trits * values).reshape(-1)
        sums = [0] * len(self.trits)
        for flat in np.flatnonzero(products):
            g = int(flat) // self.size
            sums[int(flat) // len(values)] += (
                numerators[g] * int(products[flat]) << int(self.exponents[g]) - low)
        return [Fraction(s, d or 1) * Fraction(2) ** low for s in sums]

    def state(self) -> dict[str, npt.NDArray[np.integer]]:
        """All that a saved run needs, integers only."""
        packed, pad = pack_trits(self.trits)
        return {"trits": packed, "pad": np.array(pad), "exponents": self.exponents.copy(),
                "corr": self.corr.copy(), "step": np.array(self.step, np.int64),
                "residual": self.residual.copy()}

    def load(self, state: dict[str, npt.NDArray[np.integer]]) -> None:
        """Go on from a `state` of the same shape."""
        trits = unpack_trits(np.asarray(state["trits"], np.uint8), int(state["pad"]))
        found = trits.size, state["corr"].shape
        if found != (self.trits.size, self.corr.shape):
            raise BadInput(f"state must have {self.trits.size} trits and corr of shape "
                           f"{self.corr.shape!r}, not {found[0]} and {found[1]!r}")
        self.trits = trits.reshape(self.trits.shape)
        self.exponents[:], self.corr[:] = state["exponents"], state["corr"]
        self.residual[:], self.step = state["residual"], int(state["step"])

    def _follow(self, scores: npt.NDArray[np.int16]) -> None:
        """One vote -sign(score) a step; `TRACK_THRESHOLD` net votes move the exponent."""
        self.residual -= np.sign(scores).astype(np.int8)
        moves = np.where(self.residual >= TRACK_THRESHOLD, 1,
                         np.where(self.residual <= -TRACK_THRESHOLD, -1, 0))
        self.exponents[:] = np.clip(self.exponents.astype(np.int64) + moves, -128, 127)
        self.residual -= (moves * TRACK_THRESHOLD).astype(np.int8)
