import numpy as np

from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.second_look import baselines, behind, idle_neurons, idle_warning
from tritgrad.model.recipe import Recipe

RECIPE = Recipe((3, 4, 2), 8, 4, 1, (0, 0), (0,), 8, 1, 1)
#: Never on, always on, and two that depend on the row.
HIDDEN = np.array([[-127, -127, 0], [0, 0, 127], [127, 0, 0], [0, 127, 0]], np.int16)
ROWS = np.array([[1, 0, 1], [0, 1, 1]], np.uint8)


def test_idle_neurons_are_those_that_never_change():
    assert idle_neurons(RECIPE, [HIDDEN, np.zeros((2, 4), np.int16)], ROWS) == (1, 1, 4)


def test_a_network_whose_neurons_idle_is_told():
    data = TrainOptions(device="model").load_data()
    recipe = TrainOptions().recipe(data)
    off = [np.full(shape, -127, np.int16) for shape in recipe.shapes]
    assert idle_warning(recipe, off, data) == (
        "128 of 128 hidden neurons are always off and 0 always on, and tell rows not apart; "
        "another --encode may help (here planes)")
    rng = np.random.default_rng(1)
    assert idle_warning(recipe, [rng.integers(-128, 128, s, np.int16) for s in recipe.shapes],
                        data) is None


def test_baselines_and_who_is_behind():
    found = baselines(TrainOptions(device="model", limit=150).load_data())
    assert set(found) == {"lr", "mlp", "rf"} and all(80 < value <= 100 for value in found.values())
    assert behind(found["lr"] - 1.9, found) is None
    assert behind(found["lr"] - 2.1, found).startswith("logistic regression gets ")
    assert behind(None, found) is None
