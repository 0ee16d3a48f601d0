"""The rule of docs/contributing.md: its folder and its name in the registry are all it takes."""

import json

import pytest

from ..walk import added, python

TRAIN = ("-m", "tritgrad", "train", "--hidden", "8", "--limit", "40", "--epochs", "2", "--lanes",
         "8", "--banks", "4", "--update-lanes", "4", "--encode", "planes", "--json")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = tmp_path_factory.mktemp("site")
    assert set(added(site, "Add a rule")) == {"tritgrad/rules/perceptron/__init__.py",
                                              "tritgrad/rules/__init__.py"}
    return site


def run(site, *arguments):
    return json.loads(python(site, *TRAIN, *arguments).splitlines()[-1])


def test_it_is_a_rule_on_model_and_rtl_as_the_margin_rule_with_margin_1(site):
    model = run(site, "--rule", "perceptron", "--device", "model")
    rtl = run(site, "--rule", "perceptron", "--device", "sim")
    known = run(site, "--rule", "margin", "--margin", "1", "--device", "model")
    assert model["rule"] == "perceptron" and rtl["cycles"] > 0
    assert model["state_sha256"] == rtl["state_sha256"] == known["state_sha256"]
    assert model["updates_by_epoch"] == rtl["updates_by_epoch"] == known["updates_by_epoch"]


def test_the_command_line_offers_it(site):
    text = python(site, "-m", "tritgrad", "train", "--help")
    assert "where the prediction is wrong (perceptron)" in " ".join(text.split())
