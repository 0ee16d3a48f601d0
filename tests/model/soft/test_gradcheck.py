"""Finite differences find a wrong gradient, and only that."""

import numpy as np
import pytest

from tritgrad.model.soft import Tensor, TraceError, gradcheck
from tritgrad.model.soft.tensor import WrongType, _apply


def test_finite_difference_gradcheck_passes_on_smooth():
    found = gradcheck(lambda a, b: (a * b).tanh() / (1.0 + b.exp()) + a ** 2, [0.4, -1.1])
    assert found and found.passed
    assert found.max_abs_error < 1e-8 and found.max_rel_error < 1e-6
    assert np.allclose(found.analytical, found.numerical, atol=1e-8)


def test_gradcheck_fails_on_a_planted_wrong_derivative():
    def wrong(x):
        return _apply("cube", lambda a: a ** 3, lambda g, a: (g * 2 * a ** 2,), x)

    found = gradcheck(wrong, [1.5])
    assert not found
    assert abs(found.max_abs_error - 1.5 ** 2) < 1e-6
    assert abs(found.max_rel_error - 1 / 3) < 1e-6


def test_what_a_function_does_not_depend_on_has_slope_zero():
    assert gradcheck(lambda a, b: a * 2.0, [1.0, 2.0])
    assert gradcheck(lambda a: Tensor(3.0), [1.0])
    with pytest.raises(TraceError, match="^gradcheck needs a scalar, not an array of shape"):
        gradcheck(lambda a: a * 2.0, [[1.0, 2.0]])


@pytest.mark.parametrize("options", [{"eps": 0.0}, {"eps": np.inf}, {"atol": -1.0},
                                     {"rtol": np.nan}])
def test_settings_and_inputs_that_are_none(options):
    with pytest.raises(TraceError, match=f"^{next(iter(options))} must be a finite "):
        gradcheck(lambda a: a, [1.0], **options)
    with pytest.raises(TraceError, match=r"^inputs must contain only finite numbers, not inf$"):
        gradcheck(lambda a: a, [np.inf])
    with pytest.raises(WrongType, match=r"^function of gradcheck must return a Tensor, not 1\.0$"):
        gradcheck(lambda a: 1.0, [1.0])
