"""What a convolution's numbers give, and which of them are refused in the user's words."""

import re

import pytest

from tritgrad.errors import BadInput
from tritgrad.model.convolution.shape import Convolution, parse_kernels


@pytest.mark.parametrize("conv, windows, outputs, shift", [
    (Convolution(28, 28, 24, 5), (8, 8), 1536, 2),
    (Convolution(28, 28, 12, 5), (8, 8), 768, 2),
    (Convolution(28, 28, 16, 5, 2), (12, 12), 2304, 2),
    (Convolution(28, 28, 16, 5, 2, channels=4), (12, 12), 2304, 3),
    (Convolution(28, 28, 16, 3, 2), (13, 13), 2704, 1),
    (Convolution(9, 14, 3, 7, 3, planes=4), (1, 2), 6, 4),
    (Convolution(5, 4, 1, 1, 1, planes=1, bits=4), (5, 4), 20, 0),
])
def test_sizes(conv, windows, outputs, shift):
    assert (conv.windows, conv.outputs, conv.shift) == (windows, outputs, shift)
    assert conv.inputs == conv.channels * conv.rows * conv.columns
    assert conv.size == conv.kernels * conv.channels * conv.kernel ** 2


@pytest.mark.parametrize("change, message", [
    ({"kernel": 8}, "convolution: kernel must be an integer from 1 to 7, not 8"),
    ({"kernel": 2.0}, "convolution: kernel must be an integer from 1 to 7, not 2.0"),
    ({"pool": 0}, "convolution: pool must be an integer from 1 to 3, not 0"),
    ({"pool": True}, "convolution: pool must be an integer from 1 to 3, not True"),
    ({"channels": 5}, "convolution: channels must be an integer from 1 to 4, not 5"),
    ({"planes": 8}, "convolution: planes must be an integer from 1 to 4, not 8"),
    ({"shift": 16}, "convolution: shift must be an integer from 0 to 15, not 16"),
    ({"gain": 1}, "convolution: gain must be an integer from -15 to 0, not 1"),
    ({"counter_bits": 7}, "convolution: counter_bits must be an integer from 8 to 14, not 7"),
    ({"rows": 4}, "convolution: kernels of 5 x 5 are larger than images of 4 x 28"),
    ({"rows": 6}, ("convolution: a pool of 3 leaves nothing of images of 6 x 28 behind "
                  "kernels of 5 x 5: each side must be at least 7")),
    ({"rows": 280, "columns": 280}, ("convolution: 24 kernels make 203136 outputs of images of "
                                     "280 x 280 with a pool of 3; at most 65535 can be used")),
])
def test_refused(change, message):
    with pytest.raises(BadInput, match=f"^{re.escape(message)}$"):
        Convolution(**{"rows": 28, "columns": 28, "kernels": 24, "kernel": 5, **change})


def test_parsed_kernels():
    assert parse_kernels("24x5x5") == (24, 5)
    for text in ("24x5", "24x5x4", "x5x5", "24X5X5", "24x5x5 ", "-1x5x5", ""):
        with pytest.raises(BadInput, match=f"as in 24x5x5, not {re.escape(repr(text))}$"):
            parse_kernels(text)
