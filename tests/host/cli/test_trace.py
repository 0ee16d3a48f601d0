"""`tritgrad trace`: explanations, summaries, planted faults, and what it refuses."""

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest

from tritgrad.host.device.transport import GoldenTransport
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.scales.chip import FRACTION_BITS, encode_factor
from tritgrad.model.scales.rows import RowScales

from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")


def schema(name):
    return json.loads((files("tritgrad.model.soft") / name).read_text())


EXPLANATION, SUMMARY = schema("explanation.schema.json"), schema("summary.schema.json")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network, its test rows."""
    out = tmp_path_factory.mktemp("run") / "run"
    call("train", "--device", "model", "--hidden", "24,12", "--epochs", "6", "--out", out)
    return out / "model.npz"


def network(path):
    model = TrainedModel.load(path)
    made = MarginNetwork(model.recipe)
    made.counters = [layer.astype(np.int64) for layer in model.counters]
    return made


def test_a_device_is_asked_only_if_it_is_named(trained, monkeypatch):
    asked = []
    monkeypatch.setattr("tritgrad.host.cli.trace._told", lambda *arguments: asked.append(arguments))
    call("trace", trained, "--sample", "3")
    assert not asked
    call("trace", trained, "--sample", "3", "--device", "sim")
    assert len(asked) == 1


def test_a_sample_in_all_formats(trained):
    result = call("trace", trained, "--sample", "17", "--svg", "a.svg", "--html", "a.html",
                  "--json")
    assert result.stderr.splitlines()[-2:] == ["a.svg", "a.html"]
    assert "sample 17 of the test rows of digits" in result.stderr
    assert "sample 17" in call("trace", trained, "--sample", "17").stdout
    found = json.loads(result.stdout)
    assert found["summary"] is None and found["network"] == [64, 24, 12, 10]
    sample = found["sample"]
    jsonschema.validate(sample["explanation"], EXPLANATION)
    hard = sample["explanation"]["hard"]
    scores = network(trained).scores(np.array(sample["inputs"]))
    assert hard["scores"] == scores.tolist() and hard["prediction"] == int(np.argmax(scores))
    drawn = ElementTree.parse("a.svg").getroot()
    boxes = drawn.findall(".//*[@class='row']")
    titles = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert sum(title.startswith("gate low, layer 1  #") for title in titles) == 1
    trace = sample["explanation"]["trace"]
    assert len(boxes) == len(trace["branches"]) + len(trace["searches"]) > 6
    page = Path("a.html").read_text()
    assert "Sample 17" in page and "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_a_summary_on_standard_output(trained):
    found = json.loads(call("trace", trained, "--summary", "60", "--json").stdout)
    assert found["sample"] is None and found["summary"]["samples"] == 60
    jsonschema.validate(found["summary"], SUMMARY)
    assert [layer["layer"] for layer in found["summary"]["layers"]] == [1, 2, 3]
    assert found["summary"]["layers"][-1]["straight_through"] == 1.0


def test_a_sample_and_a_summary_on_a_page(trained):
    before = trained.read_bytes()
    call("trace", trained, "--sample", "3", "--summary", "20", "--html", "a.html", "--temperature",
         "gate=2")
    page = Path("a.html").read_text()
    assert 'id="ledger"' in page and 'id="summary"' in page and "gate 2," in page
    assert trained.read_bytes() == before


def test_planted_dead_unit_is_named(trained):
    model = TrainedModel.load(trained)
    found = json.loads(call("trace", trained, "--summary", "60", "--json").stdout)["summary"]
    alive = [n for n in range(24) if n not in found["layers"][0]["dead"]]
    counters = [layer.copy() for layer in model.counters]
    counters[0][alive[3]] = -128
    replace(model, counters=tuple(counters)).save("faulty.npz")
    result = call("trace", "faulty.npz", "--summary", "60", "--json")
    layer = json.loads(result.stdout)["summary"]["layers"][0]
    assert alive[3] in layer["dead"]
    assert "found dead units: layer 1" in result.stderr


@pytest.mark.parametrize("fault, changes", [
    ("margin too large", {"margin": 3000}), ("gain too high: layer 1", {"gains": (4, -4, -4)})])
def test_planted_margin_and_gain_are_named(trained, fault, changes):
    model = TrainedModel.load(trained)
    replace(model, recipe=replace(model.recipe, **changes)).save("faulty.npz")
    assert f"found {fault}" in call("trace", "faulty.npz", "--summary", "60").stdout
    assert f"found {fault}" not in call("trace", trained, "--summary", "60").stdout


@pytest.mark.parametrize("options, message", [
    (("--sample", "9999"), "--sample must be from 0 to 358 (test rows of digits), not 9999"),
    (("--sample", "-1"), "--sample must be from 0 to 358 (test rows of digits), not -1"),
    (("--summary", "0"), "--summary must be from 1 to 359 (test rows of digits), not 0"),
    (("--temperature", "-2"), "temperature must be a finite number above 0, not '-2'"),
    (("--temperature", "width=2"),
     "temperature must be of trit, gate, error, score, not 'width'"),
    (("--summary", "5", "--svg", "a.svg"), "--svg draws one sample; give --sample too"),
])
def test_bad_input(trained, options, message):
    assert refusal("trace", trained, *options) == message


def test_data_of_another_shape(trained):
    Path("other.csv").write_text("a,b,class\n" + "1,2,0\n3,4,1\n" * 10)
    assert refusal("trace", trained, "--dataset", "other.csv").startswith(
        "the data must have 64 features a row, not the shape (")


def test_another_rule():
    call("train", "--rule", "sign", "--hidden", "8", "--epochs", "1", "--limit", "60", "--out", "s")
    assert refusal("trace", "s/model.npz") == (
        "s/model.npz was trained by rule sign; only networks trained by rule margin can be "
        "explained")


def test_a_network_with_row_scales(trained):
    model = TrainedModel.load(trained)
    half = encode_factor(1 << (FRACTION_BITS - 1))
    scales = replace(RowScales.initial((24, 12, 10)),
                     codes=[np.array([0, half] * (n // 2), np.uint8) for n in (24, 12, 10)])
    replace(model, recipe=replace(model.recipe, scale_refresh=6),
            parts={"scales": scales}).save("scaled.npz")
    found = json.loads(call("trace", "scaled.npz", "--sample", "3", "--json", "--html",
                            "a.html").stdout)["sample"]
    scaled = network("scaled.npz")
    scaled.scales = None
    plain = scaled.scores(np.array(found["inputs"])).tolist()
    scaled.scales = scales
    hard = found["explanation"]["hard"]["scores"]
    assert hard == scaled.scores(np.array(found["inputs"])).tolist() != plain


def test_a_sample_as_a_device_tells_it(trained, monkeypatch):
    # The RTL tells the same bytes, see test_records; this saves compiling another core.
    monkeypatch.setattr("tritgrad.host.run.training.SimTransport",
                        lambda config, *_: GoldenTransport(config))
    model, sim = (
        json.loads(call("trace", trained, "--sample", "17", "--json", "--device", device, "--lanes",
                        "8", "--banks", "4", "--update-lanes", "4").stdout)
        for device in ("model", "sim"))
    assert sim == model


@pytest.mark.parametrize("options, message", [
    (("--device", "sim", "--summary", "5"),
     "--device sim tells of one sample; give --sample, not --summary"),
    (("--vcd", "a.vcd"), "a waveform (a.vcd) needs device sim, not model"),
    (("--device", "fpga"), "--device must be sim, model, BOARD@PORT or @PORT, not 'fpga'"),
])
def test_devices_that_cannot_tell(trained, options, message):
    assert refusal("trace", trained, *options) == message
