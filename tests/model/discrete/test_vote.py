"""Votes on steps of ternary layers: against plain integers, and the source's rule as a limit."""

import math
import random

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.discrete.direction import direction, step_keys
from tritgrad.model.discrete.ternary import TernaryMLP
from tritgrad.model.discrete.vote import Ballot, Voting, vote_step


def sign(v):
    return (v > 0) - (v < 0)


def by_hand(weights, x, targets, subsets, ballot):
    """The rule on lists of integers, weight by weight."""
    weights = [[list(row) for row in layer] for layer in weights]
    rows = range(len(x))
    below, sums = [[list(s) for s in x]], []
    for layer in weights:
        sums.append([[sum(w * v for w, v in zip(row, s, strict=True)) for row in layer]
                     for s in below[-1]])
        below.append([[sign(z) for z in s] for s in sums[-1]])
    least = math.isqrt(len(weights[-1][0])) if ballot.margin else 0
    errors = [[t if t * z <= least else 0 for t, z in zip(targets[n], sums[-1][n], strict=True)]
              for n in rows]
    bar = math.isqrt(len(x)) if ballot.bar else 0
    for k in reversed(range(len(weights))):
        for j, row in enumerate(weights[k]):
            for i in range(len(row)):
                vote = sum(errors[n][j] * below[k][n][i] for n in rows)
                if abs(vote) > bar and (subsets is None or subsets[k][j][i]):
                    row[i] = max(-1, min(1, row[i] + sign(vote)))
        if k:
            size = math.isqrt(len(weights[k - 1][0]))
            errors = [[sign(sum(e * row[i] for e, row in zip(errors[n], weights[k], strict=True)))
                       * (not ballot.gate or abs(sums[k - 1][n][i]) <= size)
                       for i in range(len(weights[k][0]))] for n in rows]
    return weights


@pytest.mark.parametrize("seed", range(12))
def test_a_step_is_that_of_plain_integers(seed):
    rng = random.Random(seed)
    sizes = [rng.randint(2, 9) for _ in range(rng.choice((2, 3, 4)))]
    ballot = Ballot(rng.randint(1, 8), rng.randint(0, 2), *(rng.random() < 0.5 for _ in range(3)))
    voting = Voting(sizes, ballot, seed=seed)
    for step in range(4):
        n = rng.randint(1, 8)
        x = np.array([[rng.choice((-1, 0, 1)) for _ in range(sizes[0])] for _ in range(n)])
        targets = np.array([[rng.choice((-1, 1)) for _ in range(sizes[-1])] for _ in range(n)])
        subsets = None if ballot.sparsity == 0 else [
            direction(step_keys(seed, step, 1), k, *layer.weights.shape, ballot.sparsity)[0]
            for k, layer in enumerate(voting.network.layers, 1)]
        wanted = by_hand([layer.weights.tolist() for layer in voting.network.layers], x.tolist(),
                         targets.tolist(), subsets, ballot)
        voting.step = step
        vote_step(voting.network.layers, x, targets, voting._subsets(), ballot)
        assert [layer.weights.tolist() for layer in voting.network.layers] == wanted, f"seed {seed}"


@pytest.mark.parametrize("seed", range(4))
def test_one_vote_of_all_weights_is_the_sources_rule(seed):
    rng = np.random.default_rng(seed)
    ballot = Ballot(1, sparsity=0, bar=False, margin=False, gate=False)
    voting, source = Voting((9, 7, 4), ballot, seed), TernaryMLP((9, 7, 4), seed)
    x, targets = rng.integers(-1, 2, (20, 9)), rng.choice((-1, 1), (20, 4))
    sums, flips = voting.train(x, targets)
    changed = 0
    for n in range(20):
        assert sums[n].tolist() == source.scores(x[n]).tolist()
        before = [layer.weights for layer in source.layers]
        source.train_step(x[n], targets[n])
        changed += sum((a != b.weights).sum() for a, b in zip(before, source.layers, strict=True))
    assert flips == changed > 0
    assert all((a.weights == b.weights).all()
               for a, b in zip(voting.network.layers, source.layers, strict=True))


def test_what_is_left_over_votes_alone_and_steps_are_counted():
    rng = np.random.default_rng(3)
    x, targets = rng.choice((-1, 1), (11, 6)), rng.choice((-1, 1), (11, 3))
    whole, parts = (Voting((6, 5, 3), Ballot(4, sparsity=1), 9) for _ in range(2))
    sums, _ = whole.train(x, targets)
    again = [parts.train(x[a:b], targets[a:b])[0] for a, b in ((0, 4), (4, 8), (8, 11))]
    assert whole.step == parts.step == 3 and (np.concatenate(again) == sums).all()
    assert sums.dtype == np.int64 and whole.train(x[:0], targets[:0])[0].shape == (0, 3)


def test_votes_learn_where_single_samples_do_not():
    """Three prototypes with a fifth of their inputs turned round."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 600)
    x = np.sign(rng.choice((-1, 1), (3, 32))[labels] * (rng.random((600, 32)) - 0.2))
    targets = np.where(np.arange(3) == labels[:, None], 1, -1)
    found = {}
    for votes, sparsity in (1, 0), (32, 3):
        ballot = Ballot(votes, sparsity, *(votes > 1,) * 3)
        voting = Voting((32, 16, 3), ballot, 5)
        for _ in range(10):
            voting.train(x, targets)
        found[votes] = (voting.network.scores(x).argmax(axis=1) == labels).mean()
    assert found[32] > 0.95 and found[1] < 0.8


@pytest.mark.parametrize("votes, sparsity, message", [
    (0, 6, "votes must be an integer from 1 to 4096, not 0"),
    (2.0, 6, "votes must be an integer from 1 to 4096, not 2.0"),
    (True, 6, "votes must be an integer from 1 to 4096, not True"),
    (4, 7, "sparsity must be an integer from 0 to 6, not 7")])
def test_ballots_that_are_none(votes, sparsity, message):
    with pytest.raises(BadInput) as caught:
        Ballot(votes, sparsity)
    assert str(caught.value) == message
