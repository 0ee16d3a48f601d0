import pytest

from tritgrad.errors import BadInput
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.sweep.grid import parse_grid, parse_seeds, points


def test_seeds():
    assert parse_seeds("1-5") == (1, 2, 3, 4, 5)
    assert parse_seeds("7, 1-2,4") == (7, 1, 2, 4)


@pytest.mark.parametrize(("text", "message"), [
    ("", "--seeds must be numbers and ranges such as 1-5,8, not ''"),
    ("1-", "--seeds must be numbers and ranges such as 1-5,8, not '1-'"),
    ("5-1", "--seeds 5-1 must be a range from a lower to a higher number, of at most 10000"),
    ("1-3,2", "--seeds 1-3,2 names a seed twice")])
def test_seeds_that_are_none(text, message):
    with pytest.raises(BadInput) as caught:
        parse_seeds(text)
    assert str(caught.value) == message


def test_every_value_with_every_other_and_every_seed():
    runs = points(TrainOptions(), parse_grid(["hidden=64,128x32", "counter-bits=8,10",
                                              "scales=no", "margin=default"]), (1, 2))
    assert [(p.options.hidden, p.options.counter_bits, p.options.seed) for p in runs] == [
        ((64,), 8, 1), ((64,), 8, 2), ((64,), 10, 1), ((64,), 10, 2),
        ((128, 32), 8, 1), ((128, 32), 8, 2), ((128, 32), 10, 1), ((128, 32), 10, 2)]
    assert runs[-1].setting == "hidden=128x32 counter_bits=10 scales=no margin=default"
    assert runs[-1].name == "hidden=128x32_counter_bits=10_scales=no_margin=default/seed-2"
    assert len({p.name for p in runs}) == len(runs)
    (alone,) = points(TrainOptions(), {}, (3,))
    assert (alone.setting, alone.name) == ("all", "all/seed-3")


@pytest.mark.parametrize(("texts", "message"), [
    (["hidden"], "--grid must be OPTION=VALUE[,VALUE...], not 'hidden'"),
    (["device=sim"], "--grid has no device; it has limit, encode, planes, "),
    (["hidden=8", "hidden=9"], "--grid hidden is there twice; give all its values in one"),
    (["hidden=8,8"], "--grid hidden=8,8 has a value twice"),
    (["hidden=8.5"], "--grid hidden must be integers joined by x, not '8.5'"),
    (["epochs=few"], "--grid epochs must be an integer, not 'few'"),
    (["scales=maybe"], "--grid scales must be yes or no, not 'maybe'"),
    (["rule=none"], "rule must be margin, spsa, fd or sign, not 'none'")])
def test_grids_that_are_none(texts, message):
    with pytest.raises(BadInput) as caught:
        points(TrainOptions(), parse_grid(texts), (1,))
    assert str(caught.value).startswith(message)


def test_too_many_runs():
    with pytest.raises(BadInput, match="^--grid and --seeds make 20,000 runs; at most 10,000"):
        points(TrainOptions(), {"margin": ["1", "2"]}, range(10_000))
