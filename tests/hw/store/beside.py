"""A controller and the model of its memory in one simulation."""

import contextlib

from tests.hw.link.harness import simulate
from tritgrad.sim.memories import MemoryViolation


def simulate_beside(dut, model, bench, pins, limit):
    """Run a testbench of `ctx` while `pins` of `ctx` joins both; no rule of the model is broken."""
    async def serving(ctx):
        # A testbench that an exception ends leaves others unfinished, which warn: told at the end.
        with contextlib.suppress(MemoryViolation):
            await pins(ctx)

    try:
        simulate(dut, bench, background=[serving], limit=limit)
    finally:
        try:
            model.check()
        finally:
            model.close()
