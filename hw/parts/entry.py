"""Entries of lists: activation words that are not zero, and rows with an error."""

from amaranth import *
from amaranth.lib import data

from ...model.config import CoreConfig, ceil_div
from ...units import UNITS

__all__ = ["Entry", "RowEntry", "plane_mask"]


class Entry(data.StructLayout):
    """A non-zero activation word: its position, which planes are not zero, and the planes.

    Lane i of plane p is bit ``p * L + i`` of ``planes``.
    """

    def __init__(self, config: CoreConfig, planes: int, words: int):
        super().__init__({
            "index": range(words),
            "mask": planes,
            "planes": planes * config.lanes,
        })


class RowEntry(data.StructLayout):
    """A row with an error: its sign, its bank and first word in T, its first word in R.

    With one bank, rows lie in R as in T (`model.layout.place`), and `residual` is left out: word n
    of T belongs to the L/U words of R from n * L/U on. Units have fields in it, as their records
    say: with row sums or scales, `number` is the word of SUMS and S, and with a support `group` is
    that of SUPPORT.

    Where several rows are updated at once, an entry is of the list of one part (see
    `hw.datapath.row_lists`): `bank` is the row's among the part's banks, `residual` its first word
    in the part of R, and `draw` its dither.
    """

    def __init__(self, config: CoreConfig):
        parts = config.update_rows
        residual = ({"residual": range(ceil_div(config.residual_depth, parts))}
                    if config.banks > 1 else {})
        draw = {"draw": 16} if parts > 1 else {}
        units = {name: values(config) for unit in UNITS if unit.within(config)
                 for name, values in unit.rows.items()}
        super().__init__({
            "negative": 1,
            "bank": range(config.banks // parts),
            "trit": range(config.trit_depth),
            **residual,
            **draw,
            **units,
        })


def plane_mask(planes: Value, lanes: int) -> Value:
    """A bit a plane of `lanes` bits: whether the plane has a set bit."""
    return Cat(planes[n:n + lanes].any() for n in range(0, len(planes), lanes))
