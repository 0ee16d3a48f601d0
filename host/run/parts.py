"""Training rows that are held back to compare codings, apart from rows that tell of them."""

import numpy as np
import numpy.typing as npt

from ...model.rng import splitmix64
from ..data.datasets import Rows

__all__ = ["held_back"]

Places = npt.NDArray[np.intp]

#: Rows from which on one part is held back, not five in turn.
ONE_PART = 2000
#: Rows learned and held back at most.
LEARNED, HELD = 4000, 2000
PARTS = 5


def held_back(rows: Rows, ordered: bool) -> list[tuple[Places, Places]]:
    """Rows to learn, and rows that are held back meanwhile; both as places in ``rows.chosen``.

    Copies of a row are on one side, and so are the rows of a group.

    Parameters
    ----------
    rows
        Of a data set; groups and windows as it has them.
    ordered
        Whether the rows are in time: then parts are stretches, of one part the last rows, and
        windows that reach into a stretch are neither learned nor held back with it.

    Returns
    -------
    Nothing where all rows belong together.
    """
    chosen = rows.chosen
    _, unit = np.unique(chosen if rows.groups is None else rows.groups[chosen],
                        return_inverse=True)
    units = int(unit.max()) + 1
    rank = np.argsort(np.argsort(splitmix64(0, np.arange(units)), kind="stable"))
    mixed = np.argsort(rank[unit], kind="stable")
    stretches = ordered and rows.groups is None
    line = np.arange(len(chosen))[::-1] if stretches else mixed
    if len(chosen) >= ONE_PART:
        sizes = [min(HELD, len(chosen) // PARTS)]
    else:
        sizes = [len(part) for part in np.array_split(line, PARTS)]
    part_of = np.full(units, -1)
    ends = np.cumsum(sizes)
    for place in range(len(line) - 1, -1, -1):  # the first of a unit's rows decides
        part_of[unit[line[place]]] = np.searchsorted(ends, place, side="right")
    found = []
    for number in range(len(sizes)):
        here = part_of[unit] == number
        learned = mixed[~here[mixed]]
        if stretches and rows.starts is not None and here.any():
            starts = rows.starts[chosen]
            low, high = starts[here].min(), starts[here].max() + rows.length
            apart = (starts + rows.length <= low) | (starts >= high)
            learned = learned[apart[learned]]
        if here.any() and len(learned):
            held = line[here[line]]
            found.append((np.sort(learned[:LEARNED]), held))
    return found
