"""The loss unit: sums losses of the resident samples, and says how far counters move."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig

__all__ = ["LossUnit"]


class LossUnit(wiring.Component):
    """The difference of the losses of trits + direction and trits - direction.

    ``PROBE`` begins with the first resident sample and the positive side. Each ``LOSS`` adds
    clip(margin - gap, 0, 2 * margin), or on the negative side subtracts it, and goes to the next
    sample; after the last one to the other side, and after that to none. Both take 4 cycles.

    Members
    -------
    probe, loss, margin : strobes, and the operand of ``LOSS``.
    gap : from the score scan.
    kept : resident samples.
    clear : strobe: no side, no difference.
    busy : from a strobe until the sample in hand is the one that it leads to.
    perturbed, negative : the forward pass has a direction, and subtracts it.
    select, position : to the `BatchBuffer`.
    settle, settled : strobe, with `loss`: the flag becomes `settled`: both sides are over.
    total : the difference, signed, exact.
    gain : exponent of the layer that is to move.
    step, down : magnitude of the steps of counters, 0 or a power of two of at most 2^(b - 3), and
        whether counters with a positive direction go down; a cycle after `gain`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "probe": In(1),
            "loss": In(1),
            "margin": In(23),
            "gap": In(signed(config.score_bits + 1)),
            "kept": In(range(config.resident + 1)),
            "clear": In(1),
            "busy": Out(1),
            "perturbed": Out(1),
            "negative": Out(1),
            "select": Out(1),
            "position": Out(range(config.resident + 1)),
            "settle": Out(1),
            "settled": Out(1),
            "total": Out(signed(24 + config.resident.bit_length() + 1)),
            "gain": In(signed(5)),
            "step": Out(config.counter_bits - 2),
            "down": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        margin = Signal(23)
        lack = Signal(signed(max(24, len(self.gap) + 1) + 1))  # margin - gap
        amount = Signal(24)
        round_ends = Signal()
        m.d.comb += [
            round_ends.eq(self.position + 1 >= self.kept),
            self.settle.eq(self.loss),
            self.settled.eq((round_ends & self.negative) | ~self.perturbed),
        ]
        with m.If(lack > margin << 1):
            m.d.comb += amount.eq(margin << 1)
        with m.Elif(lack > 0):
            m.d.comb += amount.eq(lack)

        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("Idle"))
            with m.State("Idle"):
                m.d.sync += [margin.eq(self.margin), lack.eq(self.margin - self.gap)]
                with m.If(self.loss):
                    m.next = "Add"
                with m.If(self.probe):
                    m.d.sync += [
                        self.perturbed.eq(1),
                        self.negative.eq(0),
                        self.position.eq(0),
                        self.total.eq(0),
                    ]
                    m.next = "Select"
            with m.State("Add"):
                with m.If(self.perturbed):
                    m.d.sync += self.total.eq(
                        Mux(self.negative, self.total - amount, self.total + amount))
                m.d.sync += self.position.eq(Mux(round_ends, 0, self.position + 1))
                with m.If(round_ends):
                    m.d.sync += [
                        self.perturbed.eq(self.perturbed & ~self.negative),
                        self.negative.eq(self.perturbed & ~self.negative),
                    ]
                m.next = "Select"
            with m.State("Select"):
                m.d.comb += self.select.eq(1)
                m.next = "Settle"
            with m.State("Settle"):
                m.next = "Idle"
        with m.If(self.clear):
            m.d.sync += [
                self.perturbed.eq(0), self.negative.eq(0), self.position.eq(0), self.total.eq(0),
            ]
        self._scale(m)
        return m

    def _scale(self, m):
        """The power of two below the difference, times 2^gain."""
        size = Signal(len(self.total))
        exponent = Signal(signed(8))
        steps = self.config.counter_bits - 2
        m.d.comb += size.eq(Mux(self.total < 0, -self.total, self.total))
        for n in range(len(size)):  # the last assignment holds: the highest bit
            with m.If(size[n]):
                m.d.comb += exponent.eq(n + self.gain)
        m.d.sync += [self.down.eq(self.total > 0), self.step.eq(0)]
        with m.If(size.any()):
            for n in range(steps - 1):
                with m.If(exponent == n):
                    m.d.sync += self.step[n].eq(1)
            with m.If(exponent >= steps - 1):
                m.d.sync += self.step[-1].eq(1)
