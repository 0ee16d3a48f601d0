from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tritgrad.host.data.datasets import Dataset
from tritgrad.host.run.auto import Choice, choose
from tritgrad.host.run.options import TrainOptions


def write(folder: Path, x, y, test_rows: int = 20) -> TrainOptions:
    path = folder / "rows.npz"
    np.savez(path, x_train=x[:-test_rows], y_train=y[:-test_rows], x_test=x[-test_rows:],
             y_test=y[-test_rows:])
    return TrainOptions(dataset=str(path), device="model", hidden=(16,), encode="auto")


def rings(rows: int, seed: int = 1):
    """Two classes by the distance from the middle: one input a feature cannot tell them apart."""
    x = np.random.default_rng(seed).normal(size=(rows, 2))
    return x, (np.hypot(*x.T) > 1.2).astype(int)


def test_the_better_coding_of_held_back_rows_is_taken(tmp_path):
    options = write(tmp_path, *rings(220))
    data = options.load_data()
    choice = choose(options, data)
    assert choice.encode.startswith(("signed", "thermometer"))
    assert choice.why.startswith("200 rows of 2 features; % of held-back training rows: signed")
    assert choose(options, data) == choice


def test_test_rows_decide_nothing(tmp_path):
    x, y = rings(220)
    options = write(tmp_path, x, y)
    choice = choose(options, options.load_data())
    x[-20:], y[-20:] = 1e6, 0
    other = write(tmp_path, x, y)
    assert choose(other, other.load_data()) == choice


def test_few_rows_get_what_is_usual(tmp_path):
    options = write(tmp_path, *rings(45))
    assert choose(options, options.load_data()) == Choice(
        "thermometer:16", "25 rows of 2 features are too few to compare codings")


def test_a_board_takes_what_it_has_room_for(tmp_path):
    rng = np.random.default_rng(2)
    options = write(tmp_path, rng.normal(size=(60, 300)), np.arange(60) % 2)
    data = options.load_data()
    assert choose(replace(options, device="model"), data).why.count("signed") == 2
    board = replace(options, device="icebreaker@nowhere", hidden=(128,))
    assert "signed,repeat" not in choose(board, data).why


@pytest.mark.parametrize("options, why", [
    (TrainOptions(encode="auto"), "their range is known"),
    (TrainOptions(encode="auto", rule="sign", device="model"),
     "rule sign takes one input a feature")])
def test_known_ranges_and_other_rules_keep_planes(options, why):
    data: Dataset = options.load_data()
    assert vars(choose(options, data)) == {"encode": "planes", "why": why, "open": False}
