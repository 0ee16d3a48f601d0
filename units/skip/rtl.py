"""Skip connections: a layer's inputs, shifted, are added to its pre-activations."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...hw.memory.block_ram import BlockRam
from ...hw.parts.arith import select
from ...hw.parts.ports import LayerRecord
from ...model.config import CoreConfig

__all__ = ["SkipConnection"]


class SkipConnection(wiring.Component):
    """Between MAC array and activation unit: z_j + (x_j << S) in a layer with a skip of 1 + S.

    Keeps its own copy of the hidden layers' activations, zero words too, which the activation
    unit's lists leave out: `activation_bits` planes of L neurons for each word of gate bits.
    Latency: one cycle, in layers without a skip too. A pre-activation a cycle.

    Members
    -------
    clear : strobe: all activations are 0.
    start, record, layer : strobe, table row and number of the hidden layer whose pre-activations
        come next, two cycles later at the earliest.
    z, z_valid : pre-activations in ascending order. `z_valid` is the hidden layers' only.
    o_z, o_z_valid : the same with the skip.
    store, store_address, store_planes : a word of a hidden layer's outputs, see `ActivationUnit`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        score = signed(config.score_bits)
        planes = config.activation_bits * config.lanes
        super().__init__({
            "clear": In(1),
            "start": In(1),
            "record": In(LayerRecord(config)),
            "layer": In(range(config.max_layers + 1)),
            "z": In(score),
            "z_valid": In(1),
            "o_z": Out(score),
            "o_z_valid": Out(1),
            "store": In(1),
            "store_address": In(range(config.hidden_depth)),
            "store_planes": In(planes),
        })
        self.memory = BlockRam(planes, config.hidden_depth)

    def elaborate(self, platform):
        m = Module()
        lanes, bits = self.config.lanes, self.config.activation_bits
        m.submodules.memory = memory = self.memory
        m.d.comb += [
            memory.write.eq(self.store),
            memory.write_address.eq(self.store_address),
            memory.write_data.eq(self.store_planes),
        ]

        # A layer's words count once the layer below has been through since `clear`.
        known = Signal(self.config.max_layers + 2)
        skip = Signal.like(self.record.skip)
        with m.If(self.start):
            m.d.sync += [
                known.bit_select(self.layer + 1, 1).eq(1),
                skip.eq(Mux(known.bit_select(self.layer, 1), self.record.skip, 0)),
            ]
        with m.If(self.clear):
            m.d.sync += known.eq(0)

        address = Signal.like(memory.address)
        lane = Signal(range(lanes))
        ends = Signal()
        x = Signal(bits)
        added = Signal(signed(self.config.score_bits))
        m.d.comb += [
            ends.eq(self.z_valid & (lane == lanes - 1)),
            memory.address.eq(address + ends),
            x.eq(Cat(select(memory.word[lanes * n:lanes * (n + 1)], lane, 1)
                     for n in range(bits))),
        ]
        with m.If(skip != 0):
            m.d.comb += added.eq(x << (skip - 1)[:3])
        m.d.sync += [self.o_z.eq(self.z + added), self.o_z_valid.eq(self.z_valid)]
        with m.If(self.z_valid):
            m.d.sync += lane.eq(Mux(ends, 0, lane + 1))
        m.d.sync += address.eq(memory.address)
        with m.If(self.start):
            m.d.sync += [address.eq(self.record.input_base), lane.eq(0)]
        return m
