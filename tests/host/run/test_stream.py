import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import GoldenTransport
from tritgrad.host.run.going_on import gains_of_the_end
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.stream import Old, learn_rows, measured
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe

RECIPE = Recipe.default((12, 8, 3), 4, seed=5)
GAINS = gains_of_the_end(RECIPE)


def rows(count, seed=1):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 16, (count, 12)).astype(np.uint8), rng.integers(0, 3, count)


def golden():
    options = TrainOptions(hidden=(8,))
    return DeviceLearner(Driver(Session(GoldenTransport(options.core(RECIPE.layers, 4)))), RECIPE)


def test_each_row_is_predicted_and_then_learned():
    x, y = rows(230)
    network, right = MarginNetwork(RECIPE), []
    for sample, label in zip(x, y, strict=True):
        right.append(network.predict(sample) == label)
        network.train_sample(sample, int(label), GAINS)
    learner = ModelLearner(RECIPE)
    learner.start()
    points = list(learn_rows(learner, x, y, GAINS))
    assert [p.rows for p in points] == [100, 100, 30]
    assert [p.correct for p in points] == [sum(right[:100]), sum(right[100:200]), sum(right[200:])]
    for ours, theirs in zip(learner.state().counters, network.counters, strict=True):
        assert (ours == theirs).all()


@pytest.mark.parametrize("order", ["file", "random"])
def test_a_device_ends_alike(order):
    x, y = rows(60)
    old = Old(*rows(7, seed=2))
    states = []
    for learner in ModelLearner(RECIPE), golden():
        learner.start()
        list(learn_rows(learner, x, y, GAINS, epochs=2, order=order, old=old))
        states.append(learner.state())
    ours, theirs = states
    assert ours.prng == theirs.prng and ours.sha256 == theirs.sha256


def test_replayed_rows_are_all_learned_each_epoch_and_not_counted():
    x, y = rows(95)
    learner, seen = ModelLearner(RECIPE), []
    learner.start()
    train = learner.train

    def watched(part, labels, gains):
        seen.append(len(part))
        return train(part, labels, gains)

    learner.train = watched
    points = list(learn_rows(learner, x, y, GAINS, epochs=3, old=Old(*rows(40, seed=2))))
    assert sum(seen) == 3 * (95 + 2 * 40)
    assert sum(p.rows for p in points) == 3 * 95


def test_old_rows_are_not_forgotten():
    rng = np.random.default_rng(4)
    centres = rng.integers(0, 16, (3, 12))

    def of(classes, count):
        y = rng.choice(classes, count)
        return np.clip(centres[y] + rng.integers(-2, 3, (count, 12)), 0, 15).astype(np.uint8), y

    first, later = of([0, 1], 300), of([2], 300)
    kept = []
    for old in None, Old(first[0][:30], first[1][:30]):
        learner = ModelLearner(RECIPE)
        learner.start()
        list(learn_rows(learner, *first, GAINS, epochs=5, order="random"))
        list(learn_rows(learner, *later, GAINS, epochs=5, order="random", old=old))
        assert measured(learner, *later) > 90
        kept.append(measured(learner, *first))
    assert kept[1] > 95 > kept[0] + 20


@pytest.mark.parametrize("settings, message", [
    ({"order": "up"}, "^--order must be random, file or rotate, not 'up'$"),
    ({"epochs": 0}, "^epochs must be at least 1, not 0$")])
def test_bad_settings(settings, message):
    with pytest.raises(BadInput, match=message):
        list(learn_rows(ModelLearner(RECIPE), *rows(3), GAINS, **settings))
