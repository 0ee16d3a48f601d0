"""The activation unit: shift, clip, gate, and pack into words."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ...units.registry import takes
from ..memory.block_ram import BlockRam
from ..parts.entry import Entry, plane_mask
from ..parts.ports import LayerRecord
from ..parts.sockets import StoreTap

__all__ = ["ActivationUnit"]


class ActivationUnit(wiring.Component):
    """Pre-activations in, one or two neurons a cycle; compact activation words and gate bits out.

    Holds the hidden layers' memories: entries (see `Entry`) of layer l's outputs from word
    ``output_base`` on, and gate bits, a word of L for every word of neurons.
    Latency: the last pre-activation's word is in memory four cycles later.

    Members
    -------
    start, record, layer : strobe, table row and number of the layer whose pre-activations come
        next.
    clear : strobe: all lists are empty.
    z, z_valid : pre-activations in ascending order, as many as the layer has outputs.
    z_next : with `z`, the one after it, unless that was the last; where two sums leave the array a
        cycle.
    busy : from `start` until the last word is stored.
    read_layer : number of a layer above the first; `read_count` are the entries of its inputs so
        far, `read_final` says that there will be no more.
    address, enable : entry to read; `entry` one cycle after, held while not enabled.
    read_active : where lists are masks, the words that are not zero of the inputs of layer
        `read_layer` so far. An entry then lies at ``output_base`` plus its word's number.
    stored : each word of neurons, where a unit takes it; see `StoreTap`.
    gate_address : word of gate bits to read; `gates` one cycle after.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.layout = Entry(config, config.activation_bits, config.max_words)
        super().__init__({
            "start": In(1),
            "record": In(LayerRecord(config)),
            "layer": In(range(config.max_layers + 1)),
            "clear": In(1),
            "z": In(signed(config.score_bits)),
            "z_valid": In(1),
            "busy": Out(1),
            "read_layer": In(range(config.max_layers + 1)),
            "read_count": Out(range(config.hidden_depth + 1)),
            "read_final": Out(1),
            "address": In(range(config.hidden_depth)),
            "enable": In(1),
            "entry": Out(self.layout),
            "gate_address": In(range(config.hidden_depth)),
            "gates": Out(config.lanes),
            **({"z_next": In(signed(config.score_bits))} if config.drain == 2 else {}),
            **({"read_active": Out(config.max_words)} if takes(config, "masks") else {}),
            **({"stored": Out(StoreTap(config))} if takes(config, "stored") else {}),
        })
        self.memory = BlockRam(self.layout, config.hidden_depth)
        #: Entries of the inputs of each layer but the first.
        self.counts = {n: Signal.like(self.read_count, name=f"count{n}")
                       for n in range(2, config.max_layers + 1)}
        #: Words of them that are not zero.
        self.active = {n: Signal(config.max_words, name=f"active{n}")
                       for n in range(2, config.max_layers + 1)} if takes(config, "masks") else {}
        self.gate_memory = BlockRam(config.lanes, config.hidden_depth)

    def elaborate(self, platform):
        m = Module()
        config = self.config
        lanes, bits = config.lanes, config.activation_bits
        m.submodules.memory = memory = self.memory
        m.submodules.gate_memory = gate_memory = self.gate_memory
        m.d.comb += [
            memory.address.eq(self.address),
            memory.enable.eq(self.enable),
            self.entry.eq(memory.word),
            gate_memory.address.eq(self.gate_address),
            self.gates.eq(gate_memory.word),
        ]

        # Stage 1: shift. The bits that go beyond an activation are known once a layer.
        shift = Signal.like(self.record.shift)
        beyond = Signal(config.score_bits - 1)
        shifted_valid = Signal()
        m.d.sync += shifted_valid.eq(self.z_valid & self.busy)

        # Stage 2: clip and put into the word's next lane, or the next two.
        lane = Signal(lanes // config.drain, init=1)  # one-hot
        left = Signal.like(self.record.outputs)  # cycles
        outputs = self.record.outputs
        steps = outputs if config.drain == 1 else (outputs + 1) >> 1
        store = Signal()
        pack = [Signal(lanes, name=f"plane{n}") for n in range(bits)]
        gates = Signal(lanes)
        neurons = self._neurons(m, left, shift, beyond)
        self._pack(m, neurons, lane, store, shifted_valid, pack, gates)
        m.d.sync += store.eq(0)
        with m.If(shifted_valid):
            m.d.sync += left.eq(left - 1)
            with m.If(lane[-1] | (left == 1)):
                m.d.sync += [store.eq(1), lane.eq(1)]
            with m.Else():
                m.d.sync += lane.eq(lane << 1)

        # Stage 3: store the word unless it is zero; its gate bits always.
        index = Signal(range(config.max_words))
        target = Signal.like(self.layer)  # the layer that reads what is stored
        count = Signal.like(self.read_count)  # of the target
        base = Signal.like(self.record.output_base)
        planes = Cat(pack)
        mask = plane_mask(planes, lanes)
        m.d.comb += [
            memory.write_address.eq(base + (index if self.active else count)),
            memory.write_data.index.eq(index),
            memory.write_data.mask.eq(mask),
            memory.write_data.planes.eq(planes),
            memory.write.eq(store & mask.any()),
            gate_memory.write_address.eq(base + index),
            gate_memory.write_data.eq(gates),
            gate_memory.write.eq(store),
            self.read_final.eq(~(self.busy & (target == self.read_layer))),
        ]
        if takes(config, "stored"):
            m.d.comb += [
                self.stored.store.eq(store),
                self.stored.address.eq(base + index),
                self.stored.planes.eq(planes),
            ]
        self._keep_lists(m, store, target, count, index, mask)
        with m.If(store):
            m.d.sync += index.eq(index + 1)
            with m.If((left == 0) & ~shifted_valid):
                m.d.sync += self.busy.eq(0)

        with m.If(self.start):
            m.d.sync += [
                self.busy.eq(1),
                target.eq(self.layer + 1),
                index.eq(0),
                lane.eq(1),
                shift.eq(self.record.shift),
                beyond.eq(Const(-1 << bits, len(beyond)) << self.record.shift),
                left.eq(steps),
                base.eq(self.record.output_base),
            ]
        return m

    def _pack(self, m, neurons, lane, store, valid, pack, gates):
        """Their bits into the word's lanes."""
        for n, word in enumerate([*pack, gates]):
            new = [gate if word is gates else h[n] for h, gate in neurons]
            kept = Mux(store, 0, word)
            m.d.sync += word.eq(Mux(
                valid, kept | Cat(place & bit for place in lane for bit in new), kept))

    def _neurons(self, m, left, shift, beyond):
        """The next neuron, or the next two, of which the second may not be there."""
        neurons = [self._neuron(m, self.z, shift, beyond)]
        if self.config.drain == 2:
            h, gate = self._neuron(m, self.z_next, shift, beyond)
            even = Signal()
            with m.If(self.start):
                m.d.sync += even.eq(~self.record.outputs[0])
            exists = (left != 1) | even
            neurons.append((h & exists.replicate(len(h)), gate & exists))
        return neurons

    def _keep_lists(self, m, store, target, count, index, mask):
        """How many entries each layer's list has, and where they are if it is a mask."""
        for number, kept in self.counts.items():
            with m.If(target == number):
                m.d.comb += count.eq(kept)
            with m.If(self.read_layer == number):
                m.d.comb += self.read_count.eq(kept)
            with m.If(store & (target == number)):
                m.d.sync += kept.eq(count + mask.any())
            with m.If(self.clear | (self.start & (self.layer == number - 1))):
                m.d.sync += kept.eq(0)
        for number, kept in self.active.items():
            with m.If(self.read_layer == number):
                m.d.comb += self.read_active.eq(kept)
            for n in range(self.config.max_words):
                with m.If(store & (target == number) & mask.any() & (index == n)):
                    m.d.sync += kept[n].eq(1)
            with m.If(self.clear | (self.start & (self.layer == number - 1))):
                m.d.sync += kept.eq(0)

    def _neuron(self, m, z, shift, beyond):
        """Activation and gate bit, one cycle after the pre-activation."""
        bits, positive = self.config.activation_bits, z[:-1]
        shifted, negative, above = Signal(bits), Signal(), Signal()
        gate, h = Signal(), Signal(bits)
        m.d.sync += [
            shifted.eq(positive >> shift),
            negative.eq(z[-1]),
            above.eq((positive & beyond).any()),
        ]
        m.d.comb += [
            gate.eq(~negative & ~above),
            h.eq(Mux(negative, 0, shifted | above.replicate(bits))),
        ]
        return h, gate
