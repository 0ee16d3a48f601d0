"""Kernels on images made by hand: places, order, gates, sums, draws."""

import numpy as np

from tritgrad.model.convolution.kernels import ConvKernels, initial_kernels
from tritgrad.model.convolution.shape import Convolution
from tritgrad.model.rng import XorShift64, splitmix64

ONE, NONE, MINUS = 1024, 0, -2048


def kernels(conv, counters):
    made = ConvKernels(conv, 1)
    made.counters = np.array(counters)
    return made


def test_initial_kernels_are_the_first_numbers_of_the_run():
    conv = Convolution(5, 5, 3, 2, channels=2)
    numbers = splitmix64(7, np.arange(24)).view(np.int64) >> 52
    assert (initial_kernels(conv, 7) == numbers.reshape(3, 8)).all()


def test_outputs_go_by_column_of_windows_row_kernel():
    conv = Convolution(5, 4, 2, 1, 2, shift=0)  # the last row fills no window
    image = [[1, 0, 0, 2],
             [0, 0, 0, 0],
             [0, 3, 0, 0],
             [0, 0, 0, 0],
             [3, 3, 3, 3]]
    made = kernels(conv, [[ONE], [MINUS]])
    found = made.forward(np.ravel(image))
    assert found.h.tolist() == [1, 0, 3, 0, 2, 0, 0, 0]
    assert found.patches.ravel().tolist() == [1, 0, 3, 0, 2, 0, 0, 0]
    assert found.gates.all()


def test_the_first_of_equal_places_row_by_row():
    conv = Convolution(4, 4, 1, 2, 3, shift=0)
    image = np.array([[0, 0, 0, 0], [0, 0, 1, 2], [0, 0, 0, 0], [0, 1, 0, 0]])
    # The kernel sees its right lower pixel: sums are those of rows and columns 1 to 3.
    found = kernels(conv, [[NONE, NONE, NONE, ONE]]).forward(image)
    assert found.patches.tolist() == [[0, 0, 1, 2]]
    image[1, 2:] = 1  # the ones at (1, 2), (1, 3) and (3, 1) are equal now
    found = kernels(conv, [[NONE, NONE, NONE, ONE]]).forward(image)
    assert found.patches.tolist() == [[0, 0, 0, 1]] and found.h.tolist() == [1]
    image[1, 2:] = 0
    image[2, 3] = 1  # row 2 comes before row 3, though its column is later
    found = kernels(conv, [[NONE, NONE, ONE, ONE]]).forward(image)
    assert found.patches.tolist() == [[0, 0, 0, 1]]


def test_gates_are_closed_where_something_was_clipped():
    conv = Convolution(2, 2, 3, 2, 1, shift=1)
    made = kernels(conv, [[ONE] * 4, [MINUS] * 4, [NONE] * 4])
    found = made.forward(np.array([3, 3, 2, 0]))
    assert found.h.tolist() == [3, 0, 0] and found.gates.tolist() == [False, False, True]
    found = made.forward(np.array([3, 3, 1, 0]))
    assert found.h.tolist() == [3, 0, 0] and found.gates.tolist() == [True, False, True]
    blank = made.forward(np.zeros(4, int))
    assert not blank.h.any() and blank.gates.all()


def test_a_kernel_with_an_error_draws_even_if_all_its_patches_are_blank():
    conv = Convolution(3, 3, 3, 2, 1, gain=0)
    made, prng, same = ConvKernels(conv, 1), XorShift64(5), XorShift64(5)
    before, patches = made.counters.copy(), np.zeros((12, 4), int)
    errors = np.zeros(12, int)
    assert made.update(errors, patches, prng) == 0 and prng.state == same.state
    errors[[1, 4, 2]] = 1  # kernels 1 and 2
    made.update(errors, patches, prng)
    same.draw()
    same.draw()
    assert prng.state == same.state and (made.counters == before).all()


def test_sums_over_windows_step_once():
    conv = Convolution(3, 2, 1, 2, 1, gain=-1)
    made = kernels(conv, [[0, 1000, -3, 5]])
    patches = np.array([[3, 3, 1, 1], [2, 3, 1, 1]])
    prng, same = XorShift64(9), XorShift64(9)
    flips = made.update(np.array([1, 1]), patches, prng)
    dither = (same.draw() ^ np.arange(4)) & 1
    steps = (np.array([5, 6, 2, 2]) + dither) >> 1
    assert flips == 0 and made.counters.tolist() == [(np.array([0, 1000, -3, 5]) + steps).tolist()]
    flips = made.update(np.array([1, -1]), patches, XorShift64(9))
    assert flips == 0 and (made.counters[0, 1:] == np.array([1000, -3, 5]) + steps[1:]).all()


def test_a_changed_trit_is_reloaded_in_the_direction_it_moved():
    conv = Convolution(1, 1, 1, 1, 1, gain=0)
    for start, error, end in ((1022, 1, 1024 + 768), (-1023, -1, -2048 + 255),
                              (1024, -1, 255), (-1025, 1, -1024 + 768)):
        made = kernels(conv, [[start]])
        assert made.update(np.array([error]), np.array([[3]]), XorShift64(1)) == 1
        assert made.counters.tolist() == [[end]]
