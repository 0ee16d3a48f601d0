"""Wishbone on the core's byte streams: four registers of 32 bits, for a CPU."""

import enum

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

__all__ = ["DEPTH", "REGISTERS", "Register", "Wishbone"]

#: Bytes that wait each way.
DEPTH = 64


class Register(enum.IntEnum):
    """Word addresses. A register's byte address is four times as much."""

    TX = 0
    RX = 1
    STATUS = 2
    CONTROL = 3


#: What each register is, for those who write the driver.
REGISTERS = {
    Register.TX: "write: bits 7:0 are a byte to the core; without room it is dropped and STATUS "
                 "bit 31 set. read: 0",
    Register.RX: "read: bits 7:0 a byte from the core, bit 8 set; it is taken. 0 if there is none",
    Register.STATUS: "read: bits 7:0 room for bytes to the core, 15:8 bytes that wait in RX, "
                     "bit 31 a byte was dropped. write: bit 31 clears it",
    Register.CONTROL: "write: bit 0 resets the core and empties both FIFOs, bit 1 is the "
                      "interrupt's enable. read: bit 1",
}


class Wishbone(wiring.Component):
    """A slave of classic cycles (Wishbone B4), 32 bits, registers as in `REGISTERS`.

    An access is acknowledged in the cycle after it begins, never later: a CPU does not hang on
    it. Selects are not looked at but the lowest one for TX. `irq` is high while bytes wait in RX
    and it is enabled.

    A byte passes either way in two cycles at least, and at most one a cycle.

    Members
    -------
    wb_cyc, wb_stb, wb_we, wb_adr, wb_sel, wb_dat_w, wb_dat_r, wb_ack : the bus; `wb_adr` counts
        words.
    irq : level.
    reset : strobe: the core is to be reset.
    to_core, from_core : the core's streams.
    """

    def __init__(self, depth: int = DEPTH):
        if not 2 <= depth <= 128:
            raise ValueError(f"depth must be from 2 to 128, not {depth!r}")
        self.depth = depth
        super().__init__({
            "wb_cyc": In(1),
            "wb_stb": In(1),
            "wb_we": In(1),
            "wb_adr": In(2),
            "wb_sel": In(4),
            "wb_dat_w": In(32),
            "wb_dat_r": Out(32),
            "wb_ack": Out(1),
            "irq": Out(1),
            "reset": Out(1),
            "to_core": Out(stream.Signature(8)),
            "from_core": In(stream.Signature(8)),
        })

    def elaborate(self, platform):
        m = Module()
        fifo = SyncFIFOBuffered(width=8, depth=self.depth)
        back = SyncFIFOBuffered(width=8, depth=self.depth)
        m.submodules.fifo = ResetInserter(self.reset)(fifo)
        m.submodules.back = ResetInserter(self.reset)(back)
        access, lost, enable = Signal(), Signal(), Signal()
        room, waiting = Signal(8), Signal(8)
        m.d.comb += [
            room.eq(self.depth - fifo.w_level),
            waiting.eq(back.r_level),
            access.eq(self.wb_cyc & self.wb_stb & ~self.wb_ack),
            fifo.w_data.eq(self.wb_dat_w[:8]),
            self.to_core.p.eq(fifo.r_data),
            self.to_core.valid.eq(fifo.r_rdy),
            fifo.r_en.eq(self.to_core.ready),
            back.w_data.eq(self.from_core.p),
            back.w_en.eq(self.from_core.valid),
            self.from_core.ready.eq(back.w_rdy),
            self.irq.eq(enable & back.r_rdy),
        ]
        m.d.sync += [self.wb_ack.eq(access), self.reset.eq(0)]
        with m.If(access):
            m.d.sync += self.wb_dat_r.eq(0)
            with m.Switch(Cat(self.wb_adr, self.wb_we)):
                with m.Case(Register.TX | 4):
                    m.d.comb += fifo.w_en.eq(self.wb_sel[0])
                    with m.If(self.wb_sel[0] & ~fifo.w_rdy):
                        m.d.sync += lost.eq(1)
                with m.Case(Register.RX):
                    m.d.comb += back.r_en.eq(1)
                    m.d.sync += self.wb_dat_r.eq(
                        Mux(back.r_rdy, Cat(back.r_data, C(1, 1)), 0))
                with m.Case(Register.STATUS):
                    m.d.sync += self.wb_dat_r.eq(Cat(room, waiting, C(0, 15), lost))
                with m.Case(Register.STATUS | 4):
                    m.d.sync += lost.eq(lost & ~self.wb_dat_w[31])
                with m.Case(Register.CONTROL):
                    m.d.sync += self.wb_dat_r.eq(Cat(C(0, 1), enable))
                with m.Case(Register.CONTROL | 4):
                    m.d.sync += [self.reset.eq(self.wb_dat_w[0]), enable.eq(self.wb_dat_w[1])]
        return m
