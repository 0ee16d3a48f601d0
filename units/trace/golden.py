"""The trace of the reference machine: `model.records` behind its instructions."""

from typing import Any

from ...firmware.isa import Op
from ...model.config import ceil_div
from ...model.records import Tracer
from ..part import Change, Part

__all__ = ["Trace"]


class Trace(Part):
    """A `Tracer`, whose pieces go to the machine's outbox."""

    def __init__(self, machine: Any):
        super().__init__(machine)
        self.tracer = Tracer(machine.config)

    def clear(self) -> None:
        self.tracer.clear()

    def execute(self, op: Op, operand: int) -> None:
        machine = self.machine
        if op is Op.TRACE:
            machine.outbox.extend(self.tracer.switch(operand))
        elif operand == len(machine.layers):
            r, scores = machine.registers, machine.scores[:machine.layers[-1].outputs]
            machine.outbox.extend(
                self.tracer.scores(r.scan, r.target, r.flag, r.margin, scores))
        else:
            self._tell(operand)

    def _tell(self, number: int) -> None:
        machine, c = self.machine, self.machine.config
        first = machine.places[number - 1].output_base
        end = first + ceil_div(machine.layers[number - 1].outputs, c.lanes)
        steps = c.steps if c.trainable else 0
        errors = machine.errors[first * c.steps:first * c.steps + (end - first) * steps]
        machine.outbox.extend(self.tracer.hidden(
            number, machine.gates[first:end], machine.hidden.reshape(-1, c.lanes)[first:end],
            errors.reshape(end - first, steps, c.update_lanes) * machine.registers.flag))

    def updated(self, change: Change) -> None:
        placed = self.machine.places[change.number - 1]
        group, bank = divmod(change.row, self.machine.config.banks)
        self.machine.outbox.extend(self.tracer.update(
            bank, placed.trit_base + group * placed.words, change.error, change.before,
            change.steps, change.after))
