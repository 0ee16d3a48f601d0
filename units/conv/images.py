"""Images, one in hand and others that come from the link, and what the kernels found in two."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...hw.memory.block_ram import BlockRam
from ...hw.parts.ports import sample_word
from ...model.config import CoreConfig
from . import Sizes
from .features import FeatureStore

__all__ = ["ImageBuffer"]

#: Places for images, which have two bits.
IMAGES = 4


class ImageBuffer(wiring.Component):
    """In place of `SampleBuffer`: samples are images; the first layer reads features.

    A word is a row of a channel; behind that of the last channel comes the next row of the first.
    There is room for the image in hand and three more, so that the next one is whole while others
    still come.

    A word a cycle goes in.

    Members
    -------
    i : sample words; ready while there is room for an image.
    clear : strobe: forget all images.
    take : strobe, only while `filled`: the next image becomes the one in hand.
    filled : a whole image has been received that is not in hand yet.
    label : of the image in hand. hand : whose features those of that image are.
    row_address, seen, row : row of the image in hand, where `seen` is `hand`, else of the next one;
        one cycle later its pixels, p bits each, channel by channel.
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
        self.memories = [BlockRam(sizes.columns * sizes.planes, IMAGES * self.depth)
                         for _ in range(sizes.channels)]

    def elaborate(self, platform):
        m = Module()
        sizes, features = self.sizes, self.features
        alone = sizes.channels == 1
        for n, memory in enumerate(self.memories):
            m.submodules["memory" if alone else f"memory{n}"] = memory
        m.submodules.features = features
        index = Signal(range(sizes.rows))
        gated = Signal()
        # The place of the image in hand, of the one that comes, and how many wait between them.
        place, coming, waiting = Signal(2), Signal(2, init=1), Signal(2)
        labels = Array(Signal(8, name=f"label{n}") for n in range(IMAGES))
        top = Const(0, (self.depth - 1).bit_length() - len(index))
        planes = self.i.p.planes
        pixels = Cat(planes[p * self.config.lanes + n]
                     for n in range(sizes.columns) for p in range(sizes.planes))
        taken = self.i.valid & self.i.ready
        channel = Signal(sizes.channels, init=1)  # one-hot
        # That of the image in hand, or the next one.
        seen = Cat(self.seen, place[1] ^ (place[0] & ~self.seen))
        m.d.comb += [memory.address.eq(Cat(self.row_address, top, seen))
                     for memory in self.memories]
        m.d.comb += self.row.eq(Cat(memory.word for memory in self.memories))
        for n, memory in enumerate(self.memories):
            m.d.comb += [
                memory.write_address.eq(Cat(index, top, coming)),
                memory.write_data.eq(pixels),
                memory.write.eq(taken if alone else taken & channel[n]),
            ]
        m.d.comb += [
            self.i.ready.eq(waiting != IMAGES - 1),
            self.filled.eq(waiting.any()),
            self.hand.eq(place[0]),
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
                m.d.sync += [coming.eq(coming + 1), index.eq(0),
                             labels[coming].eq(self.i.p.label), *first]
        received = taken & self.i.p.last
        m.d.sync += waiting.eq(waiting + received - self.take)
        with m.If(self.take):
            m.d.sync += [place.eq(place + 1), self.label.eq(labels[(place + 1)[:2]])]
        with m.If(self.clear):
            m.d.sync += [waiting.eq(0), coming.eq(place + 1), self.label.eq(0), index.eq(0),
                         *first]
        return m
