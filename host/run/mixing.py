"""The order in which an epoch's rows are learned, old ones spread among new ones."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...model.rng import epoch_order, rotated_order
from .option_list import ORDERS

__all__ = ["ORDERS", "TURN", "check_order", "sequence", "turns"]

Indices = npt.NDArray[np.int64]

#: New rows between which old ones are learned at the latest.
TURN = 10


def check_order(order: str) -> str:
    """The order if it is one. Raises `BadInput`."""
    if order not in ORDERS:
        raise BadInput(f"--order must be {', '.join(ORDERS[:-1])} or {ORDERS[-1]}, not {order!r}")
    return order


def turns(seed: int, epoch: int, new: int, old: int, order: str,
          size: int = TURN) -> Iterator[tuple[Indices, Indices]]:
    """New rows, `size` at once, and old rows that are learned after them, by and by.

    All new rows come once, in the order that was asked for. All old rows come once too,
    or where they are fewer so often that about as many old rows as new ones are learned; each
    whole round in an order of its own.
    """
    places = _places(seed, epoch, new, order)
    again, done = _often(seed, epoch, old, new), 0
    for first in range(0, new, size):
        part = places[first:first + size]
        due = (first + len(part)) * len(again) // new
        yield part, again[done:due]
        done = due


def sequence(seed: int, epoch: int, new: int, old: int, order: str) -> Indices:
    """All of an epoch: numbers of new rows from 0, and of old ones behind the new ones."""
    if not old:
        return _places(seed, epoch, new, order)
    return np.concatenate([part for fresh, again in turns(seed, epoch, new, old, order)
                           for part in (fresh, again + new)])


def _places(seed: int, epoch: int, n: int, order: str) -> Indices:
    if check_order(order) == "file":
        return np.arange(n)
    return (rotated_order if order == "rotate" else epoch_order)(seed, epoch, n)


def _often(seed: int, epoch: int, old: int, new: int) -> Indices:
    if not old:
        return np.zeros(0, np.int64)
    rounds = max(1, new // old)
    return np.concatenate([epoch_order(seed ^ 1, epoch * rounds + n, old) for n in range(rounds)])
