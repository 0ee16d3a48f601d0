"""The command processor: carries out the frames of the receiver and answers each."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...firmware.frames import SHIFTED, Flags, Status, Type
from ...firmware.store import Kind
from ...model.config import CoreConfig
from ...units.registry import status_tail
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
from . import steps
from .answers import (
    DATA_BYTE,
    HEAD_BYTES,
    AnswerSender,
    Hello,
    StatusReport,
)
from .player import player_of
from .program import ProgramLoader
from .reader import FrameReader
from .samples import SampleFeeder
from .table import TableLoader
from .window import MemoryWindow

__all__ = ["CommandProcessor"]


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
    store : of a core with one, see `hw.store.ports`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.player = player_of(config)
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
            "table_index": Out(range(config.table_rows)),
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
            **({"store": Out(self.player.port)} if self.player else {}),
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
            len(self.total), len(self.table.item_bytes),
            len(self.table.record_bytes) if config.lays_images else 0))
        # Words or samples that `total` does not have yet.
        self.count = Signal(range(max(config.slot_bytes, 256)))

        self.running = Signal()
        self.flags = self.reader.word[-16:-8]  # of DATA and FILL
        self.first_label = Signal.like(self.reader.first)  # byte of the payload, or else 0

    def elaborate(self, platform):
        m = Module()
        for name in ("reader", "program", "table", "feeder", "window", "sender", "hello",
                     "report"):
            m.submodules[name] = getattr(self, name)
        if self.config.seeder:
            m.submodules.seeder = self.seeder
        if self.player:
            m.submodules.player = self.player
            self._connect_player(m)
        m.d.comb += self.running.eq(self.run == RunState.RUNNING)
        self._connect_loaders(m)
        self._connect_answer(m)
        self._count(m)
        with m.FSM():
            steps.receive(m, self)
            steps.judge(m, self)
            steps.decide(m, self)
            steps.measure(m, self)
            steps.wait(m, self)
            with m.State("ANSWER"):
                gathers = self.report.in_prng & self.sender.counted
                if self.config.store == Kind.FLASH:  # whose SPI still needs its count at the end
                    gathers = gathers & (self.kind != Type.SPI)
                m.d.comb += [
                    self.sender.enable.eq(1),
                    self.reader.gather.eq(gathers),
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
            feeder.sparse.eq((self.flags & Flags.SPARSE) != 0),
            feeder.foul.eq((self.flags & ~Flags.SPARSE) != 0),
            feeder.classes.eq(table.classes),
            feeder.inputs.eq(self._of_record(table.inputs, "record_inputs")),
            feeder.planes.eq(table.planes),
            feeder.at_end.eq(reader.at_end),
            reader.first.eq(self.first_label),
            self.prng_state.eq(reader.word[-64:]),
        ]
        if not self.player:
            m.d.comb += feeder.drop.eq(~self.running)
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
            if self.player:
                self._answer_stored(m)
            with m.Default():
                m.d.comb += sender.data.eq(self.window.byte)
        with m.If(sender.counted):
            m.d.sync += settling.eq(~0)
        with m.Else():
            m.d.sync += settling.eq(settling >> 1)
        with m.If(reading):
            m.d.comb += [window.next_byte.eq(1), window.next_word.eq(window.word_ends)]

    def _connect_player(self, m):
        player, reader, feeder, word = self.player, self.reader, self.feeder, self.reader.word
        play = self.kind == Type.PLAY
        flags = word[-24:-16]
        connect(m, player.store, flipped(self.store))
        m.d.comb += [
            player.first.eq(Mux(play, word[-56:-32], word[-48:-24])),
            player.count.eq(word[-24:]),
            player.run.eq(word[-32:-24]),
            player.wide.eq((flags & Flags.WIDE) != 0),
            player.sparse.eq((flags & Flags.SPARSE) != 0),
            player.classes.eq(self.table.classes),
            player.byte.eq(self.byte),
            player.at_end.eq(reader.at_end),
        ]
        if self.config.store == Kind.FLASH:
            m.d.comb += [
                feeder.drop.eq(~self.running),
                feeder.other_start.eq(player.sample_start),
                feeder.other_label.eq(player.label),
                feeder.other_sparse.eq(player.sparse),
                player.sample_ends.eq(feeder.other_ends),
                self.store.receive.eq((self.kind == Type.SPI) & (word[-16:] != 0)),
            ]
            connect(m, player.o, feeder.other)
            connect(m, feeder.o, flipped(self.samples))
            return
        fills = self.kind == Type.FILL
        with m.If(fills):
            m.d.comb += player.first.eq(word[-40:-16])
        inputs = self.table.record_inputs if self.config.lays_images else self.table.inputs
        if self.config.store_shift:
            m.d.comb += [
                player.shifted.eq((flags & SHIFTED) != 0),
                player.rows.eq(self.table.image_rows),
                player.columns.eq(self.table.image_columns),
            ]
        m.d.comb += [
            player.inputs.eq(inputs),
            player.planes.eq(self.table.planes),
            player.drop.eq(~self.running),
            feeder.drop.eq(~self.running & ~fills),
            feeder.go.eq(~fills | player.go),
            player.fill.eq(feeder.start & fills),
            player.begins.eq(feeder.begins & fills),
            player.i.p.eq(feeder.o.p),
            player.i.valid.eq(feeder.o.valid & fills),
            self.samples.p.eq(Mux(play, player.o.p, feeder.o.p)),
            self.samples.valid.eq(player.o.valid | feeder.o.valid & ~fills),
            player.o.ready.eq(self.samples.ready),
            feeder.o.ready.eq(Mux(fills, player.i.ready, self.samples.ready)),
        ]

    def _answer_stored(self, m):
        """The bytes that answer CHECK and SPI; to be called where the request's kind is known."""
        sender, player = self.sender, self.player
        with m.Case(Type.CHECK):
            m.d.comb += sender.data.eq(player.phase)
            with m.Switch(sender.index):
                for n in range(4):
                    with m.Case(DATA_BYTE + n):
                        m.d.comb += sender.data.eq(player.crc.word_select(n, 8))
        if self.config.store == Kind.FLASH:
            with m.Case(Type.SPI):
                m.d.comb += [
                    sender.data.eq(self.store.o.p), sender.data_valid.eq(self.store.o.valid),
                    self.store.o.ready.eq(sender.counted & (sender.index >= DATA_BYTE)),
                    self.store.stop.eq(sender.done & self.store.receive),
                ]

    def _count(self, m):
        """`total`: an item more, a byte of the answer less, or a new value."""
        item = Mux(self.kind.matches(Type.DATA, Type.FILL),
                   self._of_record(self.table.item_bytes, "record_bytes"), self.window.word_bytes)
        if self.player:
            size = 2 + self.player.wide
            if self.config.store_shift:
                size = size + self.player.shifted
            item = Mux(self.kind == Type.PLAY, size, item)
        m.d.comb += self.sum.eq(self.total + Mux(self.add_item, item, ~C(0, len(self.sum))))
        with m.If(self.set_total):
            m.d.sync += self.total.eq(self.preset)
        with m.Elif(self.add_item | self.sender.counted):
            m.d.sync += self.total.eq(self.sum)

    def _of_record(self, sample, record):
        """What the table says of a sample, or where FILL has images in rows of L, of a record."""
        if not self.config.lays_images:
            return sample
        return Mux(self.kind == Type.FILL, getattr(self.table, record), sample)

    def make_total(self, m, total):
        """Set `total` in this cycle."""
        m.d.comb += [self.set_total.eq(1), self.preset.eq(total)]

    def answer(self, m, status, length=HEAD_BYTES):
        """Go on with an answer of so many bytes."""
        self.make_total(m, length)
        m.d.sync += self.status.eq(status)
        m.next = "ANSWER"

    def succeed(self, m, length=HEAD_BYTES):
        """Go on with the answer of a request that was carried out."""
        self.answer(m, Status.OK, length)
        with m.If(self.in_order):
            m.d.sync += self.expected.eq(self.sequence + 1)
