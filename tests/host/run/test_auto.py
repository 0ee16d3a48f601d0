from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tritgrad.host.data.datasets import Dataset
from tritgrad.host.run import auto, auto_moves
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
    assert choose(options, data) == Choice("planes", why, False)


@pytest.mark.parametrize("scores, moved", [((95.0, 96.0), True), ((96.0, 96.0), False)])
def test_small_images_are_moved_in_long_runs_if_held_back_rows_say_so(monkeypatch, scores, moved):
    monkeypatch.setattr(auto, "compare_moves", lambda options, data: scores)
    options = TrainOptions(encode="auto", epochs=50)
    choice = choose(options, options.load_data())
    assert (choice.encode, choice.shift_augment, choice.clean_epochs, choice.open) == (
        "planes", int(moved), 20 * moved, True)
    for changes in {"epochs": 39}, {"limit": 900}, {"shift_augment": 1}, {"augment": "flip"}:
        others = replace(options, **changes)
        assert choose(others, others.load_data()) == Choice("planes", "their range is known", False)


def test_moves_are_compared_by_rows_that_were_not_learned(monkeypatch):
    monkeypatch.setattr(auto_moves, "LONG", 2)
    options = TrainOptions(encode="auto", hidden=(16,), limit=300)
    data = options.load_data()
    still, moved = auto_moves.compare_moves(options, data)
    assert still > 30 and still != moved
    nothing = replace(data, y_train=np.zeros_like(data.y_train))
    assert auto_moves.compare_moves(options, nothing) == (100.0, 100.0)
