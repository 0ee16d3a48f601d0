"""Arrays as compiled functions take them."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["read_only"]


def read_only(values: npt.ArrayLike, dtype: npt.DTypeLike | None = None) -> npt.NDArray[Any]:
    """A contiguous view, or copy, that cannot be written.

    Compiled functions get all that they only read in this form: numba makes one machine code for
    arrays that may be written and another for those that may not, as memory-mapped ones are.
    """
    view = np.ascontiguousarray(values, dtype).view(np.ndarray)
    view.flags.writeable = False
    return view
