"""Training from losses on the reference machine: as `PerturbedNetwork`, bit for bit."""

import numpy as np
import pytest

from tritgrad.firmware.isa import Op, encode
from tritgrad.firmware.programs import train_fd, train_spsa
from tritgrad.model.config import CoreConfig
from tritgrad.model.discrete import walk
from tritgrad.model.discrete.perturbed import PerturbedNetwork, clipped, margin_loss
from tritgrad.model.discrete.splitmix import GOLDEN, MASK
from tritgrad.model.layout import Layer, pack_counters, unpack_counters
from tritgrad.model.machine import Machine, Sample

STATE = 1 << 48  # draws before the key of step 0


SIZES, SHIFTS, MARGIN, BITS, SEED = (21, 18, 3), (2,), 8, 8, 9
SHAPES = [(18, 21), (3, 18)]


class Pair:
    """A machine and a `PerturbedNetwork` with the same counters and samples."""

    def __init__(self, lanes, banks, update_lanes, gain, state):
        rng = np.random.default_rng(SEED)
        self.x, self.y = rng.integers(0, 16, (7, SIZES[0])), rng.integers(0, SIZES[-1], 7)
        self.network = PerturbedNetwork(SIZES, BITS, SEED, [clipped(SHIFTS[0], 4)],
                                        margin_loss(MARGIN))
        self.config = CoreConfig(lanes=lanes, banks=banks, update_lanes=update_lanes,
                                 counter_bits=BITS, resident=7)
        self.layers = [Layer(f, n, 4, s, gain) for f, n, s in zip(
            SIZES, SIZES[1:], (*SHIFTS, 0), strict=False)]
        self.machine = machine = Machine(self.config)
        machine.load_table(self.layers)
        codes, residuals = pack_counters(self.config, self.layers, self.network.counters)
        machine.codes[:, :codes.shape[1]] = codes
        machine.residuals[:len(residuals)] = residuals
        machine.prng.state = state

    def run(self, program):
        """Of the machine; the flips."""
        machine = self.machine
        machine.program = program
        machine.start()
        machine.inbox.extend(Sample(row, int(label))
                             for row, label in zip(self.x, self.y, strict=True))
        machine.advance()
        assert machine.run.name == "HALTED"
        return machine.statistics.flips

    def compare(self):
        found = unpack_counters(self.config, self.layers, self.machine.codes,
                                self.machine.residuals)
        for mine, theirs in zip(found, self.network.counters, strict=True):
            assert (mine == theirs).all()


CORES = pytest.mark.parametrize("lanes, banks, update_lanes",
                                [(16, 4, 8), (4, 3, 2), (32, 5, 32)])


@CORES
def test_train_spsa_equals_the_perturbed_network(lanes, banks, update_lanes):
    """Two runs, so that the second goes on with the keys where the first has stopped."""
    sparsity, steps, gain = 2, 12, -1
    pair = Pair(lanes, banks, update_lanes, gain, (SEED + STATE * GOLDEN) & MASK)
    program = train_spsa(len(SHAPES), len(pair.x), MARGIN, steps, sparsity)
    flips = sum(pair.run(program) for _ in range(2))
    assert pair.machine.statistics.samples == 2 * len(pair.x) * steps
    done = pair.network.train_spsa(pair.x, pair.y, 2 * steps, gain, sparsity)
    assert done.moved > steps and done.flips > 10
    assert flips == done.flips
    pair.compare()


@CORES
def test_train_fd_equals_the_perturbed_network(lanes, banks, update_lanes):
    """From the last row of the first layer over the end of the last one."""
    steps, first, gain = 24, 21 * 17 + 15, 3
    pair = Pair(lanes, banks, update_lanes, gain, walk.state_of(first, SHAPES))
    program = train_fd(len(SHAPES), len(pair.x), MARGIN, steps)
    flips = sum(pair.run(program) for _ in range(3))
    pair.network.weight = first
    done = pair.network.train_fd(pair.x, pair.y, 3 * steps, gain)
    assert done.moved > steps and done.flips > 2
    assert flips == done.flips
    assert walk.number_of(pair.machine.prng.state, SHAPES) == pair.network.weight == 12
    pair.compare()


def test_the_oldest_samples_leave_a_full_batch():
    machine = Machine(CoreConfig(resident=3))
    machine.load_table([Layer(2, 2, 1, 0, 0)])
    machine.program = [encode(Op.RECV)] * 5 + [encode(Op.PROBE, 3), encode(Op.HALT)]
    machine.start()
    machine.inbox.extend(Sample(np.array([n & 1, n >> 1]), n & 1) for n in range(5))
    machine.advance()
    assert [sample.label for sample in machine.parts["perturb"].resident] == [0, 1, 0]
    assert machine.inputs[:2].tolist() == [0, 1]
