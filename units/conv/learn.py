"""KERNELS: sums over all windows, then a step of every kernel that has an error."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hw.parts.pipeline import delayed
from . import Sizes
from .kernels import pass_members
from .step import TapStep
from .sums import PatchSums

__all__ = ["KernelSteps", "PairReader"]


def pair_members(sizes: Sizes, update_lanes: int) -> dict[str, wiring.Member]:
    """Words of errors and of places that a `PairReader` reads."""
    return {
        "error_address": Out(range(-(-sizes.outputs // update_lanes) + 2)),
        "error_word": In(2 * update_lanes),
        "place_address": Out(range(sizes.outputs // sizes.at_once + 2)),
        "place_word": In(sizes.place_bits * sizes.at_once),
    }


class PairReader(wiring.Component):
    """The errors of outputs with their places, one after the other, from words of both.

    Members
    -------
    start : strobe: begin with the first output, whose error and place are there three cycles later.
    error_address, error_word : words of U error trits; one cycle later.
    place_address, place_word : words of Q places; one cycle later.
    error, place : of an output; `take` goes on to the next one.
    """

    def __init__(self, sizes: Sizes, update_lanes: int):
        self.sizes, self.update_lanes = sizes, update_lanes
        super().__init__({
            "start": In(1),
            **pair_members(sizes, update_lanes),
            "error": Out(2),
            "place": Out(sizes.place_bits),
            "take": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        opening = Signal(2)
        m.d.sync += opening.eq(Cat(self.start, opening))
        streams = (
            ("error", self.error_address, self.error_word, self.error, self.update_lanes),
            ("place", self.place_address, self.place_word, self.place, self.sizes.at_once))
        for name, address, word, item, items in streams:
            following = Signal.like(address, name=f"following_{name}")
            left = Signal.like(word, name=f"left_{name}", reset_less=True)
            at = Signal(range(items), name=f"at_{name}")
            reload = Signal(name=f"reload_{name}")
            m.d.comb += [
                # The word behind the one in hand is read all the time.
                address.eq(following + reload),
                reload.eq(opening[1] | (self.take & (at == items - 1))),
                item.eq(left[:len(item)]),
            ]
            with m.If(self.take):
                m.d.sync += [left.eq(left >> len(item)), at.eq(at + 1)]
            with m.If(reload):
                m.d.sync += [left.eq(word), at.eq(0), following.eq(following + 1)]
            with m.If(self.start):
                m.d.sync += following.eq(0)
        return m


class KernelSteps(wiring.Component):
    """Learns from the errors of an image's outputs; also makes the trits anew from all counters.

    A cycle for each output, and k + P + 2 at the start; more where a window takes `WindowWalk`
    longer. Then for each kernel with an error one for each tap and seven more, two for each other
    one.

    Members
    -------
    start : strobe, with the walk's: learn, unless it was made not to. rebuild : strobe: trits from
        counters.
    busy : until all is written.
    groups, right : kernels in use by Q, and minus the gain exponent; static while `busy`.
    window, valid, last, take : see `WindowWalk`.
    error_address, error_word, place_address, place_word : see `PairReader`.
    draw, dither : strobe to the PRNG, and its draw from the next cycle on.
    address, counter, write, write_address, write_data, passes, ends, row, kernel : see
        `KernelStore`.
    flips : a trit changes.
    """

    def __init__(self, sizes: Sizes, update_lanes: int, learns: bool = True):
        self.sizes, self.learns = sizes, learns
        self.pairs = PairReader(sizes, update_lanes) if learns else None
        self.sums = PatchSums(sizes) if learns else None
        self.step = TapStep(sizes.counter_bits, sizes.sum_bits, sizes.taps)
        super().__init__({
            "start": In(1),
            "rebuild": In(1),
            "busy": Out(1),
            "groups": In(range(sizes.groups + 1)),
            "right": In(4),
            "window": In(sizes.side * sizes.line_bits),
            "valid": In(1),
            "last": In(1),
            "take": Out(1),
            **pair_members(sizes, update_lanes),
            "draw": Out(1),
            "dither": In(16),
            "counter": In(signed(sizes.counter_bits)),
            **{name: member.flip() for name, member in pass_members(sizes).items()},
            "flips": Out(1),
        })
        self.tap = Signal(range(sizes.taps))
        self.base = Signal(range(sizes.kernels * sizes.taps))  # of the kernel's counters
        self.left = Signal(data.ArrayLayout(signed(sizes.sum_bits), sizes.taps))
        self.issue, self.rebuilding, self.wrote = Signal(), Signal(), Signal()

    def elaborate(self, platform):
        m = Module()
        m.submodules.step = self.step
        ended = self._gather(m) if self.learns else Const(0)
        self._take_steps(m)
        self._control(m, ended)
        return m

    def _gather(self, m):
        """Pairs of window and kernel; whether the last one has been added."""
        m.submodules.pairs, m.submodules.sums = pairs, sums = self.pairs, self.sums
        m.d.comb += [
            pairs.start.eq(self.start),
            self.error_address.eq(pairs.error_address),
            pairs.error_word.eq(self.error_word),
            self.place_address.eq(pairs.place_address),
            pairs.place_word.eq(self.place_word),
            sums.window.eq(self.window),
            sums.place.eq(pairs.place),
            sums.error.eq(pairs.error),
        ]
        kernel, member = Signal.like(sums.kernel), Signal(range(self.sizes.at_once))
        group = Signal.like(self.row)
        gathering, active, first, last = Signal(), Signal(), Signal(), Signal()
        opening = Signal(3)
        pair, ends = Signal(), Signal()
        m.d.sync += opening.eq(Cat(self.start, opening))
        m.d.comb += [
            ends.eq((member == self.sizes.at_once - 1) & (group + 1 == self.groups)),
            pairs.take.eq(pair),
            sums.pair.eq(pair),
            sums.kernel.eq(kernel),
            sums.first.eq(first),
            self.take.eq(gathering & self.valid & (~active | (pair & ends))),
        ]
        if self.sizes.at_once == 1:
            # The sums of a lone kernel are written before they are read again.
            turn = Signal()
            m.d.sync += turn.eq(pair)
            m.d.comb += pair.eq(active & ~(turn & (self.groups == 1)))
        else:
            m.d.comb += pair.eq(active)
        with m.If(pair):
            m.d.sync += [kernel.eq(kernel + 1), member.eq(member + 1)]
            with m.If(member == self.sizes.at_once - 1):
                m.d.sync += [member.eq(0), group.eq(group + 1)]
            with m.If(ends):
                m.d.sync += [kernel.eq(0), group.eq(0), active.eq(0), first.eq(0)]
        with m.If(self.take):
            m.d.sync += [active.eq(1), last.eq(self.last)]
        ended = pair & ends & last
        with m.If(opening[-1]):
            m.d.sync += [gathering.eq(1), first.eq(1)]
        with m.If(ended):
            m.d.sync += gathering.eq(0)
        return ended

    def _take_steps(self, m):
        """A tap's counter is read, moves and is written."""
        step, late = self.step, 1 + self.step.LATENCY
        address = self.base + self.tap
        issues = delayed(m, self.issue, late, "issue")
        ends = delayed(m, self.tap == self.sizes.taps - 1, late, "ends")
        places = delayed(m, address[:len(self.address)], late, "place", reset_less=True)
        taps = delayed(m, self.tap, 1, "tap", reset_less=True)
        m.d.comb += [
            self.address.eq(address),
            step.sum.eq(self.left[0]),
            step.counter.eq(self.counter),
            step.tap.eq(taps[1]),
            step.draw.eq(self.dither),
            step.right.eq(self.right),
            self.write.eq(issues[-1]),
            self.write_address.eq(places[-1]),
            self.write_data.eq(step.following),
            self.passes.eq(issues[-1]),
            self.ends.eq(ends[-1]),
            self.flips.eq(issues[-1] & step.flips),
        ]
        m.d.sync += self.wrote.eq(issues[-1] & ends[-1])
        with m.If(issues[1]):
            m.d.sync += self.left.as_value().eq(self.left.as_value() >> self.sizes.sum_bits)

    def _control(self, m, ended):
        sizes, found, sums = self.sizes, Const(0), Const(0)
        number, final = Signal(range(sizes.kernels)), Signal()
        if self.learns:
            found, sums = self.sums.found, Value.cast(self.sums.sums)
            m.d.comb += self.sums.read_kernel.eq(number)
        m.d.comb += [
            final.eq((self.kernel == sizes.at_once - 1)
                     & (self.row + 1 == Mux(self.rebuilding, sizes.groups, self.groups))),
        ]

        def go_on():
            m.d.sync += [number.eq(number + 1), self.base.eq(self.base + sizes.taps),
                         self.kernel.eq(self.kernel + 1)]
            with m.If(self.kernel == sizes.at_once - 1):
                m.d.sync += [self.kernel.eq(0), self.row.eq(self.row + 1)]
            m.next = "Read"
            with m.If(final):
                m.d.sync += self.busy.eq(0)
                m.next = "Idle"

        with m.FSM():
            with m.State("Idle"):
                m.d.sync += [number.eq(0), self.base.eq(0), self.kernel.eq(0), self.row.eq(0),
                             self.rebuilding.eq(self.rebuild)]
                with m.If(self.start | self.rebuild):
                    m.d.sync += self.busy.eq(1)
                    m.next = "Read"
                    with m.If(self.start):
                        m.next = "Gather"
            with m.State("Gather"):
                with m.If(ended):
                    m.next = "Add"
            with m.State("Add"):
                m.next = "Read"
            with m.State("Read"):
                m.next = "Look"
            with m.State("Look"):
                m.d.sync += [self.tap.eq(0), self.left.eq(Mux(self.rebuilding, 0, sums))]
                with m.If(self.rebuilding | found):
                    m.d.comb += self.draw.eq(~self.rebuilding)
                    m.next = "Taps"
                with m.Else():
                    go_on()
            with m.State("Taps"):
                m.d.comb += self.issue.eq(1)
                m.d.sync += self.tap.eq(self.tap + 1)
                with m.If(self.tap == sizes.taps - 1):
                    m.next = "Wait"
            with m.State("Wait"):
                with m.If(self.wrote):
                    go_on()
