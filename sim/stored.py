"""A core with its samples in a memory on the chip, where the one beside it is not what is tried."""

from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..hw.core import Core
from ..hw.store.block import BlockWords
from ..hw.store.ram import RamStore
from ..model.config import CoreConfig

__all__ = ["StoredCore"]


class StoredCore(wiring.Component):
    """A core with a RAM, between the byte streams of `hw.core.Core`.

    Parameters
    ----------
    config
        A core whose store is a RAM, of few words.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.core = Core(config)
        self.store = RamStore(config, config.store_bits)
        self.words = BlockWords(config.store_bits)
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.core, m.submodules.store = self.core, self.store
        m.submodules.words = self.words
        connect(m, flipped(self.i), self.core.i)
        connect(m, self.core.o, flipped(self.o))
        connect(m, self.core.store, self.store.port)
        connect(m, self.store.memory, self.words.words)
        return m
