"""Two images, one in hand and one that fills from the link, and what the kernels found in them."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...hw.memory.block_ram import BlockRam
from ...hw.parts.ports import sample_word
from ...model.config import CoreConfig
from . import Sizes
from .features import FeatureStore

__all__ = ["ImageBuffer"]


class ImageBuffer(wiring.Component):
    """In place of `SampleBuffer`: samples are images; the first layer reads features.

    A word is a row of a channel; behind that of the last channel comes the next row of the first.

    A word a cycle goes in.

    Members
    -------
    i : sample words; ready while the receiving image is not whole.
    clear : strobe: forget both images.
    take : strobe, only while `filled`: the received image becomes the one in hand.
    filled : a whole image has been received.
    label : of the image in hand. hand : which of the two that is.
    row_address, seen, row : row of image `seen` to read; one cycle later its pixels, p bits each,
        channel by channel.
    shown : the first layer has inputs; else its list is empty and its gate bits are 0.
    final : the list will not grow.
    count, address, enable, entry, gate_address, gates : of the features of the image in hand, see
        `FeatureStore`.
    """

    def __init__(self, config: CoreConfig, sizes: Sizes):
        self.config, self.sizes = config, sizes
        self.features = FeatureStore(config, sizes)
        same = {name: self.features.signature.members[name] for name in (
            "count", "address", "enable", "entry", "gate_address", "gates")}
        self.depth = 1 << (sizes.rows - 1).bit_length()
        super().__init__({
            "i": In(stream.Signature(sample_word(config))),
            "clear": In(1),
            "take": In(1),
            "filled": Out(1),
            "label": Out(8),
            "hand": Out(1),
            "row_address": In(range(sizes.rows)),
            "seen": In(1),
            "row": Out(sizes.row_bits),
            "shown": In(1),
            "final": In(1),
            **same,
        })
        #: Of each channel.
        self.memories = [BlockRam(sizes.columns * sizes.planes, 2 * self.depth)
                         for _ in range(sizes.channels)]

    def elaborate(self, platform):
        m = Module()
        sizes, features = self.sizes, self.features
        alone = sizes.channels == 1
        for n, memory in enumerate(self.memories):
            m.submodules["memory" if alone else f"memory{n}"] = memory
        m.submodules.features = features
        index = Signal(range(sizes.rows))
        label, gated = Signal(8), Signal()
        top = Const(0, (self.depth - 1).bit_length() - len(index))
        planes = self.i.p.planes
        pixels = Cat(planes[p * self.config.lanes + n]
                     for n in range(sizes.columns) for p in range(sizes.planes))
        taken = self.i.valid & self.i.ready
        channel = Signal(sizes.channels, init=1)  # one-hot
        m.d.comb += [memory.address.eq(Cat(self.row_address, top, self.seen))
                     for memory in self.memories]
        m.d.comb += self.row.eq(Cat(memory.word for memory in self.memories))
        for n, memory in enumerate(self.memories):
            m.d.comb += [
                memory.write_address.eq(Cat(index, top, ~self.hand)),
                memory.write_data.eq(pixels),
                memory.write.eq(taken if alone else taken & channel[n]),
            ]
        m.d.comb += [
            self.i.ready.eq(~self.filled),
            features.hand.eq(self.hand),
            features.address.eq(self.address),
            features.enable.eq(self.enable),
            features.gate_address.eq(self.gate_address),
            self.entry.eq(features.entry),
            self.count.eq(Mux(self.shown, features.count, 0)),
            self.gates.eq(features.gates & gated.replicate(sizes.lanes)),
        ]
        m.d.sync += gated.eq(self.shown)
        first = [] if alone else [channel.eq(1)]
        with m.If(taken):
            if alone:
                m.d.sync += index.eq(index + 1)
            else:
                m.d.sync += [channel.eq(channel.rotate_left(1)), index.eq(index + channel[-1])]
            with m.If(self.i.p.last):
                m.d.sync += [self.filled.eq(1), index.eq(0), label.eq(self.i.p.label), *first]
        with m.If(self.take):
            m.d.sync += [self.hand.eq(~self.hand), self.filled.eq(0), self.label.eq(label)]
        with m.If(self.clear):
            m.d.sync += [self.filled.eq(0), self.label.eq(0), index.eq(0), *first]
        return m
