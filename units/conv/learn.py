"""KERNELS: a step of every kernel that has an error, once its sums are there."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hw.parts.pipeline import delayed
from . import Sizes
from .kernels import pass_members
from .step import TapStep

__all__ = ["KernelSteps"]


class KernelSteps(wiring.Component):
    """Moves counters as their sums ask; also makes the trits anew from all counters.

    Begins the cycle after there are sums. Then for each kernel with an error a cycle for each group
    of its taps and two more, two for each other one, and five until all is written.

    Members
    -------
    start : strobe: take steps. rebuild : strobe: trits from counters.
    busy : until all is written.
    summed : sums are there, from now on until `busy` is not.
    groups, right : kernels in use by Q, and minus the gain exponent; static while `busy`.
    read_kernel, sums, found : see `PatchSums`.
    draw, dither : strobe to the PRNG, and its draw from the next cycle on.
    address, counters, write, write_address, write_data, passes, flips, every, ends, row, kernel :
        see `KernelStore`.
    """

    def __init__(self, sizes: Sizes):
        self.sizes = sizes
        self.steps = [TapStep(sizes.counter_bits, sizes.sum_bits, sizes.taps)
                      for _ in range(sizes.together)]
        super().__init__({
            "start": In(1),
            "rebuild": In(1),
            "busy": Out(1),
            "summed": In(1),
            "groups": In(range(sizes.groups + 1)),
            "right": In(4),
            "read_kernel": Out(range(sizes.kernels)),
            "sums": In(data.ArrayLayout(signed(sizes.sum_bits), sizes.taps)),
            "found": In(1),
            "draw": Out(1),
            "dither": In(16),
            "counters": In(data.ArrayLayout(signed(sizes.counter_bits), sizes.together)),
            **{name: member.flip() for name, member in pass_members(sizes).items()},
        })
        self.tap = Signal(range(sizes.taps // sizes.together))
        self.base = Signal(range(sizes.kernels * sizes.taps // sizes.together))
        self.left = Signal(data.ArrayLayout(signed(sizes.sum_bits), sizes.taps))
        self.number = Signal(range(sizes.kernels))
        self.at, self.member = Signal.like(self.row), Signal.like(self.kernel)
        self.issue, self.rebuilding, self.writing = Signal(), Signal(), Signal()
        self.ends_kernel = Signal()

    def elaborate(self, platform):
        m = Module()
        self._take_steps(m)
        self._control(m)
        return m

    def _take_steps(self, m):
        """Counters are read, move and are written."""
        sizes, late = self.sizes, 1 + TapStep.LATENCY
        address = self.base + self.tap
        issues = delayed(m, self.issue, late, "issue")
        ends = delayed(m, self.ends_kernel, late, "ends")
        places, rows, members = (delayed(m, value, late, name, reset_less=True)[-1]
                                 for name, value in (
            ("place", address[:len(self.address)]), ("row", self.at), ("member", self.member)))
        taps = delayed(m, self.tap, 1, "tap", reset_less=True)
        lane_bits = sizes.together.bit_length() - 1
        m.d.comb += [
            self.ends_kernel.eq(self.tap == sizes.taps // sizes.together - 1),
            self.address.eq(address),
            self.write.eq(issues[-1].replicate(sizes.together)),
            self.write_address.eq(places),
            self.passes.eq(issues[-1]),
            self.ends.eq(ends[-1]),
            self.every.eq(self.rebuilding),
            self.row.eq(rows),
            self.kernel.eq(members),
            # The trits are stored a cycle after the last counter.
            self.writing.eq(Cat(issues[1:]).any()),
        ]
        for n, step in enumerate(self.steps):
            m.submodules[f"step{n}"] = step
            m.d.comb += [
                step.sum.eq(self.left[n]),
                step.counter.eq(self.counters[n]),
                step.tap.eq(Cat(Const(n, lane_bits), taps[1])),
                step.draw.eq(self.dither),
                step.right.eq(self.right),
                self.write_data[n].eq(step.following),
                self.flips[n].eq(issues[-1] & step.flips),
            ]
        with m.If(issues[1]):
            m.d.sync += self.left.as_value().eq(
                self.left.as_value() >> sizes.together * sizes.sum_bits)

    def _control(self, m):
        sizes, final = self.sizes, Signal()
        m.d.comb += [
            self.read_kernel.eq(self.number),
            final.eq((self.member == sizes.at_once - 1)
                     & (self.at + 1 == Mux(self.rebuilding, sizes.groups, self.groups))),
        ]

        def go_on():
            m.d.sync += [self.number.eq(self.number + 1),
                         self.base.eq(self.base + sizes.taps // sizes.together),
                         self.member.eq(self.member + 1)]
            with m.If(self.member == sizes.at_once - 1):
                m.d.sync += [self.member.eq(0), self.at.eq(self.at + 1)]
            m.next = "Read"
            with m.If(final):
                m.next = "Wait"

        with m.FSM():
            with m.State("Idle"):
                m.d.sync += [self.number.eq(0), self.base.eq(0), self.member.eq(0),
                             self.at.eq(0), self.rebuilding.eq(self.rebuild)]
                with m.If(self.start | self.rebuild):
                    m.d.sync += self.busy.eq(1)
                    m.next = "Sum"
            with m.State("Sum"):
                with m.If(self.summed | self.rebuilding):
                    m.next = "Read"
            with m.State("Read"):
                m.next = "Look"
            with m.State("Look"):
                m.d.sync += [self.tap.eq(0), self.left.eq(Mux(self.rebuilding, 0, self.sums))]
                with m.If(self.rebuilding | self.found):
                    m.d.comb += self.draw.eq(~self.rebuilding)
                    m.next = "Taps"
                with m.Else():
                    go_on()
            with m.State("Taps"):
                m.d.comb += self.issue.eq(1)
                m.d.sync += self.tap.eq(self.tap + 1)
                with m.If(self.ends_kernel):
                    go_on()
            with m.State("Wait"):
                with m.If(~self.writing):
                    m.d.sync += self.busy.eq(0)
                    m.next = "Idle"
