"""Support of a ternary layer: granules of R x L trits, after blending pruning and back-propagation.

A granule without a non-zero trit is outside the support and costs no cycle of the forward pass.
Its counters go on integrating, so that it can be born again.
"""

import numpy as np
import numpy.typing as npt

from ..config import ceil_div
from ..errors import BadInput

__all__ = ["changes", "forward_cycles", "purge", "support"]

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
    group without any takes one, in which its sums leave (`hw.forward.ForwardControl`).
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
    """Set counters of magnitude below 2^k to 0, in place; how many were not 0 already."""
    if not 0 <= k <= 14:
        raise BadInput(f"k must be from 0 to 14, not {k!r}")
    small = (np.abs(counters.astype(np.int64)) < 1 << k) & (counters != 0)
    counters[small] = 0
    return int(small.sum())


def changes(before: Bits, after: Bits) -> tuple[int, int]:
    """Births and deaths between two supports."""
    return int((after & ~before).sum()), int((before & ~after).sum())
