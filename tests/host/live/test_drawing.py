import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.live.drawing import SIDE, row_of_drawing


def row(drawing, rows, columns, high=16.0):
    pixels = rows * columns
    return row_of_drawing(drawing, (rows, columns), np.zeros(pixels),
                          np.full(pixels, high)).reshape(rows, columns)


def test_a_figure_fills_a_small_image_wherever_it_was_drawn():
    small = np.zeros((SIDE, SIDE), np.uint8)
    small[40:48, 3:11] = 255
    assert (row(small, 8, 8) == 16).all()
    bar = np.zeros((SIDE, SIDE), np.uint8)
    bar[8:40, 20:24] = 255  # eight times as high as wide: a column, half in each middle one
    found = row(bar, 8, 8)
    assert (found[:, 3] == found[:, 4]).all() and (found[:, 3:5] > 0).all()
    assert not found[:, :3].any() and not found[:, 5:].any()


def test_a_larger_image_has_a_rim_and_the_centre_of_mass_in_the_middle():
    corner = np.zeros((SIDE, SIDE), np.uint8)
    corner[10:50, 10:20] = 255
    corner[40:50, 10:50] = 255
    found = row(corner, 28, 28, 255.0)
    assert found.shape == (28, 28) and found.max() == 255
    weights = found / found.sum()
    assert abs(weights.sum(axis=1) @ (np.arange(28) + 0.5) - 14) < 0.3
    assert abs(weights.sum(axis=0) @ (np.arange(28) + 0.5) - 14) < 0.3
    assert np.count_nonzero(found.any(axis=1)) in (20, 21)


def test_no_ink_is_the_least_of_each_pixel():
    nothing = np.zeros((SIDE, SIDE), np.uint8)
    low = np.arange(64.0)
    assert row_of_drawing(nothing, (8, 8), low, low + 1).tolist() == [low.tolist()]


def test_another_shape_is_refused():
    with pytest.raises(BadInput, match=r"^a drawing must be 64 x 64 pixels, not of shape \(8, 8\)"):
        row(np.zeros((8, 8), np.uint8), 8, 8)
