"""Records of hard decisions: one table for the golden model, the RTL, the host and the docs.

A core with a trace unit tells what it decided as a stream of bytes, in pieces of at most
`PIECE_BYTES`, each in a frame of type `frames.TRACE`. The stream is a sequence of items. An item is
a byte that says its kind (`Item`), the kind's fields (`FIELDS`), then what follows them; numbers
are little-endian. Bits of a lane stand in ceil(n / 8) bytes, lane 0 lowest, the rest 0.

TRACE with an operand that is not 0 opens a record; TRACE ends the open one, and what is left of its
last piece is sent. While a record is open, UPD adds items `UP` and `DOWN`, and TELL those of its
layer. Outside a record neither adds anything.
"""

import enum

from .frames import Fields

__all__ = ["FIELDS", "MODE_BITS", "PIECE_BYTES", "Item", "Mode", "mask_bytes"]

#: Bytes of the stream in a frame; less only in a record's last one.
PIECE_BYTES = 256
#: Bits of TRACE's operand.
MODE_BITS = 2


class Mode(enum.IntFlag):
    """Operand of TRACE."""

    FLIPS = 1        #: open a record; UPD tells where trits change
    SATURATIONS = 2  #: open a record; UPD tells also where counters saturate


class Item(enum.IntEnum):
    """Kinds of items, and what follows their fields.

    UP      A step of UPD on U counters of a row whose error is +1, which changed the trit of one or
            saturated one. `address` and `bank` name the word of T, `step` the U lanes in it. Two
            masks of U bits follow: trits that changed, counters that saturated (0 unless the
            record was opened with SATURATIONS). A step of more than 2^b - 1 counts as 2^b - 1.
    DOWN    As UP, of a row whose error is -1.
    HIDDEN  TELL of a hidden layer. For each word of L neurons: L gate bits, then each plane of the
            activations, L bits; then, on a core that can train, L / U times U error trits of two
            bits (01 is +1, 11 is -1), which are 0 unless the flag is set.
    SCORES  TELL of the last layer: the decision, its gap, flag and margin as the last ERR left
            them. The score of each class follows, i32.
    END     Ends a record, the `record`-th since RUN, from 0.
    """

    UP = 1
    DOWN = 2
    HIDDEN = 3
    SCORES = 4
    END = 5


_WORD: Fields = (("kind", "B"), ("bank", "B"), ("step", "B"), ("address", "H"))

#: Fields of each item, its kind first.
FIELDS: dict[Item, Fields] = {
    Item.UP: _WORD,
    Item.DOWN: _WORD,
    Item.HIDDEN: (("kind", "B"), ("layer", "B")),
    Item.SCORES: (("kind", "B"), ("prediction", "B"), ("target", "B"), ("rival", "B"),
                  ("flag", "B"), ("margin", "I"), ("gap", "i")),
    Item.END: (("kind", "B"), ("record", "I")),
}


def mask_bytes(bits: int) -> int:
    """Bytes of so many bits of lanes."""
    return -(-bits // 8)
