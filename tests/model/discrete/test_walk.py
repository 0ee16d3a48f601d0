"""Places of weights one after the other."""

import pytest

from tritgrad.model.discrete.walk import FIRST, following, number_of, place, state_of

SHAPES = [(3, 5), (1, 3), (2, 1)]
WEIGHTS = [(layer, row, column) for layer, (rows, columns) in enumerate(SHAPES, 1)
           for row in range(rows) for column in range(columns)]


def test_a_walk_meets_every_weight_once_and_begins_again():
    state, met = FIRST, []
    for number in range(len(WEIGHTS)):
        assert state == state_of(number, SHAPES)
        assert number_of(state, SHAPES) == number
        met.append(place(state))
        state = following(state, SHAPES)
    assert met == WEIGHTS
    assert state == FIRST


@pytest.mark.parametrize("state, after", [
    (0, (1, 0, 0)),                                # there is no layer 0
    (4 << 32 | 1 << 16, (1, 0, 0)),                # nor a fourth
    (1 << 32 | 0xFFFF, (1, 1, 0)),
    (1 << 32 | 7 << 16 | 2, (1, 7, 3)),            # to the end of the row that there is not
    (2 << 32 | 7 << 16 | 2, (3, 0, 0)),
    (3 << 32 | 0xFFFF << 16 | 0xFFFF, (1, 0, 0)),
    ((1 << 64) - 1, (1, 0, 0)),
])
def test_places_without_a_weight_lead_back(state, after):
    assert place(following(state, SHAPES)) == after


def test_there_is_no_weight_after_the_last():
    with pytest.raises(IndexError):
        state_of(len(WEIGHTS), SHAPES)
