"""The command processor: carries out the frames of the receiver and answers each."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...firmware.frames import READ_ONLY, Status, Type
from ...model.config import CoreConfig
from ..ports import LayerRecord, MemorySignature, RunState, StatisticsSignature, sample_word
from ..prng import Seeder
from .answers import (
    DATA_BYTE,
    HEAD_BYTES,
    HELLO_BYTES,
    STATUS_BYTES,
    AnswerSender,
    Hello,
    StatusReport,
)
from .program import InstructionCheck
from .stuffing import PACKET_BYTE
from .table import TableLoader
from .unpack import Unpacker
from .window import WindowCheck

__all__ = ["CommandProcessor"]

#: Payload bytes of each request, without those that may repeat.
FIXED_BYTES = {
    Type.HELLO: 4, Type.PROGRAM: 0, Type.TABLE: 0, Type.WRITE: 6, Type.READ: 6, Type.PRNG: 8,
    Type.SEED: 16, Type.RUN: 0, Type.DATA: 1, Type.STATUS: 1, Type.ABORT: 0,
}
#: Requests that have bytes which may repeat.
REPEATING = {Type.PROGRAM, Type.TABLE, Type.WRITE, Type.DATA}

#: Bits of `loaded`.
PROGRAM_LOADED, TABLE_LOADED, TRITS_LOADED, PRNG_LOADED = range(4)

#: Payload byte n is byte PAYLOAD + n of a frame.
PAYLOAD = 4


class CommandProcessor(wiring.Component):
    """Carries out requests as `model.device.GoldenDevice` does, one after the other.

    Reads a byte a cycle. An answer begins once the request is done with: DATA's when its last word
    has been taken, ABORT's when the program has stopped. If the program stops while DATA is under
    way, the rest of the samples is dropped.

    Members
    -------
    frames, offset, byte, release, pending : to a `Receiver`: its `o_frame`, `i_offset`, `o_byte`,
        `i_release` and `o_pending`.
    answers : packets.
    program_write, program_address, program_data : write port of the program.
    program_length : its instructions.
    table_write, table_index, table_record : write port of the layer table.
    layers : its rows.
    begin, abort : strobes: run the program from address 0; stop it.
    run : state of the program; `RUNNING` from the cycle after `begin`.
    waiting : the program waits for a sample that has not come.
    samples : words of samples.
    memory : access to T and R, only while the program does not run.
    prng_load, prng_state : strobe that sets the PRNG, and to what.
    prng : its state.
    statistics : for STATUS, all taken in the same cycle.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "frames": In(stream.Signature(data.StructLayout({
                "status": 4, "length": range(config.slot_bytes - 3)}))),
            "offset": Out(range(config.slot_bytes)),
            "byte": In(8),
            "release": Out(1),
            "pending": In(1),
            "answers": Out(stream.Signature(PACKET_BYTE)),
            "program_write": Out(1),
            "program_address": Out(range(config.program_depth)),
            "program_data": Out(32),
            "program_length": Out(range(config.program_depth + 1)),
            "table_write": Out(1),
            "table_index": Out(range(config.max_layers)),
            "table_record": Out(LayerRecord(config)),
            "layers": Out(range(config.max_layers + 1)),
            "begin": Out(1),
            "abort": Out(1),
            "run": In(RunState),
            "waiting": In(1),
            "samples": Out(stream.Signature(sample_word(config))),
            "memory": Out(MemorySignature(config)),
            "prng_load": Out(1),
            "prng_state": Out(64),
            "prng": In(64),
            "statistics": In(StatisticsSignature()),
        })
        self.table = TableLoader(config)
        self.unpacker = Unpacker(config)
        self.sender = AnswerSender(config)
        self.hello = Hello(config)
        self.report = StatusReport()
        self.check = InstructionCheck(config)
        self.window = WindowCheck(config)
        if config.seeder:
            self.seeder = Seeder()

        self.kind = Signal(Type)
        self.sequence = Signal(8)
        self.nak = Signal()
        self.status = Signal(Status)
        self.in_order = Signal()  # not a repeated request
        self.expected, self.nonce, self.named = Signal(8), Signal(32), Signal()
        self.loaded = Signal(4)

        # `byte` is byte `place` of the frame in hand.
        self.place, self.following = (Signal(range(config.slot_bytes + 1)) for _ in range(2))
        self.end = Signal(range(config.slot_bytes + 1))  # byte behind the payload
        self.take, self.rewind, self.swap = Signal(), Signal(), Signal()

        # Bytes that have been gathered, the last one on top.
        self.word_bytes = max(8, config.trit_word_bytes, config.residual_word_bytes)
        self.word = Signal(8 * self.word_bytes)
        self.gather, self.nonzero = Signal(), Signal()
        self.gathered = Signal(range(max(self.word_bytes, FIXED_BYTES[Type.SEED])))

        # Bytes that a request's count makes; the length of an answer's payload; in DATA the place
        # of either labels or samples, whichever `place` is not in.
        self.total = Signal(range(config.slot_bytes + 1))
        self.count = Signal(16)   # words or samples not counted yet
        self.address = Signal(16)
        self.second_pass = Signal()

    def elaborate(self, platform):
        m = Module()
        for name in "table", "unpacker", "sender", "hello", "report", "check", "window":
            m.submodules[name] = getattr(self, name)
        if self.config.seeder:
            m.submodules.seeder = self.seeder
        running = Signal()
        m.d.comb += running.eq(self.run == RunState.RUNNING)
        connect(m, self.sender.o, flipped(self.answers))
        self._connect_reader(m)
        self._connect_core(m, running)
        self._connect_answer(m)
        with m.FSM(name="state"):
            self._receive(m, running)
            self._decide(m)
            self._load_program(m)
            self._access_memory(m)
            self._feed_samples(m)
            self._wait(m, running)
            with m.State("ANSWER"):
                m.d.comb += [self.sender.enable.eq(1), self.release.eq(self.sender.done)]
                with m.If(self.sender.done):
                    m.next = "IDLE"
        return m

    # Parts outside the state machine ---------------------------------------------------------

    def _connect_reader(self, m):
        """Walks through the frame in hand and gathers its bytes."""
        place = Signal.like(self.place)
        m.d.comb += [
            self.following.eq(self.place + self.take),
            place.eq(Mux(self.rewind, PAYLOAD, Mux(self.swap, self.total, self.following))),
            self.offset.eq(place),
        ]
        m.d.sync += self.place.eq(place)
        with m.If(self.swap):
            m.d.sync += self.total.eq(self.following)
        with m.If(self.gather):
            m.d.comb += self.take.eq(1)
            m.d.sync += [
                self.gathered.eq(self.gathered + 1),
                self.nonzero.eq(self.nonzero | (self.byte != 0)),
                self.word.eq(Cat(self.word[8:], self.byte)),
            ]

    def _connect_core(self, m, running):
        table, unpacker, memory, check = self.table, self.unpacker, self.memory, self.check
        trits, residuals = (
            self.word[-8 * size:][:bits] for size, bits in (
                (self.config.trit_word_bytes, 2 * self.config.lanes),
                (self.config.residual_word_bytes,
                 self.config.update_lanes * self.config.residual_bits)))
        m.d.comb += [
            self.window.head.eq(self.word[-48:]),
            check.word.eq(self.word[-32:]),
            check.length.eq((self.end >> 2) - 1),
            self.program_address.eq(self.address),
            self.program_data.eq(check.word),
            table.rows.eq(self.end >> 3),
            table.byte.eq(self.byte),
            self.table_write.eq(table.write),
            self.table_index.eq(table.index),
            self.table_record.eq(table.record),
            self.layers.eq(table.layers),
            memory.address.eq(self.address),
            memory.write_data.eq(Mux(memory.space, residuals, trits)),
            self.prng_state.eq(self.word[-64:]),
            unpacker.inputs.eq(table.inputs),
            unpacker.planes.eq(table.planes),
            unpacker.label.eq(self.byte),
            unpacker.i.p.eq(self.byte),
            self.samples.p.eq(unpacker.o.p),
            self.samples.valid.eq(unpacker.o.valid & running),
            unpacker.o.ready.eq(self.samples.ready | ~running),
        ]
        if self.config.seeder:
            m.d.comb += self.seeder.i_word.eq(self.word[-64:])
            with m.If(self.seeder.o_done):
                m.d.comb += [self.prng_load.eq(1), self.prng_state.eq(self.seeder.o_state)]

    def _connect_answer(self, m):
        sender, report = self.sender, self.report

        # Words of READ: `gathered` counts the bytes that were sent, `settling` the cycles that the
        # memory takes.
        settling = Signal(2)
        m.d.sync += settling.eq(settling >> 1)
        m.d.comb += [
            sender.nak.eq(self.nak),
            sender.type.eq(self.kind),
            sender.sequence.eq(self.sequence),
            sender.status.eq(self.status),
            sender.expected.eq(self.expected),
            sender.nonce.eq(self.nonce),
            sender.length.eq(self.total),
            report.run.eq(self.run),
            report.loaded.eq(self.loaded),
            report.index.eq(sender.index),
            self.hello.index.eq(sender.index),
            report.behind.eq(self.word[:8]),
            report.next.eq(sender.counted),
            sender.data_valid.eq(settling == 0),
        ]
        for name in self.statistics.signature.members:
            m.d.comb += getattr(report.statistics, name).eq(getattr(self.statistics, name))
        with m.If(report.take):
            m.d.sync += self.word.eq(self.prng)
        with m.If(report.shift):
            m.d.sync += self.word.eq(self.word >> 8)
        with m.Switch(self.kind):
            with m.Case(Type.HELLO):
                m.d.comb += sender.data.eq(self.hello.byte)
            with m.Case(Type.STATUS):
                m.d.comb += sender.data.eq(report.byte)
            with m.Case(Type.READ):
                m.d.comb += sender.data.eq(self.memory.read_data.word_select(self.gathered, 8))
                with m.If(sender.counted & (sender.index >= DATA_BYTE)):
                    m.d.sync += self.gathered.eq(self.gathered + 1)
                    with m.If(self.gathered + 1 == self._memory_bytes(self.memory.space)):
                        m.d.sync += [
                            self.gathered.eq(0),
                            self.address.eq(self.address + 1),
                            settling.eq(0b11),
                        ]
        with m.If(sender.counted):
            m.d.sync += self.total.eq(self.total - 1)

    def _memory_bytes(self, space):
        return Mux(space, self.config.residual_word_bytes, self.config.trit_word_bytes)

    # Steps of the state machine --------------------------------------------------------------

    def _answer(self, m, status, length=HEAD_BYTES):
        m.d.sync += [
            self.status.eq(status),
            self.total.eq(length),
            self.gathered.eq(0),
        ]
        m.next = "ANSWER"

    def _succeed(self, m, length=HEAD_BYTES):
        self._answer(m, Status.OK, length)
        with m.If(self.in_order):
            m.d.sync += self.expected.eq(self.sequence + 1)

    def _receive(self, m, running):
        """Takes a frame, reads its header and makes the checks that all requests share."""
        with m.State("IDLE"):
            m.d.comb += self.frames.ready.eq(1)
            m.d.sync += [
                self.end.eq(self.frames.p.length + PAYLOAD),
                self.place.eq(0),
                self.gathered.eq(0),
                self.nonzero.eq(0),
                self.second_pass.eq(0),
                self.address.eq(0),
                self.nak.eq(0),
                self.sequence.eq(self.expected),
            ]
            with m.If(self.frames.valid):
                with m.If(self.frames.p.status != Status.OK):
                    m.d.sync += self.nak.eq(1)
                    self._answer(m, self.frames.p.status)
                with m.Else():
                    m.next = "FETCH"

        with m.State("FETCH"):
            m.next = "TYPE"

        with m.State("TYPE"):
            m.d.comb += self.take.eq(1)
            m.d.sync += self.kind.eq(self.byte)
            known = [kind for kind in Type if kind is not Type.SEED or self.config.seeder]
            with m.Switch(self.byte):
                with m.Case(*known):
                    m.d.sync += self.nak.eq(0)
                with m.Default():
                    m.d.sync += self.nak.eq(1)
            m.next = "SEQUENCE"

        with m.State("SEQUENCE"):
            m.d.sync += self.sequence.eq(self.byte)
            m.next = "ORDER"

        with m.State("ORDER"):
            m.d.comb += self.rewind.eq(1)
            ahead = Signal(8)
            hello, read_only, free = Signal(), Signal(), Signal()
            m.d.comb += [
                ahead.eq(self.sequence - self.expected),
                hello.eq(self.kind == Type.HELLO),
                read_only.eq(self.kind.matches(*READ_ONLY)),
                free.eq(self.kind.matches(Type.HELLO, Type.STATUS, Type.ABORT)),
            ]
            m.d.sync += self.in_order.eq(hello | (ahead == 0))
            with m.If(self.nak):
                self._answer(m, Status.TYPE)
            with m.Elif(~hello & ~self.named):
                self._answer(m, Status.NO_HELLO)
            with m.Elif(~hello & (ahead != 0) & ~ahead[7]):
                self._answer(m, Status.SEQUENCE)
            with m.Elif((ahead != 0) & ~read_only):
                self._answer(m, Status.OK)
            with m.Elif(~free & (running != (self.kind == Type.DATA))):
                self._answer(m, Status.STATE)
            with m.Else():
                m.next = "LENGTH"

        with m.State("LENGTH"):
            fixed, repeating = Signal(range(PAYLOAD + 17)), Signal()
            with m.Switch(self.kind):
                for kind, size in FIXED_BYTES.items():
                    with m.Case(kind):
                        m.d.comb += [fixed.eq(PAYLOAD + size), repeating.eq(kind in REPEATING)]
            m.d.sync += self.total.eq(fixed)
            with m.If((self.end < fixed) | (~repeating & (self.end != fixed))):
                self._answer(m, Status.LENGTH)
            with m.Elif(fixed == PAYLOAD):
                m.next = "DECIDE"
            with m.Else():
                m.next = "GATHER"

        with m.State("GATHER"):
            m.d.comb += self.gather.eq(1)
            if self.config.seeder:
                with m.If((self.kind == Type.SEED) & (self.gathered == 8)):
                    m.d.comb += self.seeder.i_seed.eq(1)
            with m.If(self.following == self.total):
                m.d.sync += self.gathered.eq(0)
                m.next = "DECIDE"

    def _decide(self, m):
        """`word` ends with the payload's fixed bytes, `place` and `total` are behind them."""
        window = self.window
        misaligned = Signal()  # for 4-byte instructions
        m.d.comb += misaligned.eq((self.end == PAYLOAD) | self.end[:2].any())
        with m.State("DECIDE"):
            m.d.sync += self.count.eq(window.count)
            with m.Switch(self.kind):
                with m.Case(Type.HELLO):
                    with m.If(self.nonzero):
                        m.d.sync += [self.nonce.eq(self.word[-32:]), self.named.eq(1)]
                        self._succeed(m, HEAD_BYTES + HELLO_BYTES)
                    with m.Else():
                        self._answer(m, Status.RANGE)
                with m.Case(Type.PROGRAM):
                    with m.If(misaligned):
                        self._answer(m, Status.LENGTH)
                    with m.Elif((self.end >> 2) > self.config.program_depth + 1):
                        self._answer(m, Status.RANGE)
                    with m.Else():
                        m.next = "INSTRUCTION"
                with m.Case(Type.TABLE):
                    with m.If(misaligned | ~self.end[2]):
                        self._answer(m, Status.LENGTH)
                    with m.Else():
                        m.d.comb += [self.table.start.eq(1), self.rewind.eq(1)]
                        m.next = "TABLE"
                with m.Case(Type.WRITE):
                    m.d.sync += self.memory.space.eq(window.space)
                    m.next = "MEASURE"
                with m.Case(Type.READ):
                    # The answer's length is found by the same count from its head on.
                    m.d.sync += [self.memory.space.eq(window.space), self.total.eq(HEAD_BYTES)]
                    m.next = "LIMIT"
                with m.Case(Type.PRNG):
                    with m.If(self.nonzero):
                        m.d.comb += self.prng_load.eq(1)
                        m.d.sync += self.loaded[PRNG_LOADED].eq(1)
                        self._succeed(m)
                    with m.Else():
                        self._answer(m, Status.RANGE)
                if self.config.seeder:
                    with m.Case(Type.SEED):
                        m.d.comb += self.seeder.i_index.eq(1)
                        m.next = "SEED"
                with m.Case(Type.RUN):
                    with m.If(self.loaded.all()):
                        m.d.comb += self.begin.eq(1)
                        self._succeed(m)
                    with m.Else():
                        self._answer(m, Status.STATE)
                with m.Case(Type.DATA):
                    m.d.sync += self.count.eq(window.count[8:])
                    m.next = "MEASURE"
                with m.Case(Type.STATUS):
                    with m.If(self.word[-7:].any()):
                        self._answer(m, Status.RANGE)
                    with m.Else():
                        m.next = "STATUS"
                with m.Case(Type.ABORT):
                    m.d.comb += self.abort.eq(1)
                    m.next = "ABORT"

    def _load_program(self, m):
        with m.State("INSTRUCTION"):
            m.d.comb += self.gather.eq(1)
            with m.If(self.gathered == 3):
                m.d.sync += self.gathered.eq(0)
                m.next = "CHECK"

        with m.State("CHECK"):
            m.d.comb += self.program_write.eq(self.second_pass)
            m.d.sync += self.address.eq(self.address + 1)
            m.next = "INSTRUCTION"
            with m.If(~self.check.valid):
                self._answer(m, Status.RANGE)
            with m.Elif(self.place == self.end):
                m.d.comb += self.rewind.eq(1)
                m.d.sync += [self.second_pass.eq(1), self.address.eq(0)]
                with m.If(self.second_pass):
                    m.d.sync += [
                        self.program_length.eq(self.check.length),
                        self.loaded[PROGRAM_LOADED].eq(1),
                    ]
                    self._succeed(m)

    def _access_memory(self, m):
        """Counts what WRITE, READ and DATA hold, then goes through the words of memory."""
        memory, window = self.memory, self.window

        def enter():
            m.d.sync += [memory.bank.eq(window.bank), self.address.eq(window.address)]

        with m.State("LIMIT"):
            with m.If(window.within & window.fits):
                enter()
                m.next = "MEASURE"
            with m.Else():
                self._answer(m, Status.RANGE)

        with m.State("MEASURE"):
            samples = self.kind == Type.DATA
            item = Mux(samples, self.table.sample_bytes + 1, self._memory_bytes(memory.space))
            total = self.total + item
            with m.If(self.count != 0):
                m.d.sync += [self.count.eq(self.count - 1), self.total.eq(total)]
                with m.If((self.kind != Type.READ) & (total > self.end)):
                    self._answer(m, Status.LENGTH)
            with m.Elif(self.kind == Type.READ):
                self._succeed(m, self.total)
            with m.Elif(self.total != self.end):
                self._answer(m, Status.LENGTH)
            with m.Elif(samples):
                m.d.sync += self.count.eq(window.count[8:])
                m.next = "LABELS"
                with m.If(window.count[8:] == 0):
                    self._answer(m, Status.RANGE)
            with m.Elif(window.within):
                enter()
                m.next = "WORD"
            with m.Else():
                self._answer(m, Status.RANGE)

        with m.State("WORD"):
            m.d.comb += self.gather.eq(1)
            with m.If(self.gathered + 1 == self._memory_bytes(memory.space)):
                m.d.sync += self.gathered.eq(0)
                m.next = "WRITE"

        with m.State("WRITE"):
            m.d.comb += memory.write.eq(1)
            m.d.sync += self.address.eq(self.address + 1)
            m.next = "WORD"
            with m.If(self.place == self.end):
                with m.If(~memory.space):
                    m.d.sync += self.loaded[TRITS_LOADED].eq(1)
                self._succeed(m)

    def _feed_samples(self, m):
        """`place` is in the labels or in the samples; `swap` goes to the other."""
        unpacker = self.unpacker
        with m.State("LABELS"):
            m.d.comb += self.take.eq(1)
            m.d.sync += self.count.eq(self.count - 1)
            with m.If(self.byte >= self.table.classes):
                self._answer(m, Status.RANGE)
            with m.Elif(self.count == 1):
                m.d.comb += self.rewind.eq(1)
                m.d.sync += self.total.eq(self.following)
                m.next = "COUNT"

        with m.State("COUNT"):  # before the first label
            m.d.comb += self.take.eq(1)
            m.next = "LABEL"

        with m.State("LABEL"):
            m.d.comb += [self.take.eq(1), self.swap.eq(1), unpacker.start.eq(1)]
            m.next = "SAMPLE"

        with m.State("SAMPLE"):
            m.d.comb += [unpacker.i.valid.eq(1), self.take.eq(unpacker.i.ready)]
            with m.If(unpacker.o.valid & unpacker.o.ready & unpacker.o.p.last):
                with m.If(self.place == self.end):
                    self._succeed(m)
                with m.Else():
                    m.d.comb += self.swap.eq(1)
                    m.next = "LABEL"

    def _wait(self, m, running):
        with m.State("TABLE"):
            m.d.comb += [self.take.eq(self.table.take), self.rewind.eq(self.table.rewind)]
            with m.If(self.table.done):
                with m.If(self.table.fault):
                    self._answer(m, Status.RANGE)
                with m.Else():
                    m.d.sync += self.loaded[TABLE_LOADED].eq(1)
                    self._succeed(m)

        if self.config.seeder:
            with m.State("SEED"):
                with m.If(self.seeder.o_done):
                    m.d.sync += self.loaded[PRNG_LOADED].eq(1)
                    self._succeed(m)

        with m.State("STATUS"):
            with m.If(~self.word[-8] | ~running | self.waiting | self.pending):
                m.d.comb += self.report.take.eq(1)
                self._succeed(m, HEAD_BYTES + STATUS_BYTES)

        with m.State("ABORT"):
            with m.If(~running):
                self._succeed(m)
