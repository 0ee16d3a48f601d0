"""Memories T (trits, R banks) and R (residuals)."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..model.config import CoreConfig
from .arith import select

__all__ = ["ResidualStore", "TritStore"]


class TritStore(wiring.Component):
    """R banks of words of L trits, a trit being the top two bits of its counter.

    All banks read the same address. One block RAM or more a bank, with one read and one write port,
    or one port for both, where nothing is read in a cycle in which any bank is written.

    Members
    -------
    address : word to read, in every bank.
    bank : bank whose word goes to `word`; set together with `address`.
    words : the addressed word of each bank, one cycle after `address`.
    word : the word of `bank`, two cycles after `address`.
    write, write_bank, write_address, write_data : written at the clock edge. With two ports, a read
        of the same address in that cycle returns the old word; with one port, `words` stays as it
        was.
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
        self.memories = [Memory(shape=bits, depth=config.trit_depth, init=[])
                         for _ in range(config.banks)]

    def elaborate(self, platform):
        m = Module()
        bank = Signal.like(self.bank)
        m.d.sync += bank.eq(self.bank)
        for n, bank_memory in enumerate(self.memories):
            m.submodules[f"bank{n}"] = bank_memory
            read = bank_memory.read_port()
            write = bank_memory.write_port()
            m.d.comb += [
                self.words[n].eq(read.data),
                write.data.eq(self.write_data),
                write.en.eq(self.write & (self.write_bank == n)),
            ]
            connect_addresses(m, self, read, write)
        m.d.sync += self.word.eq(select(self.words, bank, 2 * self.config.lanes))
        return m


class ResidualStore(wiring.Component):
    """Words of U residuals, b - 2 bits each.

    Members
    -------
    address : word to read; `word` one cycle after.
    write, write_address, write_data : written at the clock edge; see `TritStore` for a read in that
        cycle.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        bits = config.update_lanes * config.residual_bits
        super().__init__({
            "address": In(range(config.residual_depth)),
            "word": Out(bits),
            "write": In(1),
            "write_address": In(range(config.residual_depth)),
            "write_data": In(bits),
        })
        self.memory = Memory(shape=bits, depth=config.residual_depth, init=[])

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = self.memory
        read, write = self.memory.read_port(), self.memory.write_port()
        m.d.comb += [
            self.word.eq(read.data),
            write.data.eq(self.write_data),
            write.en.eq(self.write),
        ]
        connect_addresses(m, self, read, write)
        return m


def connect_addresses(m, store, read, write):
    """Each port its address, or both one address and no read while anything is written."""
    if store.config.single_port:
        address = Signal.like(store.address)
        m.d.comb += [
            address.eq(Mux(store.write, store.write_address, store.address)),
            read.addr.eq(address),
            read.en.eq(~store.write),
            write.addr.eq(address),
        ]
    else:
        m.d.comb += [read.addr.eq(store.address), write.addr.eq(store.write_address)]
