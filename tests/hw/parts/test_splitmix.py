"""SplitMix64 and its trits in hardware: the published words, and the model's for other states."""

import random

import pytest
from amaranth.sim import Simulator

from tritgrad.hw.parts.splitmix import SplitMix64
from tritgrad.model.discrete import splitmix

#: First words of four seeds; those of 0 are in the generator's reference code.
WORDS = {
    0: [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F],
    1: [0x910A2DEC89025CC1, 0xBEEB8DA1658EEC67, 0xF893A2EEFB32555E],
    42: [0xBDD732262FEB6E95, 0x28EFE333B266F103, 0x47526757130F9F52],
    1069: [0x97629500787D9C76, 0xB30FB97B4961612F, 0x400598BC483056FD],
}


def draws(state, count):
    """Words and trits of the unit, which is given its own following state."""
    unit = SplitMix64()
    sim = Simulator(unit)
    sim.add_clock(1e-6)
    found = []

    async def bench(ctx):
        following = state
        for _ in range(count):
            ctx.set(unit.i_state, following)
            ctx.set(unit.i_next, 1)
            await ctx.delay(1e-9)
            following = ctx.get(unit.o_state)
            await ctx.tick()
            ctx.set(unit.i_next, 0)
            ctx.set(unit.i_state, 0)
            cycles = 1
            while not ctx.get(unit.o_done):
                assert cycles < unit.LATENCY
                await ctx.tick()
                cycles += 1
            assert cycles == unit.LATENCY
            found.append((ctx.get(unit.o_word), ctx.get(unit.o_trit)))
    sim.add_testbench(bench)
    sim.run()
    return found


@pytest.mark.parametrize("seed", WORDS)
def test_words_and_trits_of_the_published_seeds(seed):
    trits = splitmix.SplitMixTernary(seed).next_trits(3).tolist()
    assert draws(seed, 3) == list(zip(WORDS[seed], trits, strict=True))


def test_an_output_of_zero_stays_zero():
    assert draws(-splitmix.GOLDEN & splitmix.MASK, 1) == [(0, -1)]


@pytest.mark.parametrize("seed", range(3))
def test_other_states(seed):
    state = random.Random(seed).getrandbits(64)
    model = splitmix.SplitMixTernary(state)
    expected = [(model.at(n), model.at(n) % 3 - 1) for n in range(2)]
    assert draws(state, 2) == expected
