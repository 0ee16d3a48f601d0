"""Support of a ternary layer: granules of R x L trits, after blending pruning and back-propagation.

A granule outside the support costs no cycle of the forward pass. Its counters go on integrating;
it is born again with its first non-zero trit, and dies in a purge only, as in the source.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ..arithmetic import trits
from ..config import ceil_div

if TYPE_CHECKING:
    from ..recipe import Recipe

__all__ = ["Support", "changes", "check_support", "forward_cycles", "purge", "purged", "support"]

Bits = npt.NDArray[np.bool_]


def support(trits: npt.NDArray[np.integer], rows: int, lanes: int) -> Bits:
    """(ceil(outputs / rows), ceil(inputs / lanes)): granules that have a non-zero trit.

    The last granules of a layer (outputs, inputs) may be short.
    """
    if rows < 1 or lanes < 1:
        raise BadInput(f"a granule must have at least 1 x 1 trits, not {rows!r} x {lanes!r}")
    outputs, inputs = trits.shape
    groups, words = ceil_div(outputs, rows), ceil_div(inputs, lanes)
    padded = np.zeros((groups * rows, words * lanes), np.bool_)
    padded[:outputs, :inputs] = trits != 0
    return np.asarray(padded.reshape(groups, rows, words, lanes).any(axis=(1, 3)))


def forward_cycles(inside: Bits, x: npt.NDArray[np.integer], planes: int, lanes: int) -> int:
    """Array cycles of a layer for inputs (inputs,) of `planes` bits, without setup and drain.

    One cycle for each row group and each non-zero word of a bit plane whose granule is inside; a
    group without any takes one, in which its sums leave (`hw.datapath.forward.ForwardControl`).
    """
    words = inside.shape[1]
    if x.ndim != 1 or ceil_div(len(x), lanes) != words:
        raise BadInput(f"x must fill {words} words of {lanes}, not have shape {x.shape!r}")
    padded = np.zeros(words * lanes, np.int64)
    padded[:len(x)] = x
    active = np.zeros(words, np.int64)
    for p in range(planes):
        active += (padded >> p & 1).reshape(words, lanes).any(axis=1)
    return int(np.maximum(1, (inside * active).sum(axis=1)).sum())


def purge(counters: npt.NDArray[np.integer], k: int) -> int:
    """Set counters from -2^k to 2^k - 1 to 0, in place, unless k is 0; how many were not 0."""
    if not 0 <= k <= 15:
        raise BadInput(f"k must be from 0 to 15, not {k!r}")
    if k == 0:
        return 0
    small = np.isin(counters >> k, (0, -1)) & (counters != 0)
    counters[small] = 0
    return int(small.sum())


def purged(counters: npt.NDArray[np.integer], bits: int, rows: int, lanes: int, cutoff: int,
           k: int) -> tuple[npt.NDArray[np.integer], Bits]:
    """Counters (outputs, inputs) of `bits` bits after a purge, and the support that it leaves.

    Counters whose trit is not 0 become 0 in granules that have at most `cutoff` of them; then small
    counters everywhere, see `purge`.
    """
    found, (outputs, inputs) = trits(counters, bits) != 0, counters.shape
    groups, words = ceil_div(outputs, rows), ceil_div(inputs, lanes)
    padded = np.zeros((groups * rows, words * lanes), np.int64)
    padded[:outputs, :inputs] = found
    kept = padded.reshape(groups, rows, words, lanes).sum(axis=(1, 3)) > cutoff
    in_kept = np.repeat(np.repeat(kept, rows, axis=0), lanes, axis=1)[:outputs, :inputs]
    after = np.where(found & ~in_kept, 0, counters).astype(counters.dtype)
    purge(after, k)
    return after, support(trits(after, bits), rows, lanes)


def check_support(inside: Sequence[Bits], found: Sequence[Bits]) -> None:
    """Raise `BadInput` unless a network's support covers what was `found` of its trits."""
    shapes = [bits.shape for bits in inside]
    if shapes != [bits.shape for bits in found]:
        raise BadInput(f"a support must have granules {[bits.shape for bits in found]!r}, "
                       f"not {shapes!r}")
    for number, (bits, needed) in enumerate(zip(inside, found, strict=True), 1):
        if missing := int((needed & ~bits).sum()):
            raise BadInput(f"the support of layer {number} leaves out {missing} granules that have "
                           f"a trit that is not 0")


@dataclass(eq=False)
class Support:
    """Which granules are inside, per layer (row groups, words)."""

    inside: list[Bits]

    @classmethod
    def belongs(cls, recipe: "Recipe") -> bool:
        """Whether runs of a recipe keep a support."""
        return recipe.prune is not None

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], depth: int,
                    prefix: str = "") -> "Support | None":
        """The inverse of `arrays`, for so many layers; None if there is nothing."""
        if f"{prefix}1" not in arrays:
            return None
        return cls([arrays[f"{prefix}{n}"] for n in range(1, depth + 1)])

    def arrays(self, prefix: str = "") -> dict[str, npt.NDArray[Any]]:
        """The bits of each layer, to be kept in a file."""
        return {f"{prefix}{n}": bits for n, bits in enumerate(self.inside, 1)}

    def copy(self) -> "Support":
        """One that nobody else changes."""
        return Support([bits.copy() for bits in self.inside])

    def check(self, outputs: Sequence[int]) -> None:
        """Raise `BadInput` unless there is a layer for each number of rows."""
        if len(self.inside) != len(outputs):
            raise BadInput(f"a support must have {len(outputs)} layers, not {len(self.inside)}")

    def bytes(self) -> bytes:
        """Nothing: no prediction depends on what is outside, so it enters no hash."""
        return b""

    @property
    def granules(self) -> int:
        """How many are inside."""
        return sum(int(bits.sum()) for bits in self.inside)


def changes(before: Bits, after: Bits) -> tuple[int, int]:
    """Births and deaths between two supports."""
    return int((after & ~before).sum()), int((before & ~after).sum())
