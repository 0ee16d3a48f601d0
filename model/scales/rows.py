"""Group scales of the margin rule's networks: a row of weights is a group.

State and arithmetic as in `docs/scales.md`, layer by layer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .chip import FRACTION_BITS, apply_codes, factor, refreshed, size_exponent

if TYPE_CHECKING:
    from ..recipe import Recipe

__all__ = ["RowScales", "row_scores"]


def row_scores(weights: npt.NDArray[np.integer], x: npt.NDArray[np.integer],
               errors: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Score (rows,) of trits (rows, inputs): the votes sign(e x) on the trits of each row."""
    return errors.astype(np.int64) * (weights.astype(np.int64) @ np.sign(x).astype(np.int64))


@dataclass(eq=False)
class RowScales:
    """Scales of a network's rows.

    Attributes
    ----------
    corr
        Per layer int64 (outputs,), the sum of all scores; never clipped and never reset.
    codes
        Per layer uint8 (outputs,), the factors in force, see `tritgrad.model.scales.chip`.
    step
        Samples learned.
    """

    corr: list[npt.NDArray[np.int64]]
    codes: list[npt.NDArray[np.uint8]]
    step: int = 0

    @classmethod
    def initial(cls, outputs: Sequence[int]) -> "RowScales":
        """Factors of 1 for layers with so many rows."""
        return cls([np.zeros(n, np.int64) for n in outputs],
                   [np.zeros(n, np.uint8) for n in outputs])

    @classmethod
    def belongs(cls, recipe: "Recipe") -> bool:
        """Whether networks of a recipe have scales."""
        return recipe.scale_refresh is not None

    @classmethod
    def of(cls, parts: Mapping[str, object]) -> "RowScales | None":
        """A copy of those among the parts of a state."""
        found = parts.get("scales")
        return found.copy() if isinstance(found, cls) else None

    def copy(self) -> "RowScales":
        """One that nobody else changes."""
        return RowScales([c.copy() for c in self.corr], [c.copy() for c in self.codes], self.step)

    def check(self, outputs: Sequence[int]) -> None:
        """Raise `BadInput` unless these are scales of layers with so many rows."""
        for name, values in ("corr", self.corr), ("codes", self.codes):
            found = [v.shape for v in values]
            if found != [(n,) for n in outputs]:
                raise BadInput(f"{name} of scales must have {list(outputs)!r} rows, not {found!r}")
        if self.step < 0:
            raise BadInput(f"step of scales must be at least 0, not {self.step!r}")

    def apply(self, layer: int, z: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Pre-activations of a layer (from 0) times its factors."""
        return apply_codes(z, self.codes[layer])

    def end_step(self, inputs: Sequence[int], refresh: int) -> None:
        """Count a step; after every 2^refresh of them divide anew. `inputs` of each layer."""
        self.step += 1
        if self.step % (1 << refresh) == 0:
            for corr, codes, f in zip(self.corr, self.codes, inputs, strict=True):
                codes[:] = [refreshed(int(c), self.step, size_exponent(f)) for c in corr]

    def exact(self, inputs: Sequence[int]) -> list[list[Fraction]]:
        """The scales of each layer's rows by the exact rule, from corr and step."""
        return [[1 + Fraction(int(c), max(1, self.step) << size_exponent(f)) for c in corr]
                 for corr, f in zip(self.corr, inputs, strict=True)]

    def applied(self) -> list[list[Fraction]]:
        """The scales of each layer's rows as they are applied."""
        return [[Fraction(factor(int(c)), 1 << FRACTION_BITS) for c in codes]
                for codes in self.codes]

    def distance(self, inputs: Sequence[int]) -> Fraction:
        """The largest distance of an applied scale from the exact one."""
        return max(abs(a - b) for pair in zip(self.applied(), self.exact(inputs), strict=True)
                   for a, b in zip(*pair, strict=True))

    def arrays(self, prefix: str = "") -> dict[str, npt.NDArray[Any]]:
        """The state as named arrays, to be kept in a file."""
        named: dict[str, npt.NDArray[Any]] = {f"{prefix}step": np.array(self.step, np.int64)}
        for n, (corr, codes) in enumerate(zip(self.corr, self.codes, strict=True), 1):
            named |= {f"{prefix}corr_{n}": corr.astype("<i8"), f"{prefix}codes_{n}": codes}
        return named

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], depth: int,
                    prefix: str = "") -> "RowScales | None":
        """The inverse of `arrays`, for so many layers; None if there is nothing."""
        if f"{prefix}step" not in arrays:
            return None
        numbers = range(1, depth + 1)
        return cls([arrays[f"{prefix}corr_{n}"].astype(np.int64) for n in numbers],
                   [arrays[f"{prefix}codes_{n}"].astype(np.uint8) for n in numbers],
                   int(arrays[f"{prefix}step"]))

    def bytes(self) -> bytes:
        """All of the state, for a hash: corr and codes layer by layer, then the step."""
        parts = [part for corr, codes in zip(self.corr, self.codes, strict=True)
                 for part in (corr.astype("<i8").tobytes(), codes.tobytes())]
        return b"".join(parts) + self.step.to_bytes(8, "little")
