"""Descent on trits: each rule of the source, on functions whose answers are known by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tritgrad.errors import BadInput
from tritgrad.model.discrete.gradients import (
    DiscreteBackprop,
    SimultaneousPerturbation,
    TritGradient,
    color_guided_optimization,
)


def square(params):
    return float((params**2).sum())


class Counted:
    """A loss that counts how often it is asked."""

    def __init__(self, loss):
        self.loss, self.calls, self.points = loss, 0, []

    def __call__(self, params):
        self.calls += 1
        self.points.append(params.tolist())
        return self.loss(params)


def test_trit_gradient_holds_trits_and_confidences():
    gradient = TritGradient([1, 0, -1], [0.5, 1.0, 0.25])
    assert len(gradient) == 3
    assert [(int(g.value), float(g.confidence)) for g in gradient] == [
        (1, 0.5), (0, 1.0), (-1, 0.25)]
    assert gradient[0] == TritGradient(1, 0.5)
    assert gradient != TritGradient([1, 0, 1], [0.5, 1.0, 0.25])
    assert repr(gradient) == "TritGradient([1, 0, -1], [0.5, 1.0, 0.25])"
    with pytest.raises(BadInput, match="^value of a gradient must be -1, 0 or 1, not 2$"):
        TritGradient([0, 2], [1, 1])
    with pytest.raises(BadInput, match="^value and confidence of a gradient must have one shape"):
        TritGradient([0, 1], [1.0])


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=6))
def test_trit_gradient_points_downhill(params):
    gradient = DiscreteBackprop(len(params)).trit_gradient(params, square)
    # (p + 1)^2 - (p - 1)^2 = 4 p
    expected = [0 if abs(4 * p) < 0.01 else -int(np.sign(p)) for p in params]
    sure = [abs(4 * p) > 0.011 or abs(4 * p) < 0.009 for p in params]
    assert [v for v, s in zip(gradient.value.tolist(), sure, strict=True) if s] == [
        v for v, s in zip(expected, sure, strict=True) if s]
    assert ((gradient.confidence >= 0) & (gradient.confidence <= 1)).all()


def test_trit_gradient_confidences():
    slopes = np.array([0.125, 1.0, -0.125, 0.03125, 0.0])
    gradient = DiscreteBackprop(5, epsilon=0.5, threshold=0.0625).trit_gradient(
        np.zeros(5), lambda p: float(slopes @ p))
    assert gradient.value.tolist() == [-1, -1, 1, 0, 0]
    assert gradient.confidence.tolist() == [0.25, 1.0, 0.25, 0.5, 1.0]


def test_trit_gradient_at_the_threshold_is_not_zero():
    backprop = DiscreteBackprop(1, epsilon=1.0, threshold=0.5)
    assert backprop.trit_gradient([0.0], lambda p: 0.25 * p[0]) == TritGradient([-1], [0.5])
    assert backprop.trit_gradient([0.0], lambda p: -0.25 * p[0]) == TritGradient([1], [0.5])
    below = np.nextafter(0.25, 0)
    assert backprop.trit_gradient([0.0], lambda p: below * p[0]).value.tolist() == [0]


def test_trit_gradient_without_a_threshold_takes_a_flat_loss_as_falling():
    # the source's else branch
    assert DiscreteBackprop(1, threshold=0).trit_gradient([0.0], lambda p: 1.0) == TritGradient(
        [1], [0.0])


@pytest.mark.parametrize("dims", [1, 2, 7])
def test_trit_gradient_takes_two_losses_a_parameter_and_one(dims):
    loss = Counted(square)
    DiscreteBackprop(dims).trit_gradient(np.ones(dims), loss)
    assert loss.calls == 2 * dims + 1


def test_infinite_losses():
    def walls(p):
        return float("inf") if p[0] > 0.5 or abs(p[1]) > 0.5 else 0.0
    gradient = DiscreteBackprop(3).trit_gradient([0.0, 0.0, 0.0], walls)
    assert gradient == TritGradient([-1, 0, 0], [1.0, 0.0, 1.0])


def test_a_loss_that_is_no_number_is_refused():
    with pytest.raises(BadInput, match=r"^the loss must be a number, not nan as at \[2.0\]$"):
        DiscreteBackprop(1).trit_gradient([1.0], lambda p: float("nan") if p[0] > 1.5 else 0.0)


def test_step():
    backprop = DiscreteBackprop(2)
    gradient = TritGradient([1, -1], [0.5, 0.25])
    assert backprop.step([1.0, 1.0], gradient).tolist() == [1.5, 0.75]
    assert backprop.step([1.0, 1.0], gradient, 0.5).tolist() == [1.25, 0.875]


def test_optimize_reaches_the_minimum_in_five_steps_and_stops():
    seen = []
    best, loss = DiscreteBackprop(2).optimize(
        [5, 5], square, watch=lambda n, p, value: seen.append((n, p.tolist(), value)))
    assert (best.tolist(), loss) == ([0.0, 0.0], 0.0)
    assert seen == [(n, [max(4.0 - n, 0)] * 2, 2 * max(4.0 - n, 0) ** 2) for n in range(6)]


def test_optimize_keeps_the_best_of_an_oscillation():
    seen = []
    best, loss = DiscreteBackprop(2).optimize(
        [0.3, -1.2], square, watch=lambda n, p, value: seen.append(p))
    assert np.allclose(seen[:4], [[-0.7, -0.2], [0.3, 0.6], [-0.7, -0.4], [0.3, 0.6]])
    assert len(seen) == 100
    assert best == pytest.approx([0.3, 0.6])
    assert loss == pytest.approx(0.45)


def test_optimize_leaves_the_start_alone_and_may_return_it():
    start = np.array([0.0, 0.0])
    best, loss = DiscreteBackprop(2).optimize(start, square, max_steps=0)
    best[0] = 9
    assert start.tolist() == [0.0, 0.0]
    assert loss == 0.0


def test_a_loss_without_derivative_is_optimized():
    # argmax of a table: the loss is the distance of a looked-up entry from its target
    table = np.array([7, 3, 9, 1, 8, 2, 6, 0])
    best, loss = DiscreteBackprop(1).optimize(
        [5.0], lambda p: float(abs(np.argmax(table == np.sort(table)[int(p[0]) % 8]) - 7)))
    assert loss < 7
    best, loss = DiscreteBackprop(3).optimize([4, -3, 2], lambda p: float(np.abs(p // 1).sum()))
    assert (best.tolist(), loss) == ([0.0, 0.0, 0.0], 0.0)


@pytest.mark.parametrize("dims", [1, 3, 100])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_simultaneous_perturbation_takes_two_losses(dims, seed):
    loss = Counted(square)
    params = np.linspace(1, 2, dims)
    gradient = SimultaneousPerturbation(dims, seed=seed).trit_gradient(params, loss)
    assert loss.calls == 2
    direction = np.array(loss.points[0]) - params
    assert np.allclose(np.array(loss.points[1]) - params, -direction)
    direction = np.rint(direction)
    assert set(direction.tolist()) <= {-1, 0, 1}
    d = square(params + direction) - square(params - direction)
    assert gradient.value.tolist() == (-np.sign(d) * direction).tolist()
    assert gradient.confidence.tolist() == np.where(direction != 0, min(1, abs(d)), 0).tolist()


def test_simultaneous_perturbation_at_the_threshold_is_zero():
    class Fixed(SimultaneousPerturbation):
        """Draws the direction (1, 0)."""

        def __init__(self, *args):
            super().__init__(*args)
            self.stream = self

        def next_trits(self, n):
            return np.array([1, 0], np.int8)

    rule = Fixed(2, 1.0, 0.5)
    assert rule.trit_gradient([0, 0], lambda p: 0.25 * p[0]) == TritGradient([0, 0], [0.5, 0])
    assert rule.trit_gradient([0, 0], lambda p: 0.5 * p[0]) == TritGradient([-1, 0], [1.0, 0])
    assert rule.trit_gradient([0, 0], lambda p: -0.5 * p[0]) == TritGradient([1, 0], [1.0, 0])
    assert rule.trit_gradient([0, 0], lambda p: np.inf) == TritGradient([0, 0], [0.0, 0])


def test_simultaneous_perturbation_repeats_with_its_seed_and_optimizes():
    for seed in (1, 2, 3):
        runs = [SimultaneousPerturbation(4, seed=seed).optimize(
            [5, -4, 3, 2], square, max_steps=300, patience=50) for _ in range(2)]
        assert runs[0][0].tolist() == runs[1][0].tolist()
        assert runs[0][1] < 3


def test_color_guided_optimization():
    # flat: threshold 0.01 gives trit 0 with confidence 1, so no colour comes in
    assert color_guided_optimization(1069, lambda p: 1.0, [2.0, 3.0]).tolist() == [2.0, 3.0]
    # slope 1/8 a side: the confidence 1/4 is kept, the trit is the colour's
    trits = [0, -1, 0, 1, -1, 0, -1, 1, 0, 1, 1, 0, 1, 1, 1, 0]
    for steps in range(1, 17):
        found = color_guided_optimization(1069, lambda p: 0.125 * p[0], [0.0], steps)
        assert found.tolist() == [0.25 * sum(trits[:steps])]
    # a confidence of exactly 1/2 is sure enough
    assert color_guided_optimization(1069, lambda p: 0.25 * p[0], [0.0], 8).tolist() == [-4.0]


def test_color_guided_optimization_takes_100_steps_without_a_stop():
    loss = Counted(lambda p: 1.0)
    color_guided_optimization(1069, loss, [0.0])
    assert loss.calls == 300


@pytest.mark.parametrize(("settings", "message"), [
    ({"dims": 0}, "dims must be an integer of at least 1, not 0"),
    ({"dims": 2.0}, "dims must be an integer of at least 1, not 2.0"),
    ({"epsilon": 0}, "epsilon must be a number above 0, not 0"),
    ({"epsilon": float("nan")}, "epsilon must be a number above 0, not nan"),
    ({"threshold": -1}, "threshold must be a number of at least 0, not -1"),
])
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(BadInput) as error:
        DiscreteBackprop(**{"dims": 1} | settings)
    assert str(error.value) == message


@pytest.mark.parametrize("params", [[1.0], [[1.0, 2.0]], ["a", "b"]])
def test_bad_parameters_are_refused(params):
    with pytest.raises(BadInput, match="^params must be 2 numbers, not "):
        DiscreteBackprop(2).trit_gradient(params, square)
