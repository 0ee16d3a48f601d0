"""A core with its samples in a memory on the chip, where the one beside it is not what is tried."""

from importlib.resources import files
from types import SimpleNamespace

from amaranth import ClockSignal, Instance, Module, Mux, Signal
from amaranth.back import verilog
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..hw.core import Core
from ..hw.store.block import BlockWords
from ..hw.store.ram import RamStore
from ..model.config import CoreConfig
from .verilate import TOP

__all__ = ["SPARSE_BITS", "SparseWords", "StoredCore", "sparse_verilog"]

#: From so many bits of address on a memory is in pages: a block memory, whose words are all made
#: one by one, would take minutes and gigabytes.
SPARSE_BITS = 15


class SparseWords(BlockWords):
    """`BlockWords` in simulation, in pages that are there once they are written.

    What nobody has written reads as noise. Its Verilog is that of `sparse_verilog`.
    """

    def ports(self, m):
        read, write = (SimpleNamespace(addr=Signal(self.address_bits), data=Signal(16), en=Signal())
                       for _ in range(2))
        m.submodules.pages = Instance(
            "sparse_words", p_BITS=self.address_bits, i_clk=ClockSignal(), i_read=read.en,
            i_write=write.en, i_at=Mux(write.en, write.addr, read.addr), i_data=write.data,
            o_word=read.data)
        return write, read


class StoredCore(wiring.Component):
    """A core with a RAM, between the byte streams of `hw.core.Core`.

    Parameters
    ----------
    config
        A core whose store is a RAM.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.core = Core(config)
        self.store = RamStore(config, config.store_bits)
        kind = BlockWords if config.store_bits < SPARSE_BITS else SparseWords
        self.words = kind(config.store_bits)
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


def sparse_verilog(component: wiring.Component) -> str:
    """Verilog of a component that has `SparseWords`, for `sim.verilate.build`."""
    text = verilog.convert(component, name=TOP, emit_src=False, strip_internal_attrs=True)
    return text + (files(__package__) / "primitives" / "sparse_words.v").read_text()
