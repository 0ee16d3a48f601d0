"""Memories T (trits, R banks) and R (residuals)."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..model.config import CoreConfig, ceil_div
from .arith import select
from .memory import WordMemory

__all__ = ["ResidualStore", "TritStore"]

#: Banks among which a pipelined read chooses first; a power of two.
NEIGHBOURS = 4
#: Words of R that a pipelined read chooses among first.
SLICE = 2048


class TritStore(wiring.Component):
    """R banks of words of L trits, a trit being the top two bits of its counter.

    All banks read the same address. A `WordMemory` a bank; where it has a single port, nothing is
    read in a cycle in which any bank is written. A bank is chosen in one cycle, or, if reads are
    pipelined, in two: among four neighbours, then among those.

    Members
    -------
    address : word to read, in every bank.
    bank : bank whose word goes to `word`; set together with `address`.
    words : the addressed word of each bank, one cycle after `address`.
    word : the word of `bank`, two cycles after `address`, or three if reads are pipelined.
    write, write_bank, write_address, write_data : written at the clock edge.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        bits = 2 * config.lanes
        super().__init__({
            "address": In(range(config.trit_depth)),
            "bank": In(range(config.banks)),
            "words": Out(data.ArrayLayout(bits, config.banks)),
            "word": Out(bits),
            "write": In(1),
            "write_bank": In(range(config.banks)),
            "write_address": In(range(config.trit_depth)),
            "write_data": In(bits),
        })
        self.memories = [
            WordMemory(bits, config.trit_depth, single_port=config.single_port)
            for _ in range(config.banks)]

    def elaborate(self, platform):
        m = Module()
        bank = Signal.like(self.bank)
        m.d.sync += bank.eq(self.bank)
        for n, memory in enumerate(self.memories):
            m.submodules[f"bank{n}"] = memory
            m.d.comb += [
                memory.address.eq(self.address),
                memory.write.eq(self.write & (self.write_bank == n)),
                memory.write_address.eq(self.write_address),
                memory.write_data.eq(self.write_data),
                self.words[n].eq(memory.word),
            ]
        bits, words = 2 * self.config.lanes, Value.cast(self.words)
        if self.config.pipelined:
            near = Signal(ceil_div(self.config.banks, NEIGHBOURS) * bits)
            group = Signal(range(ceil_div(self.config.banks, NEIGHBOURS)))
            m.d.sync += group.eq(bank >> NEIGHBOURS.bit_length() - 1)
            for n in range(0, self.config.banks, NEIGHBOURS):
                part = words[n * bits:(n + NEIGHBOURS) * bits]
                m.d.sync += near[n // NEIGHBOURS * bits:][:bits].eq(
                    select(part, bank[:NEIGHBOURS.bit_length() - 1], bits))
            words, bank = near, group
        m.d.sync += self.word.eq(select(words, bank, bits))
        return m


class ResidualStore(wiring.Component):
    """Words of U residuals, b - 2 bits each; a `WordMemory`.

    If reads are pipelined, slices of 2,048 words have a register each, and a slice is chosen in the
    cycle after.

    Members
    -------
    address : word to read; `word` one cycle after, or two if reads are pipelined.
    write, write_address, write_data : written at the clock edge.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.width, self.depth = config.update_lanes * config.residual_bits, config.residual_depth
        super().__init__({
            "address": In(range(self.depth)),
            "word": Out(self.width),
            "write": In(1),
            "write_address": In(range(self.depth)),
            "write_data": In(self.width),
        })
        self.slice = SLICE if config.pipelined else self.depth
        self.memories = [
            WordMemory(self.width, min(self.slice, self.depth - n), single_port=config.single_port)
            for n in range(0, self.depth, self.slice)]

    def row(self, address: int):
        """The row of a memory that holds a word, for a simulator."""
        return self.memories[address // self.slice].data[address % self.slice]

    def elaborate(self, platform):
        m = Module()
        bits = (self.slice - 1).bit_length()
        words = Signal(len(self.memories) * self.width)
        for n, memory in enumerate(self.memories):
            m.submodules[f"slice{n}"] = memory
            m.d.comb += [
                memory.address.eq(self.address[:bits]),
                memory.write.eq(self.write & (self.write_address[bits:] == n)),
                memory.write_address.eq(self.write_address[:bits]),
                memory.write_data.eq(self.write_data),
            ]
            word = words[n * self.width:][:self.width]
            if self.config.pipelined:
                m.d.sync += word.eq(memory.word)
            else:
                m.d.comb += word.eq(memory.word)
        number = self.address[bits:]
        for n in range(1 + self.config.pipelined):
            following = Signal.like(number, name=f"number{n}")
            m.d.sync += following.eq(number)
            number = following
        m.d.comb += self.word.eq(select(words, number, self.width))
        return m
