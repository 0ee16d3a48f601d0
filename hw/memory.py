"""A memory of words with a registered read: block RAM, or SPRAM where the FPGA has it."""

from amaranth import *
from amaranth.hdl import MemoryData
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..model.errors import ConfigError

__all__ = ["WordMemory"]

SPRAM_DEPTH = 16384
SPRAM_BITS = 16


class WordMemory(wiring.Component):
    """Words with one read and one write port, or with one port for both.

    With one port, nothing is read in a cycle that writes, and `word` is not to be used in the cycle
    after. On an iCE40 UltraPlus such a memory is made of SPRAM blocks side by side, 16,384 words
    of 16 bits each (Lattice FPGA-TN-02022, "iCE40 SPRAM Usage Guide"); Yosys makes none by itself,
    as Amaranth gives each memory initial contents. What SPRAM holds at power-up is undefined.

    Members
    -------
    address : word to read; `word` one cycle after.
    write, write_address, write_data : written at the clock edge. With two ports, a read of the same
        address in that cycle returns the old word.

    Raises
    ------
    ConfigError
        When elaborated: more words than an SPRAM block has.
    """

    def __init__(self, width: int, depth: int, *, single_port: bool = False):
        self.width, self.depth, self.single_port = width, depth, single_port
        super().__init__({
            "address": In(range(depth)),
            "word": Out(width),
            "write": In(1),
            "write_address": In(range(depth)),
            "write_data": In(width),
        })
        self.data = MemoryData(shape=width, depth=depth, init=[])

    def elaborate(self, platform):
        m = Module()
        if not self.single_port:
            self._block_ram(m, self.address, self.write_address)
            return m
        address = Signal.like(self.address)
        m.d.comb += address.eq(Mux(self.write, self.write_address, self.address))
        if getattr(platform, "device", None) == "iCE40UP5K":
            self._spram(m, address)
        else:
            self._block_ram(m, address, address, enable=~self.write)
        return m

    def _block_ram(self, m, address, write_address, enable=1):
        m.submodules.memory = memory = Memory(self.data)
        read, write = memory.read_port(), memory.write_port()
        m.d.comb += [
            read.addr.eq(address),
            read.en.eq(enable),
            self.word.eq(read.data),
            write.addr.eq(write_address),
            write.data.eq(self.write_data),
            write.en.eq(self.write),
        ]

    def _spram(self, m, address):
        if self.depth > SPRAM_DEPTH:
            raise ConfigError(f"SPRAM has {SPRAM_DEPTH} words, a memory cannot have {self.depth}")
        for first in range(0, self.width, SPRAM_BITS):
            bits = slice(first, min(first + SPRAM_BITS, self.width))
            word = Signal(SPRAM_BITS, name=f"word{first}")
            m.submodules[f"spram{first // SPRAM_BITS}"] = Instance(
                "SB_SPRAM256KA",
                i_CLOCK=ClockSignal(),
                i_CHIPSELECT=1,
                i_STANDBY=0,
                i_SLEEP=0,
                i_POWEROFF=1,  # active low
                i_ADDRESS=address | Const(0, 14),
                i_WREN=self.write,
                i_MASKWREN=Const(0b1111, 4),
                i_DATAIN=self.write_data[bits] | Const(0, SPRAM_BITS),
                o_DATAOUT=word,
            )
            m.d.comb += self.word[bits].eq(word)
