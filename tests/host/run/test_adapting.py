import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.data.codings.spec import fit
from tritgrad.host.run.adapting import Adapting
from tritgrad.host.run.going_on import gains_of_the_end
from tritgrad.host.run.learners import ModelLearner
from tritgrad.host.run.stream import Old, learn_rows, measured
from tritgrad.model.recipe import Recipe


def drifting(rows, seed=1, drift=0.0):
    """Two classes by the sum of three features, whose mean moves by `drift` in all."""
    x = np.random.default_rng(seed).normal(size=(rows, 3))
    y = (x.sum(axis=1) > 0).astype(np.int64)
    return x + drift * np.arange(rows)[:, None] / rows, y


@pytest.mark.parametrize("text", ["planes:4", "signed", "thermometer:8", "signed,repeat:3"])
def test_the_coding_is_that_of_the_last_rows(text):
    x, _ = drifting(300, drift=9)
    adapting = Adapting(fit(text, x[:50], np.arange(50)), 120)
    first = adapting.coding
    assert adapting.saw(x[:100]) is None and adapting.coding is first
    changed = adapting.saw(x[100:200])
    expected = fit(text, x[80:200], np.arange(120))
    assert (adapting.apply(x) == expected.apply(x)).all()
    assert changed == np.mean(expected.apply(x[80:200]) != first.apply(x[80:200])) > 0
    assert adapting.coding.text == text


def test_selected_inputs_stay_the_same():
    x, _ = drifting(200)
    coding = fit("thermometer:8,select:9", x[:100], np.arange(100))
    again = coding.refitted(x[100:])
    whole = fit("thermometer:8", x[100:], np.arange(100))
    assert (again.apply(x) == whole.apply(x)[:, coding.steps[-1].origins()]).all()


def stream(adapt):
    """Per cent predicted right before, of a stream that drifts far; what is right after it."""
    train, labels = drifting(400, seed=2)
    x, y = drifting(3000, drift=6)
    coding = fit("signed,repeat:4", train, np.arange(400))
    recipe = Recipe.default((coding.inputs, 16, 2), coding.planes)
    learner = ModelLearner(recipe)
    learner.start()
    list(learn_rows(learner, coding.apply(train), labels, recipe.gains, epochs=10, order="random"))
    adapting = Adapting(coding, 200) if adapt else None
    points = list(learn_rows(learner, x if adapt else coding.apply(x), y, gains_of_the_end(recipe),
                             adapting=adapting))
    now = adapting.coding if adapt else coding
    return (100 * sum(p.correct for p in points) / len(x),
            measured(learner, now.apply(x[-300:]), y[-300:]), points)


def test_a_drift_is_followed():
    frozen, frozen_end, points = stream(adapt=False)
    adapted, adapted_end, followed = stream(adapt=True)
    assert (round(frozen), round(adapted)) == (58, 89)
    assert adapted_end > frozen_end + 10
    assert [p.recoded for p in points] == [None] * 30
    assert followed[0].recoded is None and all(p.recoded > 0 for p in followed[1:])


def test_old_rows_are_coded_as_the_new_ones_are():
    x, y = drifting(60)
    coding = fit("signed", x, np.arange(60))
    recipe = Recipe.default((coding.inputs, 4, 2), coding.planes)
    seen = []

    class Watched(ModelLearner):
        def train(self, rows, *others):
            seen.append(rows)
            return super().train(rows, *others)

    learner = Watched(recipe)
    learner.start()
    seen.clear()
    list(learn_rows(learner, x, y, recipe.gains, old=Old(x[:6], y[:6]),
                    adapting=Adapting(coding, 50)))
    assert {rows.shape[1] for rows in seen} == {coding.inputs}
    assert sum(map(len, seen)) == 120


@pytest.mark.parametrize("settings, message", [
    ({"rows": 1}, "^--adapt must be at least 2 rows, not 1$"),
    ({"rows": 50, "image_shape": (1, 3)}, "^--adapt is for features;")])
def test_what_cannot_be_fitted(settings, message):
    x, _ = drifting(60)
    with pytest.raises(BadInput, match=message):
        Adapting(fit("signed", x, np.arange(60)), **settings)
