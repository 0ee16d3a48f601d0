"""Words of rows and chunks, and places of weights, beside the model's."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from tritgrad.model.config import CoreConfig
from tritgrad.model.discrete import walk
from tritgrad.model.discrete.direction import CHUNK, place_words
from tritgrad.model.discrete.splitmix import GOLDEN, MASK, mix
from tritgrad.model.layout import Layer, place
from tritgrad.units.perturb.direction import PlaceWords

from ...hw.lockstep import record_of

LAYERS = [Layer(20, 4, 1, 0, 0), Layer(4, 3, 4, 0, 0)]
SHAPES = [(layer.outputs, layer.inputs) for layer in LAYERS]
#: Cycles that no probe takes.
LONGEST = 2000
LANES = pytest.mark.parametrize("lanes", [1, 8, 16, 48])


class Probe:
    """A unit, a table of layers, and probes one after the other."""

    def __init__(self, lanes):
        self.config = CoreConfig(lanes=lanes, banks=2, update_lanes=1, resident=1, max_inputs=50,
                                 max_neurons=20, max_classes=3, trit_depth=256,
                                 residual_depth=1024, hidden_depth=64)
        self.unit = PlaceWords(self.config)
        self.places = place(self.config, LAYERS)
        self.found = []  # state afterwards and cycles of each probe

    def run(self, state, sparsity, count=1, check=None):
        """The unit's state goes on from probe to probe; `check` is called after each."""
        sim = Simulator(self.unit)
        sim.add_clock(1e-6)

        async def bench(ctx):
            unit, following = self.unit, state
            ctx.set(unit.layers, len(LAYERS))
            for _ in range(count):
                ctx.set(unit.state, following)
                ctx.set(unit.operand, sparsity)
                ctx.set(unit.start, 1)
                await ctx.tick()
                ctx.set(unit.start, 0)
                cycles = 1
                while not ctx.get(unit.done):
                    assert cycles < LONGEST
                    number = ctx.get(unit.layer)
                    await ctx.tick()
                    cycles += 1
                    ctx.set(unit.record, record_of(self.config, LAYERS[number - 1],
                                                   self.places[number - 1]))
                following = ctx.get(unit.following)
                await ctx.tick()
                cycles += 1
                assert not ctx.get(unit.busy)
                self.found.append((following, cycles))
                self.rows, *self.words = ([ctx.get(memory.data[n]) for n in range(
                    memory.data.depth)] for memory in (unit.rows, *unit.words))
                if check:
                    check()
        sim.add_testbench(bench)
        sim.run()

    def row_words(self, number):
        """Kept for the rows of a layer."""
        first = self.places[number - 1].output_base * self.config.lanes
        return self.rows[first:first + LAYERS[number - 1].outputs]

    def chunk_words(self, number):
        """Kept for its chunks; those of less than 16 lanes must be equal in all their words."""
        placed = self.places[number - 1]
        base = self.config.hidden_depth if number == 1 else placed.input_base
        kept = [word for n in range(placed.words) for word in (part[base + n]
                                                              for part in self.words)]
        chunks = -(-LAYERS[number - 1].inputs // CHUNK)
        if self.config.lanes >= CHUNK:
            return kept[:chunks]
        share = CHUNK // self.config.lanes
        groups = [kept[n:n + share] for n in range(0, len(kept), share)]
        assert all(len(set(group)) == 1 for group in groups)
        return [group[0] for group in groups]


@LANES
def test_words_of_a_key(lanes):
    state = 123456789 << 20
    probe = Probe(lanes)
    probe.run(state, sparsity=3)
    key = (state + GOLDEN) & MASK
    assert probe.found[0][0] == key
    keys = np.array([mix(key)], np.uint64)
    for number, (outputs, inputs) in enumerate(SHAPES, 1):
        assert probe.row_words(number) == place_words(keys, number, 0, outputs)[0].tolist()
        chunks = -(-inputs // CHUNK)
        assert probe.chunk_words(number) == place_words(keys, number, 1, chunks)[0].tolist()


def test_cycles_of_a_probe():
    """As the unit's documentation says."""
    probe = Probe(16)
    probe.run(1, sparsity=1)
    probe.run(1, sparsity=0)
    entries = 4 + 2 + 3 + 1
    assert [cycles for _, cycles in probe.found] == [387 + 9 * entries + 2,
                                                     1 + 2 * entries + 2]


@LANES
def test_a_walk_goes_over_all_weights_and_begins_again(lanes):
    """And each time the words say where the weight is."""
    weights = sum(outputs * inputs for outputs, inputs in SHAPES)
    probe = Probe(lanes)

    def check():
        place = walk.place(walk.state_of(len(probe.found) - 1, SHAPES))
        for number, (outputs, inputs) in enumerate(SHAPES, 1):
            assert probe.row_words(number) == [int(place[:2] == (number, n))
                                               for n in range(outputs)]
            assert probe.chunk_words(number) == [
                (1 << place[2] % CHUNK) * ((number, n) == (place[0], place[2] // CHUNK))
                for n in range(-(-inputs // CHUNK))]

    probe.run(walk.FIRST, 0, weights, check)
    assert [state for state, _ in probe.found] == [
        walk.state_of((n + 1) % weights, SHAPES) for n in range(weights)]


@pytest.mark.parametrize("state", [5 << 32 | 1, 1 << 32 | 0xFFFF, 1 << 32 | 7 << 16 | 2, MASK,
                                   2 << 32 | 7 << 16 | 3])
def test_places_without_a_weight_have_no_words(state):
    probe = Probe(8)
    probe.run(state, sparsity=0)
    assert probe.found[0][0] == walk.following(state, SHAPES)
    for number in 1, 2:
        assert not any(probe.row_words(number)) or not any(probe.chunk_words(number))
