"""Memories T and R of a core that updates several rows at once: a part for each of them.

Row j is of part j mod Q. As Q divides the banks, a part's rows lie in every Q-th bank of T, and R
has a memory for each part.
"""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ..parts.arith import select
from ..parts.pipeline import NEIGHBOURS, bank_delay, delayed, write_delay
from .stores import ResidualStore
from .word_memory import WordMemory

__all__ = ["RowResidualStore", "RowTritStore"]


class RowTritStore(wiring.Component):
    """`TritStore` with Q addresses, words and writes: one for the banks of each part.

    Members
    -------
    address : Q words to read, each in every bank of its part.
    bank : banks whose words go to `word`, counted within the part; set together with `address`.
    words : the addressed word of each bank, one cycle and `words_delay` after `address`.
    word : of each part the word of `bank`, two cycles and `read_delay` after `address`.
    write, write_bank, write_address, write_data : a write in each part, at the clock edge,
        `bank_delay` later.
    """

    def __init__(self, config: CoreConfig):
        self.config, self.parts = config, config.update_rows
        bits, parts = 2 * config.lanes, self.parts
        bank = range(config.banks // parts)
        super().__init__({
            "address": In(range(config.trit_depth)).array(parts),
            "bank": In(bank).array(parts),
            "words": Out(data.ArrayLayout(bits, config.banks)),
            "word": Out(bits).array(parts),
            "write": In(parts),
            "write_bank": In(bank).array(parts),
            "write_address": In(range(config.trit_depth)).array(parts),
            "write_data": In(bits).array(parts),
        })
        self.memories = [WordMemory(bits, config.trit_depth) for _ in range(config.banks)]

    def elaborate(self, platform):
        m = Module()
        for part in range(self.parts):
            self._part(m, part)
        return m

    def _part(self, m, part):
        """The banks of a part: address and writes to them, and the word of one of them."""
        config, longest = self.config, write_delay(self.config)
        addresses, places, targets, contents = (
            delayed(m, getattr(self, name)[part], longest, f"{name}{part}", reset_less=True)
            for name in ("address", "write_bank", "write_address", "write_data"))
        writes = delayed(m, self.write[part], longest, f"write{part}")
        for n in range(part, config.banks, self.parts):
            m.submodules[f"bank{n}"] = memory = self.memories[n]
            delay = bank_delay(config, n)
            m.d.comb += [
                memory.address.eq(addresses[delay]),
                memory.write.eq(writes[delay] & (places[delay] == n // self.parts)),
                memory.write_address.eq(targets[delay]),
                memory.write_data.eq(contents[delay]),
            ]
            if config.pipelined:
                m.d.sync += self.words[n].eq(memory.word)
            else:
                m.d.comb += self.words[n].eq(memory.word)
        self._choose(m, part)

    def _choose(self, m, part):
        """As `TritStore` does, from the words of the part alone."""
        config, bits = self.config, 2 * self.config.lanes
        words = Cat(self.words[n] for n in range(part, config.banks, self.parts))
        if not config.pipelined:
            bank = Signal.like(self.bank[part], name=f"bank{part}")
            m.d.sync += [bank.eq(self.bank[part]), self.word[part].eq(select(words, bank, bits))]
            return
        near = NEIGHBOURS // self.parts  # banks of the part in a group
        banks = delayed(m, self.bank[part], write_delay(config) + 2, f"bank{part}", reset_less=True)
        chosen = Const(0, bits)
        for n in reversed(range(0, config.banks // self.parts, near)):
            bank = banks[bank_delay(config, n * self.parts) + 2]
            word = words[n * bits:(n + near) * bits]
            if near > 1:
                word = select(word, bank[:near.bit_length() - 1], bits)
            behind, chosen = chosen, Signal(bits, name=f"chosen{part}_{n}", reset_less=True)
            m.d.sync += chosen.eq(Mux(bank >= n + near, behind, word))
        m.d.comb += self.word[part].eq(chosen)


class RowResidualStore(wiring.Component):
    """Memory R in Q parts, a `ResidualStore` each: word n is word n div Q of part n mod Q.

    Members
    -------
    address : of each part the word to read; `word` one cycle and `read_delay` after.
    write, write_address, write_data : a write in each part.
    """

    def __init__(self, config: CoreConfig):
        parts = config.update_rows
        self.parts = [ResidualStore(config) for _ in range(parts)]
        depth, width = self.parts[0].depth, self.parts[0].width
        super().__init__({
            "address": In(range(depth)).array(parts),
            "word": Out(width).array(parts),
            "write": In(parts),
            "write_address": In(range(depth)).array(parts),
            "write_data": In(width).array(parts),
        })

    def row(self, address: int):
        """The row of a memory that holds a word, for a simulator."""
        return self.parts[address % len(self.parts)].row(address // len(self.parts))

    def elaborate(self, platform):
        m = Module()
        for n, part in enumerate(self.parts):
            m.submodules[f"part{n}"] = part
            m.d.comb += [
                part.address.eq(self.address[n]),
                part.write.eq(self.write[n]),
                part.write_address.eq(self.write_address[n]),
                part.write_data.eq(self.write_data[n]),
                self.word[n].eq(part.word),
            ]
        return m
