"""Skip connections: a layer's inputs, shifted, are added to its pre-activations."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from ...hw.memory.block_ram import BlockRam
from ...hw.memory.stores import ErrorStore
from ...hw.parts.arith import select, times
from ...hw.parts.sockets import Dispatch, ErrorTap, Stage, StoreTap, SumBegins
from ...model.config import CoreConfig

__all__ = ["SkipConnection"]


class SkipConnection(wiring.Component):
    """Between MAC array and activation unit: z_j + (x_j << S) in a layer with a skip of 1 + S.

    Keeps its own copy of the hidden layers' activations, zero words too, which the activation
    unit's lists leave out: `activation_bits` planes of L neurons for each word of gate bits.
    Latency: one cycle, in layers without a skip too. A pre-activation a cycle.

    Of the backward pass, sums begin with the error of the neuron at the same place in the layer
    above, shifted as its inputs were: from a second copy of the errors, as rows read the first.
    Sockets are dispatch, stage, stored, errors and begins; see `hw.parts.sockets`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        training = {"errors": In(ErrorTap(config)), "begins": In(SumBegins(config))}
        super().__init__({
            "dispatch": In(Dispatch(config, ())),
            "stage": In(Stage(config)),
            "stored": In(StoreTap(config)),
            **(training if config.trainable else {}),
        })
        self.memory = BlockRam(config.activation_bits * config.lanes, config.hidden_depth)
        self.above = ErrorStore(config) if config.trainable else None

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        m.d.comb += [
            memory.write.eq(self.stored.store),
            memory.write_address.eq(self.stored.address),
            memory.write_data.eq(self.stored.planes),
        ]
        skip = self._skip_of_layer(m)
        self._add(m, skip)
        if self.above is not None:
            self._begin_sums(m)
        return m

    def _skip_of_layer(self, m):
        """A layer's words count once the layer below has been through since `clear`."""
        stage = self.stage
        known = Signal(self.config.max_layers + 2)
        skip = Signal.like(stage.record.skip)
        with m.If(stage.start):
            m.d.sync += [
                known.bit_select(stage.layer + 1, 1).eq(1),
                skip.eq(Mux(known.bit_select(stage.layer, 1), stage.record.skip, 0)),
            ]
        with m.If(self.dispatch.clear):
            m.d.sync += known.eq(0)
        return skip

    def _add(self, m, skip):
        """One sum a cycle or two, with the activations at their places."""
        stage, memory, wide = self.stage, self.memory, self.config.drain
        lanes, bits = self.config.lanes, self.config.activation_bits
        address = Signal.like(memory.address)
        place = Signal(range(lanes // wide))
        ends = Signal()
        m.d.comb += [
            ends.eq(stage.z_valid & (place == lanes // wide - 1)),
            memory.address.eq(address + ends),
        ]
        planes = [select(memory.word[lanes * n:lanes * (n + 1)], place, wide) for n in range(bits)]
        sums = [(stage.z, stage.o_z)]
        if wide == 2:
            sums.append((stage.z_next, stage.o_z_next))
        for n, (z, o_z) in enumerate(sums):
            x, added = Signal(bits, name=f"x{n}"), Signal(signed(len(z)), name=f"added{n}")
            m.d.comb += x.eq(Cat(plane[n] for plane in planes))
            with m.If(skip != 0):
                m.d.comb += added.eq(x << (skip - 1)[:3])
            m.d.sync += o_z.eq(z + added)
        m.d.sync += stage.o_z_valid.eq(stage.z_valid)
        with m.If(stage.z_valid):
            m.d.sync += place.eq(Mux(ends, 0, place + 1))
        m.d.sync += address.eq(memory.address)
        with m.If(stage.start):
            m.d.sync += [address.eq(stage.record.input_base), place.eq(0)]

    def _begin_sums(self, m):
        m.submodules.above = above = self.above
        begins, steps = self.begins, self.config.steps
        skip, base = Signal.like(begins.record.skip), Signal.like(begins.record.output_base)
        with m.If(begins.start):
            m.d.sync += [skip.eq(begins.record.skip), base.eq(begins.record.output_base)]
        m.d.comb += [
            above.address.eq(times(base + begins.word, steps) + begins.part),
            above.write.eq(self.errors.write),
            above.write_address.eq(self.errors.write_address),
            above.write_data.eq(self.errors.write_data),
        ]
        for n in range(self.config.update_lanes):
            error = above.word[2 * n:2 * n + 2].as_signed()
            with m.If(skip != 0):
                m.d.comb += begins.begin[n].eq(error << (skip - 1)[:3])
