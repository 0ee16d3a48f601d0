"""A block RAM: a read port with a register and a write port."""

from amaranth import *
from amaranth.back.rtlil import Undef
from amaranth.hdl import MemoryData, ShapeLike
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["BlockRam"]

#: Bits of an iCE40's block.
EBR_BITS = 4096


class BlockRam(wiring.Component):
    """Words with a read port and a write port that nobody uses on the same word at the same time.

    What a read returns of the word that is written in the same cycle is not to be used, nor is
    `word` before the first read. So the block of an FPGA will do as it is: a rule for either case
    would cost a register a bit and a comparison of the addresses.

    Parameters
    ----------
    shape
        Of a word.
    depth
        Words.
    init
        First words; the others are 0.
    data
        The contents, if somebody else holds them; `init` is theirs then.

    Members
    -------
    address, enable : word to read; `word` one cycle after, held while not enabled.
    write, write_address, write_data : written at the clock edge.
    """

    def __init__(self, shape: ShapeLike, depth: int, init=(), *, data: MemoryData | None = None):
        super().__init__({
            "address": In(range(depth)),
            "enable": In(1, init=1),
            "word": Out(shape),
            "write": In(1),
            "write_address": In(range(depth)),
            "write_data": In(shape),
        })
        self.data = data or MemoryData(shape=shape, depth=depth, init=init)

    def elaborate(self, platform):
        m = Module()
        shape = self.data.shape
        # Yosys joins this register with the memory: as it has no initial value, and as the
        # attribute allows any word on a collision, nothing else is left of it.
        word = Signal(shape, reset_less=True, attrs={"init": Undef(Shape.cast(shape).width)})
        attrs = {"no_rw_check": 1}
        small = Shape.cast(shape).width * self.data.depth <= EBR_BITS
        if small and str(getattr(platform, "device", None)).startswith("iCE40"):
            attrs["ram_style"] = "block"  # there is no other RAM, and Yosys would take flip-flops
        m.submodules.memory = memory = Memory(self.data, attrs=attrs)
        read, write = memory.read_port(domain="comb"), memory.write_port()
        m.d.comb += [
            read.addr.eq(self.address),
            write.addr.eq(self.write_address),
            write.data.eq(self.write_data),
            write.en.eq(self.write),
            self.word.eq(word),
        ]
        with m.If(self.enable):
            m.d.sync += word.eq(read.data)
        return m
