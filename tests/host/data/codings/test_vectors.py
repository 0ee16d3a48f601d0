"""Codes against hashes that an independent implementation made, in plain NumPy."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from tritgrad.host.data.codings.choice import Select
from tritgrad.host.data.codings.coding import Coding
from tritgrad.host.data.codings.images import Deskew, Edges
from tritgrad.host.data.codings.numbers import Signed, Thermometer
from tritgrad.host.data.datasets import load
from tritgrad.host.run.learners import ModelLearner
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import Watcher, start
from tritgrad.model.rng import splitmix64

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
SHAPE = (28, 28)

needs_mnist = pytest.mark.skipif(
    not (Path(os.environ.get("TRITGRAD_DATA", "")) / "mnist").is_dir(),
    reason="TRITGRAD_DATA names no folder with MNIST")


def sha(array, kind="u1"):
    return hashlib.sha256(np.ascontiguousarray(array, kind).tobytes()).hexdigest()[:16]


def synthetic(n=64):
    """Random bytes, half of them 0."""
    numbers = splitmix64(1, np.arange(n * 784))
    top, below = numbers >> np.uint64(56), (numbers >> np.uint64(48)) & np.uint64(255)
    return np.where(below < 128, 0, top).astype(np.uint8).reshape(n, 784)


def table():
    """Seven features, of them one with four values, a constant, and one that is mostly 0."""
    k = (splitmix64(2, np.arange(2100)) >> np.uint64(44)).astype(np.int64).reshape(300, 7)
    values = k / 256.0
    values[:, 4] = k[:, 4] >> 18
    values[:, 5] = 3.7
    values[:, 6] = np.where(k[:, 6] % 100 < 50, 0, k[:, 6] % 100)
    return values[:200], values[200:]


def check_images(name, images):
    assert sha(images) == VECTORS[f"{name}: images"]
    upright = Deskew(SHAPE).apply(images)
    assert sha(upright) == VECTORS[f"{name}: deskew t 128"]
    for numbers in ((128,), 8, 2), ((6, 16, 36, 72), 4, 2), ((8,), 4, 1):
        key = "{}: edge planes t {} d {} pool {}, no deskew".format(name, *numbers)
        assert sha(Edges(SHAPE, *numbers).apply(images)) == VECTORS[key]
    bits = Edges(SHAPE).apply(upright)
    assert sha(bits) == VECTORS[f"{name}: deskew, edge planes t 128 d 8 pool 2"]
    positions = Select.fit(bits, 784, 1).positions
    assert sha(positions, "<i4") == VECTORS[f"{name}: select 784 of those, positions int32"]


def test_synthetic_images():
    check_images("synthetic 64", synthetic())


@needs_mnist
def test_mnist():
    check_images("MNIST train 0..1999", load("mnist", planes=8, limit=2000).x_train)


@pytest.mark.parametrize("kind, name", [(Signed, "signed, 4 bits"),
                                        (Thermometer, "thermometer, 16 bits")])
def test_table(kind, name):
    train, test = table()
    coding = Coding((kind.fit(train),), "")
    assert sha(coding.apply(train)) == VECTORS[f"table: {name}, training rows"]
    assert sha(coding.apply(test)) == VECTORS[f"table: {name}, test rows"]


@needs_mnist
@pytest.mark.parametrize("name, options", [
    ("run B", {"floor": -2, "encode": "deskew:128,edges:128:8:2,select:200", "act_shift": (0,),
               "clean_epochs": 1, "augment": "rotate=1,shear=2,vstretch=2,hstretch=2"})])
def test_a_run_of_moved_images(tmp_path, name, options):
    options = TrainOptions(dataset="mnist", limit=200, hidden=(32,), epochs=5, seed=7,
                           shift_augment=1, device="model", **options)
    data = options.load_data()
    outcome = start(options, data, tmp_path, ModelLearner(options.recipe(data)), Watcher()).run()
    run = next(value for key, value in VECTORS.items() if key.startswith(name))
    assert [e.correct for e in outcome.position.epochs] == run["correct"]
    assert outcome.state_sha256 == run["state_sha256"]
