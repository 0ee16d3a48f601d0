"""The convolution in front of the network: images, kernels, and who works on them when."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from ...hw.parts.sockets import Dispatch, Draws, GainPort, Peek, WindowPort
from ...model.config import CoreConfig
from . import CONV, sizes_of
from .forward import Forward
from .images import ImageBuffer
from .kernels import KernelStore
from .learn import KernelSteps
from .walk import WindowWalk

__all__ = ["ConvUnit"]


class ConvUnit(wiring.Component):
    """CONV: features of the image in hand. KERNELS: steps of the kernels from their errors. BOOST:
    larger steps of the layers for samples predicted wrong.

    FWD 1 may begin as soon as CONV has: its list grows. While a sample is worked on, the unit looks
    ahead: it goes through the next image as soon as that has come, for the CONV to come, and again
    if KERNELS comes in between. When a program begins, trits are made from counters if the link has
    written any.

    In a core that cannot train KERNELS and BOOST do nothing.

    Sockets are dispatch (CONV, KERNELS, BOOST; `feeds` while features of the image in hand are
    made), window, peek (of errors), draws, gain, and, as a part of the engine, inputs; see
    `hw.parts.sockets`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.sizes = sizes = sizes_of(config)
        super().__init__({
            "dispatch": In(Dispatch(config, CONV.ops)),
            "window": In(WindowPort(sizes.kernels * sizes.taps, sizes.counter_bits)),
            "peek": In(Peek(config)),
            "draws": In(Draws()),
            "gain": In(GainPort()),
        })
        self.inputs = ImageBuffer(config, sizes)
        self.walk = WindowWalk(sizes)
        self.forward = Forward(sizes)
        self.kernels = KernelStore(sizes)
        self.steps = KernelSteps(sizes, config.update_lanes, learns=config.trainable)
        #: Of each image, whether its features are, or are being made, of the kernels as they are.
        self.fresh = Signal(2)
        #: CONV has been for the image in hand.
        self.shown = Signal()
        # Strobes: features of image `half`; sums and steps; all work on features is given up.
        self.begin, self.learn, self.stop = Signal(), Signal(), Signal()
        self.half = Signal()

    def elaborate(self, platform):
        m = Module()
        m.submodules.walk, m.submodules.forward = self.walk, self.forward
        m.submodules.kernels, m.submodules.steps = self.kernels, self.steps
        self._look_after_images(m)
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
                     & ~steps.busy & ~self.fresh.bit_select(~hand, 1) & ~dispatch.conv
                     & ~dispatch.kernels & ~dispatch.linked),
            self.half.eq(Mux(dispatch.conv, hand, ~hand)),
            self.begin.eq((dispatch.conv & ~self.fresh.bit_select(hand, 1)) | ahead),
            self.learn.eq(dispatch.kernels & self.shown & self.config.trainable),
            self.stop.eq(self.learn | dispatch.linked),
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
        with m.If(self.learn | dispatch.clear):
            m.d.sync += self.fresh.eq(0)
        with m.If(dispatch.clear):
            m.d.sync += [received.eq(0), self.shown.eq(0)]

    def _walk(self, m):
        """One walk, for features or for sums."""
        walk, forward, steps = self.walk, self.forward, self.steps
        m.d.comb += [
            walk.start.eq(self.begin | self.learn),
            walk.stop.eq(self.stop & ~self.learn),
            walk.take.eq(forward.take | steps.take),
            self.inputs.row_address.eq(walk.address),
        ]
        for taker in forward, steps:
            m.d.comb += [taker.window.eq(walk.window), taker.valid.eq(walk.valid),
                         taker.last.eq(walk.last)]

    def _make_features(self, m):
        forward, kernels, features = self.forward, self.kernels, self.inputs.features
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
        steps, kernels, features = self.steps, self.kernels, self.inputs.features
        written = Signal(init=1)  # by the link, since trits were made
        m.d.comb += [
            steps.start.eq(self.learn),
            steps.rebuild.eq(dispatch.clear & written),
            steps.groups.eq(self.forward.groups),
            steps.counter.eq(kernels.counter),
            features.place_address.eq(steps.place_address),
            steps.place_word.eq(features.places),
            window.word.eq(kernels.counter),
            *(getattr(kernels, name).eq(getattr(steps, name)) for name in (
                "address", "write", "write_address", "write_data", "passes", "ends", "row",
                "kernel")),
        ]
        with m.If(dispatch.linked & ~steps.busy):
            m.d.comb += [
                kernels.address.eq(window.address),
                kernels.write.eq(window.write),
                kernels.write_address.eq(window.address),
                kernels.write_data.eq(window.write_data),
            ]
        with m.If(steps.rebuild):
            m.d.sync += written.eq(0)
        with m.If(dispatch.linked & window.write):
            m.d.sync += written.eq(1)
        if self.config.trainable:
            m.d.comb += [
                self.peek.active.eq(steps.busy),
                self.peek.error_address.eq(steps.error_address),
                steps.error_word.eq(self.peek.errors),
                self.draws.draw.eq(steps.draw),
                steps.dither.eq(self.draws.dither),
                self.draws.flips.eq(steps.flips),
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
