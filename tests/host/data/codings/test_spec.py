import json
import re

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.data.codings.coding import Coding
from tritgrad.host.data.codings.numbers import Signed, Thermometer
from tritgrad.host.data.codings.spec import check_encode, fit

RNG = np.random.default_rng(3)
VALUES = RNG.normal(size=(60, 12))
ALL = np.arange(60)
TEXTS = ("planes", "planes:2", "signed", "signed:2,repeat:3", "thermometer:5,select:20", "edges",
         "edges:20+60:4:1,repeat:2", "deskew:90,planes:1", "deskew,edges:8:3:2,select:5",
         "channels", "deskew,channels:9+40:3")


def fitted(text):
    return fit(text, VALUES, ALL, image_shape=(3, 4))


@pytest.mark.parametrize("text", TEXTS)
def test_a_coding_survives_its_model_file(text):
    coding = fitted(text)
    meta, arrays = coding.stored()
    again = Coding.restored(text, json.loads(json.dumps(meta)), arrays)
    values = RNG.normal(size=(40, 12)) * 2
    codes = coding.apply(values)
    assert (again.apply(values) == codes).all()
    assert codes.shape == (40, coding.inputs) and codes.max() < 1 << coding.planes
    assert again.text == text and again.planes == coding.planes


@pytest.mark.parametrize("text", TEXTS)
def test_every_input_has_a_feature_and_a_name(text):
    coding = fitted(text)
    origins, names = coding.origins(), coding.labels(None)
    assert len(origins) == len(names) == coding.inputs
    assert 0 <= origins.min() <= origins.max() < 12
    if coding.window() == 1 and text.split(",")[0].split(":")[0] not in (
            "edges", "channels", "deskew"):
        values = VALUES.copy()
        values[:, 5] += 100  # moves the inputs made of feature 5, and no other
        changed = (coding.apply(values) != coding.apply(VALUES)).any(axis=0)
        assert set(origins[changed]) == {5}


def test_pictures_then_code_is_apply():
    coding = fitted("deskew:90,edges:20:4:1,select:30")
    pictures = coding.pictures(VALUES)
    assert pictures.shape == (60, 12)
    assert (coding.code(pictures) == coding.apply(VALUES)).all()
    with pytest.raises(BadInput, match="^the coding signed makes no images that could be moved$"):
        fitted("signed").pictures(VALUES)


def test_levels_are_numpys_quantiles():
    values = np.round(RNG.normal(size=(101, 4)), 1)
    levels = Thermometer.fit(values, 16).levels
    assert (levels == np.quantile(values, np.arange(1, 17) / 17, axis=0).T).all()


def test_a_constant_feature_is_zero_in_both_halves():
    values = np.column_stack([np.full(10, 3.7), np.arange(10)])
    coding = Signed.fit(values)
    assert coding.sd[0] == 0 and (coding.apply(values)[:, [0, 2]] == 0).all()


def test_means_do_not_depend_on_the_order_of_the_rows():
    values = RNG.normal(size=(1000, 3)) * [1, 1e9, 1e-9]
    one, other = Signed.fit(values), Signed.fit(values[::-1])
    assert (one.mean == other.mean).all() and (one.sd == other.sd).all()


def test_readings_are_of_the_users_features():
    names = [f"f{n}" for n in range(12)]
    row = VALUES[:1]
    readings = fitted("thermometer:5,repeat:2").readings(
        fitted("thermometer:5,repeat:2").apply(row)[0], names)
    levels = fitted("thermometer:5").steps[0].levels
    assert readings == [(name, int((v > level).sum()), 5)
                        for name, v, level in zip(names, row[0], levels, strict=True)]
    plain = fitted("planes").readings(np.zeros(12, np.uint8), names)
    assert [name for name, _, _ in plain] == names


@pytest.mark.parametrize("text, message", [
    ("gray", "^encode must be auto or of deskew, planes, .*, not 'gray'$"),
    ("planes,signed", "^encode must be in the order .* not 'planes,signed'$"),
    ("select:5,planes", "^encode must be in the order "),
    ("repeat:2", ("^encode needs one of planes, signed, thermometer, edges or channels, "
                  "not just 'repeat:2'$")),
    ("deskew,signed", "^encode: deskew is for images, signed for features; not both$"),
    ("repeat,planes", "^encode: repeat takes 1 numbers, not 'repeat'$"),
    ("planes:x", "^encode: the numbers of 'planes:x' must be integers$"),
    ("signed:9", "^encode: signed must have from 1 to 8 bits, not 9$"),
    ("planes:0", "^encode: planes must have from 1 to 8 bits, not 0$"),
])
def test_bad_texts(text, message):
    with pytest.raises(BadInput, match=message):
        check_encode(text)


@pytest.mark.parametrize("text, message", [
    ("thermometer:0", "^encode: thermometer must have from 1 to 255 levels, not 0$"),
    ("edges:0", r"^edges must have thresholds from 1 to 255, not \(0,\)$"),
    ("edges:9:9", "^edges must have from 1 to 8 directions, not 9$"),
    ("edges:9:8:4", "^edges of images of 3 x 4 must have a pool from 1 to 3, not 4$"),
    ("channels:9:5", "^channels must be from 1 to 4 directions, not 5$"),
    ("channels:" + "+".join("1" * 16), "^channels must have at most 15 thresholds, not "),
    ("channels:0", r"^edges must have thresholds from 1 to 255, not \(0,\)$"),
    ("edges,select:9999", "^select must be from 1 to the 16 coded inputs, not 9999$"),
    ("planes,repeat:0", "^repeat must be from 1 to 256 times, not 0$"),
    ("edges:9:4+4", r"^encode: edges takes one number there, not '4\+4'$"),
])
def test_bad_numbers(text, message):
    with pytest.raises(BadInput, match=message):
        fitted(text)


def test_edges_are_for_images():
    with pytest.raises(BadInput, match=re.escape("edges is for images; the data have plain")):
        fit("edges", VALUES, ALL)


def test_channels_count_the_thresholds_that_edges_reach():
    bits = fitted("edges:20+60+90:3:1").apply(VALUES).reshape(60, 3, 4, 3, 3)
    coding = fitted("channels:20+60+90:3")
    assert (coding.planes, coding.inputs) == (2, 36)
    counts = coding.apply(VALUES).reshape(60, 3, 3, 4)
    assert (counts == bits.sum(axis=3).transpose(0, 3, 1, 2)).all() and counts.max() > 1
    assert coding.labels(None)[12] == "input 0 left"
