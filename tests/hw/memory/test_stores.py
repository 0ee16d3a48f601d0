"""Memories T and R, the error store and the row list."""

import random

import pytest
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from tritgrad.hw.datapath.row_list import RowLister
from tritgrad.hw.memory.stores import ErrorStore, ResidualStore, TritStore
from tritgrad.hw.parts.pipeline import read_delay, words_delay, write_delay
from tritgrad.model.config import CoreConfig

from ..link.harness import simulate


@pytest.mark.parametrize("lanes, banks", [(4, 3), (5, 1), (16, 4)])
def test_trits_by_bank(lanes, banks):
    rng = random.Random(lanes)
    dut = TritStore(CoreConfig(lanes=lanes, banks=banks, update_lanes=lanes, trit_depth=16))
    words = [[rng.getrandbits(2 * lanes) for _ in range(16)] for _ in range(banks)]

    async def testbench(ctx):
        for bank in range(banks):
            for address in range(16):
                for name, value in (("write", 1), ("write_bank", bank), ("write_address", address),
                                    ("write_data", words[bank][address])):
                    ctx.set(getattr(dut, name), value)
                await ctx.tick()
        ctx.set(dut.write, 0)
        for _ in range(40):
            bank, address = rng.randrange(banks), rng.randrange(16)
            ctx.set(dut.bank, bank)
            ctx.set(dut.address, address)
            await ctx.tick()
            assert [ctx.get(dut.words[n]) for n in range(banks)] == [w[address] for w in words]
            await ctx.tick()
            assert ctx.get(dut.word) == words[bank][address]

    simulate(dut, testbench)


def test_a_write_spares_the_other_banks():
    dut = TritStore(CoreConfig(lanes=3, update_lanes=1, banks=3, trit_depth=8))

    async def testbench(ctx):
        ctx.set(dut.address, 5)
        ctx.set(dut.write_address, 5)
        ctx.set(dut.write, 1)
        words = [0, 0, 0]
        for bank, value in ((0, 9), (2, 33), (0, 17), (1, 63), (2, 1)):
            ctx.set(dut.write_bank, bank)
            ctx.set(dut.write_data, value)
            await ctx.tick()
            others = [n for n in range(3) if n != bank]
            assert [ctx.get(dut.words[n]) for n in others] == [words[n] for n in others]
            words[bank] = value
        ctx.set(dut.write, 0)
        await ctx.tick()
        assert [ctx.get(dut.words[n]) for n in range(3)] == words

    simulate(dut, testbench)


@pytest.mark.parametrize("banks, depth", [(1, 100), (4, 2048), (5, 2049), (10, 5000)])
def test_pipelined_words_are_handed_on(banks, depth):
    rng = random.Random(depth)
    config = CoreConfig(lanes=4, update_lanes=2, banks=banks, trit_depth=8, residual_depth=depth,
                        pipelined=True)
    trits, residuals = TritStore(config), ResidualStore(config)
    both = Module()
    both.submodules += [trits, residuals]
    places = sorted({0, depth - 1, *range(0, depth, 2048), *range(2047, depth, 2048)})
    words = {(bank, n): rng.getrandbits(8) for bank in range(banks) for n in range(8)}
    rest = {n: rng.getrandbits(2 * config.residual_bits) for n in places}

    async def testbench(ctx):
        ctx.set(trits.write, 1)
        for (bank, n), value in words.items():
            ctx.set(trits.write_bank, bank)
            ctx.set(trits.write_address, n)
            ctx.set(trits.write_data, value)
            await ctx.tick()
        ctx.set(trits.write, 0)
        ctx.set(residuals.write, 1)
        for n, value in rest.items():
            ctx.set(residuals.write_address, n)
            ctx.set(residuals.write_data, value)
            await ctx.tick()
        ctx.set(residuals.write, 0)
        await ctx.tick().repeat(write_delay(config))
        assert [ctx.get(residuals.row(n)) for n in places] == list(rest.values())
        asked, late = [], read_delay(config)
        for _ in range(200):
            (bank, n), place = rng.choice(list(words)), rng.choice(places)
            ctx.set(trits.bank, bank)
            ctx.set(trits.address, n)
            ctx.set(residuals.address, place)
            asked.append((words[bank, n], rest[place], n))
            await ctx.tick()
            if len(asked) > 1 + late:
                assert ctx.get(trits.word) == asked[-2 - late][0]
                assert ctx.get(residuals.word) == asked[-1 - late][1]
                for bank in range(banks):
                    address = asked[-1 - words_delay(config, bank)][2]
                    assert ctx.get(trits.words[bank]) == words[bank, address]

    simulate(both, testbench)


@pytest.mark.parametrize("banks", [1, 3])
def test_a_single_port_reads_or_writes(banks):
    rng = random.Random(banks)
    config = CoreConfig(lanes=4, update_lanes=2, banks=banks, trit_depth=8, residual_depth=8,
                        single_port=True)
    trits, residuals = TritStore(config), ResidualStore(config)
    both = Module()
    both.submodules += [trits, residuals]
    written = [[0] * 8 for _ in range(banks)]
    rest = [0] * 8

    async def testbench(ctx):
        for _ in range(300):
            address, to, bank = rng.randrange(8), rng.randrange(8), rng.randrange(banks)
            values = rng.getrandbits(8), rng.getrandbits(2 * config.residual_bits)
            write = rng.random() < 0.5
            for store, value in zip((trits, residuals), values, strict=True):
                ctx.set(store.address, address)  # type: ignore[attr-defined]
                ctx.set(store.write, write)  # type: ignore[attr-defined]
                ctx.set(store.write_address, to)  # type: ignore[attr-defined]
                ctx.set(store.write_data, value)  # type: ignore[attr-defined]
            ctx.set(trits.write_bank, bank)
            await ctx.tick()
            if write:
                written[bank][to], rest[to] = values
            else:
                assert [ctx.get(trits.words[n]) for n in range(banks)] == [
                    bank[address] for bank in written]
                assert ctx.get(residuals.word) == rest[address]

    simulate(both, testbench)


class Lister(wiring.Component):
    """A row list on its error store."""

    def __init__(self, config):
        super().__init__({"count": Out(8)})
        self.errors, self.rows = ErrorStore(config), RowLister(config)

    def elaborate(self, platform):
        m = Module()
        m.submodules.errors = self.errors
        m.submodules.rows = self.rows
        m.d.comb += [self.errors.address.eq(self.rows.error_address),
                     self.rows.error_word.eq(self.errors.word), self.count.eq(self.rows.count)]
        return m


@pytest.mark.parametrize("lanes, update_lanes, banks", [(4, 2, 3), (6, 6, 2), (3, 1, 1), (8, 4, 5)])
def test_rows_with_an_error_and_where_they_live(lanes, update_lanes, banks):
    rng = random.Random(lanes)
    config = CoreConfig(lanes=lanes, update_lanes=update_lanes, banks=banks, max_neurons=40,
                        max_inputs=64, hidden_depth=16)
    dut = Lister(config)

    async def testbench(ctx):
        for _ in range(12):
            outputs, words, base = rng.randint(1, 40), rng.randint(1, 8), rng.randrange(4)
            trit_base, residual_base = rng.randrange(50), rng.randrange(99)
            errors = [rng.choice([0, 0, 1, -1]) for _ in range(outputs)]
            padded = errors + [0] * (-outputs % update_lanes)
            for n in range(0, len(padded), update_lanes):
                word = sum((error & 3) << 2 * k
                           for k, error in enumerate(padded[n:n + update_lanes]))
                ctx.set(dut.errors.memory.data[base * config.steps + n // update_lanes], word)
            ctx.set(dut.rows.record, {
                "outputs": outputs, "words": words, "output_base": base, "trit_base": trit_base,
                "residual_base": residual_base})
            ctx.set(dut.rows.start, 1)
            await ctx.tick()
            ctx.set(dut.rows.start, 0)
            cycles = 0
            while not ctx.get(dut.rows.final):
                await ctx.tick()
                cycles += 1
            assert cycles == outputs + 2
            want = [(int(error < 0), j % banks, trit_base + j // banks * words,
                     residual_base + j * words * config.steps if banks > 1 else None)
                    for j, error in enumerate(errors) if error]
            found = []
            for n in range(ctx.get(dut.rows.count)):
                entry = ctx.get(dut.rows.memory.data[n])
                found.append((entry.negative, entry.bank, entry.trit,
                              entry.residual if banks > 1 else None))
            assert found == want

    simulate(dut, testbench)
