"""The words of memory that WRITE and READ name: their check, and a walk byte by byte."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...firmware.frames import Space
from ...model.config import CoreConfig
from ...units.registry import windows
from ..parts.arith import exceeds, select
from ..parts.ports import MemorySignature
from .answers import HEAD_BYTES

__all__ = ["MemoryWindow", "WindowCheck"]


class WindowCheck(wiring.Component):
    """Reads and checks the payload's head of WRITE and READ. Combinational.

    Members
    -------
    head : the six bytes.
    space : the memory; the last one also if there is no such space.
    bank, address, count : its other fields.
    within : `count` is not 0 and all words exist.
    fits : they fit into an answer.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "head": In(48),
            "space": Out(range(max(windows(config), default=Space.R) + 1)),
            "bank": Out(8),
            "address": Out(16),
            "count": Out(16),
            "within": Out(1),
            "fits": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        space, end = Signal(8), Signal(17)
        in_trits, in_residuals, in_others = Signal(), Signal(), Signal()
        largest_t, largest_r = (
            (config.max_payload - HEAD_BYTES) // size
            for size in (config.trit_word_bytes, config.residual_word_bytes))
        m.d.comb += [
            Cat(space, self.bank, self.address, self.count).eq(self.head),
            end.eq(self.address + self.count),
            in_trits.eq((space == Space.T) & (self.bank < config.banks)
                        & ~exceeds(end, config.trit_depth)),
            in_residuals.eq(config.trainable & (space == Space.R) & (self.bank == 0)
                            & ~exceeds(end, config.residual_depth)),
            self.within.eq((self.count != 0) & (in_trits | in_residuals | in_others)),
            self.fits.eq(~Mux(self.space == Space.T, exceeds(self.count, largest_t),
                              exceeds(self.count, largest_r))),
        ]
        others = windows(config)
        for other, window in others.items():
            with m.If(space == other):
                m.d.comb += in_others.eq((self.bank == 0) & ~exceeds(end, window.depth(config)))
            with m.If(self.space == other):
                m.d.comb += self.fits.eq(~exceeds(
                    self.count, (config.max_payload - HEAD_BYTES) // window.word_bytes(config)))
        if others:
            with m.If(space.matches(Space.T, Space.R, *others)):
                m.d.comb += self.space.eq(space)
            with m.Else():
                m.d.comb += self.space.eq(max(others))
        else:
            m.d.comb += self.space.eq(space != Space.T)
        return m


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
    byte : of the memory's word, three cycles and `hw.parts.pipeline.read_delay` after its place
        was reached.
    memory : access to the memories.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        sizes = (config.trit_word_bytes, config.residual_word_bytes,
                 *(window.word_bytes(config) for window in windows(config).values()))
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
        for other, window in windows(self.config).items():
            with m.If(memory.space == other):
                m.d.comb += self.word_bytes.eq(window.word_bytes(self.config))
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
