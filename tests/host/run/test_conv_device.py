"""Convolutions on devices: the golden device and the compiled core end as the golden model."""

from dataclasses import replace

import pytest

from tritgrad.errors import BadInput, DeviceError
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import GoldenTransport
from tritgrad.host.run.acceptance import trains
from tritgrad.host.run.checkpoint import Checkpoint
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import CHECKPOINT, Stopped, Watcher, open_learner, resume, start
from tritgrad.model.config import CoreConfig

OPTIONS = TrainOptions(conv="4x3x3", pool=2, conv_gain=0, conv_counter_bits=8, wrong=1, gain=0,
                       hidden=(12,), epochs=2, limit=60, lanes=8, banks=4, test_fraction=0.05)


def golden(options, data):
    recipe = options.recipe(data)
    core = options.core(recipe.layers, recipe.planes, recipe.conv)
    return DeviceLearner(Driver(Session(GoldenTransport(core))), recipe)


def test_the_compiled_core_ends_as_the_model(tmp_path):
    data = OPTIONS.load_data()
    expected = start(OPTIONS, data, None, ModelLearner(OPTIONS.recipe(data)),
                     Watcher()).run()
    learner = open_learner(OPTIONS, OPTIONS.recipe(data), Watcher())
    try:
        found = start(OPTIONS, data, None, learner, Watcher()).run()
    finally:
        learner.close()
    assert found.state_sha256 == expected.state_sha256


def test_channels_on_the_golden_device():
    options = replace(OPTIONS, encode="channels", hidden=(6,))
    data = options.load_data()
    recipe = options.recipe(data)
    assert recipe.conv.channels == 4
    expected = start(options, data, None, ModelLearner(recipe), Watcher()).run()
    found = start(options, data, None, golden(options, data), Watcher()).run()
    assert found.state_sha256 == expected.state_sha256


def test_stopped_and_continued_on_another_device(tmp_path):
    data = OPTIONS.load_data()
    recipe = OPTIONS.recipe(data)
    whole = start(OPTIONS, data, None, ModelLearner(recipe), Watcher()).run()
    calls = iter(range(9))
    with pytest.raises(Stopped):
        start(OPTIONS, data, tmp_path, ModelLearner(recipe), Watcher(),
              stop=lambda: next(calls) >= 1).run()
    kept = Checkpoint.load(tmp_path / CHECKPOINT)
    found = resume(kept, data, tmp_path, golden(OPTIONS, data), Watcher()).run()
    assert found.state_sha256 == whole.state_sha256


def test_a_core_with_a_convolution_is_accepted_by_what_it_learns():
    data = OPTIONS.load_data()
    recipe = OPTIONS.recipe(data)
    core = OPTIONS.core(recipe.layers, recipe.planes, recipe.conv)
    good, bad = GoldenTransport(core), GoldenTransport(core)
    assert len(trains(good, 3)) == 64
    bad.device.machine.parts["conv"]._learn = lambda features: None
    with pytest.raises(DeviceError, match="^golden model trains to .*, the model to "):
        trains(bad, 3)


@pytest.mark.parametrize("core, options, message", [
    (CoreConfig(), {}, "was built without a convolution, the network has one"),
    (None, {"conv": None, "pool": None, "conv_gain": None, "conv_counter_bits": None, "wrong": 0},
     "was built with a convolution, the network has none"),
    (None, {"pool": 1}, "has a convolution with pool 2, the network's is with 1"),
    (None, {"encode": "channels"}, "has a convolution with channels 1, the network's is with 4"),
])
def test_a_core_that_does_not_fit_says_so(core, options, message):
    data, other = OPTIONS.load_data(), replace(OPTIONS, **options)
    recipe = OPTIONS.recipe(data)
    core = core or OPTIONS.core(recipe.layers, recipe.planes, recipe.conv)
    driver = Driver(Session(GoldenTransport(core)))
    with pytest.raises(BadInput, match=message):
        DeviceLearner(driver, other.recipe(other.load_data()))
