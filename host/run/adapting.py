"""A coding that follows its rows: fitted anew, now and then, to the last ones."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ..data.codings.coding import Coding

__all__ = ["Adapting"]

Numbers = npt.NDArray[Any]


class Adapting:
    """Codes rows by ranges, means or levels of the last rows seen before them.

    The network's weights stay: an input goes on to mean how a feature lies among its usual values,
    whatever those are by now.

    Parameters
    ----------
    coding
        Of the model, in force until so many rows were seen.
    rows
        How many of the last rows it is fitted to.
    image_shape
        Rows and columns, if a row is an image.

    Raises
    ------
    BadInput
        There is nothing to fit anew, or less than 2 rows to fit it to.
    """

    def __init__(self, coding: Coding, rows: int, image_shape: tuple[int, int] | None = None):
        if rows < 2:
            raise BadInput(f"--adapt must be at least 2 rows, not {rows!r}")
        if image_shape is not None:
            raise BadInput("--adapt is for features; the range of an image's pixels does not drift")
        self.coding, self.rows = coding, rows
        self.recent: Numbers = np.zeros((0, coding.features))

    def apply(self, values: Numbers) -> npt.NDArray[np.uint8]:
        """Inputs (rows, inputs) of numbers (rows, features), as the coding is now."""
        return self.coding.apply(values)

    def saw(self, values: Numbers) -> float | None:
        """Fit the coding anew if there are rows enough with these (rows, features).

        Returns
        -------
        Part of the codes of the last rows that are others now; None if nothing was fitted.
        """
        self.recent = np.concatenate([self.recent, values])[-self.rows:]
        if len(self.recent) < self.rows:
            return None
        before = self.coding.apply(self.recent)
        self.coding = self.coding.refitted(self.recent)
        return float(np.mean(self.coding.apply(self.recent) != before))
