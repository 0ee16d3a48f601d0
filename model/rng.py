"""Everything random in a run, as functions of its seed: reproducible by any implementation.

SplitMix64 is used by index, ``splitmix64(s, n)`` is the n-th output (from 0) of the generator
seeded with `s`, so nothing here depends on the order in which it is asked for. The PRNG of the
core is a xorshift64, the only sequence. Sources: Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", 2014; Marsaglia, "Xorshift RNGs", 2003.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from ..errors import BadInput

__all__ = ["XorShift64", "check_seed", "epoch_order", "epoch_seed", "initial_counters",
           "initial_prng", "rotated_order", "shift_image", "shift_offsets", "split_rows",
           "splitmix64"]

Indices = npt.NDArray[np.int64]

MASK = (1 << 64) - 1
#: Index of the SplitMix64 output that seeds epoch 0; above any counter's.
EPOCHS = 1 << 32


@overload
def splitmix64(seed: int, n: int) -> int: ...
@overload
def splitmix64(seed: int, n: npt.NDArray[np.integer]) -> npt.NDArray[np.uint64]: ...
def splitmix64(seed: int, n: int | npt.NDArray[np.integer]) -> int | npt.NDArray[np.uint64]:
    """The n-th output (from 0) of SplitMix64, or an array of them.

    Parameters
    ----------
    seed
        0 to 2^64 - 1.
    n
        An integer, or an array of integers of any shape; taken mod 2^64.

    Returns
    -------
    int or array of uint64
        As `n`.
    """
    if isinstance(n, np.ndarray):
        # Arrays of uint64 wrap in silence, where NumPy's scalars warn.
        z = np.atleast_1d(n).astype(np.uint64) + np.uint64(1)
        z = z * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return (z ^ (z >> np.uint64(31))).reshape(n.shape)
    one = (int(seed) + (int(n) + 1) * 0x9E3779B97F4A7C15) & MASK
    one = ((one ^ one >> 30) * 0xBF58476D1CE4E5B9) & MASK
    one = ((one ^ one >> 27) * 0x94D049BB133111EB) & MASK
    return one ^ one >> 31


class XorShift64:
    """The PRNG of the core.

    Attributes
    ----------
    state
        64 bits. 0 is the one state that never leaves itself; a run starts with another.
    """

    def __init__(self, state: int):
        self.state = state

    def draw(self) -> int:
        """Step once; the top 16 bits of the new state."""
        s = self.state
        s ^= (s << 13) & MASK
        s ^= s >> 7
        s ^= (s << 17) & MASK
        self.state = s
        return s >> 48


def check_seed(seed: int) -> int:
    """The seed as an int. Raises BadInput unless 0 <= seed < 2^64."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed <= MASK:
        raise BadInput(f"seed must be an integer from 0 to 2^64 - 1, not {seed!r}")
    return int(seed)


def initial_counters(layers: Sequence[int], bits: int, seed: int, first: int = 0) -> list[Indices]:
    """The counters a run starts with: the top `bits` bits of SplitMix64, read as signed.

    Parameters
    ----------
    layers
        Inputs, hidden sizes, classes.
    bits
        b, the bits of a counter.
    seed
        0 to 2^64 - 1.
    first
        How many numbers what stands before the layers has used.

    Returns
    -------
    list
        Per layer an array (outputs, inputs), in [-2^(b-1), 2^(b-1) - 1].
    """
    counters = []
    for inputs, outputs in zip(layers, layers[1:], strict=False):
        numbers = splitmix64(check_seed(seed), np.arange(first, first + outputs * inputs))
        counters.append((numbers.view(np.int64) >> (64 - bits)).reshape(outputs, inputs))
        first += outputs * inputs
    return counters


def initial_prng(layers: Sequence[int], seed: int, first: int = 0) -> XorShift64:
    """The PRNG a run starts with: seeded with the first output that no counter used, never 0.

    `first` is that of `initial_counters`.
    """
    used = first + sum(f * n for f, n in zip(layers, layers[1:], strict=False))
    return XorShift64(splitmix64(check_seed(seed), used) or 1)


def epoch_seed(seed: int, epoch: int) -> int:
    """The seed of everything random in an epoch, from 0."""
    return splitmix64(check_seed(seed), EPOCHS + epoch)


def epoch_order(seed: int, epoch: int, n: int) -> Indices:
    """The order in which an epoch (from 0) visits training rows 0 to n - 1; int64 (n,)."""
    return np.argsort(splitmix64(epoch_seed(seed, epoch), np.arange(n)), kind="stable")


def rotated_order(seed: int, epoch: int, n: int) -> Indices:
    """Another such order: one that no seed changes, begun in each epoch at another of its places.

    A board that holds the rows in that one order learns an epoch of any run in two stretches.
    """
    first = (splitmix64(epoch_seed(seed, epoch), 3 * n) >> 32) * n >> 32
    return np.roll(stored_order(n), -first)


def stored_order(n: int) -> Indices:
    """The order in which n training rows lie in a memory beside a core; int64 (n,)."""
    return np.argsort(splitmix64(0, np.arange(n)), kind="stable")


def shift_offsets(seed: int, epoch: int, n: int, k: int) -> tuple[Indices, Indices]:
    """Offsets in pixels by which an epoch (from 0) shifts the images of its n samples.

    Parameters
    ----------
    k
        Largest offset in each direction, 0 to 127.

    Returns
    -------
    dy, dx
        int64 (n,), -k to k, by position in the epoch's order (not by row).
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 0 <= k <= 127:
        raise BadInput(f"shift augmentation must be an integer from 0 to 127 pixels, not {k!r}")
    numbers = splitmix64(epoch_seed(seed, epoch), np.arange(n, 3 * n)) >> np.uint64(32)
    offsets = (numbers.astype(np.int64) * (2 * int(k) + 1) >> 32) - int(k)
    return offsets[0::2], offsets[1::2]


def shift_image(x: npt.NDArray[Any], dy: int, dx: int) -> npt.NDArray[Any]:
    """Images moved down by `dy` and right by `dx` pixels: ``new[r, c] = old[r - dy, c - dx]``.

    Parameters
    ----------
    x
        (..., rows, columns), any type. What comes in from outside is 0.
    """
    rows, columns = x.shape[-2:]
    new = np.zeros_like(x)
    if abs(dy) < rows and abs(dx) < columns:
        new[..., max(dy, 0):rows + min(dy, 0), max(dx, 0):columns + min(dx, 0)] = \
            x[..., max(-dy, 0):rows + min(-dy, 0), max(-dx, 0):columns + min(-dx, 0)]
    return new


def split_rows(n: int, fraction: float | Fraction) -> tuple[Indices, Indices]:
    """Split rows 0 to n - 1 into training and test rows, the same for every seed.

    Parameters
    ----------
    fraction
        Part of the rows that becomes test rows, at least 0 and below 1. A float counts as the
        decimal it prints as, so that 0.2 is exactly one fifth.

    Returns
    -------
    train, test
        int64, rising; ``floor(n * fraction)`` test rows.
    """
    if not 0 <= fraction < 1:
        raise BadInput(f"test fraction must be at least 0 and below 1, not {fraction!r}")
    held = int(n * Fraction(str(fraction)))
    order = np.argsort(splitmix64(0, np.arange(n)), kind="stable")
    return np.sort(order[held:]), np.sort(order[:held])
