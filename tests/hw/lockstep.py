"""Runs an engine in Amaranth's simulator beside the reference machine, step by step."""

from operator import attrgetter

import numpy as np
from amaranth.hdl import Value
from amaranth.sim import Simulator

from tritgrad.firmware.isa import Op
from tritgrad.hw.control.statistics import COUNTERS
from tritgrad.hw.engine import Engine
from tritgrad.hw.parts.pipeline import write_delay
from tritgrad.hw.parts.ports import LayerRecord, RunState
from tritgrad.model.config import ceil_div
from tritgrad.model.front import convolution_of
from tritgrad.model.layout import pack_counters
from tritgrad.model.machine import Machine
from tritgrad.model.records import Piece
from tritgrad.model.scales.chip import size_exponent
from tritgrad.units.registry import windows

from . import unit_state


def to_int(values, bits) -> int:
    """Lanes, lowest first, as one number."""
    return sum(int(value) << (bits * n) for n, value in enumerate(values))


def record_of(config, layer, placed):
    size = {"size": size_exponent(layer.inputs)} if config.scales else {}
    return LayerRecord(config).const({
        **size,
        "words": placed.words, "outputs": layer.outputs, "trit_base": placed.trit_base,
        "residual_base": placed.residual_base, "input_base": placed.input_base,
        "output_base": placed.output_base, "shift": layer.shift, "gain": layer.gain,
        **({"rest": layer.inputs % config.lanes} if config.resident else {}),
        **({"group_base": placed.group_base} if config.support else {}),
        **({"skip": layer.skip} if config.skip else {})})


def front_record(config, front):
    """Of a layer in front of the first."""
    conv = convolution_of(config, front)
    rows, columns = conv.windows
    return LayerRecord(config).const({
        "shift": conv.shift, "gain": conv.gain, "window_rows": rows, "window_columns": columns,
        "kernel_groups": conv.kernels // config.conv_at_once})


def sample_words(config, layer, sample):
    """Payloads of `sample_word` for a sample."""
    words = ceil_div(layer.inputs, config.lanes)
    x = np.zeros(words * config.lanes, np.int64)
    x[:layer.inputs] = sample.x
    for w, lanes in enumerate(x.reshape(words, -1)):
        planes = to_int([to_int((lanes >> p) & 1, 1) for p in range(config.input_planes)],
                        config.lanes)
        yield {"planes": planes, "label": sample.label, "last": w == words - 1}


async def statistics(ctx, report) -> dict[str, int]:
    """All counters, read as the command processor does."""
    ctx.set(report.take, 1)
    ready = False
    while not ready:
        *_, ready = await ctx.tick().sample(report.ready)
    ctx.set(report.take, 0)
    values = {}
    for name, places in COUNTERS.items():
        found = bytearray()
        for byte in places:
            ctx.set(report.place, byte)
            await ctx.tick()
            found.append(ctx.get(report.byte))
        values[name] = int.from_bytes(found, "little")
    return values


class Lockstep:
    """Loads both, runs both, and compares all architectural state after each instruction."""

    def __init__(self, config, layers, program, counters, samples, prng=1, front=None):
        self.config, self.layers, self.program = config, layers, program
        self.rows = [*([] if front is None else [front]), *layers]  # of the table
        self.samples = samples
        self.machine = Machine(config)
        self.machine.program = program
        self.machine.load_table(self.rows)
        codes, residuals = pack_counters(config, layers, counters)
        self.machine.codes[:, :codes.shape[1]] = codes
        self.machine.residuals[:len(residuals)] = residuals
        self.machine.prng.state = prng
        unit_state.fill(self.machine, prng)
        self.executed = 0
        self.told = bytearray()  # bytes of the trace unit
        self.records = 0
        self.idle = lambda: 0    # cycles before each of them is taken
        self.pause = lambda: 0   # cycles before each word of a sample is offered
        self.held = 0            # cycles in which the update unit had to wait for that
        self.cycles = 0          # of a free run
        self.fed = False  # all samples have gone into the engine

    def run(self, vcd=None, limit=400, step=True):
        """With `step` compare after each instruction, else only after a free run."""
        self.build()
        sim = Simulator(self.engine)
        sim.add_clock(1e-6)

        async def drive(ctx):
            await self.load(ctx)
            if step:
                await self._step(ctx, limit)
            else:
                await self.run_freely(ctx)

        sim.add_testbench(drive)
        sim.add_testbench(self.feed, background=True)
        if self.config.trace:
            sim.add_testbench(self.listen, background=True)
        if vcd:
            with sim.write_vcd(vcd):
                sim.run()
        else:
            sim.run()

    def build(self):
        """Make the engine."""
        self.engine = Engine(self.config)

    async def feed(self, ctx):
        stream = self.engine.samples
        while not ctx.get(self.engine.begin):
            await ctx.tick()
        await ctx.tick()
        for sample in self.samples:
            for word in sample_words(self.config, self.rows[0], sample):
                if pause := self.pause():
                    ctx.set(stream.valid, 0)
                    for _ in range(pause):
                        await ctx.tick()
                ctx.set(stream.payload, word)
                ctx.set(stream.valid, 1)
                ready = False
                while not ready:  # `until` would warn if the program ended before its samples
                    *_, ready = await ctx.tick().sample(stream.ready)
        ctx.set(stream.valid, 0)
        self.fed = True

    async def listen(self, ctx):
        stream = self.engine.sockets.units["trace"].o
        while True:
            for _ in range(self.idle()):
                await ctx.tick()
            ctx.set(stream.ready, 1)
            *_, item, valid = await ctx.tick().sample(stream.payload, stream.valid)
            self.held += ctx.get(self.engine.sockets.units["trace"].dispatch.stall)
            ctx.set(stream.ready, 0)
            if valid:
                self.told.append(item.data)
                self.records += item.last

    async def load(self, ctx):
        engine, machine = self.engine, self.machine
        for bank, memory in enumerate(engine.trits.memories):
            for n, word in enumerate(machine.codes[bank]):
                ctx.set(memory.data[n], to_int(word, 2))
        for n, word in enumerate(machine.residuals):
            ctx.set(engine.residuals.row(n), to_int(word, self.config.residual_bits))
        for _, rows, words in self._windows():
            for row, word in zip(rows, words, strict=True):
                ctx.set(row, word)
        for n, word in enumerate(self.program):
            ctx.set(engine.sequencer.program.data[n], word)
        records = [record_of(self.config, layer, placed)
                   for layer, placed in zip(self.layers, machine.places, strict=True)]
        if machine.front is not None:
            records.insert(0, front_record(self.config, machine.front))
        for n, record in enumerate(records):
            ctx.set(engine.sequencer.table.data[n], record)
        ctx.set(engine.program_length, len(self.program))
        ctx.set(engine.layers, len(self.layers))
        ctx.set(engine.hold, 1)
        ctx.set(engine.prng_load, 1)
        ctx.set(engine.prng_state, machine.prng.state)
        await ctx.tick()
        ctx.set(engine.prng_load, 0)
        ctx.set(engine.begin, 1)
        await ctx.tick()
        ctx.set(engine.begin, 0)
        machine.start()
        machine.inbox.extend(self.samples)
        for tell in machine.asks["written"]:
            tell()
        self._compare(ctx, "RUN")

    def _windows(self):
        """Space, the engine's rows and the machine's words of each memory of the units."""
        config = self.config
        for space, window in windows(config).items():
            depth, size = window.depth(config), window.word_bytes(config)
            data = self.machine.read(space, 0, depth)
            unit, = (name for name, record in self.engine.sockets.records.items()
                     if window in record.windows)
            memory = attrgetter(window.memory)(self.engine.sockets.units[unit])
            yield space, [Value.cast(memory.data[n]) for n in range(depth)], [
                int.from_bytes(data[n:n + size], "little") for n in range(0, len(data), size)]

    async def run_freely(self, ctx):
        engine, machine = self.engine, self.machine
        machine.advance()
        ctx.set(engine.hold, 0)
        cycles = 0
        while ctx.get(engine.run) == RunState.RUNNING:
            if self.fed and ctx.get(engine.waiting):
                break
            await ctx.tick()
            cycles += 1
            assert cycles < 100_000, "the program does not end"
        self.cycles = cycles
        await self._settle(ctx)
        self._compare(ctx, "a free run")
        if self.config.trace:
            await self._compare_records(ctx, "a free run")
        await self._compare_statistics(ctx, "a free run")

    async def _step(self, ctx, limit):
        engine, machine = self.engine, self.machine
        while machine.run.name == "RUNNING" and self.executed < limit:
            word = self.program[machine.registers.pc]
            name = f"instruction {self.executed} ({Op(word >> 24).name} {word & 0xffffff})"
            if word >> 24 == Op.RECV:
                if not machine.inbox:
                    return
                while not ctx.get(engine.inputs.filled):
                    await ctx.tick()
            machine.step()
            ctx.set(engine.hold, 0)
            await ctx.tick()
            ctx.set(engine.hold, 1)
            await ctx.tick()  # the next instruction's row of the table is looked up
            cycles = 0
            while not ctx.get(engine.sequencer.quiet):
                await ctx.tick()
                cycles += 1
                assert cycles < 5000, f"{name} does not end"
            if self.config.trace:
                await self._compare_records(ctx, name)
            if word >> 24 == Op.SCRUB:
                await ctx.tick()  # a fault stops the program once all is quiet
            if word >> 24 == Op.PROBE:
                await ctx.tick()  # the table's port is free again
            self.executed += 1
            await self._settle(ctx)
            self._compare(ctx, name)
            if word >> 24 in (Op.ERR, Op.UPD, Op.LOSS, Op.STEP):
                await self._compare_statistics(ctx, name)

    async def _settle(self, ctx):
        """What was written last is there: in a pipelined core's banks, and in the signature."""
        for _ in range(write_delay(self.config) + self.config.signature):
            await ctx.tick()

    async def _compare_statistics(self, ctx, name):
        found = await statistics(ctx, self.engine.statistics)
        for field in "samples", "correct", "updates", "flips":
            value = getattr(self.machine.statistics, field)
            assert found[field] == value, f"{field} after {name}: RTL {found[field]}, model {value}"

    async def _compare_records(self, ctx, name):
        while not ctx.get(self.engine.sockets.units["trace"].settled):
            await ctx.tick()
        await ctx.tick()  # `listen` has taken the last byte
        pieces = [item.data for item in self.machine.outbox if isinstance(item, Piece)]
        expected = b"".join(pieces) + self.machine.parts["trace"].tracer.rest
        assert self.told == expected, f"bytes of the trace unit after {name}"
        assert self.records == self.machine.parts["trace"].tracer.records, f"records after {name}"

    def _compare(self, ctx, name):
        engine, machine = self.engine, self.machine
        r, config = machine.registers, self.config
        expected = {
            "run": (engine.run, machine.run), "pc": (engine.sequencer.pc, r.pc),
            "counter": (engine.sequencer.counter, r.counter), "flag": (engine.error.flag, r.flag),
            "target": (engine.scan.target, r.target),
            "prediction": (engine.scan.prediction, r.scan.prediction),
            "rival": (engine.scan.rival, r.scan.rival), "gap": (engine.scan.gap, r.scan.gap),
            "label": (engine.inputs.label, r.label),
            "prng": (engine.prng, machine.prng.state),
        }
        for field, (signal, value) in expected.items():
            value = getattr(value, "value", value)
            found = ctx.get(signal)
            found = getattr(found, "value", found)
            assert found == value, f"{field} after {name}: RTL {found}, model {value}"

        def memory(data, words, bits, what):
            for n, word in enumerate(words):
                found, value = ctx.get(data[n]), to_int(word, bits)
                assert found == value, f"{what}[{n}] after {name}: RTL {found:x}, model {value:x}"

        for bank, store in enumerate(engine.trits.memories):
            memory(store.data, machine.codes[bank], 2, f"T bank {bank}")
        memory([engine.residuals.row(n) for n in range(config.residual_depth)], machine.residuals,
               config.residual_bits, "R")
        for space, rows, words in self._windows():
            for n, (row, word) in enumerate(zip(rows, words, strict=True)):
                found = ctx.get(row)
                assert found == word, (f"{space.name}[{n}] after {name}: RTL {found:x}, "
                                       f"model {word:x}")
        unit_state.compare(ctx, engine, machine, name)
        memory(engine.errors.memory.data, machine.errors & 3, 2, "errors")
        first = machine.places[0].input_base if machine.front is None else machine.places[0].words
        memory([engine.activation.gate_memory.data[n] for n in range(first, config.hidden_depth)],
               machine.gates[first:], 1, "gates")
        scores = [ctx.get(engine.scan.memory.data[k]) for k in range(config.max_classes)]
        assert scores == machine.scores.tolist(), f"scores after {name}"
        self._compare_words(ctx, name)

    def _compare_words(self, ctx, name):
        """Activations: the compact lists, expanded."""
        engine, machine, config = self.engine, self.machine, self.config

        def expand(data, first, places, words, planes):
            x = np.zeros(words * config.lanes, np.int64)
            for n in places:
                entry = ctx.get(data[first + n])
                for p in range(planes):
                    plane = int(entry.planes) >> (p * config.lanes)
                    assert bool(plane & ((1 << config.lanes) - 1)) == bool(int(entry.mask) >> p & 1)
                    for lane in range(config.lanes):
                        x[int(entry.index) * config.lanes + lane] += (plane >> lane & 1) << p
            return x.tolist()

        def places(signal):
            value = ctx.get(signal)
            return [n for n in range(len(signal)) if value >> n & 1] if config.support else (
                range(value))

        words, inputs = config.max_input_words, engine.inputs
        hand = ctx.get(inputs.hand) << max(0, (words - 1).bit_length())
        found = expand(getattr(inputs, "features", inputs).memory.data, hand,
                       places(engine.inputs.active if config.support else engine.inputs.count),
                       words, config.input_planes)
        assert found == machine.inputs.tolist(), f"inputs after {name}"
        for number, placed in enumerate(machine.places[1:], 2):
            listed = engine.activation.active if config.support else engine.activation.counts
            found = expand(engine.activation.memory.data, placed.input_base,
                           places(listed[number]), placed.words, config.activation_bits)
            first = placed.input_base * config.lanes
            want = machine.hidden[first:first + placed.words * config.lanes].tolist()
            assert found == want, f"inputs of layer {number} after {name}"


class Inferring(Lockstep):
    """Of a core without R and update unit: only its scores are compared."""

    async def load(self, ctx):
        kept, self.machine.residuals = self.machine.residuals, self.machine.residuals[:0]
        await super().load(ctx)
        self.machine.residuals = kept

    def _compare(self, ctx, name):
        found = [ctx.get(self.engine.scan.memory.data[k]) for k in range(self.config.max_classes)]
        assert found == self.machine.scores.tolist(), f"scores after {name}"
