"""What the kernels found in two images: words of outputs, gate bits, places."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hw.memory.block_ram import BlockRam
from ...hw.parts.entry import Entry, plane_mask
from ...model.config import CoreConfig
from . import Sizes

__all__ = ["FeatureStore"]


class FeatureStore(wiring.Component):
    """Packs outputs into words of L and keeps them, for the image in hand and for the other one.

    Words that are not 0 go to a list that grows while they are made, as in
    `hw.datapath.sample_buffer`; gate bits and places lie in order. The last word is in memory two
    cycles after the last outputs came.

    Members
    -------
    start, fill : strobe: outputs of image `fill` (0 or 1) come next, and its list is empty.
    stop : strobe: no more come.
    i_valid, i_last, i_all, h, gate, place : Q outputs, see `Forward`. Of those that `i_all` stands
        for, places are not written.
    busy : from `start` until the last word is in memory.
    hand : the image in hand.
    count, address, enable, entry : the list of the image in hand, see `SampleBuffer`.
    gate_address, gates : of that image, a word of L gate bits, one cycle later.
    place_address, places : of that image, places of Q outputs, one cycle later.
    """

    def __init__(self, config: CoreConfig, sizes: Sizes):
        self.config, self.sizes = config, sizes
        q, words = sizes.at_once, config.max_input_words
        self.layout = Entry(config, config.input_planes, words)
        self.depth = 1 << (words - 1).bit_length()
        self.place_depth = 1 << (-(-sizes.outputs // q) - 1).bit_length()
        places = data.ArrayLayout(sizes.place_bits, q)
        super().__init__({
            "start": In(1),
            "fill": In(1),
            "stop": In(1),
            "i_valid": In(1),
            "i_last": In(1),
            **({"i_all": In(1)} if sizes.skips else {}),
            "h": In(data.ArrayLayout(sizes.bits, q)),
            "gate": In(q),
            "place": In(places),
            "busy": Out(1),
            "hand": In(1),
            "count": Out(range(words + 1)),
            "address": In(range(words)),
            "enable": In(1),
            "entry": Out(self.layout),
            "gate_address": In(range(words)),
            "gates": Out(sizes.lanes),
            "place_address": In(range(self.place_depth)),
            "places": Out(places),
        })
        self.memory = BlockRam(self.layout, 2 * self.depth)
        self.gate_memory = BlockRam(sizes.lanes, 2 * self.depth)
        self.place_memory = BlockRam(places, 2 * self.place_depth)

    def elaborate(self, platform):
        m = Module()
        sizes = self.sizes
        m.submodules.memory = memory = self.memory
        m.submodules.gate_memory = gates = self.gate_memory
        m.submodules.place_memory = places = self.place_memory
        store, last = Signal(), Signal()
        planes, packed_gates = self._pack(m, store, last)

        half = Signal()
        index, group = Signal.like(self.address), Signal.like(self.place_address)
        counts = [Signal.like(self.count, name=f"count{n}") for n in range(2)]
        appended = Mux(half, counts[1], counts[0])
        mask = plane_mask(planes, sizes.lanes)
        m.d.comb += [
            memory.write.eq(store & mask.any()),
            memory.write_address.eq(Cat(appended[:len(self.address)], *self._half(half))),
            memory.write_data.index.eq(index),
            memory.write_data.mask.eq(mask),
            memory.write_data.planes.eq(planes),
            gates.write.eq(store),
            gates.write_address.eq(Cat(index, *self._half(half))),
            gates.write_data.eq(packed_gates),
            places.write.eq(self.i_valid),
            places.write_address.eq(Cat(group, half)),
            places.write_data.eq(self.place),
            memory.address.eq(Cat(self.address, *self._half(self.hand))),
            memory.enable.eq(self.enable),
            self.entry.eq(memory.word),
            gates.address.eq(Cat(self.gate_address, *self._half(self.hand))),
            self.gates.eq(gates.word),
            places.address.eq(Cat(self.place_address, self.hand)),
            self.places.eq(places.word),
            self.count.eq(Mux(self.hand, counts[1], counts[0])),
        ]
        with m.If(self.i_valid):
            m.d.sync += group.eq(group + (Mux(self.i_all, sizes.groups, 1) if sizes.skips else 1))
        with m.If(store):
            m.d.sync += [index.eq(index + 1), self.busy.eq(~last)]
        for n, count in enumerate(counts):
            with m.If(store & (half == n)):
                m.d.sync += count.eq(count + mask.any())
            with m.If(self.start & (self.fill == n)):
                m.d.sync += count.eq(0)
        with m.If(self.start):
            m.d.sync += [self.busy.eq(1), half.eq(self.fill), index.eq(0), group.eq(0)]
        with m.Elif(self.stop):
            m.d.sync += self.busy.eq(0)
        return m

    def _half(self, half):
        """The top of an address: zeros above the word's number, then the image."""
        return (Const(0, (self.depth - 1).bit_length() - len(self.address)), half)

    def _pack(self, m, store, last):
        """Outputs to their lanes; `store` when a word is whole, or the image's last."""
        sizes = self.sizes
        slots = sizes.lanes // sizes.at_once
        slot = Signal(slots, init=1)  # one-hot
        planes = [Signal(sizes.lanes, name=f"plane{n}", reset_less=True)
                  for n in range(sizes.bits)]
        packed_gates = Signal(sizes.lanes, reset_less=True)
        ends, following, step = slot[-1], slot << 1, 1
        if sizes.skips:
            step = sizes.groups
            ends = Mux(self.i_all, slot[-step], ends)
            following = Mux(self.i_all, slot << step, following)
        whole = self.i_valid & (ends | self.i_last)
        m.d.sync += [store.eq(whole & ~self.stop & ~self.start), last.eq(self.i_last)]
        with m.If(self.i_valid):
            m.d.sync += slot.eq(following)
        with m.If(whole | self.start | self.stop):
            m.d.sync += slot.eq(1)
        for n, word in enumerate([*planes, packed_gates]):
            new = self.gate if word is packed_gates else Cat(h[n] for h in self.h)
            for place in range(slots):
                lanes = word[place * sizes.at_once:(place + 1) * sizes.at_once]
                comes = slot[place]
                if sizes.skips and word is packed_gates:
                    comes |= self.i_all & slot[place - place % step]
                with m.If(self.start | self.stop):
                    m.d.sync += lanes.eq(0)
                with m.Elif(self.i_valid & comes):
                    m.d.sync += lanes.eq(new)
                with m.Elif(store):
                    m.d.sync += lanes.eq(0)
        return Cat(planes), packed_gates
