"""Test rows judged on devices by STATUS alone: over the line, and from the memory beside a core."""

import random
from dataclasses import replace

import numpy as np
import pytest

from tritgrad.firmware import frames
from tritgrad.firmware.frames import Frame, FrameDecoder, Type
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import FaultyTransport, GoldenTransport, SimTransport
from tritgrad.host.run.judging import classes_met, judged, parts_of
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.report import report
from tritgrad.host.run.storing import kept_rows
from tritgrad.host.run.training import Watcher, start

OPTIONS = TrainOptions(hidden=(10,), epochs=2, limit=120, planes=1, device="model",
                       val_fraction=0.1, lanes=8, banks=2)


class Overheard:
    """A transport whose frames are counted by type, both ways."""

    def __init__(self, inner):
        self.inner, self.name, self.byte_time_s = inner, inner.name, inner.byte_time_s
        self.types = []
        self._decoders = FrameDecoder(), FrameDecoder()

    def write(self, data):
        self._hear(0, data)
        self.inner.write(data)

    def read(self, timeout_s):
        data = self.inner.read(timeout_s)
        self._hear(1, data)
        return data

    def close(self):
        self.inner.close()

    def _hear(self, way, data):
        self.types += [frame.type for frame in self._decoders[way].feed(data)
                       if isinstance(frame, Frame)]


def core(options, data, store):
    recipe = options.recipe(data)
    return options.core(recipe.layers, recipe.planes).changed(
        **{"store": 1, "store_bits": 14} if store else {})


def learner(transport, options, data):
    return DeviceLearner(Driver(Session(transport)), options.recipe(data), data.pixels)


def ended(found, options, data, **settings):
    """The report of a run, without what differs between two equal ones."""
    outcome = start(options, data, None, found, Watcher(), **settings).run()
    hidden = ("seconds", "samples_per_second", "cycles", "cycles_per_sample", "dense_cycles",
              "forward_cycles_per_sample", "roofline_fraction")
    return {name: value for name, value in report(outcome).items() if name not in hidden}


@pytest.mark.parametrize(("kind", "order"), [
    (GoldenTransport, "random"), (GoldenTransport, "rotate"), (GoldenTransport, "file"),
    (SimTransport, "rotate")])
def test_a_run_is_the_golden_models_with_no_result_on_the_line(kind, order):
    options = replace(OPTIONS, order=order)
    data = options.load_data()
    wanted = ended(ModelLearner(options.recipe(data)), options, data)
    for store in (True, False) if kind is GoldenTransport else (True,):  # one core to compile
        line = Overheard(kind(core(options, data, store)))
        found = learner(line, options, data)
        assert ended(found, options, data) == wanted
        assert frames.RESULT not in line.types
        assert (Type.DATA in line.types) != store
        assert found.keeps == (len(data.x_train) + len(data.x_val) + len(data.x_test)) * store
        line.close()


def test_nothing_changes_and_every_class_is_counted(fresh_seed):
    data = OPTIONS.load_data()
    golden = GoldenTransport(core(OPTIONS, data, True))
    found = learner(FaultyTransport(golden, 0.002, random.Random(fresh_seed)), OPTIONS, data)
    found.start()
    val, test = parts_of(data)
    assert (val.first, test.first) == (len(data.x_train), len(data.x_train) + len(data.x_val))
    found.train(data.x_train, data.y_train, found.recipe.gains)
    before = found.state()
    expected = [np.bincount(part.y[part.y == found.infer(part.x)[0]], minlength=len(part.rows))
                for part in (val, test)]
    told = []
    assert [judged(found, part, told.append).tolist() for part in (val, test)] == [
        right.tolist() for right in expected]
    x, y, learned = kept_rows(data)
    found.keep(x, y, lambda done, whole: None, learned=learned)
    assert [judged(found, part, told.append).tolist() for part in (val, test)] == [
        right.tolist() for right in expected]
    assert told[-1] == len(test.x)
    after = found.state()
    assert (after.sha256, after.prng) == (before.sha256, before.prng)


def test_tests_that_do_not_fit_go_over_the_line():
    data = OPTIONS.load_data()
    line = Overheard(GoldenTransport(core(OPTIONS, data, True).changed(store_bits=11)))
    found = learner(line, OPTIONS, data)
    found.start()
    x, y, learned = kept_rows(data)
    note = found.keep(x, y, lambda done, whole: None, learned=learned)
    assert found.keeps == learned
    assert note.endswith(f"golden model; {len(x) - learned} more for tests go over the line")
    judged(found, parts_of(data)[1], lambda done: None)
    assert Type.DATA in line.types and Type.PLAY not in line.types


def test_where_one_class_at_most_is_right_predictions_are_counted():
    data = OPTIONS.load_data()
    model = ModelLearner(OPTIONS.recipe(data))
    model.start()
    _, test = parts_of(data)
    predictions = np.unique(model.infer(test.x)[0])
    assert classes_met(model, test, np.array([3, 0, 0])) == len(predictions)
    assert classes_met(model, test, np.array([3, 0, 1])) == 2
