"""Properties of what puts the core's byte streams on other buses."""

from amaranth import *

from tritgrad.hw.link.stuffing import Unstuffer

from .prover import Property


def axi_stream(p: Property, module):
    """bytes pass as they are; `m_axis_tlast` iff the byte ends a frame as `Unstuffer` sees it; what
    is offered keeps its contract
    """
    dut, m = p.unit(module.AxiStream()), p.m
    reference = p.unit(Unstuffer(), "reference")
    p.drive(dut, "s_axis_tdata", "s_axis_tvalid", "s_axis_tlast", "m_axis_tready")
    m.d.comb += dut.to_core.ready.eq(p.free(1, "ready"))
    p.source(dut.from_core, p.free(8, "data"), p.free(1, "valid"))
    passed = p.named(1, dut.m_axis_tvalid & dut.m_axis_tready, "passed")
    m.d.comb += [reference.i.p.eq(dut.m_axis_tdata), reference.i.valid.eq(passed),
                 reference.o.ready.eq(1)]
    offered = Cat(dut.m_axis_tdata, dut.m_axis_tlast)
    waits = p.past(dut.m_axis_tvalid & ~dut.m_axis_tready)
    p.check(~passed | (dut.m_axis_tlast == (reference.o.valid & reference.o.p.end)),
            ~waits | (dut.m_axis_tvalid & (offered == p.past(offered))),
            passed == (dut.from_core.valid & dut.from_core.ready),
            ~passed | (dut.m_axis_tdata == dut.from_core.p),
            (dut.s_axis_tvalid & dut.s_axis_tready) == (dut.to_core.valid & dut.to_core.ready),
            ~dut.to_core.valid | (dut.to_core.p == dut.s_axis_tdata))


def wishbone(p: Property, module):
    """bytes written after a STATUS that showed room reach the core, bytes of the core reach RX, in
    order, none lost or doubled; an access is acknowledged in the next cycle; `to_core` keeps its
    contract
    """
    dut, m = p.unit(module.Wishbone(2)), p.m
    p.drive(dut, "wb_cyc", "wb_stb", "wb_we", "wb_adr", "wb_sel", "wb_dat_w")
    wanted = p.named(1, dut.wb_cyc & dut.wb_stb, "wanted")
    request = p.named(48, Cat(dut.wb_we, dut.wb_adr, dut.wb_sel, dut.wb_dat_w), "request")
    waits = p.past(wanted & ~dut.wb_ack)
    p.assume(~waits | (wanted & (request == p.past(request))))
    ended = p.named(1, wanted & dut.wb_ack, "ended")
    place = p.named(3, Cat(dut.wb_adr, dut.wb_we), "place")
    # The CPU writes a byte to TX only if STATUS has shown room since the last one, and no reset.
    room = Signal()
    p.assume(~(wanted & (place == 4)) | (room & dut.wb_sel[0]),
             ~(wanted & (place == 7)) | ~dut.wb_dat_w[0])
    with m.If(ended & (place == 2)):
        m.d.sync += room.eq(dut.wb_dat_r[:8] != 0)
    with m.Elif(ended & (place == 4)):
        m.d.sync += room.eq(0)
    chosen = p.constant(3, "chosen")

    def watched(happens, value, name: str):
        """Whether the chosen one of a row of events has been, and its byte."""
        count, seen, kept = (Signal(4, name=f"{name}_n"), Signal(name=f"{name}_seen"),
                             Signal(8, name=f"{name}_kept"))
        with m.If(happens):
            m.d.sync += count.eq(count + 1)
            with m.If(count == chosen):
                m.d.sync += [seen.eq(1), kept.eq(value)]
        return count, seen, kept

    m.d.comb += dut.to_core.ready.eq(p.free(1, "ready"))
    given = p.source(dut.from_core, p.free(8, "data"), p.free(1, "valid"))
    sent = watched(ended & (place == 4), dut.wb_dat_w[:8], "sent")
    came = watched(dut.to_core.valid & dut.to_core.ready, dut.to_core.p, "came")
    said = watched(given, dut.from_core.p, "said")
    read = watched(ended & (place == 1) & dut.wb_dat_r[8], dut.wb_dat_r[:8], "read")
    # The write has happened a cycle before its acknowledgment.
    begun = p.named(4, sent[0] + (ended & (place == 4)), "begun")
    p.check(came[0] <= begun, begun - came[0] <= 3,
            ~(sent[1] & came[1]) | (sent[2] == came[2]),
            read[0] <= said[0], said[0] - read[0] <= 3,
            ~(said[1] & read[1]) | (said[2] == read[2]),
            dut.wb_ack == p.past(wanted & ~dut.wb_ack),
            ~(ended & (place == 2)) | (dut.wb_dat_r[:8] <= 2) & (dut.wb_dat_r[8:16] <= 2)
            & (dut.wb_dat_r[16:] == 0))
    p.keeps_contract(dut.to_core)
