"""A memory of words with a registered read: block RAM, or SPRAM where the FPGA has it."""

from amaranth import *
from amaranth.hdl import MemoryData
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..parts.arith import select
from .block_ram import BlockRam

__all__ = ["WordMemory"]

SPRAM_ADDRESS_BITS = 14
SPRAM_BITS = 16
NIBBLE = 4


class WordMemory(wiring.Component):
    """Words with one read and one write port, or with one port for both.

    With two ports, a word must not be used that was read in the cycle that wrote it, as `BlockRam`
    says. With one port, nothing is read in a cycle that writes, and `word` is not to be used in
    the cycle after. On an iCE40 UltraPlus such a memory is made of SPRAM blocks side by side,
    16,384 words of 16 bits each (Lattice FPGA-TN-02022, "iCE40 SPRAM Usage Guide"); Yosys makes
    none by itself, as Amaranth gives each memory initial contents. Words above 16,384 lie beside
    the first ones, each 16,384 in nibbles of their own, as a write is masked by nibbles. What
    SPRAM holds at power-up is undefined.

    Members
    -------
    address : word to read; `word` one cycle after.
    write, write_address, write_data : written at the clock edge.
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
        m.submodules.memory = memory = BlockRam(self.width, self.depth, data=self.data)
        m.d.comb += [
            memory.address.eq(address),
            memory.enable.eq(enable),
            self.word.eq(memory.word),
            memory.write_address.eq(write_address),
            memory.write_data.eq(self.write_data),
            memory.write.eq(self.write),
        ]

    def _spram(self, m, address):
        slices = -(-self.depth >> SPRAM_ADDRESS_BITS)
        slice_bits = -(-self.width // NIBBLE) * NIBBLE
        number = Signal(range(slices))
        read_number = Signal.like(number)
        m.d.comb += number.eq(address >> SPRAM_ADDRESS_BITS)
        m.d.sync += read_number.eq(number)

        total = slices * slice_bits
        data, mask = Signal(total), Signal(total // NIBBLE)
        blocks = -(-total // SPRAM_BITS)
        words = Signal(blocks * SPRAM_BITS)
        for n in range(slices):
            nibbles = slice(n * slice_bits // NIBBLE, (n + 1) * slice_bits // NIBBLE)
            m.d.comb += [
                data[n * slice_bits:(n + 1) * slice_bits].eq(self.write_data),
                mask[nibbles].eq((number == n).replicate(slice_bits // NIBBLE)),
            ]
        m.d.comb += self.word.eq(select(words[:total], read_number, slice_bits))
        for n in range(blocks):
            bits = slice(n * SPRAM_BITS, (n + 1) * SPRAM_BITS)
            m.submodules[f"spram{n}"] = Instance(
                "SB_SPRAM256KA",
                i_CLOCK=ClockSignal(),
                i_CHIPSELECT=1,
                i_STANDBY=0,
                i_SLEEP=0,
                i_POWEROFF=1,  # active low
                i_ADDRESS=widened(address, SPRAM_ADDRESS_BITS),
                i_WREN=self.write,
                i_MASKWREN=widened(mask[n * NIBBLE:(n + 1) * NIBBLE], NIBBLE),
                i_DATAIN=widened(data[bits], SPRAM_BITS),
                o_DATAOUT=words[bits],
            )


def widened(value, width):
    """The low bits of a value, filled up with zeros: a primitive's port takes just its width."""
    return Cat(value, Const(0, width))[:width]
