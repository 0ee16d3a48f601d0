"""The watchdog alone, and in a core that cannot get rid of its answer."""

import struct

import pytest

from tritgrad.errors import ConfigError
from tritgrad.firmware.frames import Frame, FrameDecoder, Status, Type
from tritgrad.hw.core import Core
from tritgrad.model.config import CoreConfig
from tritgrad.units.watchdog.rtl import Watchdog

from ...hw.link.harness import get, put, simulate, wait

SMALL = {"lanes": 2, "banks": 1, "update_lanes": 1, "max_layers": 1, "max_inputs": 8,
         "max_neurons": 4, "max_classes": 4, "trit_depth": 16, "residual_depth": 32,
         "hidden_depth": 2, "program_depth": 8, "slot_bytes": 64}


def test_it_bites_once_after_all_its_cycles_without_progress():
    dut = Watchdog(CoreConfig(watchdog=4))
    bites = []

    async def testbench(ctx):
        async def cycles(number, owing, progress=0):
            ctx.set(dut.guard.owing, owing)
            ctx.set(dut.guard.progress, progress)
            for _ in range(number):
                bites.append(ctx.get(dut.guard.bite))
                await ctx.tick()

        await cycles(40, owing=0)
        await cycles(14, owing=1)
        await cycles(1, owing=1, progress=1)
        await cycles(14, owing=1)
        await cycles(1, owing=0)
        await cycles(14, owing=1)
        await cycles(1, owing=1, progress=1)
        assert not any(bites)
        await cycles(16, owing=1)

    simulate(dut, testbench)
    assert bites.index(1) == len(bites) - 1 and sum(bites) == 1


@pytest.mark.parametrize("watchdog", [0, 9])
def test_a_core_that_owes_an_answer_for_long_forgets_its_session(watchdog):
    dut = Core(CoreConfig(**SMALL, watchdog=watchdog))
    answers = []

    async def testbench(ctx):
        decoder = FrameDecoder()

        async def send(frame):
            for byte in frame.encode():
                await put(ctx, dut.i, byte)

        async def answer():
            found = []
            while not found:
                found = list(decoder.feed(bytes([await get(ctx, dut.o)])))
            answers.extend(found)

        await send(Frame(Type.HELLO, 0, struct.pack("<I", 7)))
        await answer()
        await wait(ctx, 700)  # idle, and nothing owed
        await send(Frame(Type.STATUS, 1, b"\0"))
        await wait(ctx, 700)
        await send(Frame(Type.STATUS, 2, b"\0"))
        await answer()

    simulate(dut, testbench)
    assert answers[0].payload[0] == Status.OK
    wanted = Status.NO_HELLO if watchdog else Status.OK
    assert answers[-1].payload[0] == wanted


@pytest.mark.parametrize("bits", [-1, 32])
def test_a_number_of_bits_that_no_counter_has_is_refused(bits):
    with pytest.raises(ConfigError, match="watchdog"):
        CoreConfig(watchdog=bits)
