"""The convolution in front of the network: images, kernels, and who works on them when."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from amaranth.utils import exact_log2

from ...hw.parts.arith import popcount, select
from ...hw.parts.sockets import Dispatch, Draws, ErrorTap, GainPort, WindowPort
from ...model.config import CoreConfig
from . import CONV, sizes_of
from .forward import Forward
from .gather import ErrorWords, KernelSums
from .images import ImageBuffer
from .kernels import KernelStore, pass_members
from .learn import KernelSteps
from .walk import WindowWalk

__all__ = ["ConvUnit"]


class ConvUnit(wiring.Component):
    """CONV: features of the image in hand. KERNELS: steps of the kernels from their errors. BOOST:
    larger steps of the layers for samples predicted wrong.

    FWD 1 may begin as soon as CONV has: its list grows. While a sample is worked on, the unit looks
    ahead: it goes through the next image as soon as that has come, for the CONV to come, and again
    if KERNELS changes a trit. What KERNELS adds up is added up from the start of BWD 1 on, as its
    errors come, while layers are updated; it waits for what is missing. When a program begins,
    trits are made from counters if the link has written any.

    In a core that cannot train KERNELS and BOOST do nothing.

    Sockets are dispatch (CONV, KERNELS, BOOST; `feeds` while features of the image in hand are
    made), window, errors, draws, gain, and, as a part of the engine, inputs; see
    `hw.parts.sockets`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.sizes = sizes = sizes_of(config)
        super().__init__({
            "dispatch": In(Dispatch(config, CONV.ops)),
            "window": In(WindowPort(sizes.kernels * sizes.taps, sizes.counter_bits)),
            **({"errors": In(ErrorTap(config))} if config.trainable else {}),
            "draws": In(Draws(sizes.together)),
            "gain": In(GainPort()),
        })
        self.inputs = ImageBuffer(config, sizes)
        self.walk = WindowWalk(sizes)
        self.forward = Forward(sizes)
        self.kernels = KernelStore(sizes)
        self.steps = KernelSteps(sizes)
        self.gather = KernelSums(sizes, config.update_lanes) if config.trainable else None
        #: Of each image, whether its features are, or are being made, of the kernels as they are.
        self.fresh = Signal(2)
        #: CONV has been for the image in hand.
        self.shown = Signal()
        #: Sums are to be made of the errors of BWD 1; they are those of the features in hand.
        self.pending, self.adding, self.summed = Signal(), Signal(), Signal()
        # Strobes: features of image `half`; sums; steps; all work on features is given up.
        self.begin, self.add, self.learn, self.stop = Signal(), Signal(), Signal(), Signal()
        self.half = Signal()

    def elaborate(self, platform):
        m = Module()
        m.submodules.walk, m.submodules.forward = self.walk, self.forward
        m.submodules.kernels, m.submodules.steps = self.kernels, self.steps
        self._look_after_images(m)
        if self.config.trainable:
            m.submodules.gather = self.gather
            self._add_up(m)
        self._walk(m)
        self._make_features(m)
        self._step(m)
        return m

    def _look_after_images(self, m):
        """When the features of which image are made."""
        dispatch, inputs, steps = self.dispatch, self.inputs, self.steps
        features, record = inputs.features, dispatch.record
        hand, fill = inputs.hand, Signal()
        received = Signal()  # an image, since the program began; else that in hand is blank
        ahead = Signal()
        m.d.comb += [
            ahead.eq(self.shown & received & inputs.filled & ~inputs.take & ~features.busy
                     & ~self.adding & ~self.fresh.bit_select(~hand, 1) & ~dispatch.conv
                     & ~self.stop),
            self.half.eq(Mux(dispatch.conv, hand, ~hand)),
            self.begin.eq((dispatch.conv & ~self.fresh.bit_select(hand, 1)) | ahead),
            self.learn.eq(dispatch.kernels & self.shown & self.config.trainable),
            self.stop.eq(self.add | self.kernels.changes | dispatch.linked),
            inputs.shown.eq(self.shown),
            inputs.final.eq(~features.busy | (fill != hand)),
            inputs.seen.eq(Mux(features.busy, fill, hand)),
            self.walk.pixels.eq(Mux(received, inputs.row, 0)),
            dispatch.feeds.eq(features.busy & (fill == hand) & self.shown),
            dispatch.busy.eq(steps.busy),
        ]
        with m.If(dispatch.conv):
            m.d.sync += [
                self.shown.eq(1),
                self.walk.rows.eq(record.window_rows),
                self.walk.columns.eq(record.window_columns),
                self.forward.groups.eq(record.kernel_groups),
                self.forward.shift.eq(record.shift),
                steps.right.eq(-record.gain),
            ]
        with m.If(self.begin):
            m.d.sync += fill.eq(self.half)
            for n in range(2):  # what was begun with the other image is given up
                going_on = self.fresh[n] & ~(features.busy & (fill == n))
                m.d.sync += self.fresh[n].eq((self.half == n) | going_on)
        with m.If(inputs.take):
            m.d.sync += [received.eq(1), self.shown.eq(0), self.fresh.bit_select(hand, 1).eq(0)]
        with m.If(self.add):
            for n in range(2):
                m.d.sync += self.fresh[n].eq(self.fresh[n] & ~(features.busy & (fill == n)))
        with m.If(self.kernels.changes | dispatch.clear):
            m.d.sync += self.fresh.eq(0)
        with m.If(dispatch.clear):
            m.d.sync += [received.eq(0), self.shown.eq(0)]

    def _add_up(self, m):
        """When sums are made: of errors as BWD 1 finds them, else for a KERNELS without them."""
        dispatch, gather, features = self.dispatch, self.gather, self.inputs.features
        m.submodules.errors = self.words = words = ErrorWords(
            gather.words, len(self.errors.write_data), 1 << len(self.errors.write_address))
        anew, lost = Signal(), Signal()
        m.d.comb += [
            anew.eq(dispatch.backward & (dispatch.operand == 1)),
            lost.eq(self.inputs.take | (dispatch.conv & self.begin) | dispatch.linked),
            self.adding.eq(self.pending | gather.busy),
            self.add.eq((self.pending & ~features.busy & ~self.inputs.take & ~dispatch.conv)
                        | (self.learn & ~self.summed & ~gather.busy & ~gather.done)),
            words.write.eq(self.errors.write),
            words.write_address.eq(self.errors.write_address),
            words.write_data.eq(self.errors.write_data),
            words.begin.eq(anew),
            words.ended.eq(dispatch.update | dispatch.kernels),
            words.address.eq(gather.error_address),
            gather.start.eq(self.add),
            gather.stop.eq(anew | lost),
            gather.groups.eq(self.forward.groups),
            gather.error_there.eq(words.there),
            gather.error_word.eq(words.word),
            features.place_address.eq(gather.place_address),
            gather.place_word.eq(features.places),
        ]
        with m.If(self.add):
            m.d.sync += self.pending.eq(0)
        with m.If(gather.done):
            m.d.sync += self.summed.eq(1)
        with m.If(anew | lost):
            m.d.sync += [self.pending.eq(anew & self.shown), self.summed.eq(0)]

    def _walk(self, m):
        """One walk, for features or for sums."""
        walk, takers = self.walk, [self.forward]
        if self.gather is not None:
            takers.append(self.gather)
        m.d.comb += [
            walk.start.eq(self.begin | self.add),
            walk.stop.eq(self.stop & ~self.add),
            walk.take.eq(Cat(taker.take for taker in takers).any()),
            self.inputs.row_address.eq(walk.address),
        ]
        for taker in takers:
            m.d.comb += [taker.window.eq(walk.window), taker.valid.eq(walk.valid),
                         taker.last.eq(walk.last)]

    def _make_features(self, m):
        forward, kernels, features = self.forward, self.kernels, self.inputs.features
        if self.sizes.skips:
            m.d.comb += [forward.blank.eq(self.walk.blank), features.i_all.eq(forward.o_all)]
        m.d.comb += [
            forward.start.eq(self.begin),
            forward.stop.eq(self.stop),
            kernels.group.eq(forward.group),
            forward.trits.eq(kernels.trits),
            features.start.eq(self.begin),
            features.fill.eq(self.half),
            features.stop.eq(self.stop),
            features.i_valid.eq(forward.o_valid),
            features.i_last.eq(forward.o_last),
            features.h.eq(forward.h),
            features.gate.eq(forward.gate),
            features.place.eq(forward.place),
        ]

    def _step(self, m):
        """Counters, for the steps, else for the link."""
        dispatch, window = self.dispatch, self.window
        steps, kernels, gather = self.steps, self.kernels, self.gather
        together = self.sizes.together
        low = exact_log2(together)
        written = Signal(init=1)  # by the link, since trits were made
        m.d.comb += [
            steps.start.eq(self.learn),
            steps.rebuild.eq(dispatch.clear & written),
            steps.groups.eq(self.forward.groups),
            steps.counters.eq(kernels.counters),
            *(getattr(kernels, name).eq(getattr(steps, name))
              for name in pass_members(self.sizes)),
        ]
        with m.If(dispatch.linked & ~steps.busy):
            m.d.comb += [
                kernels.address.eq(window.address[low:]),
                kernels.write.eq(window.write << window.address[:low]),
                kernels.write_address.eq(window.address[low:]),
                *(word.eq(window.write_data) for word in kernels.write_data),
            ]
        number = Signal(range(together))
        m.d.sync += number.eq(window.address[:low])
        m.d.comb += window.word.eq(
            select(kernels.counters, number, self.sizes.counter_bits))
        with m.If(steps.rebuild):
            m.d.sync += written.eq(0)
        with m.If(dispatch.linked & window.write):
            m.d.sync += written.eq(1)
        if self.config.trainable:
            m.d.comb += [
                steps.summed.eq(self.summed),
                gather.read_kernel.eq(steps.read_kernel),
                steps.sums.eq(gather.sums),
                steps.found.eq(gather.found),
                self.draws.draw.eq(steps.draw),
                steps.dither.eq(self.draws.dither),
                self.draws.flips.eq(popcount(steps.flips)),
            ]
            self._boost(m)

    def _boost(self, m):
        """Of samples predicted wrong."""
        boost, port = Signal(), self.gain
        with m.If(self.dispatch.boost):
            m.d.sync += boost.eq(self.dispatch.operand[0])
        with m.If(self.dispatch.clear):
            m.d.sync += boost.eq(0)
        more = boost & port.wrong & (port.gain != self.config.counter_bits - 2)
        m.d.comb += port.o_gain.eq(port.gain + more)
