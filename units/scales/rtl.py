"""Scales of rows: corr and factors in memory S, their product with pre-activations, the divider."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hw.memory.block_ram import BlockRam
from ...hw.parts.arith import times
from ...hw.parts.ports import LayerRecord
from ...model.config import CoreConfig
from ...model.scales.chip import CORR_BITS, FRACTION_BITS

__all__ = ["FactorDivider", "ScaleMultiplier", "ScaleUnit", "scale_word", "score_shape"]

#: Exponent of the largest factor, 2, in units of its last fraction bit.
TOP = FRACTION_BITS + 1

#: A factor's code, see `model.scales.chip`.
CODE = data.StructLayout({"upper": 4, "lower": 4})


def scale_word() -> data.StructLayout:
    """A word of S: a row's corr and the code of its factor, or the step in place of corr."""
    return data.StructLayout({"corr": signed(CORR_BITS), "code": CODE})


def score_shape(config: CoreConfig) -> Shape:
    """Of the score of a row."""
    return signed(config.max_fan_in.bit_length() + 1)


class ScaleMultiplier(wiring.Component):
    """A pre-activation times a factor of at most two powers of two: two shifts and an addition.

    Latency: two cycles. A value a cycle.

    Members
    -------
    z, code : value and the code of its factor.
    o : the product, each term rounded down.
    """

    def __init__(self, config: CoreConfig):
        super().__init__({
            "z": In(signed(config.score_bits)),
            "code": In(CODE),
            "o": Out(signed(config.score_bits)),
        })

    def elaborate(self, platform):
        m = Module()
        upper = Signal(4)
        m.d.comb += upper.eq(self.code.upper ^ FRACTION_BITS)
        places = [(upper <= TOP, TOP - upper),
                  ((self.code.lower != 0) & (self.code.lower <= TOP) & (upper != TOP),
                   TOP + 1 - self.code.lower)]
        terms = []
        for name, (counts, right) in zip(("first", "second"), places, strict=True):
            term = Signal.like(self.o, name=name, reset_less=True)
            shift = Signal(4, name=f"{name}_shift")
            m.d.comb += shift.eq(right)
            m.d.sync += term.eq(Mux(counts, (self.z << 1) >> shift, 0))
            terms.append(term)
        m.d.sync += self.o.eq(terms[0] + terms[1])
        return m


class FactorDivider(wiring.Component):
    """The code of (D + corr) / D: a bit of the quotient a cycle, rounded as its ones appear.

    The sum of two powers of two that is nearest has the quotient's first one, and its second one
    or the place above; that is taken if more than half of it follows.

    Latency: at most 11 cycles.

    Members
    -------
    start, d, corr : strobe, D and corr; D stands still until `done`.
    done : the code is there, until the next `start`.
    code : of the factor: 1 where D is 0, and 0 or 2 where the quotient is beyond.
    """

    def __init__(self) -> None:
        super().__init__({
            "start": In(1),
            "d": In(CORR_BITS),
            "corr": In(signed(CORR_BITS)),
            "done": Out(1, init=1),
            "code": Out(CODE),
        })

    def elaborate(self, platform):
        m = Module()
        numerator = Signal(signed(CORR_BITS + 2))
        rest = Signal(CORR_BITS + 2)
        trial = Signal(CORR_BITS + 1)
        place = Signal(range(TOP + 1))
        upper, lower = Signal(4), Signal(4)
        found, second, half, beyond = Signal(), Signal(), Signal(), Signal()
        one = Signal()
        following = Signal.like(rest)
        m.d.comb += [
            numerator.eq(self.d + self.corr),
            trial.eq(self.d << 1),
            one.eq(rest >= trial),
            following.eq(Mux(one, rest - trial, rest)),
        ]
        with m.If(~self.done):
            m.d.sync += [rest.eq(following << 1), place.eq(place - 1)]
            with m.If(one):
                with m.If(~found):
                    m.d.sync += [found.eq(1), upper.eq(place)]
                with m.Elif(~second):
                    m.d.sync += [second.eq(1), lower.eq(place)]
                with m.Elif(place + 1 == lower):
                    m.d.sync += half.eq(1)
                with m.Else():
                    m.d.sync += beyond.eq(1)
            with m.If((place == 0) | (one & (place == TOP))):
                m.d.sync += self.done.eq(1)
        with m.If(self.start):
            m.d.sync += [
                rest.eq(Mux(numerator < 0, 0, numerator)),
                place.eq(TOP),
                self.done.eq(0),
                found.eq(0), second.eq(0), half.eq(0), beyond.eq(0),
            ]

        raised, joined = Signal(4), Signal()
        m.d.comb += [
            raised.eq(lower + (half & beyond)),
            joined.eq(second & (raised == upper)),
        ]
        with m.If(trial != 0):
            m.d.comb += [
                self.code.upper.eq(Mux(found, upper + joined, 15) ^ FRACTION_BITS),
                self.code.lower.eq(Mux(second & ~joined, raised + 1, 0)),
            ]
        return m


class ScaleUnit(wiring.Component):
    """Memory S and what works on it: a row a neuron, in the order of words of L, then the step.

    Forward: a pre-activation a cycle, three cycles later times the factor of its row. Scores: one
    a cycle, added to corr two cycles later. ``REFRESH``: three cycles. ``SCALE``: a row takes 14
    cycles at most, a layer as many as its `size` and 3 beside. None at the same time as another.

    Members
    -------
    forward, forward_record : strobe and table row: that layer's pre-activations come next.
    z, z_valid : pre-activations in ascending order; o_z, o_z_valid : scaled.
    score_valid, score_row, score : strobe, word of a row, what its corr grows by.
    refresh, operand : strobe and r: a step more; then
    settle, settled : strobe, and whether the step is a multiple of 2^r.
    stepping : from the cycle after `refresh` until `settle`.
    scale, record : strobe and table row: divide the factors of that layer anew.
    busy : scores, step or factors are under way.
    linked : the link has the memory: address, write, write_data, and word, one cycle later.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        score = signed(config.score_bits)
        super().__init__({
            "forward": In(1),
            "forward_record": In(LayerRecord(config)),
            "z": In(score),
            "z_valid": In(1),
            "o_z": Out(score),
            "o_z_valid": Out(1),
            "score_valid": In(1),
            "score_row": In(range(config.sum_depth)),
            "score": In(score_shape(config)),
            "refresh": In(1),
            "operand": In(5),
            "settle": Out(1),
            "settled": Out(1),
            "stepping": Out(1),
            "scale": In(1),
            "record": In(LayerRecord(config)),
            "busy": Out(1),
            "linked": In(1),
            "address": In(range(config.scale_depth)),
            "write": In(1),
            "write_data": In(scale_word()),
            "word": Out(scale_word()),
        })
        self.memory = BlockRam(scale_word(), config.scale_depth)

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        m.submodules.multiplier = multiplier = ScaleMultiplier(self.config)
        m.d.comb += self.word.eq(memory.word)

        # Forward, where nothing else reads.
        index = Signal(range(self.config.scale_depth))
        z, valid_1, valid_2 = Signal.like(self.z, reset_less=True), Signal(), Signal()
        m.d.comb += [
            memory.address.eq(index),
            multiplier.z.eq(z),
            multiplier.code.eq(memory.word.code),
            self.o_z.eq(multiplier.o),
        ]
        m.d.sync += [
            z.eq(self.z), valid_1.eq(self.z_valid), valid_2.eq(valid_1),
            self.o_z_valid.eq(valid_2),
        ]
        with m.If(self.forward):
            m.d.sync += index.eq(times(self.forward_record.output_base, self.config.lanes))
        with m.Elif(self.z_valid):
            m.d.sync += index.eq(index + 1)

        adding = self._add(m)
        dividing = self._divide(m)
        m.d.comb += self.busy.eq(adding | dividing)
        with m.If(self.linked):
            m.d.comb += [
                memory.address.eq(self.address),
                memory.write.eq(self.write),
                memory.write_address.eq(self.address),
                memory.write_data.eq(self.write_data),
            ]
        return m

    def _add(self, m):
        """Scores and steps: read, add, write. Whether one is under way."""
        memory, last = self.memory, self.config.scale_depth - 1
        row = Signal(range(self.config.scale_depth))
        address, following = Signal.like(row), Signal.like(row)
        addend = Signal.like(self.score)
        reading, writing, stepping, stepped = Signal(), Signal(), Signal(), Signal()
        word = Signal(scale_word(), reset_less=True)
        exponent = Signal.like(self.operand)
        m.d.comb += row.eq(Mux(self.refresh, last, self.score_row))
        with m.If(self.score_valid | self.refresh):
            m.d.comb += memory.address.eq(row)
        with m.If(self.refresh):
            m.d.sync += exponent.eq(self.operand)
        m.d.sync += [
            reading.eq(self.score_valid | self.refresh),
            address.eq(row),
            addend.eq(Mux(self.refresh, 1, self.score)),
            stepping.eq(self.refresh),
            writing.eq(reading),
            following.eq(address),
            stepped.eq(stepping),
            word.corr.eq(memory.word.corr + addend),
            word.code.eq(memory.word.code),
        ]
        with m.If(writing):
            m.d.comb += [
                memory.write.eq(1),
                memory.write_address.eq(following),
                memory.write_data.eq(word),
            ]
        below = Signal(31)  # the bits that are 0 in a multiple
        m.d.comb += [
            below.eq(~(Const(-1, 31) << exponent)),
            self.settle.eq(stepped),
            self.stepping.eq(stepping | stepped),
            self.settled.eq((word.corr[:31] & below) == 0),
        ]
        return reading | writing

    def _divide(self, m):
        """All factors of a layer, one after the other. Whether they are under way."""
        memory, last = self.memory, self.config.scale_depth - 1
        m.submodules.divider = divider = FactorDivider()
        row = Signal(range(self.config.scale_depth))
        left = Signal.like(self.record.outputs)
        doublings = Signal.like(self.record.size)
        d = Signal(CORR_BITS)
        idle = Signal()
        m.d.comb += [divider.d.eq(d), divider.corr.eq(memory.word.corr)]
        with m.FSM():
            with m.State("Idle"):
                m.d.comb += idle.eq(1)
                with m.If(self.scale):
                    m.d.comb += memory.address.eq(last)
                    m.d.sync += [
                        row.eq(times(self.record.output_base, self.config.lanes)),
                        left.eq(self.record.outputs),
                        doublings.eq(self.record.size),
                    ]
                    m.next = "Step"
            with m.State("Step"):
                m.d.sync += d.eq(memory.word.corr)
                m.next = "Size"
            with m.State("Size"):
                with m.If(doublings == 0):
                    m.next = "Read"
                with m.Else():
                    m.d.sync += [d.eq(d << 1), doublings.eq(doublings - 1)]
            with m.State("Read"):
                m.next = "Start"
            with m.State("Start"):
                m.d.comb += divider.start.eq(1)
                m.next = "Divide"
            with m.State("Divide"):
                with m.If(divider.done):
                    m.d.comb += [
                        memory.write.eq(1),
                        memory.write_address.eq(row),
                        memory.write_data.corr.eq(memory.word.corr),
                        memory.write_data.code.eq(divider.code),
                    ]
                    m.d.sync += [row.eq(row + 1), left.eq(left - 1)]
                    m.next = "Read"
                    with m.If(left == 1):
                        m.next = "Idle"
        with m.If(~idle):
            m.d.comb += memory.address.eq(row)
        return ~idle
