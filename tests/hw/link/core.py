"""The link's units joined, and a core in Python that is just enough to serve them."""


from amaranth import *
from amaranth.lib.wiring import connect

from tritgrad.firmware.frames import Frame, FrameDecoder, Run
from tritgrad.firmware.isa import Op, decode
from tritgrad.hw.control.statistics import COUNTERS
from tritgrad.hw.link.commands import CommandProcessor
from tritgrad.hw.link.receiver import Receiver
from tritgrad.hw.link.transmitter import Transmitter
from tritgrad.hw.parts.ports import memory_word_bits

from .harness import get, put, simulate, stalls, wait
from .memory import Memory


def statistics_at(cycle: int) -> dict[str, int]:
    """Values that differ in every byte from one cycle to the next."""
    return {name: (cycle + 1) * (0x9E3779B97F4A7C15 + 2 * n) % (1 << 8 * len(places))
            for n, (name, places) in enumerate(COUNTERS.items())}


def statistics_bytes(cycle: int) -> bytes:
    """The same, at their places."""
    found = bytearray(64)
    for name, value in statistics_at(cycle).items():
        places = COUNTERS[name]
        found[places.start:places.stop] = value.to_bytes(len(places), "little")
    return bytes(found)


class Link(Elaboratable):
    """Receiver, command processor and transmitter."""

    def __init__(self, config):
        self.receiver = Receiver(config.slot_bytes)
        self.commands = CommandProcessor(config)
        self.transmitter = Transmitter()

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = self.receiver
        m.submodules.commands = commands = self.commands
        m.submodules.transmitter = self.transmitter
        connect(m, receiver.o_frame, commands.frames)
        connect(m, commands.answers, self.transmitter.i)
        m.d.comb += [
            receiver.i_offset.eq(commands.offset),
            commands.byte.eq(receiver.o_byte),
            receiver.i_release.eq(commands.release),
            commands.pending.eq(receiver.o_pending),
        ]
        return m


class Core:
    """Memories, layer table, run state. Executes HALT, COUNT, LOOP, RECV, SKIP; FWD may only fault.

    Attributes
    ----------
    taken
        The words of samples since RUN.
    pause
        Cycles that an instruction takes.
    memory
        The one beside the core, if there is one.
    """

    memory: Memory

    def __init__(self, config, dut, pause=lambda: 0):
        self.config, self.dut, self.pause = config, dut, pause
        self.trits = [[0] * config.trit_depth for _ in range(config.banks)]
        self.residuals = [0] * config.residual_depth
        self.program = [0] * config.program_depth
        self.length = 0
        self.records = {}
        self.prng = 1
        self.run = Run.IDLE
        self.taken = []
        self.filled = self.waiting = False
        self.cycle = 0
        self.aborts = 0

    async def process(self, ctx):
        dut, memory, statistics = self.dut, self.dut.memory, self.dut.statistics
        read = [0, 0]
        wait = 0
        picture, pictured = bytes(64), False
        while True:
            last = self.cycle % 16 == 0
            ctx.set(statistics.taken, last and not pictured and ctx.get(statistics.take))
            ctx.set(statistics.ready, last and pictured)
            if last:
                pictured = ctx.get(statistics.taken)
            ctx.set(dut.run, self.run)
            ctx.set(dut.waiting, self.waiting and not self.filled and self.run is Run.RUNNING)
            ctx.set(dut.samples.ready, not self.filled)
            ctx.set(dut.prng, self.prng)
            ctx.set(memory.read_data, read[0])
            if ctx.get(statistics.taken):
                picture = statistics_bytes(self.cycle)
            place = ctx.get(statistics.place)
            now = await ctx.tick().sample(
                memory.space, memory.bank, memory.address, memory.write, memory.write_data,
                dut.samples.valid, dut.samples.ready, dut.samples.p, dut.begin, dut.abort,
                dut.prng_load, dut.prng_state, dut.program_write, dut.program_address,
                dut.program_data, dut.table_write, dut.table_index, dut.table_record)
            (space, bank, address, write, data, valid, ready, word, begin, abort, prng_load,
             prng_state, program_write, program_address, program_data, table_write, table_index,
             table_record) = now[2:]
            self.cycle += 1
            ctx.set(statistics.byte, picture[place])
            words = self.residuals if space else self.trits[bank % self.config.banks]
            read = [read[1], words[address % len(words)]]
            if write:
                assert self.run is not Run.RUNNING
                size = self.config.residual_word_bytes if space else self.config.trit_word_bytes
                data >>= len(memory.write_data) - 8 * size
                if space:
                    bits = self.config.update_lanes * self.config.residual_bits
                    self.residuals[address] = data % (1 << bits)
                else:
                    self.trits[bank][address] = data % (1 << 2 * self.config.lanes)
            if prng_load:
                self.prng = prng_state
            if program_write:
                self.program[program_address] = program_data
            if table_write:
                self.records[table_index] = table_record
            if valid and ready:
                assert self.run is Run.RUNNING
                self.taken.append({name: int(getattr(word, name))
                                   for name in ("planes", "label", "last")})
                self.filled = bool(word.last)
            if self.run is Run.RUNNING:
                if abort:
                    self.aborts += 1
                    self.run = Run.ABORTED
                elif wait:
                    wait -= 1
                else:
                    wait = self.pause()
                    self._step(ctx)
            if begin:
                assert self.run is not Run.RUNNING
                self.run, self.pc, self.counter = Run.RUNNING, 0, 0
                self.taken, self.filled, self.waiting = [], False, False

    def _step(self, ctx):
        length = ctx.get(self.dut.program_length)
        op, operand = decode(self.program[self.pc]) if self.pc < length else (Op.HALT, 0)
        following = self.pc + 1
        if op == Op.HALT:
            self.run = Run.HALTED
        elif op == Op.COUNT:
            self.counter = operand
        elif op == Op.LOOP:
            self.counter = (self.counter - 1) % (1 << 24)
            following = operand if self.counter else following
        elif op == Op.RECV:
            self.waiting = not self.filled
            if self.waiting:
                return
            self.filled = False
        elif op == Op.SKIP:
            following = operand
        elif op == Op.FWD and operand > ctx.get(self.dut.layers):
            self.run = Run.FAULT
        self.pc = following

    @property
    def settled(self):
        return self.run is not Run.RUNNING or (self.waiting and not self.filled)


def talk(config, steps, rng, pause=lambda: 0, most=0, after=None, cells=(), limit=400_000):
    """Send wire bytes, step by step; the answers of each step and the core.

    Parameters
    ----------
    steps
        Wire bytes and how many answers to wait for before the next step, or None for no wait.
    after
        Called with the core, the simulator's context and the number of each step waited for.
    cells
        What the memory beside the core holds.
    """
    dut = Link(config)
    core = Core(config, dut.commands, pause)
    decoder = FrameDecoder()
    answers: list[Frame] = []
    idle = stalls(rng, most)
    background = []
    if config.store:
        core.memory = Memory(config, dut.commands, idle)
        core.memory.store.cells[:] = cells
        background.append(core.memory.process)

    async def send(ctx):
        for number, (wire, count) in enumerate(steps):
            for byte in wire:
                await put(ctx, dut.receiver.i, byte, idle())
            if count is not None:
                while len(answers) < count or not core.settled:
                    await ctx.tick()
                if after is not None:
                    after(core, ctx, number)
        await wait(ctx, 400)

    async def receive(ctx):
        while True:
            answers.extend(decoder.feed(bytes([await get(ctx, dut.transmitter.o, idle())])))

    simulate(dut, send, background=(receive, core.process, *background), limit=limit)
    return answers, core


def bits_of(config, words, bits):
    """Memory words of the model as those of the core."""
    assert bits * words.shape[-1] <= memory_word_bits(config)
    return [sum(int(value) << (bits * n) for n, value in enumerate(word)) for word in words]


