"""Memory SUPPORT: which granules of R x L trits take part in the forward pass."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...hw.memory.block_ram import BlockRam
from ...model.config import CoreConfig

__all__ = ["SupportStore"]


class SupportStore(wiring.Component):
    """A word for each row group, with a bit for each word of inputs; births are added to it.

    While nothing rests, a granule is born where the update unit writes a T word that has a trit
    that is not 0: its group's word is read, and written with the bit a cycle later. Words follow
    each other so closely that the last one written counts before the one read.

    Members
    -------
    clear : strobe: nothing was written yet.
    visit, visit_group, visit_index, alive : strobe: a T word of this group and number is written;
        whether it has a trit that is not 0.
    busy : a word is still to be written.
    address, enable : word to read if there is no visit; `word` one cycle after, held while not
        enabled.
    write, write_address, write_data : written at the clock edge; not while there are visits.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        groups, words = range(config.support_depth), config.max_words
        super().__init__({
            "clear": In(1),
            "visit": In(1),
            "visit_group": In(groups),
            "visit_index": In(range(words)),
            "alive": In(1),
            "busy": Out(1),
            "address": In(groups),
            "enable": In(1),
            "word": Out(words),
            "write": In(1),
            "write_address": In(groups),
            "write_data": In(words),
        })
        self.memory = BlockRam(words, config.support_depth)

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        born, index, group = Signal(), Signal.like(self.visit_index), Signal.like(self.visit_group)
        kept, kept_group = Signal.like(self.word), Signal.like(group)
        known = Signal()  # `kept` is what SUPPORT has in `kept_group`
        before, after = Signal.like(kept), Signal.like(kept)
        m.d.sync += [
            born.eq(self.visit & self.alive),
            index.eq(self.visit_index),
            group.eq(self.visit_group),
        ]
        m.d.comb += [
            memory.address.eq(Mux(self.visit, self.visit_group, self.address)),
            memory.enable.eq(self.visit | self.enable),
            self.word.eq(memory.word),
            before.eq(Mux(known & (kept_group == group), kept, memory.word)),
            after.eq(before | Cat(index == n for n in range(len(after)))),
            self.busy.eq(self.visit | born),
            memory.write.eq(self.write | born),
            memory.write_address.eq(Mux(born, group, self.write_address)),
            memory.write_data.eq(Mux(born, after, self.write_data)),
        ]
        with m.If(born):
            m.d.sync += [kept.eq(after), kept_group.eq(group), known.eq(1)]
        with m.If(self.clear):
            m.d.sync += known.eq(0)
        return m
