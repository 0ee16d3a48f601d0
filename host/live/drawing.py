"""From what was drawn on a page to a row of a data set's own numbers."""

import numpy as np
import numpy.typing as npt

from ...errors import BadInput

__all__ = ["SIDE", "row_of_drawing"]

#: Rows and columns of a drawing.
SIDE = 64
#: Images of at least so many rows have a rim, as MNIST's: 20 of 28 rows are for the figure.
WITH_RIM, RIM = 20, 20 / 28
#: Ink of a pixel that is fully dark: pens on a page are thinner than those of the data sets.
DARK = 0.7

FloatArray = npt.NDArray[np.float64]


def row_of_drawing(drawing: npt.NDArray[np.uint8], shape: tuple[int, int], low: FloatArray,
                   high: FloatArray) -> FloatArray:
    """A drawing, cut out, made as large as the data's figures and put where they are.

    Small images are filled from rim to rim, as scikit-learn's digits are; larger ones have a rim
    and the figure's centre of mass in the middle, as MNIST's have.

    Parameters
    ----------
    drawing
        uint8 (`SIDE`, `SIDE`), ink from 0 to 255.
    shape
        Rows and columns of the data's images.
    low, high
        The range of each pixel (pixels,) in the data's own numbers.

    Returns
    -------
    float64 (1, pixels). Without ink all pixels are `low`.

    Raises
    ------
    BadInput
        The drawing is of another shape.
    """
    if drawing.shape != (SIDE, SIDE):
        raise BadInput(f"a drawing must be {SIDE} x {SIDE} pixels, not of shape {drawing.shape!r}")
    ink = drawing / 255.0
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return low[None].copy()
    figure = ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    rim = min(shape) >= WITH_RIM
    scale = (RIM if rim else 1.0) * min(shape[0] / figure.shape[0], shape[1] / figure.shape[1])
    middle = [(np.arange(n) + 0.5) @ figure.sum(axis=1 - axis) / figure.sum() if rim else n / 2
              for axis, n in enumerate(figure.shape)]
    down, across = (_overlaps(figure.shape[axis], shape[axis], scale, middle[axis])
                    for axis in (0, 1))
    shares = np.clip((down @ figure @ across.T) / DARK, 0, 1)
    return (low + shares.ravel() * (high - low))[None]


def _overlaps(pixels: int, into: int, scale: float, middle: float) -> FloatArray:
    """How much of each new pixel (rows) each old one (columns) covers, `middle` in the centre."""
    edges = (np.arange(pixels + 1) - middle) * scale + into / 2
    new = np.arange(into)[:, None]
    return np.maximum(0, np.minimum(edges[1:], new + 1) - np.maximum(edges[:-1], new))
