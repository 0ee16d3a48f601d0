"""Scales of rows: corr and factors in memory S, their product with pre-activations, the divider."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hw.memory.block_ram import BlockRam
from ...hw.parts.arith import popcount, times
from ...hw.parts.sockets import Changes, Decision, Dispatch, Stage, WindowPort
from ...model.config import CoreConfig
from ...model.scales.chip import CORR_BITS, FRACTION_BITS
from . import SCALES

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

    Sockets are dispatch (REFRESH, SCALE; `undecided` from the cycle after REFRESH until the flag is
    settled, `busy` while scores, step or factors are under way), window, changes, stage and
    decision; see `hw.parts.sockets`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "dispatch": In(Dispatch(config, SCALES.ops)),
            "window": In(WindowPort(config.scale_depth, scale_word())),
            "changes": In(Changes(config)),
            "stage": In(Stage(config)),
            "decision": In(Decision(config)),
        })
        self.record, self.operand = self.dispatch.record, self.dispatch.operand[:5]
        self.memory = BlockRam(scale_word(), config.scale_depth)
        #: Where two sums leave a cycle, the same again to read the second one's factor.
        self.pair = BlockRam(scale_word(), config.scale_depth, data=self.memory.data) if (
            config.drain == 2) else None

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        m.submodules.multiplier = multiplier = ScaleMultiplier(self.config)
        dispatch, window = self.dispatch, self.window
        m.d.comb += window.word.eq(memory.word)

        self._scale_sums(m, multiplier)
        adding = self._add(m, *self._score(m))
        dividing = self._divide(m)
        m.d.comb += dispatch.busy.eq(adding | dividing)
        with m.If(dispatch.linked):
            m.d.comb += [
                memory.address.eq(window.address),
                memory.write.eq(window.write),
                memory.write_address.eq(window.address),
                memory.write_data.eq(window.write_data),
            ]
        return m

    def _scale_sums(self, m, multiplier):
        """Forward, where nothing else reads: one sum a cycle, or two of a hidden layer."""
        memory, stage, wide = self.memory, self.stage, Const(0)
        index = Signal(range(self.config.scale_depth))
        z, valid_1, valid_2 = Signal.like(stage.z, reset_less=True), Signal(), Signal()
        m.d.comb += [
            memory.address.eq(index),
            multiplier.z.eq(z),
            multiplier.code.eq(memory.word.code),
            stage.o_z.eq(multiplier.o),
        ]
        m.d.sync += [
            z.eq(stage.z), valid_1.eq(stage.z_valid), valid_2.eq(valid_1),
            stage.o_z_valid.eq(valid_2),
        ]
        if self.pair is not None:
            wide = Signal()
            m.submodules.pair = pair = self.pair
            m.submodules.second = second = ScaleMultiplier(self.config)
            z_next = Signal.like(stage.z, reset_less=True)
            m.d.sync += z_next.eq(stage.z_next)
            m.d.comb += [
                pair.address.eq(index + 1),
                pair.write.eq(memory.write),
                pair.write_address.eq(memory.write_address),
                pair.write_data.eq(memory.write_data),
                second.z.eq(z_next),
                second.code.eq(pair.word.code),
                stage.o_z_next.eq(second.o),
            ]
            with m.If(stage.start):
                m.d.sync += wide.eq(~stage.last)
        with m.If(stage.start):
            m.d.sync += index.eq(times(stage.record.output_base, self.config.lanes))
        with m.Elif(stage.z_valid):
            m.d.sync += index.eq(index + 1 + wide)

    def _score(self, m):
        """The sum of a row's trits that meet an input, times its error, after its last step."""
        changes, row = self.changes, self.changes.row
        trits = [changes.reads[n:n + 2] for n in range(0, len(changes.reads), 2)]
        ones, minus_ones = (Cat(trit == code for trit in trits) & changes.meets
                            for code in (0b01, 0b10))
        part = Signal(signed(len(changes.meets).bit_length() + 1))
        score = Signal(score_shape(self.config))
        total, following = Signal.like(score), Signal.like(score)
        ends, valid, number = Signal(), Signal(), Signal.like(row.number)
        m.d.comb += [
            ends.eq(changes.step & changes.ends),
            following.eq(total + Mux(changes.step, part, 0)),
        ]
        m.d.sync += [
            part.eq(popcount(ones) - popcount(minus_ones)),
            total.eq(Mux(ends, 0, following)),
            valid.eq(ends),
            number.eq(row.number),
            score.eq(Mux(row.negative, -following, following)),
        ]
        return ends, valid, number, score

    def _add(self, m, ends, valid, number, score):
        """Scores and steps: read, add, write. Whether one is under way."""
        refresh, decision = self.dispatch.refresh, self.decision
        memory, last = self.memory, self.config.scale_depth - 1
        row = Signal(range(self.config.scale_depth))
        address, following = Signal.like(row), Signal.like(row)
        addend = Signal.like(score)
        reading, writing, stepping, stepped = Signal(), Signal(), Signal(), Signal()
        word = Signal(scale_word(), reset_less=True)
        exponent = Signal.like(self.operand)
        m.d.comb += row.eq(Mux(refresh, last, number))
        with m.If(valid | refresh):
            m.d.comb += memory.address.eq(row)
        with m.If(refresh):
            m.d.sync += exponent.eq(self.operand)
        m.d.sync += [
            reading.eq(valid | refresh),
            address.eq(row),
            addend.eq(Mux(refresh, 1, score)),
            stepping.eq(refresh),
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
            decision.settle.eq(stepped),
            self.dispatch.undecided.eq(stepping | stepped),
            decision.settled.eq((word.corr[:31] & below) == 0),
        ]
        return ends | valid | reading | writing

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
                with m.If(self.dispatch.scale):
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
