"""Networks through the link: loading, training and inference on the golden device."""

import random

import numpy as np
import pytest

from tritgrad.errors import BadInput, DeviceError
from tritgrad.firmware import frames
from tritgrad.firmware.frames import Run, Type
from tritgrad.firmware.wire import pack_samples, unpack_sample
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.runner import MAX_STALLS
from tritgrad.host.device.session import DeviceAstray, DeviceReset, Session
from tritgrad.host.device.transport import FaultyTransport, GoldenTransport
from tritgrad.host.run.learners import DeviceLearner
from tritgrad.model.config import CoreConfig
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe


def open_driver(recipe, rate=0.0, seed=1, **options):
    config = CoreConfig.for_network(recipe.layers, recipe.planes,
                                    counter_bits=recipe.counter_bits,
                                    **({"slot_bytes": 512} | options))
    golden = GoldenTransport(config)
    transport = FaultyTransport(golden, rate, random.Random(seed)) if rate else golden
    return Driver(Session(transport, nonce=seed)), golden


def samples(recipe, count, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 1 << recipe.planes, (count, recipe.layers[0])).astype(np.uint8)
    return x, rng.integers(0, recipe.layers[-1], count)


@pytest.mark.parametrize("planes", range(1, 9))
@pytest.mark.parametrize("inputs", [1, 7, 8, 9, 30])
def test_packed_samples_are_what_a_device_unpacks(planes, inputs):
    x = np.random.default_rng(1).integers(0, 1 << planes, (5, inputs)).astype(np.uint8)
    packed = pack_samples(x, planes)
    assert packed.shape == (5, planes * -(-inputs // 8))
    for row, data in zip(x, packed, strict=True):
        assert unpack_sample(data.tobytes(), inputs, planes).tolist() == row.tolist()


@pytest.mark.parametrize(("layers", "bits", "lanes", "banks", "update_lanes"), [
    ((20, 9, 4), 8, 8, 4, 4), ((7, 3), 6, 16, 2, 16), ((33, 10, 6, 5), 14, 4, 8, 1),
    ((9, 40, 2), 9, 12, 3, 6),
])
def test_what_is_loaded_is_read_back(layers, bits, lanes, banks, update_lanes):
    recipe = Recipe.default(layers, 3, counter_bits=bits, seed=5)
    driver, _ = open_driver(recipe, lanes=lanes, banks=banks, update_lanes=update_lanes)
    network = MarginNetwork(recipe)
    driver.load(layer_table(recipe, recipe.gains), network.counters, 1234567890123456789)
    for read, written in zip(driver.counters(), network.counters, strict=True):
        assert np.array_equal(read, written)
    assert driver.prng() == 1234567890123456789
    driver.seed(5, sum(a * b for a, b in zip(layers, layers[1:], strict=False)))
    assert driver.prng() == network.prng.state


def check_run(driver, recipe, count, seed):
    network = MarginNetwork(recipe)
    driver.load(layer_table(recipe, recipe.gains), network.counters, network.prng.state)
    x, y = samples(recipe, count, seed)
    for epoch in range(2):
        gains = recipe.gains_in(epoch * (recipe.epochs - 1))
        driver.set_gains(gains)
        got = driver.train_chunk(x, y, recipe.margin)
        want = [network.train_sample(a, int(b), gains) for a, b in zip(x, y, strict=True)]
        assert (got.samples, got.correct, got.updates, got.flips) == (
            count, sum(w.correct for w in want), sum(w.updated for w in want),
            sum(w.flips for w in want))
    assert driver.prng() == network.prng.state
    for read, written in zip(driver.counters(), network.counters, strict=True):
        assert np.array_equal(read, written)
    predictions, scores, _ = driver.infer(x)
    expected = np.array([network.scores(row) for row in x])
    assert np.array_equal(scores, expected)
    assert np.array_equal(predictions, expected.argmax(axis=1))


@pytest.mark.parametrize("layers", [(20, 9, 4), (7, 3), (12, 11, 5, 2)])
def test_training_and_inference_equal_the_reference(layers):
    recipe = Recipe.default(layers, 4, seed=3)
    check_run(open_driver(recipe, lanes=8, banks=4, update_lanes=2)[0], recipe, 90, 3)


@pytest.mark.parametrize("block", range(6))
def test_no_sample_is_lost_or_repeated_on_a_bad_cable(block):
    repairs = 0
    for seed in range(20 * block + 1, 20 * block + 21):
        recipe = Recipe.default((12, 6, 4), 2, seed=seed)
        driver, _ = open_driver(recipe, rate=0.002, seed=seed, lanes=8, banks=4, update_lanes=4)
        check_run(driver, recipe, 35, seed)
        repairs += driver.session.repairs
    assert repairs > 50


def test_program_and_table_are_written_with_each_chunk():
    """A bit that an upset has turned in one of them does harm until then, not for ever."""
    recipe = Recipe.default((12, 6, 4), 2)
    driver, golden = open_driver(recipe)
    network = MarginNetwork(recipe)
    driver.load(layer_table(recipe, recipe.gains), network.counters, 1)
    seen = []
    obey = golden.device._obey
    golden.device._obey = lambda frame: (seen.append(frame.type), obey(frame))[1]
    x, y = samples(recipe, 10, 1)
    for _ in range(3):
        driver.set_gains(recipe.gains)
        driver.train_chunk(x, y, recipe.margin)
    assert seen.count(Type.PROGRAM) == seen.count(Type.TABLE) == 3


def upset(device, memory):
    """Turn a bit as no program does. The golden device looks; a core's register has not seen it."""
    part, words = device.machine.parts["signature"], getattr(device.machine, memory)
    before = part.value
    words[(0,) * words.ndim] ^= 1
    part.begun ^= before ^ part.value


@pytest.mark.parametrize("memory", ["codes", "residuals"])
def test_a_turned_bit_is_found_at_the_next_snapshot(memory):
    recipe = Recipe.default((12, 6, 4), 2)
    driver, golden = open_driver(recipe, signature=True)
    driver.load(layer_table(recipe, recipe.gains), MarginNetwork(recipe).counters, 1)
    x, y = samples(recipe, 10, 1)
    assert driver.train_chunk(x, y, recipe.margin).updates > 0
    driver.counters()
    upset(golden.device, memory)
    driver.train_chunk(x, y, recipe.margin)
    with pytest.raises(DeviceAstray, match="T or R of golden model holds a bit that nobody wrote"):
        driver.counters()


@pytest.mark.parametrize("harm", ["codes", "residuals", "program", "layers"])
def test_a_run_goes_on_from_its_last_snapshot(harm):
    recipe = Recipe.default((12, 6, 4), 2)
    x, y = samples(recipe, 30, 1)
    states = []
    for harmed in (False, True):
        driver, golden = open_driver(recipe, signature=True)
        learner = DeviceLearner(driver, recipe)
        learner.start()
        for chunk in range(3):
            learner.train(x, y, recipe.gains)
            if harmed and chunk == 1:
                if harm in ("codes", "residuals"):
                    upset(golden.device, harm)
                elif harm == "program":
                    golden.device.machine.program[2] ^= 1 << 24
                else:
                    golden.device.machine.layers.pop()
            learner.state()
        states.append([c.tolist() for c in learner.state().counters])
    assert states[0] == states[1]


def test_frames_grow_while_all_is_well():
    recipe = Recipe.default((16, 4), 1)
    driver, _ = open_driver(recipe, slot_bytes=4096)
    driver.load(layer_table(recipe, recipe.gains), MarginNetwork(recipe).counters, 1)
    x, y = samples(recipe, 2000, 1)
    driver.train_chunk(x, y, recipe.margin)
    assert driver.session.budget == driver.config.max_payload


@pytest.mark.parametrize(("layers", "message"), [
    ((12, 6, 4), "layer 1: inputs must be from 1 to 8, not 12"),
    ((8, 60, 4), "layer 1: outputs must be from 1 to 32, not 60"),
    ((8, 30, 4), "the layers need 12 words of T memory, the core has 8"),
])
def test_a_network_that_does_not_fit_is_refused(layers, message):
    config = CoreConfig(lanes=8, banks=4, update_lanes=4, max_inputs=8, max_neurons=32,
                        trit_depth=8, residual_depth=200)
    driver = Driver(Session(GoldenTransport(config)))
    recipe = Recipe.default(layers, 2)
    with pytest.raises(BadInput) as caught:
        driver.load(layer_table(recipe, recipe.gains), MarginNetwork(recipe).counters, 1)
    assert str(caught.value) == f"the network does not fit this core: {message}"


def test_a_running_program_is_stopped_when_a_driver_takes_over():
    recipe = Recipe.default((12, 6, 4), 2)
    driver, golden = open_driver(recipe)
    x, y = samples(recipe, 10, 1)
    driver.load(layer_table(recipe, recipe.gains), MarginNetwork(recipe).counters, 1)
    driver.train_chunk(x, y, recipe.margin)
    driver.session.request(Type.RUN)
    assert golden.device.machine.run == Run.RUNNING
    Driver(Session(golden))
    assert golden.device.machine.run == Run.ABORTED


def test_a_reset_in_the_middle_of_a_run_is_noticed():
    recipe = Recipe.default((12, 6, 4), 2)
    driver, golden = open_driver(recipe, slot_bytes=64)
    network = MarginNetwork(recipe)
    driver.load(layer_table(recipe, recipe.gains), network.counters, network.prng.state)
    x, y = samples(recipe, 100, 1)
    feed, calls = golden.device.feed, []

    def reset_once(data):
        calls.append(data)
        if len(calls) == 12:
            golden.device.reset()
        return feed(data)

    golden.device.feed = reset_once
    with pytest.raises(DeviceReset):
        driver.train_chunk(x, y, recipe.margin)
    driver.reconnect()
    assert golden.device.loaded == 0
    check_run(driver, recipe, 30, 2)


def test_results_of_the_wrong_shape_are_not_taken():
    recipe = Recipe.default((12, 6, 4), 2)
    driver, golden = open_driver(recipe)
    driver.load(layer_table(recipe, recipe.gains), MarginNetwork(recipe).counters, 1)
    result = golden.device._result
    broken = []

    def damage(item):
        frame = result(item)
        if item.index % 3 == 0 and len(broken) < 7:
            broken.append(item.index)
            return frames.Frame(frame.type, frame.sequence, frame.payload[:-4])
        return frame

    golden.device._result = damage
    x, _ = samples(recipe, 40, 1)
    _, scores, _ = driver.infer(x)
    network = MarginNetwork(recipe)
    assert np.array_equal(scores, [network.scores(row) for row in x])
    assert len(broken) == 7


def test_samples_without_results_are_run_again_as_long_as_some_come(monkeypatch):
    """Only runs in a row that give none end it."""
    monkeypatch.setattr("tritgrad.host.device.driver.MAX_RERUNS", 1)
    recipe = Recipe.default((12, 6, 4), 2)
    driver, golden = open_driver(recipe)
    driver.load(layer_table(recipe, recipe.gains), MarginNetwork(recipe).counters, 1)
    take, runs = driver.session.take_results, []

    def some():
        """Every other run loses all results, the others all but one."""
        results = take()
        runs.extend([len(results)] * bool(results))
        return results[:len(runs) % 2]

    driver.session.take_results = some
    x, _ = samples(recipe, 5, 1)
    _, scores, _ = driver.infer(x)
    network = MarginNetwork(recipe)
    assert np.array_equal(scores, [network.scores(row) for row in x])
    assert runs == [5, 4, 4, 3, 3, 2, 2, 1, 1]
    driver.session.take_results = lambda: take() and []
    with pytest.raises(DeviceError, match="^golden model sends no results$"):
        driver.infer(x)


def test_a_program_that_goes_on_slowly_is_waited_for():
    """Only answers in a row without progress end it."""
    driver, _ = open_driver(Recipe.default((12, 6, 4), 2))

    def answers(times):
        for samples_ in range(4):
            for _ in range(times):
                yield {"run": Run.RUNNING, "samples": samples_, "cycles": 100 * samples_}
        yield {"run": Run.HALTED, "samples": 4, "cycles": 400}

    for times in 1, 6, MAX_STALLS + 1:
        given = answers(times)
        driver.status = lambda wait, work_s, given=given: next(given)
        assert driver.stopped(0.0)["run"] == Run.HALTED
    given = answers(MAX_STALLS + 2)
    driver.status = lambda wait, work_s: next(given)
    with pytest.raises(DeviceError, match="^the program on golden model does not end: 0 samples "):
        driver.stopped(0.0)


def test_a_core_that_only_infers_takes_trits_and_refuses_to_train():
    recipe = Recipe.default((12, 6, 4), 2, seed=4)
    x, y = samples(recipe, 30, 4)
    network = MarginNetwork(recipe)
    scores = []
    for trainable in (True, False):
        driver, _ = open_driver(recipe, lanes=8, banks=4, update_lanes=4, trainable=trainable)
        driver.load(layer_table(recipe, recipe.gains), network.counters, 5)
        scores.append(driver.infer(x)[1])
    assert np.array_equal(*scores)
    assert scores[0].any()
    with pytest.raises(BadInput, match="was built to infer only"):
        driver.train_chunk(x, y, recipe.margin)
    with pytest.raises(BadInput, match="was built to infer only"):
        driver.counters()
