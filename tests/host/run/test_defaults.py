from dataclasses import replace

import numpy as np

from tritgrad.host.run.defaults import adapted, default_epochs, spread_shifts
from tritgrad.host.run.options import TrainOptions
from tritgrad.model.arithmetic import trits
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import initial_counters

DIGITS = TrainOptions(device="model").load_data()


def test_old_codings_keep_the_old_defaults():
    for text in "planes", "planes:2":
        data = DIGITS.coded(text)
        plain = Recipe.default((64, 128, 10), data.planes)
        assert TrainOptions().recipe(data) == plain and default_epochs(data) == 20


def test_a_thermometer_doubles_the_margin_and_with_many_rows_halves_the_gain():
    data = DIGITS.coded("thermometer:3")
    plain = Recipe.default((192, 128, 10), 1)
    assert TrainOptions().recipe(data) == replace(plain, margin=64)
    assert TrainOptions(margin=20).recipe(data).margin == 20
    many = replace(data, x_train=np.tile(data.x_train, (4, 1)))
    assert TrainOptions().recipe(many) == replace(plain, margin=64, floor=-1)
    edges = DIGITS.coded("edges:20:8:1")
    many_edges = replace(edges, x_train=np.tile(edges.x_train, (4, 1)))
    assert TrainOptions().recipe(many_edges).floor == -1
    assert TrainOptions().recipe(edges).floor is None
    assert TrainOptions(floor=-3).recipe(many).floors[0] == -3
    assert adapted(plain, many, False, False, False) == plain


def test_few_rows_of_signed_inputs_have_four_times_the_margin():
    few = TrainOptions(device="model", limit=299, encode="signed")
    data = few.load_data()
    assert few.recipe(data).margin == 4 * 32
    assert replace(few, margin=40).recipe(data).margin == 40
    for others in replace(few, limit=300), replace(few, encode="planes"):
        assert others.recipe(others.load_data()).margin == 32
    many = replace(few, limit=300)
    data = many.load_data()  # a part of a run's rows has the margin of the run
    part = replace(data, x_train=data.x_train[:240], y_train=data.y_train[:240])
    assert many.recipe(part).margin == 32


def test_signed_inputs_are_shown_often_enough():
    data = DIGITS.coded("signed")
    assert default_epochs(data) == -(-40_000 // len(data.x_train)) == 28
    assert default_epochs(replace(data, x_train=data.x_train[:50])) == 400
    assert default_epochs(replace(data, x_train=np.tile(data.x_train, (3, 1)))) == 20
    assert TrainOptions(epochs=7).recipe(data).epochs == 7


def test_shifts_of_edges_fill_the_activations():
    data = DIGITS.coded("edges:20:8:1")
    recipe = Recipe.default((data.inputs, 40, 24, 10), 1)
    counters = initial_counters(recipe.layers, 8, recipe.seed)
    h = data.x_train[:512].astype(np.int64)
    for layer, shift in zip(counters[:-1], spread_shifts(recipe, data.x_train[:512]), strict=True):
        z = h @ trits(layer, 8).T
        mean = np.abs(z).mean()
        assert 2.0 ** shift <= max(1.0, mean / 2) < 2.0 ** (shift + 1) or shift == 0 and mean < 4
        h = np.clip(z >> shift, 0, 15)
    assert TrainOptions(hidden=(40, 24)).recipe(data).shifts == \
        spread_shifts(recipe, data.x_train[:512])
