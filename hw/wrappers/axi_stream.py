"""AXI4-Stream on the core's byte streams, with the end of each frame marked."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...firmware.frames import FLAG

__all__ = ["AxiStream"]


class AxiStream(wiring.Component):
    """Names of AXI4-Stream, and TLAST.

    A frame on the wire is FLAG, bytes, FLAG. TLAST is high with the flag that ends one, so that a
    packet is a whole frame. The host's TLAST is not looked at: its frames end with a flag too.

    Latency 0 (combinational), throughput a byte a cycle. A byte that is offered stays until it is
    taken, as AXI asks for.

    Members
    -------
    s_axis_tdata, s_axis_tvalid, s_axis_tready, s_axis_tlast : bytes from the host.
    m_axis_tdata, m_axis_tvalid, m_axis_tready, m_axis_tlast : bytes to the host.
    to_core, from_core : the core's streams.
    """

    s_axis_tdata: In(8)
    s_axis_tvalid: In(1)
    s_axis_tready: Out(1)
    s_axis_tlast: In(1)
    m_axis_tdata: Out(8)
    m_axis_tvalid: Out(1)
    m_axis_tready: In(1)
    m_axis_tlast: Out(1)
    to_core: Out(stream.Signature(8))
    from_core: In(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        inside = Signal()  # a byte has come since the last flag
        flag = self.from_core.p == FLAG
        m.d.comb += [
            self.to_core.p.eq(self.s_axis_tdata),
            self.to_core.valid.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(self.to_core.ready),
            self.m_axis_tdata.eq(self.from_core.p),
            self.m_axis_tvalid.eq(self.from_core.valid),
            self.from_core.ready.eq(self.m_axis_tready),
            self.m_axis_tlast.eq(flag & inside),
        ]
        with m.If(self.from_core.valid & self.from_core.ready):
            m.d.sync += inside.eq(~flag)
        return m
