"""The words of memory that WRITE and READ name, byte by byte."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...firmware.frames import Space
from ...model.config import CoreConfig
from ...model.layout import optional_spaces
from ..arith import select
from ..ports import MemorySignature
from .window import WindowCheck

__all__ = ["MemoryWindow"]


class MemoryWindow(wiring.Component):
    """Checks a window of memory words and goes through it.

    Members
    -------
    word : the last bytes of the frame, the very last one on top: the head of WRITE or READ, later
        a word to write.
    within, fits, count : see `WindowCheck`.
    open : strobe, while `word` is the head: `word_bytes` is from the next cycle on that of its
        memory.
    rewind : strobe, while `word` is the head: go to its first word.
    next_byte, next_word : strobes: go on by one.
    word_ends : the byte is the word's last.
    write : strobe: `word` becomes the memory's.
    byte : of the memory's word, three cycles and `hw.wave.read_delay` after its place was reached.
    memory : access to the memories.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        sizes = (config.trit_word_bytes, config.residual_word_bytes,
                 *(size for _, size in optional_spaces(config).values()))
        self.longest = max(sizes)
        super().__init__({
            "word": In(8 * max(6, *sizes)),
            "within": Out(1),
            "fits": Out(1),
            "count": Out(16),
            "open": In(1),
            "rewind": In(1),
            "next_byte": In(1),
            "next_word": In(1),
            "word_bytes": Out(range(max(sizes) + 1)),
            "word_ends": Out(1),
            "write": In(1),
            "byte": Out(8),
            "memory": Out(MemorySignature(config)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.check = check = WindowCheck(self.config)
        memory = self.memory
        address = Signal(16)
        byte = Signal(range(self.longest))
        m.d.comb += [
            check.head.eq(self.word[-48:]),
            self.within.eq(check.within),
            self.fits.eq(check.fits),
            self.count.eq(check.count),
            memory.address.eq(address),
            memory.write.eq(self.write),
            memory.write_data.eq(self.word[-len(memory.write_data):]),
            self.word_bytes.eq(Mux(memory.space == Space.T, self.config.trit_word_bytes,
                                   self.config.residual_word_bytes)),
            self.word_ends.eq(byte + 1 == self.word_bytes),
        ]
        for other, (_, size) in optional_spaces(self.config).items():
            with m.If(memory.space == other):
                m.d.comb += self.word_bytes.eq(size)
        # Behind a deep memory and its multiplexers this is half of a long path.
        m.d.sync += self.byte.eq(select(memory.read_data, byte, 8))
        with m.If(self.open):
            m.d.sync += memory.space.eq(check.space)
        with m.If(self.next_byte):
            m.d.sync += byte.eq(Mux(self.word_ends, 0, byte + 1))
        with m.If(self.rewind):
            m.d.sync += [memory.bank.eq(check.bank), address.eq(check.address)]
        with m.Elif(self.next_word):
            m.d.sync += address.eq(address + 1)
        return m
