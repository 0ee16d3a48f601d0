"""A program stopped inside CONV, and a core that is reset inside KERNELS, leave no trace."""

import random

import pytest
from amaranth import ResetInserter, Signal

from tritgrad.firmware.frames import Run
from tritgrad.hw.engine import Engine
from tritgrad.hw.parts.ports import RunState

from ...hw.lockstep import Lockstep, sample_words
from .harness import random_sizes
from .test_rtl import FORMS, learning, lockstep_of, random_core


class Twice(Lockstep):
    """Begins a program, is interrupted, and begins again, with all samples.

    Until `reached` says so the first one goes on, and for `longer` cycles more at most.
    """

    longer = 0

    def build(self):
        self.reset = Signal()
        self.engine = ResetInserter(self.reset)(Engine(self.config))
        self.conv = self.engine.sockets.units["conv"]
        self.dispatched = 0

    async def feed(self, ctx):
        stream, left = self.engine.samples, iter(())
        pause, word = 0, None
        while True:
            ctx.set(stream.valid, word is not None and pause == 0)
            *_, begin, taken, reset = await ctx.tick().sample(
                self.engine.begin, stream.valid & stream.ready, self.reset)
            pause = max(0, pause - 1)
            if begin:
                left = iter([word for sample in self.samples for word in sample_words(
                    self.config, self.rows[0], sample)])
            if begin or taken:
                word, pause = next(left, None), self.pause()
            if reset:
                left, word = iter(()), None
            if word is not None:
                ctx.set(stream.payload, word)

    async def until(self, ctx, reached, longer):
        """Count instructions until that, and for some cycles longer while it is so."""
        left = longer
        for _ in range(20_000):
            done = ctx.get(reached)
            if done and not left:
                return
            left -= done
            *_, dispatched = await ctx.tick().sample(self.engine.sequencer.dispatched)
            self.dispatched += dispatched
            if left < longer and not ctx.get(reached):
                return
        raise AssertionError("that is never reached")

    async def again(self, ctx):
        """Begin once more, with all samples, and compare after the program's end."""
        ctx.set(self.engine.begin, 1)
        await ctx.tick()
        ctx.set(self.engine.begin, 0)
        self.machine.inbox.clear()
        self.machine.start()
        self.machine.inbox.extend(self.samples)
        await self.ended(ctx)

    async def ended(self, ctx):
        self.machine.advance()
        assert self.machine.run is Run.HALTED
        for _ in range(100_000):
            if ctx.get(self.engine.run) != RunState.RUNNING:
                break
            await ctx.tick()
        await self._settle(ctx)
        self._compare(ctx, "the second run")
        await self._compare_statistics(ctx, "the second run")


class Aborted(Twice):
    """ABORT comes while features are made, of the image in hand or of the next one."""

    async def run_freely(self, ctx):
        engine, machine = self.engine, self.machine
        ctx.set(engine.hold, 0)
        await self.until(ctx, self.engine.inputs.features.busy, self.longer)
        ctx.set(engine.abort, 1)
        *_, dispatched = await ctx.tick().sample(engine.sequencer.dispatched)
        ctx.set(engine.abort, 0)
        self.dispatched += dispatched
        while ctx.get(engine.run) == RunState.RUNNING:
            *_, dispatched = await ctx.tick().sample(engine.sequencer.dispatched)
            self.dispatched += dispatched
        for _ in range(self.dispatched):
            assert machine.step()
        machine.run = Run.ABORTED
        await self._settle(ctx)
        self._compare(ctx, "ABORT")
        await self.again(ctx)


class Reset(Twice):
    """A reset comes while kernels learn; then all is loaded as it was."""

    async def run_freely(self, ctx):
        ctx.set(self.engine.hold, 0)
        await self.until(ctx, self.conv.steps.busy & ~self.conv.steps.rebuilding, self.longer)
        ctx.set(self.reset, 1)
        await ctx.tick()
        ctx.set(self.reset, 0)
        self.machine.inbox.clear()
        await self.load(ctx)
        ctx.set(self.engine.hold, 0)
        await self.ended(ctx)

    def _compare(self, ctx, name):
        if name != "RUN":  # errors and scores are then as they were when the reset came
            super()._compare(ctx, name)


def interrupted(rng, kind, **forms):
    kernel, pool = rng.randint(2, 3), rng.randint(1, 2)
    sizes = random_sizes(rng, kernel=kernel, pool=pool, rows=kernel + pool + rng.randrange(2),
                         columns=kernel + pool + rng.randrange(3), kernels=6,
                         channels=rng.randint(1, 2))
    config, front, layers = random_core(rng, sizes, **forms)
    run = lockstep_of(rng, config, front, layers, learning(len(layers), 3), 3, kind)
    assert isinstance(run, Twice)
    gap = rng.choice([0, 0, 200])
    run.pause = lambda: rng.randrange(gap) if gap and rng.random() < 0.1 else 0
    run.longer = rng.choice([0, rng.randrange(40), rng.randrange(1000)])
    run.run(step=False)


@pytest.mark.parametrize("kind", [Aborted, Reset])
@pytest.mark.parametrize("case", range(2))
def test_the_run_after_it_is_as_the_golden_model_s(kind, case, fresh_seed):
    interrupted(random.Random(f"{fresh_seed} {case}"), kind, **FORMS[2 * case])
