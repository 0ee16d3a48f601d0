"""Sums of trits mod 3: constructions that conserve them, and the repair."""

import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tritgrad.errors import BadInput
from tritgrad.model.discrete.gf3 import (
    GF3ConservativeOptimizer,
    TripartiteStreams,
    balanced_triples,
    is_conserved,
    repair,
)
from tritgrad.model.discrete.gradients import TritGradient
from tritgrad.model.discrete.splitmix import SplitMixTernary

TRIPLES = {42: [[0, 0, 0], [-1, -1, -1], [0, -1, 1], [0, 1, -1]],
           1069: [[1, -1, 0], [0, 1, -1], [0, 0, 0], [0, -1, 1]]}
PAGE = Path(__file__).resolve().parents[3] / "docs" / "discrete-backprop.md"
trits = st.integers(-1, 1)


@pytest.mark.parametrize("seed", TRIPLES)
def test_balanced_triples(seed):
    assert balanced_triples(seed, 4).tolist() == TRIPLES[seed]
    generator = SplitMixTernary(seed)
    assert [[generator.next_trit_conserved() for _ in range(3)]
            for _ in range(4)] == TRIPLES[seed]


def test_all_nine_pairs_have_a_third_trit():
    seen = {}
    for triple in balanced_triples(3, 500).tolist():
        seen[tuple(triple[:2])] = triple[2]
    assert set(seen) == set(product((-1, 0, 1), repeat=2))
    assert all(third in (-1, 0, 1) and (a + b + third) % 3 == 0
               for (a, b), third in seen.items())


@pytest.mark.parametrize("seed", [0, 1, 42, 1069])
def test_conserved_trit_stream(seed):
    generator = SplitMixTernary(seed)
    stream = [generator.next_trit_conserved() for _ in range(300)]
    assert all(is_conserved(stream[:k]) for k in range(0, 301, 3))
    assert set(stream) == {-1, 0, 1}


def test_independent_trits_are_conserved_one_time_in_three():
    triples = SplitMixTernary(1069).next_trits(30_000).reshape(-1, 3)
    part = np.mean([is_conserved(triple) for triple in triples])
    assert part == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize("seed", [0, 1069])
def test_tripartite_streams(seed):
    streams = TripartiteStreams(seed)
    assert [streams.next_triplet() for _ in range(5)] == [
        {"minus": -1, "ergodic": 0, "plus": 1, "gf3_sum": 0, "conserved": True}] * 5
    child = SplitMixTernary(seed).trifurcate()[0]
    assert streams.minus.next() == child.at(5)


@pytest.mark.parametrize(("value", "adjustment", "repaired"), [
    (-1, 1, 0), (-1, 2, 1), (1, 1, -1), (1, 2, 0), (0, 1, 1), (0, 2, -1)])
def test_repair(value, adjustment, repaired):
    assert repair(value, adjustment) == repaired


def test_gf3_conservative_optimizer_on_all_small_cases():
    optimizer = GF3ConservativeOptimizer()
    confidences = [0.25, 0.75, 0.5]
    for values in product((-1, 0, 1), repeat=6):
        gradients = [TritGradient(values[2 * k:2 * k + 2], [confidences[k]] * 2)
                     for k in range(3)]
        balanced = optimizer.balance(gradients)
        after = np.concatenate([g.value for g in balanced])
        changed = np.flatnonzero(after != values)
        assert is_conserved(after)
        assert len(changed) == (0 if is_conserved(values) else 1)
        if len(changed):
            # the first non-zero trit, groups by falling confidence: 1, 2, 0
            assert changed[0] == next(k for k in (2, 3, 4, 5, 0, 1) if values[k])
        assert [g.value.tolist() for g in gradients] == [
            list(values[2 * k:2 * k + 2]) for k in range(3)]


def test_gf3_conservative_optimizer_where_the_surest_group_is_all_zero():
    gradients = [TritGradient([0, 0], [1.0, 1.0]), TritGradient([0, 1], [0.25, 0.5]),
                 TritGradient([0], [0.75])]
    params = GF3ConservativeOptimizer().balanced_update([[1.0, 2.0], [3.0, 4.0], [5.0]], gradients)
    assert [p.tolist() for p in params] == [[1.0, 2.0], [3.0, 4.0], [5.0]]


def test_gf3_conservative_optimizer_moves_by_the_repaired_trit():
    gradients = [TritGradient([1], [0.5]), TritGradient([1, -1], [0.5, 0.25]),
                 TritGradient([1], [0.5])]
    params = GF3ConservativeOptimizer(3).balanced_update([[0.0], [0.0, 0.0], [0.0]], gradients)
    assert [p.tolist() for p in params] == [[-0.5], [0.5, -0.25], [0.5]]


@given(st.lists(st.lists(st.tuples(trits, st.floats(0, 1)), min_size=0, max_size=5),
                min_size=3, max_size=3))
def test_gf3_conservative_optimizer_always_conserves(groups):
    gradients = [TritGradient(np.array([v for v, _ in g], int), [c for _, c in g]) for g in groups]
    balanced = GF3ConservativeOptimizer().balance(gradients)
    assert is_conserved(np.concatenate([g.value for g in balanced]))


def test_gf3_conservative_optimizer_refuses_other_groups():
    with pytest.raises(BadInput, match="^param_groups must be 3, not 2$"):
        GF3ConservativeOptimizer(2)
    gradient = TritGradient([1], [1.0])
    with pytest.raises(BadInput, match="^gradients must be of 3 groups, not of 1$"):
        GF3ConservativeOptimizer().balance([gradient])
    with pytest.raises(BadInput, match="^params must be of 3 groups, not of 2$"):
        GF3ConservativeOptimizer().balanced_update([[0.0]] * 2, [gradient] * 3)
    with pytest.raises(BadInput, match=r"^a gradient of shape \(1,\) cannot move parameters of "
                                       r"shape \(2,\)$"):
        GF3ConservativeOptimizer().balanced_update([[0.0, 0.0]] * 3, [gradient] * 3)


def test_cli_gf3_check():
    command = re.search(r'```sh\n(python -c ".*?")\n```', PAGE.read_text(), re.DOTALL).group(1)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["sh", "-c", command], env=os.environ | {"PATH": path}, text=True,
                          capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, "conserved\n"), done.stderr
