"""The update unit's stages between addresses and writes: memories answer, counters move."""

from amaranth import *

from ...units.registry import takes
from ..parts.arith import select, times
from ..parts.pipeline import delayed, read_delay
from .update_lanes import BackwardLane, DebtLane, StepLane, StepPlan, UpdateLane

__all__ = ["answer", "move"]


def answer(m, unit, gain, flow):
    """Stage 1: the memories answer; the step of each of U inputs."""
    config = unit.config
    lanes = config.update_lanes
    plan = _plan(m, unit, gain, flow.words, flow.steps)
    residuals_2 = Signal.like(unit.residual_word)
    m.d.sync += residuals_2.eq(unit.residual_word)
    m.d.comb += unit.residual_read.eq(residuals_2)
    steps_2 = [Signal(config.counter_bits, name=f"step{n}_2") for n in range(lanes)]
    plane_words = [
        select(flow.planes_1[p * config.lanes:(p + 1) * config.lanes], flow.step_1, lanes)
        for p in range(config.word_bits)]
    for n in range(lanes):
        m.submodules[f"step{n}"] = lane = StepLane(config)
        m.d.comb += [
            lane.x.eq(Cat(plane[n] for plane in plane_words)),
            lane.places.eq(plan["places"]),
            lane.low.eq(plan["low"][n * config.word_bits:][:config.word_bits]),
            lane.carry.eq(plan["carry"][n]),
        ]
        m.d.sync += steps_2[n].eq(lane.step)
    flow.residuals_2, flow.steps_2 = residuals_2, steps_2
    flow.down_2 = flow.negative_2.replicate(lanes)
    if takes(config, "along"):
        _step_along(m, unit, flow)
    if takes(config, "still"):
        with m.If(flow.still_1):
            m.d.sync += [step.eq(0) for step in steps_2]
    if unit.follows:
        meets = Cat(Cat(plane[n] for plane in plane_words).any() for n in range(lanes))
        voting = flow.issue_1 & ~flow.backward & ~flow.along
        m.d.sync += unit.changes.meets.eq(meets & voting.replicate(lanes))


def _step_along(m, unit, flow):
    """The steps of a unit's own, in place of those that follow from inputs and errors."""
    source, lanes = unit.along, unit.config.update_lanes
    (down_1,) = flow.stages(unit.row.negative, "down", 1)
    nonzero_1, negative_1 = (
        select(delayed(m, value, flow.late, name)[-1], flow.step_1, lanes)
        for value, name in ((source.nonzero, "nonzero"), (source.negative, "lanes_down")))
    lane_down_2 = Signal(lanes)
    with m.If(source.along):
        m.d.sync += [signal.eq(Mux(nonzero_1[n], source.magnitude, 0))
                     for n, signal in enumerate(flow.steps_2)]
        m.d.sync += lane_down_2.eq(negative_1)
    with m.Else():
        m.d.sync += lane_down_2.eq(down_1.replicate(lanes))
    flow.down_2 = lane_down_2


def move(m, unit, flow):
    """Stage 2: counters move, the backward pass sums."""
    config = unit.config
    lanes, bits = config.update_lanes, config.residual_bits
    trits_2, flips = Signal(2 * lanes), Signal(lanes)
    saturated = Signal(lanes)
    new_trits, new_residuals = Signal(2 * lanes), Signal.like(unit.residual_word)
    errors = Signal(2 * lanes)
    m.d.comb += trits_2.eq(select(unit.trit_word, flow.step_2, 2 * lanes))
    debt_2 = Signal(2)  # a bit for 1, a bit for 2
    debt = debt_2
    for n in range(lanes):
        trit, residual = slice(2 * n, 2 * n + 2), slice(bits * n, bits * (n + 1))
        m.submodules[f"update{n}"] = lane = UpdateLane(config)
        m.d.comb += [
            lane.trit.eq(trits_2[trit]),
            lane.residual.eq(flow.residuals_2[residual]),
            lane.step.eq(flow.steps_2[n]),
            lane.negative.eq(flow.down_2[n]),
            new_trits[trit].eq(lane.new_trit),
            new_residuals[residual].eq(lane.new_residual),
            flips[n].eq(lane.flip & ~debt.any()),
        ]
        if unit.pays:
            m.submodules[f"debt{n}"] = payer = DebtLane(config)
            m.d.comb += [
                payer.debt.eq(debt),
                payer.flip.eq(lane.flip),
                payer.negative.eq(flow.down_2[n]),
                payer.trit.eq(trits_2[trit]),
                payer.new_trit.eq(lane.new_trit),
                payer.new_residual.eq(lane.new_residual),
                new_trits[trit].eq(payer.held_trit),
                new_residuals[residual].eq(payer.held_residual),
            ]
            debt = payer.rest
        if unit.follows:
            m.d.comb += saturated[n].eq(lane.saturated)
        m.submodules[f"backward{n}"] = sum_lane = BackwardLane(config)
        m.d.comb += [
            sum_lane.trit.eq(Mux(flow.row_2, trits_2[trit], 0)),
            sum_lane.active.eq(flow.issue_2 & flow.backward),
            sum_lane.first.eq(flow.first_2),
            sum_lane.negative.eq(flow.negative_2),
            sum_lane.gate.eq(select(flow.gates_3, flow.step_3, lanes)[n]),
            errors[trit].eq(sum_lane.error),
        ]
        if takes(config, "begins"):
            m.d.comb += sum_lane.begin.eq(unit.begins.begin[n])
    flow.trits_2, flow.new_trits, flow.new_residuals = trits_2, new_trits, new_residuals
    flow.flips, flow.saturated, flow.errors = flips, saturated, errors
    flow.debt_2, flow.debt_left = debt_2, debt


def _plan(m, unit, gain, words, steps):
    """What stage 1 needs of the step plan; in a pipelined core from a register."""
    config = unit.config
    m.submodules.plan = plan = StepPlan(config)
    at = read_delay(config) + 1 - config.pipelined
    m.d.comb += [
        plan.gain.eq(gain),
        plan.draw.eq(delayed(m, unit.dither, at - 1, "dither")[-1]),
        plan.position.eq(
            times(times(words[at], config.steps) + steps[at], config.update_lanes)),
    ]
    return {name: delayed(m, getattr(plan, name), int(config.pipelined), f"plan_{name}",
                          reset_less=True)[-1] for name in ("places", "low", "carry")}
