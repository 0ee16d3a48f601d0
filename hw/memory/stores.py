"""Memories T (trits, R banks) and R (residuals), and the errors."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig, ceil_div
from ..parts.arith import select
from ..parts.pipeline import NEIGHBOURS, bank_delay, delayed, read_delay, write_delay
from .block_ram import BlockRam
from .word_memory import WordMemory

__all__ = ["ErrorStore", "ResidualStore", "TritStore"]

#: Words of R that a pipelined read chooses among first.
SLICE = 2048


class TritStore(wiring.Component):
    """R banks of words of L trits, a trit being the top two bits of its counter.

    All banks read the same address. A `WordMemory` a bank; where it has a single port, nothing is
    read in a cycle in which any bank is written. In a pipelined core addresses, writes and chosen
    words are handed on from group to group (see `hw.parts.pipeline`).

    Members
    -------
    address : word to read, in every bank.
    bank : bank whose word goes to `word`; set together with `address`.
    words : the addressed word of each bank, one cycle and `words_delay` after `address`.
    word : the word of `bank`, two cycles and `read_delay` after `address`.
    write, write_bank, write_address, write_data : written at the clock edge, `bank_delay` later.
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
        config, longest = self.config, write_delay(self.config)
        addresses = delayed(m, self.address, longest, "address", reset_less=True)
        writes = delayed(m, self.write, longest, "write")
        places, targets, contents = (
            delayed(m, getattr(self, name), longest, name, reset_less=True)
            for name in ("write_bank", "write_address", "write_data"))
        for n, memory in enumerate(self.memories):
            m.submodules[f"bank{n}"] = memory
            delay = bank_delay(config, n)
            m.d.comb += [
                memory.address.eq(addresses[delay]),
                memory.write.eq(writes[delay] & (places[delay] == n)),
                memory.write_address.eq(targets[delay]),
                memory.write_data.eq(contents[delay]),
            ]
            if config.pipelined:
                m.d.sync += self.words[n].eq(memory.word)
            else:
                m.d.comb += self.words[n].eq(memory.word)
        self._choose(m)
        return m

    def _choose(self, m):
        """The word of a bank: chosen at once, or in each group if the one behind has not it."""
        config, bits = self.config, 2 * self.config.lanes
        words = Value.cast(self.words)
        if not config.pipelined:
            bank = Signal.like(self.bank)
            m.d.sync += [bank.eq(self.bank), self.word.eq(select(words, bank, bits))]
            return
        banks = delayed(m, self.bank, write_delay(config) + 2, "bank", reset_less=True)
        chosen = Const(0, bits)
        for n in reversed(range(0, config.banks, NEIGHBOURS)):
            bank = banks[bank_delay(config, n) + 2]
            near = select(words[n * bits:(n + NEIGHBOURS) * bits],
                          bank[:NEIGHBOURS.bit_length() - 1], bits)
            behind, chosen = chosen, Signal(bits, name=f"chosen{n}", reset_less=True)
            m.d.sync += chosen.eq(Mux(bank >= n + NEIGHBOURS, behind, near))
        m.d.comb += self.word.eq(chosen)


class ResidualStore(wiring.Component):
    """Words of U residuals, b - 2 bits each; a `WordMemory`.

    Where several rows are updated at once it is one of their parts (see `hw.memory.row_stores`). In
    a pipelined core slices of 2,048 words have a register each, and all that goes to them has
    one before.

    Members
    -------
    address : word to read; `word` one cycle and `read_delay` after.
    write, write_address, write_data : written at the clock edge, in a pipelined core a cycle later.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.width = config.update_lanes * config.residual_bits
        self.depth = ceil_div(config.residual_depth, config.update_rows)
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
        bits, pipelined = (self.slice - 1).bit_length(), self.config.pipelined
        words = Signal(len(self.memories) * self.width, reset_less=True)
        # The address waits until the words of T come as late as those of R.
        addresses = delayed(m, self.address, max(0, read_delay(self.config) - 1), "address",
                            reset_less=True)
        targets, contents = (
            delayed(m, getattr(self, name), int(pipelined), name, reset_less=True)
            for name in ("write_address", "write_data"))
        for n, memory in enumerate(self.memories):
            m.submodules[f"slice{n}"] = memory
            write = self.write & (self.write_address[bits:] == n)
            m.d.comb += [
                memory.address.eq(addresses[-1][:bits]),
                memory.write.eq(delayed(m, write, int(pipelined), f"write{n}")[-1]),
                memory.write_address.eq(targets[-1][:bits]),
                memory.write_data.eq(contents[-1]),
            ]
            word = words[n * self.width:][:self.width]
            if pipelined:
                m.d.sync += word.eq(memory.word)
            else:
                m.d.comb += word.eq(memory.word)
        number = delayed(m, addresses[-1][bits:], 1 + pipelined, "number", reset_less=True)[-1]
        m.d.comb += self.word.eq(select(words, number, self.width))
        return m


class ErrorStore(wiring.Component):
    """Error trits of all layers: words of U trits, two bits each (01 is +1, 11 is -1).

    Members
    -------
    address : word to read; `word` one cycle after.
    write, write_address, write_data : written at the clock edge.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        depth = config.output_words * config.steps
        bits = 2 * config.update_lanes
        super().__init__({
            "address": In(range(depth)),
            "word": Out(bits),
            "write": In(1),
            "write_address": In(range(depth)),
            "write_data": In(bits),
        })
        self.memory = BlockRam(bits, depth)

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        for name in "address", "write", "write_address", "write_data":
            m.d.comb += getattr(memory, name).eq(getattr(self, name))
        m.d.comb += self.word.eq(memory.word)
        return m
