"""The board's light in each of its states."""

import itertools

import pytest
from amaranth.sim import Simulator

from tritgrad.boards.light import Light

BITS = 8


def shown(cycles, busy=lambda n: 0, fault=0):
    """The light in each cycle, with what goes on in it."""
    light, seen = Light(200.0), []
    assert light.bits == BITS

    async def bench(ctx):
        ctx.set(light.fault, fault)
        for n in range(cycles):
            ctx.set(light.busy, busy(n))
            await ctx.tick()
            seen.append(ctx.get(light.led))

    simulator = Simulator(light)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen


def runs(seen):
    return [(value, len(list(group))) for value, group in itertools.groupby(seen)]


def test_idle_it_beats_twice_and_is_dark_for_the_rest():
    seen = shown(3 * 2**BITS)
    assert runs(seen[2**BITS:2 * 2**BITS]) == [(1, 16), (0, 16), (1, 16), (0, 208)]
    assert seen[2**BITS:2 * 2**BITS] == seen[2 * 2**BITS:]


@pytest.mark.parametrize("every", [1, 5, 16])
def test_it_flickers_with_traffic_however_little_each_time(every):
    seen = shown(4 * 2**BITS, busy=lambda n: n % every == 0)[2**BITS:]
    assert set(runs(seen)[1:-1]) == {(0, 8), (1, 8)}


def test_it_beats_again_soon_after_the_traffic():
    seen = shown(3 * 2**BITS, busy=lambda n: n < 100)
    assert seen[2**BITS:] == shown(3 * 2**BITS)[2**BITS:]


def test_a_fault_blinks_evenly_and_traffic_does_not_hide_it():
    for busy in (0, 1):
        seen = shown(3 * 2**BITS, busy=lambda n, busy=busy: busy, fault=1)
        assert set(runs(seen[64:-64])[1:-1]) == {(0, 64), (1, 64)}
