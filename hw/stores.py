"""Memories T (trits, R banks) and R (residuals)."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..model.config import CoreConfig
from .arith import select
from .memory import WordMemory

__all__ = ["ResidualStore", "TritStore"]


class TritStore(wiring.Component):
    """R banks of words of L trits, a trit being the top two bits of its counter.

    All banks read the same address. A `WordMemory` a bank; where it has a single port, nothing is
    read in a cycle in which any bank is written.

    Members
    -------
    address : word to read, in every bank.
    bank : bank whose word goes to `word`; set together with `address`.
    words : the addressed word of each bank, one cycle after `address`.
    word : the word of `bank`, two cycles after `address`.
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
        m.d.sync += self.word.eq(select(self.words, bank, 2 * self.config.lanes))
        return m


class ResidualStore(WordMemory):
    """Words of U residuals, b - 2 bits each; its ports are those of `WordMemory`."""

    def __init__(self, config: CoreConfig):
        super().__init__(config.update_lanes * config.residual_bits, config.residual_depth,
                         single_port=config.single_port)
