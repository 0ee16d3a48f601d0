"""State that passes by a board's UART is what goes by the line, and comes back."""

import numpy as np
import pytest

from tritgrad.boards import find_board
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.session import Session
from tritgrad.model.fast import FastNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.sim.direct import DirectBoard, DirectWired

NETWORK = (40, 12, 4)
RECIPE = Recipe.default(NETWORK, 1)


@pytest.fixture(scope="module")
def chip():
    with DirectBoard.of(find_board("icebreaker").resized(
            network=NETWORK, lanes=8, update_lanes=4)) as made:
        yield made


@pytest.fixture
def wired(chip):
    chip.reset()
    return DirectWired(chip)


def other(seed):
    """A network that has learned noise, with what it learned."""
    rng = np.random.default_rng(seed)
    model = FastNetwork(RECIPE)
    x, y = rng.integers(0, 2, (60, NETWORK[0]), np.uint8), rng.integers(0, NETWORK[-1], 60)
    model.train(x, y, np.arange(60), RECIPE.gains_in(0))
    return model, x, y


def put(driver, model):
    driver.load(layer_table(RECIPE, RECIPE.gains_in(0)), model.counters,
                prng_state=model.prng.state)


def equal(driver, model):
    return driver.prng() == model.prng.state and all(
        np.array_equal(ours, theirs) for ours, theirs in zip(
            driver.counters(), model.counters, strict=True))


@pytest.mark.parametrize("past", [True, False])
def test_what_goes_one_way_comes_back_by_the_other(fresh_seed, wired, past):
    driver = Driver(Session(wired, 1))
    model = other(fresh_seed)[0]
    wired.direct = past
    put(driver, model)
    wired.direct = not past
    assert equal(driver, model)


def test_nothing_goes_by_the_line_and_a_byte_takes_a_few_cycles(fresh_seed, wired, chip):
    driver = Driver(Session(wired, 1))
    model = other(fresh_seed)[0]
    sent, began = chip.sent, chip.cycles
    wired.direct = True
    put(driver, model)
    assert equal(driver, model)
    assert chip.sent == sent
    weights = sum(counters.size for counters in model.counters)
    # By the line, at ten cycles a bit, a weight's byte alone would take a hundred each way.
    assert chip.cycles - began < 50 * weights


def test_a_board_learns_by_the_line_between(fresh_seed, wired, chip):
    driver = Driver(Session(wired, 1))
    model, x, y = other(fresh_seed)
    wired.direct = True
    put(driver, model)
    wired.direct = False
    sent = chip.sent
    done = driver.train_chunk(x, y, RECIPE.margin)
    assert chip.sent > sent
    stats = model.train(x, y, np.arange(len(x)), RECIPE.gains_in(0))
    assert (done.samples, done.correct, done.updates, done.flips) == (
        stats.samples, stats.correct, stats.updates, stats.flips)
    wired.direct = True
    assert equal(driver, model)
