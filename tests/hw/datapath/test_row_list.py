"""The row list while it is read: its reader meets each row once a pass, in order."""

import random

import pytest
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from tritgrad.hw.datapath.row_list import RowLister
from tritgrad.hw.datapath.sample_buffer import ListReader
from tritgrad.hw.memory.stores import ErrorStore
from tritgrad.model.config import CoreConfig

from ..link.harness import simulate
from ..lockstep import to_int


class Rows(wiring.Component):
    """Error store, row list and its reader, as in the engine."""

    def __init__(self, config):
        self.errors, self.lister = ErrorStore(config), RowLister(config)
        self.reader = ListReader(config.max_neurons)
        super().__init__({"entry": Out(self.lister.layout)})

    def elaborate(self, platform):
        m = Module()
        errors, lister, reader = self.errors, self.lister, self.reader
        for name in "errors", "lister", "reader":
            m.submodules[name] = getattr(self, name)
        m.d.comb += [
            errors.address.eq(lister.error_address), lister.error_word.eq(errors.word),
            reader.count.eq(lister.count), reader.final.eq(lister.final),
            lister.address.eq(reader.address), lister.enable.eq(reader.enable),
            reader.start.eq(lister.start), self.entry.eq(lister.entry),
        ]
        return m


@pytest.mark.parametrize("seed, lanes, update_lanes, banks, resident", [
    (0, 4, 2, 3, 0), (1, 6, 6, 2, 0), (2, 5, 1, 7, 0), (3, 12, 3, 1, 0), (4, 4, 2, 3, 1)])
def test_a_reader_beside_the_scan(seed, lanes, update_lanes, banks, resident):
    """Where samples are resident, all rows are listed if `every` is set."""
    rng = random.Random(seed)
    config = CoreConfig(lanes=lanes, update_lanes=update_lanes, banks=banks, max_neurons=40,
                        max_inputs=64, hidden_depth=50, resident=resident)
    dut = Rows(config)

    async def testbench(ctx):
        for _ in range(15):
            outputs, words, base = rng.randint(1, 40), rng.randint(1, 5), rng.randrange(4)
            trit_base, residual_base = rng.randrange(50), rng.randrange(99)
            density, speed = rng.choice([0, 0.2, 1]), rng.choice([0.2, 0.7, 1])
            errors = [rng.choice([1, -1]) if rng.random() < density else 0 for _ in range(outputs)]
            padded = errors + [0] * (-outputs % update_lanes)
            ctx.set(dut.errors.write, 1)
            for n in range(0, len(padded), update_lanes):
                ctx.set(dut.errors.write_address, base * config.steps + n // update_lanes)
                ctx.set(dut.errors.write_data,
                        to_int([error & 3 for error in padded[n:n + update_lanes]], 2))
                await ctx.tick()
            ctx.set(dut.errors.write, 0)
            ctx.set(dut.lister.record, {
                "outputs": outputs, "words": words, "output_base": base, "trit_base": trit_base,
                "residual_base": residual_base})
            every = resident and rng.random() < 0.5
            if resident:
                ctx.set(dut.lister.every, every)
            ctx.set(dut.lister.start, 1)
            await ctx.tick()
            ctx.set(dut.lister.start, 0)
            want = [(int(error < 0), j % banks, trit_base + j // banks * words,
                     residual_base + j * words * config.steps if banks > 1 else None)
                    for j, error in enumerate(errors) if error or every]
            for _ in range(3):
                found, over = [], False
                while not over:
                    ctx.set(dut.reader.take, 0)
                    valid, ended = ctx.get(dut.reader.valid), ctx.get(dut.reader.ended)
                    if (valid or ended) and rng.random() < speed:
                        if valid:
                            entry = ctx.get(dut.entry)
                            found.append((
                                entry.negative, entry.bank, entry.trit,
                                entry.residual if banks > 1 else None))
                        over = bool(ctx.get(dut.reader.last) or ended)
                        ctx.set(dut.reader.take, 1)
                    await ctx.tick()
                ctx.set(dut.reader.take, 0)
                assert found == want

    simulate(dut, testbench)
