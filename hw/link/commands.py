"""The command processor: carries out the frames of the receiver and answers each."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...firmware.frames import READ_ONLY, Space, Status, Type
from ...model.config import CoreConfig
from ...units.registry import status_tail
from ..parts.arith import exceeds
from ..parts.pipeline import read_delay
from ..parts.ports import (
    PACKET_BYTE,
    LayerRecord,
    MemorySignature,
    RunState,
    StatisticsSignature,
    sample_word,
)
from ..parts.prng import Seeder
from .answers import (
    DATA_BYTE,
    HEAD_BYTES,
    HELLO_BYTES,
    AnswerSender,
    Hello,
    StatusReport,
    status_bytes,
)
from .program import ProgramLoader
from .reader import PAYLOAD, FrameReader
from .samples import SampleFeeder
from .table import TableLoader
from .window import MemoryWindow

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


class CommandProcessor(wiring.Component):
    """Carries out requests as `model.golden_device.GoldenDevice` does, one after the other.

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
    more : what STATUS tells of units, where they tell more.
    statistics : for STATUS.
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
            **({"more": In(8 * status_tail(config))} if status_tail(config) else {}),
            "statistics": Out(StatisticsSignature()),
        })
        self.reader = FrameReader(config)
        self.program = ProgramLoader(config)
        self.table = TableLoader(config)
        self.feeder = SampleFeeder(config)
        self.window = MemoryWindow(config)
        self.sender = AnswerSender(config)
        self.hello = Hello(config)
        self.report = StatusReport(config)
        if config.seeder:
            self.seeder = Seeder()

        self.kind = Signal(Type)
        self.sequence = Signal(8)
        self.nak = Signal()
        self.status = Signal(Status)
        self.in_order = Signal()  # not a repeated request
        self.expected, self.named = Signal(8), Signal()
        self.loaded = Signal(4)

        # Bytes that a request's count makes, then the length of its answer's payload.
        self.total = Signal(range(config.slot_bytes + 1))
        self.set_total, self.preset = Signal(), Signal.like(self.total)
        self.add_item, self.sum = Signal(), Signal(1 + max(
            len(self.total), len(self.table.item_bytes)))
        # Words or samples that `total` does not have yet.
        self.count = Signal(range(max(config.slot_bytes, 256)))

        self.running = Signal()

    def elaborate(self, platform):
        m = Module()
        for name in ("reader", "program", "table", "feeder", "window", "sender", "hello",
                     "report"):
            m.submodules[name] = getattr(self, name)
        if self.config.seeder:
            m.submodules.seeder = self.seeder
        m.d.comb += self.running.eq(self.run == RunState.RUNNING)
        self._connect_loaders(m)
        self._connect_answer(m)
        self._count(m)
        with m.FSM():
            self._receive(m)
            self._judge(m)
            self._decide(m)
            self._measure(m)
            self._wait(m)
            with m.State("ANSWER"):
                m.d.comb += [
                    self.sender.enable.eq(1),
                    self.reader.gather.eq(self.report.in_prng & self.sender.counted),
                    self.release.eq(self.sender.done),
                ]
                with m.If(self.sender.done):
                    m.next = "IDLE"
        return m

    def _connect_loaders(self, m):
        reader, program, table, feeder = self.reader, self.program, self.table, self.feeder
        m.d.comb += [
            self.offset.eq(reader.offset),
            reader.byte.eq(self.byte),
            program.word.eq(reader.word[-32:]),
            program.count.eq((reader.end >> 2) - 1),
            self.program_write.eq(program.write),
            self.program_address.eq(program.address),
            self.program_data.eq(program.data),
            self.program_length.eq(program.length),
            table.byte.eq(self.byte),
            table.rows.eq(reader.end >> 3),
            self.table_write.eq(table.write),
            self.table_index.eq(table.index),
            self.table_record.eq(table.record),
            self.layers.eq(table.layers),
            feeder.byte.eq(self.byte),
            feeder.count.eq(reader.word[-8:]),
            feeder.classes.eq(table.classes),
            feeder.inputs.eq(table.inputs),
            feeder.planes.eq(table.planes),
            feeder.at_end.eq(reader.at_end),
            feeder.drop.eq(~self.running),
            self.prng_state.eq(reader.word[-64:]),
        ]
        connect(m, feeder.o, flipped(self.samples))
        m.d.comb += self.window.word.eq(reader.word[-len(self.window.word):])
        connect(m, self.window.memory, flipped(self.memory))
        if self.config.seeder:
            m.d.comb += self.seeder.i_word.eq(reader.word[-64:])
            with m.If(self.seeder.o_done):
                m.d.comb += [self.prng_load.eq(1), self.prng_state.eq(self.seeder.o_state)]

    def _connect_answer(self, m):
        reader, sender, hello, report = self.reader, self.sender, self.hello, self.report
        statistics, window = self.statistics, self.window
        reading = Signal()  # a byte of READ's words is sent
        # T and R take three cycles to read, or more; the statistics one.
        settling = Signal(3 + read_delay(self.config))
        run = Signal(RunState)
        m.d.comb += [
            sender.nak.eq(self.nak),
            sender.type.eq(self.kind),
            sender.sequence.eq(self.sequence),
            sender.status.eq(self.status),
            sender.expected.eq(self.expected),
            sender.nonce.eq(reader.word[-32:]),
            sender.length.eq(self.total),
            sender.data_valid.eq(settling == 0),
            hello.index.eq(sender.index),
            report.run.eq(run),
            report.loaded.eq(self.loaded),
            report.statistics.eq(statistics.byte),
            report.prng.eq(reader.word[:8]),
            report.index.eq(sender.index),
            *([report.more.eq(self.more)] if status_tail(self.config) else []),
            statistics.place.eq(sender.index),
            reader.load.eq(statistics.taken),
            reader.value.eq(self.prng),
            reading.eq((self.kind == Type.READ) & sender.counted & (sender.index >= DATA_BYTE)),
        ]
        with m.If(statistics.taken):
            m.d.sync += run.eq(self.run)
        connect(m, sender.o, flipped(self.answers))
        with m.Switch(self.kind):
            with m.Case(Type.HELLO):
                m.d.comb += sender.data.eq(hello.byte)
            with m.Case(Type.STATUS):
                m.d.comb += sender.data.eq(report.byte)
            with m.Default():
                m.d.comb += sender.data.eq(self.window.byte)
        with m.If(sender.counted):
            m.d.sync += settling.eq(~0)
        with m.Else():
            m.d.sync += settling.eq(settling >> 1)
        with m.If(reading):
            m.d.comb += [window.next_byte.eq(1), window.next_word.eq(window.word_ends)]

    def _count(self, m):
        """`total`: an item more, a byte of the answer less, or a new value."""
        item = Mux(self.kind == Type.DATA, self.table.item_bytes, self.window.word_bytes)
        m.d.comb += self.sum.eq(self.total + Mux(self.add_item, item, ~C(0, len(self.sum))))
        with m.If(self.set_total):
            m.d.sync += self.total.eq(self.preset)
        with m.Elif(self.add_item | self.sender.counted):
            m.d.sync += self.total.eq(self.sum)

    # Steps of the state machine --------------------------------------------------------------

    def _preset(self, m, total):
        m.d.comb += [self.set_total.eq(1), self.preset.eq(total)]

    def _answer(self, m, status, length=HEAD_BYTES):
        self._preset(m, length)
        m.d.sync += self.status.eq(status)
        m.next = "ANSWER"

    def _succeed(self, m, length=HEAD_BYTES):
        self._answer(m, Status.OK, length)
        with m.If(self.in_order):
            m.d.sync += self.expected.eq(self.sequence + 1)

    def _receive(self, m):
        """Takes a frame and reads its header."""
        with m.State("IDLE"):
            m.d.comb += [self.frames.ready.eq(1), self.reader.restart.eq(1)]
            m.d.sync += [
                self.reader.end.eq(self.frames.p.length + PAYLOAD),
                self.nak.eq(self.frames.p.status != Status.OK),
                self.sequence.eq(self.expected),
            ]
            with m.If(self.frames.valid):
                m.next = "FETCH"
                with m.If(self.frames.p.status != Status.OK):
                    self._answer(m, self.frames.p.status)

        with m.State("FETCH"):
            m.next = "TYPE"

        with m.State("TYPE"):
            m.d.comb += self.reader.take.eq(1)
            m.d.sync += [self.kind.eq(self.byte), self.nak.eq(1)]
            with m.Switch(self.byte):
                with m.Case(*(kind for kind in Type
                              if kind is not Type.SEED or self.config.seeder)):
                    m.d.sync += self.nak.eq(0)
            m.next = "SEQUENCE"

        with m.State("SEQUENCE"):
            m.d.sync += self.sequence.eq(self.byte)
            m.next = "SESSION"

    def _judge(self, m):
        """The checks that all requests share, and the payload's fixed bytes."""
        reader = self.reader
        with m.State("SESSION"):
            m.d.comb += reader.rewind.eq(1)
            ahead = Signal(8)
            hello, read_only, always = Signal(), Signal(), Signal()
            m.d.comb += [
                ahead.eq(self.sequence - self.expected),
                hello.eq(self.kind == Type.HELLO),
                read_only.eq(self.kind.matches(*READ_ONLY)),
                always.eq(self.kind.matches(Type.HELLO, Type.STATUS, Type.ABORT)),
            ]
            m.d.sync += self.in_order.eq(hello | (ahead == 0))
            m.next = "LENGTH"
            with m.If(self.nak):
                self._answer(m, Status.TYPE)
            with m.Elif(~hello & ~self.named):
                self._answer(m, Status.NO_HELLO)
            with m.Elif(~hello & (ahead != 0) & ~ahead[7]):
                self._answer(m, Status.SEQUENCE)
            with m.Elif(~read_only & (ahead != 0)):
                self._answer(m, Status.OK)
            with m.Elif(~always & (self.running != (self.kind == Type.DATA))):
                self._answer(m, Status.STATE)

        wrong, whole = Signal(), Signal()  # the length, known a cycle before it decides
        with m.State("LENGTH"):
            bits = (PAYLOAD + max(FIXED_BYTES.values())).bit_length()
            fixed, repeating, beyond = Signal(bits), Signal(), Signal()
            m.d.comb += beyond.eq(reader.end[bits:].any())
            with m.Switch(self.kind):
                for kind, size in FIXED_BYTES.items():
                    with m.Case(kind):
                        m.d.comb += [fixed.eq(PAYLOAD + size), repeating.eq(kind in REPEATING)]
            self._preset(m, fixed)
            m.d.sync += [
                wrong.eq(~beyond & (reader.end[:bits] < fixed)
                         | ~repeating & (beyond | (reader.end[:bits] != fixed))),
                whole.eq(fixed == PAYLOAD),
            ]
            m.next = "MEASURED"

        with m.State("MEASURED"):
            m.next = "GATHER"
            with m.If(wrong):
                self._answer(m, Status.LENGTH)
            with m.Elif(whole):
                m.next = "DECIDE"

        with m.State("GATHER"):
            m.d.comb += reader.gather.eq(1)
            if self.config.seeder:
                seed_gathered = reader.behind == PAYLOAD + 9
                m.d.comb += self.seeder.i_seed.eq((self.kind == Type.SEED) & seed_gathered)
            with m.If(reader.behind == self.total):
                m.next = "DECIDE"

    def _decide(self, m):
        """`word` ends with the payload's fixed bytes, the place and `total` are behind them."""
        reader, window = self.reader, self.window
        misaligned = Signal()  # for words of four bytes
        m.d.comb += misaligned.eq((reader.end == PAYLOAD) | reader.end[:2].any())
        with m.State("DECIDE"):
            m.d.comb += window.open.eq(1)
            m.d.sync += self.count.eq(Mux(self.kind == Type.DATA, window.count[8:], window.count))
            with m.Switch(self.kind):
                with m.Case(Type.HELLO):
                    self._answer(m, Status.RANGE)
                    with m.If(reader.nonzero):
                        m.d.comb += self.sender.load.eq(1)
                        m.d.sync += self.named.eq(1)
                        self._succeed(m, HEAD_BYTES + HELLO_BYTES)
                with m.Case(Type.PROGRAM):
                    m.d.comb += self.program.start.eq(~misaligned)
                    m.next = "PROGRAM"
                    with m.If(misaligned):
                        self._answer(m, Status.LENGTH)
                with m.Case(Type.TABLE):
                    m.d.comb += self.table.start.eq(~misaligned & reader.end[2])
                    m.next = "TABLE"
                    with m.If(misaligned | ~reader.end[2]):
                        self._answer(m, Status.LENGTH)
                with m.Case(Type.WRITE, Type.DATA):
                    m.next = "MEASURE"
                    with m.If((self.kind == Type.WRITE) & window.count[len(self.count):].any()):
                        self._answer(m, Status.LENGTH)
                with m.Case(Type.READ):
                    # Answer and request have as many bytes before the words.
                    m.d.comb += window.rewind.eq(1)
                    self._preset(m, HEAD_BYTES)
                    m.next = "MEASURE"
                    with m.If(~window.within | ~window.fits):
                        self._answer(m, Status.RANGE)
                with m.Case(Type.PRNG):
                    self._answer(m, Status.RANGE)
                    with m.If(reader.nonzero):
                        m.d.comb += self.prng_load.eq(1)
                        m.d.sync += self.loaded[PRNG_LOADED].eq(1)
                        self._succeed(m)
                if self.config.seeder:
                    with m.Case(Type.SEED):
                        m.d.comb += self.seeder.i_index.eq(1)
                        m.next = "SEED"
                with m.Case(Type.RUN):
                    self._answer(m, Status.STATE)
                    with m.If(self.loaded.all()):
                        m.d.comb += self.begin.eq(1)
                        self._succeed(m)
                with m.Case(Type.STATUS):
                    m.next = "STATUS"
                    with m.If(reader.word[-7:].any()):
                        self._answer(m, Status.RANGE)
                with m.Case(Type.ABORT):
                    m.d.comb += self.abort.eq(1)
                    m.next = "ABORT"

    def _measure(self, m):
        """Counts the bytes that WRITE, READ and DATA name; goes through the words of WRITE."""
        reader, window = self.reader, self.window
        # No frame is longer; any other wrong length shows at the end. Decided a cycle later.
        beyond = Signal()
        with m.State("MEASURE"):
            m.d.sync += [
                self.count.eq(self.count - 1),
                beyond.eq((self.kind != Type.READ) & exceeds(self.sum, self.config.slot_bytes)),
            ]
            with m.If(beyond):
                m.d.sync += beyond.eq(0)
                self._answer(m, Status.LENGTH)
            with m.Elif(self.count != 0):
                m.d.comb += self.add_item.eq(1)
            with m.Elif(self.kind == Type.READ):
                self._succeed(m, self.total)
            with m.Elif(self.total != reader.end):
                self._answer(m, Status.LENGTH)
            with m.Elif(self.kind == Type.DATA):
                m.d.comb += self.feeder.start.eq(1)
                m.next = "DATA"
            with m.Else():
                m.d.comb += window.rewind.eq(1)
                m.next = "WORD"
                with m.If(~window.within):
                    self._answer(m, Status.RANGE)

        with m.State("WORD"):
            m.d.comb += [reader.gather.eq(1), window.next_byte.eq(1)]
            with m.If(window.word_ends):
                m.next = "WRITE"

        with m.State("WRITE"):
            m.d.comb += [window.write.eq(1), window.next_word.eq(1)]
            m.next = "WORD"
            with m.If(reader.at_end):
                with m.If(self.memory.space == Space.T):
                    m.d.sync += self.loaded[TRITS_LOADED].eq(1)
                self._succeed(m)

    def _wait(self, m):
        """A request that another unit carries out, or that waits for the program."""
        reader, program, table, feeder = self.reader, self.program, self.table, self.feeder

        def finish(unit, bit=None):
            with m.If(unit.done):
                self._answer(m, Status.RANGE)
                with m.If(~unit.fault):
                    if bit is not None:
                        m.d.sync += self.loaded[bit].eq(1)
                    self._succeed(m)

        with m.State("PROGRAM"):
            m.d.comb += [reader.gather.eq(program.gather), reader.rewind.eq(program.rewind)]
            finish(program, PROGRAM_LOADED)

        with m.State("TABLE"):
            m.d.comb += [reader.take.eq(table.take), reader.rewind.eq(table.rewind)]
            finish(table, TABLE_LOADED)

        with m.State("DATA"):
            m.d.comb += [reader.take.eq(feeder.take), reader.rewind.eq(feeder.rewind),
                         reader.mark.eq(feeder.mark), reader.swap.eq(feeder.swap)]
            finish(feeder)

        if self.config.seeder:
            with m.State("SEED"):
                with m.If(self.seeder.o_done):
                    m.d.sync += self.loaded[PRNG_LOADED].eq(1)
                    self._succeed(m)

        with m.State("STATUS"):
            at_once = ~reader.word[-8]
            with m.If(at_once | ~self.running | self.waiting | self.pending):
                m.next = "PICTURE"

        with m.State("PICTURE"):
            m.d.comb += self.statistics.take.eq(1)
            with m.If(self.statistics.ready):
                self._succeed(m, HEAD_BYTES + status_bytes(self.config))

        with m.State("ABORT"):
            with m.If(~self.running):
                self._succeed(m)
