"""How errors of outputs ask each tap of a kernel to move: sums over all windows."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hw.memory.block_ram import BlockRam
from . import Sizes
from .greatest import patches

__all__ = ["PatchSums"]


class PatchSums(wiring.Component):
    """Adds error times patch to the sums of a kernel, a pair of window and kernel a cycle.

    Nothing is cleared: the first window of an image overwrites. A pair is in memory two cycles
    after it came; two pairs of the same kernel must be two cycles apart.

    Members
    -------
    window : see `WindowWalk`.
    pair : strobe: of that window and `kernel`, with
    place, error, first : where its sum was greatest, error trit, whether it is the first window.
    read_kernel : while no pair comes: whose sums to read; one cycle later
    sums, found : of each tap, signed; whether any error was not 0.
    """

    def __init__(self, sizes: Sizes):
        self.sizes = sizes
        self.word = data.StructLayout({
            "sums": data.ArrayLayout(signed(sizes.sum_bits), sizes.taps), "found": 1})
        super().__init__({
            "window": In(sizes.side * sizes.line_bits),
            "pair": In(1),
            "kernel": In(range(sizes.kernels)),
            "place": In(sizes.place_bits),
            "error": In(2),
            "first": In(1),
            "read_kernel": In(range(sizes.kernels)),
            "sums": Out(self.word.members["sums"]),
            "found": Out(1),
        })
        self.memory = BlockRam(self.word, sizes.kernels)

    def elaborate(self, platform):
        m = Module()
        sizes, planes = self.sizes, self.sizes.planes
        m.submodules.memory = memory = self.memory
        patch = Signal(sizes.taps * planes, reset_less=True)
        error, first, pair = Signal(2), Signal(), Signal()
        with m.Switch(self.place):
            for n, pixels in enumerate(patches(self.window, sizes)):
                # Of a window that was skipped the place was not written, and may be any number.
                with m.Case(n) if n + 1 < sizes.places else m.Default():
                    m.d.sync += patch.eq(pixels)
        m.d.sync += [
            error.eq(self.error), first.eq(self.first), pair.eq(self.pair),
            memory.write_address.eq(self.kernel),
        ]
        m.d.comb += [
            memory.address.eq(Mux(self.pair, self.kernel, self.read_kernel)),
            memory.write.eq(pair & (first | error[0])),
            memory.write_data.found.eq(error[0] | (memory.word.found & ~first)),
            self.sums.eq(memory.word.sums),
            self.found.eq(memory.word.found),
        ]
        for n in range(sizes.taps):
            old = Signal(signed(sizes.sum_bits), name=f"old{n}")
            x = Signal(planes, name=f"x{n}")
            # ~x + 1 is -x: a LUT a bit.
            m.d.comb += [
                old.eq(Mux(first, 0, memory.word.sums[n])),
                x.eq(patch[n * planes:(n + 1) * planes] & error[0].replicate(planes)),
                memory.write_data.sums[n].eq(Mux(error[1], old - x, old + x)),
            ]
        return m
