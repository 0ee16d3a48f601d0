"""The units that a core can be made with or without: a folder and a line each.

The order is that of the answer to HELLO and of `CoreConfig`'s fields: new ones come last.
"""

from .conv import CONV
from .perturb import PERTURB
from .row_sums import ROW_SUMS
from .scales import SCALES
from .signature import SIGNATURE
from .skip import SKIP
from .support import SUPPORT
from .trace import TRACE
from .trainable import TRAINABLE
from .watchdog import WATCHDOG

__all__ = ["UNITS"]

UNITS = (
    TRAINABLE,
    TRACE,
    ROW_SUMS,
    PERTURB,
    SUPPORT,
    SCALES,
    SKIP,
    WATCHDOG,
    SIGNATURE,
    CONV,
)
