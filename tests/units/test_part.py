"""A part of no unit: what stands between a sample and layer 1, and learns too."""

import numpy as np
import pytest

from tritgrad.firmware.frames import Run
from tritgrad.firmware.isa import Op, encode
from tritgrad.model.arithmetic import trits
from tritgrad.model.layout import Layer, pack_counters
from tritgrad.model.machine import Machine, Sample
from tritgrad.sim.trials import SMALL
from tritgrad.units.part import Part, having
from tritgrad.units.record import Option, Unit

LAYERS = [Layer(5, 3, 2, 0, 4)]
#: Codes: its counters' trits are +1, 0 and -1.
COUNTERS = [np.array([[64, 0, -128, 64, 64], [64, 0, 0, 64, -128], [0, 0, 64, 0, 0]])]


class Front(Part):
    """Turns a sample round, and has gates and errors of its own for it."""

    def __init__(self, machine):
        super().__init__(machine)
        self.gates, self.errors = np.zeros(8, bool), np.zeros(8, np.int64)

    def inputs(self, x):
        self.gates[:len(x)] = x > 0
        return x[::-1]

    def below(self):
        return self.gates, self.errors


def machine(*parts):
    made = Machine(SMALL)
    for part in parts:
        made.join(Unit(part.__name__.lower(), "", (Option("front", ""),)), part(made))
    made.load_table(LAYERS)
    codes, residuals = pack_counters(SMALL, LAYERS, COUNTERS)
    made.codes[:, :codes.shape[1]], made.residuals[:len(residuals)] = codes, residuals
    made.program = [encode(Op.RECV), encode(Op.FWD, 1), encode(Op.ERR, 100), encode(Op.BWD, 1),
                    encode(Op.HALT)]
    made.start()
    made.inbox.append(Sample(np.array([3, 2, 1, 0, 1]), 1))
    made.advance()
    return made


def test_a_part_stands_before_layer_1():
    weights = trits(COUNTERS[0], SMALL.counter_bits)
    assert machine().scores[:3].tolist() == (weights @ [3, 2, 1, 0, 1]).tolist()
    assert machine(Front).scores[:3].tolist() == (weights @ [1, 0, 1, 2, 3]).tolist()


def test_bwd_takes_layer_1_where_its_inputs_learn():
    assert machine().run is Run.FAULT
    done = machine(Front)
    assert done.run is Run.HALTED
    errors = done.row_errors(1)[:3]
    assert sorted(errors) == [-1, 0, 1]
    wanted = np.sign(errors @ trits(COUNTERS[0], SMALL.counter_bits)) * [1, 1, 1, 0, 1]
    assert done.parts["front"].errors.tolist() == [*wanted, 0, 0, 0]
    assert wanted.any()


@pytest.mark.parametrize("method", ["inputs", "below"])
def test_only_those_that_have_a_method_are_asked(method):
    made = Machine(SMALL)
    parts = [Part(made), Front(made)]
    assert having(parts, method) == [getattr(parts[1], method)]
    assert having(parts, "weights") == []
