"""Words of 16 bits on the chip, where there is no memory beside it: in simulation above all."""

from typing import Any

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In

from .ram import WordSignature

__all__ = ["BlockWords"]


class BlockWords(wiring.Component):
    """Answers as `hw.store.sdram.SdramController` does, a word in two cycles.

    Parameters
    ----------
    address_bits
        It has two to the power of that many words.
    """

    def __init__(self, address_bits: int):
        self.address_bits = address_bits
        super().__init__({"words": In(WordSignature(address_bits))})

    def elaborate(self, platform):
        m = Module()
        words = self.words
        write, read = self.ports(m)
        at, left, writing = Signal(self.address_bits), Signal(24), Signal()
        m.d.comb += [
            words.ready.eq(1), words.idle.eq((left == 0) & ~words.o.valid),
            read.addr.eq(at), write.addr.eq(at), write.data.eq(words.i.p), words.o.p.eq(read.data),
            words.i.ready.eq(writing & (left != 0)), write.en.eq(words.i.valid & words.i.ready),
            read.en.eq(~writing & (left != 0) & ~words.o.valid),
        ]
        with m.If(words.o.ready):
            m.d.sync += words.o.valid.eq(0)
        with m.If(read.en | write.en):
            m.d.sync += [at.eq(at + 1), left.eq(left - 1), words.o.valid.eq(read.en)]
        with m.If(words.start & words.idle):
            m.d.sync += [at.eq(words.address), left.eq(words.words), writing.eq(words.write)]
        return m

    def ports(self, m: Module) -> tuple[Any, Any]:
        """Ports to write and to read a word by, as those of a block memory."""
        m.submodules.m = memory = Memory(shape=16, depth=1 << self.address_bits, init=[])
        return memory.write_port(), memory.read_port()
