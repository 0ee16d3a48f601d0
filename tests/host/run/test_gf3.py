"""``tritgrad train --gf3``: row sums kept and compared, faults named, the same state everywhere."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tritgrad.errors import BadInput, DeviceError
from tritgrad.firmware.frames import Space
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import GoldenTransport
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.host.run.options import TrainOptions
from tritgrad.model.config import CoreConfig
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.rules.margin.golden import MarginGolden

from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")

RECIPE = Recipe.default((12, 7, 4), 2, seed=3)


def open_core(**options):
    config = CoreConfig.for_network(RECIPE.layers, RECIPE.planes, lanes=4, banks=3, update_lanes=2,
                                    slot_bytes=512, **options)
    golden = GoldenTransport(config)
    driver = Driver(Session(golden, nonce=1))
    driver.load(layer_table(RECIPE, RECIPE.gains), MarginNetwork(RECIPE).counters, 1)
    return driver, golden.device.machine


def train(driver):
    rng = np.random.default_rng(1)
    x = rng.integers(0, 4, (40, 12)).astype(np.uint8)
    return driver.train_chunk(x, rng.integers(0, 4, 40), RECIPE.margin)


def test_rows_agree_after_loading_and_after_training():
    driver, _ = open_core(row_sums=True)
    assert driver.act("scrub") == 11
    assert train(driver).flips > 0
    assert driver.act("scrub") == 11


def test_faults_are_named():
    driver, machine = open_core(row_sums=True)
    train(driver)
    machine.codes[2, machine.places[0].trit_base + machine.places[0].words, 1] ^= 1
    with pytest.raises(DeviceError, match=r"memory T of .* is corrupt: the trits of layer 1 row 5 "
                                          r"have not the sum mod 3 that was kept"):
        driver.act("scrub")
    for row in range(5):  # row 5 keeps its fault
        machine.codes[row % 3, row // 3 * machine.places[0].words, 0] ^= 2
    with pytest.raises(DeviceError, match="of layer 1 row 0, layer 1 row 1, layer 1 row 2 and "
                                          "3 more have not"):
        driver.act("scrub")


def test_writing_t_alone_leaves_the_sums():
    driver, machine = open_core(row_sums=True)
    other = (int(machine.codes[0, 0].sum()) + 1) % 3  # worth another sum than the word there
    driver.write(Space.T, bytes([other]), 1)
    driver.session.flush()
    assert (machine.codes[0, 0] == [other, 0, 0, 0]).all()
    with pytest.raises(DeviceError, match="layer 1 row 0"):
        driver.act("scrub")


def test_a_core_without_row_sums_cannot_scrub():
    driver, _ = open_core()
    with pytest.raises(BadInput, match="built without row sums: it cannot scrub"):
        driver.act("scrub")


def test_the_model_compares_its_packed_trits():
    learner = ModelLearner(RECIPE)
    learner.act("scrub")
    golden = learner.golden
    assert isinstance(golden, MarginGolden)
    golden.network._layers[1].plus[0, 2] ^= np.uint64(1)
    with pytest.raises(DeviceError, match="layer 2 row 2"):
        learner.act("scrub")


SMALL = ["train", "--hidden", "8", "--epochs", "2", "--limit", "60", "--json", "--lanes", "8",
         "--banks", "4"]


def test_model_and_sim_end_alike_and_report():
    plain, model, sim = (json.loads(call(*SMALL, *more, "--out", name).stdout)
                         for name, more in (("plain", ["--device", "model"]),
                                            ("model", ["--device", "model", "--gf3", "check"]),
                                            ("sim", ["--gf3", "check"])))
    assert plain["state_sha256"] == model["state_sha256"] == sim["state_sha256"]
    assert (plain["gf3"], plain["rows_scrubbed"]) == (None, None)
    assert model["gf3"] == sim["gf3"] == "check"
    assert model["rows_scrubbed"] == sim["rows_scrubbed"] == 2 * (8 + 10)


def test_model_and_sim_conserve_alike():
    model, sim = (json.loads(call(*SMALL, "--gf3", "conserve", "--device", name, "--out", name)
                             .stdout) for name in ("model", "sim"))
    assert model["state_sha256"] == sim["state_sha256"]
    assert model["flips"] == sim["flips"] > 10
    assert sim["rows_scrubbed"] == 2 * (8 + 10)


def test_a_core_and_a_recipe_that_differ_are_refused():
    driver, _ = open_core(row_sums=True, conserve=True)
    with pytest.raises(BadInput, match="golden model was built to conserve row sums: --gf3 "
                                       "conserve is needed"):
        DeviceLearner(driver, RECIPE)
    driver, _ = open_core(row_sums=True)
    with pytest.raises(BadInput, match="built without conserving row sums: --gf3 conserve is not"):
        DeviceLearner(driver, replace(RECIPE, conserve=True))


def test_refusals():
    assert refusal("train", "--rule", "sign", "--gf3", "check") == (
        "--rule sign has no --gf3; leave it away")
    with pytest.raises(BadInput, match="gf3 must be check or conserve, not 'always'"):
        TrainOptions(gf3="always")
