"""The backward pass and the update of the reference machine."""

import numpy as np

from ...firmware.isa import Op
from ...model import arithmetic
from ..part import Change, Part

__all__ = ["Training"]


class Training(Part):
    """BWD and UPD, with what other parts have to say to them."""

    def execute(self, op: Op, operand: int) -> None:
        (self._backward if op is Op.BWD else self._update)(operand)

    def _backward(self, number: int) -> None:
        machine = self.machine
        layer, _, counters, _ = machine.lanes(number)
        errors = machine.row_errors(number)[:layer.outputs]
        sums = errors @ arithmetic.trits(counters, machine.config.counter_bits)
        for add in machine.asks["stage_below"]:
            sums = add(number, sums, errors)
        gates, below = machine.below(number)
        below[:] = np.sign(sums) * gates

    def _update(self, number: int) -> None:
        machine = self.machine
        layer, _, counters, x = machine.lanes(number)
        errors = machine.row_errors(number)[:layer.outputs]
        gain = layer.gain
        for change in machine.asks["gain"]:
            gain = change(gain)
        for row in np.flatnonzero(errors).tolist():
            draw = machine.prng.draw() if gain < 0 else 0
            steps = arithmetic.steps(x, gain, draw)
            for limit in machine.asks["steps"]:
                steps = limit(number, row, steps)
            error, before = int(errors[row]), counters[row]
            after = machine.move(number, row, before, error, steps)
            for tell in machine.asks["updated"]:
                tell(Change(number, row, error, x, steps, before, after))
