"""Joins an SDRAM's model to a controller's pins, as the registers of a board's pins would."""

from tritgrad.sim.memories import Sdram


async def serve(ctx, dut, model: Sdram) -> None:
    """Half a cycle at a time: the part's clock is the controller's inverted."""
    period = round(1e12 / dut.timing.clock_hz)
    now = 0
    while True:
        control = (model.CKE * ctx.get(dut.cke) | model.CS_N * ctx.get(dut.cs_n)
                   | model.RAS_N * ctx.get(dut.ras_n) | model.CAS_N * ctx.get(dut.cas_n)
                   | model.WE_N * ctx.get(dut.we_n) | model.OUTPUT * ctx.get(dut.dq_oe)
                   | ctx.get(dut.dqm) << model.MASK_AT)
        address, dq = ctx.get(dut.ba) << 13 | ctx.get(dut.a), ctx.get(dut.dq_o)
        model.step(now, control, address, dq)
        fall = model.step(now + period // 2, control | model.CLOCK, address, dq)
        rise = model.step(now + period - 1, control | model.CLOCK, address, dq)
        now += period
        await ctx.tick()
        ctx.set(dut.dq_rise, rise)
        ctx.set(dut.dq_fall, fall)
