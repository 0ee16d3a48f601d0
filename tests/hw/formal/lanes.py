"""Properties of the update unit's lanes."""

from amaranth import *

from tritgrad.model.config import MAX_SKIP

from .prover import Property, small


def trit_of(counter: Value, bits: int) -> Value:
    """Of a counter of so many bits: its top quarters."""
    cell = 1 << (bits - 2)
    one = C(1, signed(3))
    return Mux(counter >= cell, one, Mux(counter < -cell, -one, C(0, signed(3))))


def code_value(code: Value) -> Value:
    """A trit's two bits mod 3: 01 is 1, 10 is 2, others are 0."""
    return Mux(code == 1, C(1, 4), Mux(code == 2, C(2, 4), C(0, 4)))


def update_lane(p: Property, module, bits: int):
    """new counter, trit and flip as the rule says (clamp, trit, reload), for every counter, step
    and sign
    """
    dut = p.unit(module.UpdateLane(small(counter_bits=bits)))
    counter, step = p.free(signed(bits), "counter"), p.free(bits, "step")
    negative = p.free(1, "negative")
    half, cell, wide = 1 << (bits - 1), 1 << (bits - 2), signed(bits + 3)
    moved = p.named(wide, Mux(negative, counter - step, counter + step), "moved")
    after = p.named(wide, Mux(moved >= half, half - 1, Mux(moved < -half, -half, moved)), "after")
    old = p.named(signed(3), trit_of(counter, bits), "old")
    new = p.named(signed(3), trit_of(after, bits), "new")
    # It lands three quarters up the quarter of the range that it came into, or one quarter.
    base = p.named(wide, Mux(after >= cell, cell, Mux(after >= 0, 0, Mux(
        after >= -cell, -cell, -half))), "base")
    reloaded = Mux(new > old, base + (3 * cell >> 2), base + (cell >> 2) - 1)
    p.m.d.comb += [Cat(dut.residual, dut.trit).eq(counter), dut.step.eq(step),
                   dut.negative.eq(negative)]
    p.check(dut.flip == (new != old),
            Cat(dut.new_residual, dut.new_trit).as_signed() == Mux(new != old, reloaded, after))


def step_lane(p: Property, module, bits: int, planes: int):
    """plan and lane: step = min(2^b - 1, x << g), or (x + ((draw ^ (position + n)) mod 2^-g)) >> -g
    and 0 for x = 0; for every x, g, draw and position
    """
    config = small(lanes=8, update_lanes=4, counter_bits=bits, input_planes=planes,
                   activation_bits=min(planes, 4), max_inputs=64, max_neurons=64, trit_depth=64,
                   residual_depth=256)
    plan, wide = p.unit(module.StepPlan(config), "plan"), planes + 16
    gain, draw = p.free(signed(5), "gain"), p.free(16, "draw")
    position = p.free(len(plan.position), "position")
    p.m.d.comb += [plan.gain.eq(gain), plan.draw.eq(draw), plan.position.eq(position)]
    p.assume(gain >= -15, gain <= bits - 2, position % config.update_lanes == 0)
    right = p.named(4, Mux(gain < 0, -gain, 0), "right")
    mask = p.named(16, (C(1, 16) << right) - 1, "mask")
    for n in range(config.update_lanes):
        lane, x = p.unit(module.StepLane(config), f"lane{n}"), p.free(planes, f"x{n}")
        p.m.d.comb += [lane.x.eq(x), lane.places.eq(plan.places), lane.low.eq(plan.low[n]),
                       lane.carry.eq(plan.carry[n])]
        dither = p.named(16, (draw ^ (position + n)) & mask, f"dither{n}")
        down = p.named(17, (x + dither) >> right, f"down{n}")
        want = p.named(wide, Mux(gain >= 0, x << gain.as_unsigned()[:4], Mux(x == 0, 0, down)),
                       f"want{n}")
        p.check(lane.step == Mux(want > (1 << bits) - 1, (1 << bits) - 1, want))


def debt_lane(p: Property, module):
    """with the update lane: a trit that would change while a debt is open is held one short of it;
    the rest is the debt less the change, mod 3
    """
    bits = 8
    config = small(counter_bits=bits, row_sums=True, conserve=True)
    lane, dut = p.unit(module.UpdateLane(config), "lane"), p.unit(module.DebtLane(config))
    counter, step = p.free(signed(bits), "counter"), p.free(bits, "step")
    negative, debt = p.free(1, "negative"), p.free(2, "debt")
    p.assume(debt != 3)
    p.m.d.comb += [Cat(lane.residual, lane.trit).eq(counter), lane.step.eq(step),
                   lane.negative.eq(negative), dut.debt.eq(debt), dut.flip.eq(lane.flip),
                   dut.negative.eq(negative), dut.trit.eq(lane.trit),
                   dut.new_trit.eq(lane.new_trit), dut.new_residual.eq(lane.new_residual)]
    change = p.named(4, (code_value(lane.new_trit) + 3 - code_value(lane.trit)) % 3, "change")
    rest = p.named(4, Mux(lane.flip, Mux(debt == 0, 0, (debt + 3 - change) % 3), debt), "rest")
    cell, old = 1 << (bits - 2), p.named(signed(3), trit_of(counter, bits), "old")
    held = p.named(signed(bits + 2), Mux(negative, (2 * old - 1) * cell, (2 * old + 1) * cell - 1),
                   "held")
    p.check(dut.rest == rest,
            Cat(dut.held_residual, dut.held_trit).as_signed() == Mux(
                lane.flip & (debt != 0), held, Cat(lane.new_residual, lane.new_trit).as_signed()))


def backward_lane(p: Property, module, skip: bool):
    """the error is the sign of the sum of trit times row error since `first`, with what it begins
    with for a skip; 0 where the gate bit is 0
    """
    config = small(skip=skip)
    dut = p.unit(module.BackwardLane(config))
    names = ["trit", "active", "first", "negative", "gate"] + ["begin"] * skip
    p.drive(dut, *names)
    total, rows = Signal(signed(16)), Signal(4)
    term = p.named(signed(3), Mux(dut.trit == 1, 1, Mux(dut.trit == 2, -1, 0)), "term")
    moved = p.named(signed(3), Mux(dut.negative, -term, term), "moved")
    begin = 0
    if skip:
        begin = dut.begin
        p.assume(begin <= 1 << MAX_SKIP, begin >= -1 << MAX_SKIP)
    with p.m.If(dut.active):
        p.m.d.sync += [total.eq(Mux(dut.first, begin, total) + moved),
                       rows.eq(Mux(dut.first, 1, rows + 1))]
        # As many rows as a layer may have.
        p.assume(dut.first | (rows < config.max_neurons))
    p.check(dut.error == Mux(dut.gate & (total != 0), Mux(total < 0, 3, 1), 0))
