"""Walks through the records of a store: PLAY, FILL and CHECK."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out, connect, flipped

from ...firmware.store import Kind
from ...model.config import CoreConfig
from ..parts.ports import sample_word
from ..store.images import ImageShifter
from ..store.ports import FlashSignature, RamSignature, Task

__all__ = ["FlashPlayer", "RamPlayer", "player_of"]


class Player(wiring.Component):
    """What is the same of any store.

    Members
    -------
    play, check : strobes, while nothing is under way: begin with
    first : the first record of CHECK, and what is added to the entries of PLAY;
    count : records, or bytes of a flash, to check;
    run, wide, sparse, shifted : of PLAY, see `firmware.frames.Type`. All are static.
    classes : a label is below it.
    byte, take, at_end : the entries, see `FrameReader`.
    done, fault : strobe, and whether the store has failed or a label was too large.
    rewind, refused : of a core that shifts images: strobe: to the first entry; with `done`: an
        offset is too large, and nothing has been played.
    phase, crc : of the RAM's test, and of what was checked.
    """

    #: Of a core's store; and what a player has more.
    port: wiring.Signature
    more: dict[str, wiring.Member]

    def __init__(self, config: CoreConfig):
        self.config = config
        self.crc_unit = CRC32_ISO_HDLC().create()
        if config.store_shift:
            self.offset = Signal(8)  # of the entry in hand
        super().__init__({
            "play": In(1), "check": In(1),
            "first": In(24), "count": In(24), "run": In(8), "wide": In(1), "sparse": In(1),
            **({"shifted": In(1), "rewind": Out(1), "refused": Out(1)}
               if config.store_shift else {}),
            "classes": In(range(config.max_classes + 1)),
            "byte": In(8), "take": Out(1), "at_end": In(1),
            "done": Out(1), "fault": Out(1), "phase": Out(3), "crc": Out(32),
            "store": Out(self.port), **self.more,
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = self.crc_unit
        self.number, self.left = Signal(24), Signal(24)
        entry, part = Signal(24), Signal(2)
        m.d.comb += self.crc.eq(crc.crc)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += crc.start.eq(self.check)
                m.d.sync += [part.eq(0), self.left.eq(self.count)]
                with m.If(self.check):
                    m.d.sync += self.number.eq(self.first)
                    m.next = "CHECK"
                with m.If(self.play):
                    m.next = "ENTRY"
                    if self.config.store_shift:
                        with m.If(self.shifted):
                            m.next = "SCAN"
            with m.State("ENTRY"):
                m.d.comb += self.take.eq(1)
                m.d.sync += [entry.eq(Cat(entry[8:], self.byte)), part.eq(part + 1)]
                with m.If(part == 1 + self.wide):
                    m.next = "NUMBER"
                    if self.config.store_shift:
                        m.d.sync += self.offset.eq(0)
                        with m.If(self.shifted):
                            m.next = "OFFSET"
            if self.config.store_shift:
                self._offsets(m, part)
            with m.State("NUMBER"):
                m.d.sync += [part.eq(0), self.left.eq(self.run),
                             self.number.eq(self.first + Mux(self.wide, entry, entry[8:]))]
                m.next = "PLAY"
            self._play(m)
            self._check(m, crc)
        return m

    def _offsets(self, m, part):
        """Looks at all of them first; takes that of an entry."""
        most, scanned, wrong = self.config.store_shift, Signal(2), Signal()
        within = [(half.as_signed() >= -most) & (half.as_signed() <= most)
                  for half in (self.byte[:4], self.byte[4:])]
        with m.State("SCAN"):
            m.d.comb += self.take.eq(~self.at_end)
            m.d.sync += scanned.eq(scanned + 1)
            with m.If(scanned == 2 + self.wide):
                m.d.sync += [scanned.eq(0), wrong.eq(wrong | ~(within[0] & within[1]))]
            with m.If(self.at_end):
                m.d.comb += self.rewind.eq(1)
                m.d.sync += [scanned.eq(0), wrong.eq(0)]
                m.next = "ENTRY"
                with m.If(wrong):
                    m.d.comb += self.refused.eq(1)
                    self.finish(m)
        with m.State("OFFSET"):
            m.d.comb += self.take.eq(1)
            m.d.sync += self.offset.eq(self.byte)
            m.next = "NUMBER"

    def _play(self, m):
        raise NotImplementedError

    def _check(self, m, crc):
        raise NotImplementedError

    def finish(self, m, fault=0):
        """All is done."""
        m.d.comb += [self.done.eq(1), self.fault.eq(fault)]
        m.next = "IDLE"

    def end_play(self, m, fault=0):
        """All records have been played, or one cannot be."""
        self.finish(m, fault)

    def next_record(self, m, then):
        """A record has been played: state `then` for the next one of the run."""
        m.d.sync += self.left.eq(self.left - 1)
        m.next = then
        with m.If(self.left == 1):
            m.next = "ENTRY"
            with m.If(self.at_end):
                self.end_play(m)


class RamPlayer(Player):
    """Plays and checks the records of a RAM, and names those that FILL makes.

    Beside the RAM's own time, an entry takes 3 cycles, a wide one 4, and a record 1; a word that is
    checked takes 2.

    Images take a cycle for each byte of the entries more, and wait for the last one at the end.

    Members
    -------
    fill : strobe: the next record to fill is `first`.
    go, begins : FILL may begin with a sample; strobe: it does.
    i : its words.
    o : words of the samples that are played.
    drop : nobody takes them: throw away what is left.
    inputs, planes : of a record. rows, columns : of a core that shifts images: those of one, or 0.
    store : the RAM.
    """

    def __init__(self, config: CoreConfig):
        self.port = RamSignature(config)
        self.more = {
            "fill": In(1), "go": Out(1), "begins": In(1), "drop": In(1),
            "inputs": In(range(config.max_stored_inputs + 1)),
            "planes": In(range(config.input_planes + 1)),
            **({"rows": In(range(config.store_rows + 1)),
                "columns": In(range(config.store_columns + 1))} if config.store_shift else {}),
            "i": In(stream.Signature(sample_word(config))),
            "o": Out(stream.Signature(sample_word(config)))}
        self.shifter = ImageShifter(config) if config.store_shift else None
        if self.shifter is not None:
            self.words = stream.Signature(sample_word(config)).create()  # to it, or past it
            self.failing = Signal()
        super().__init__(config)

    def elaborate(self, platform):
        m = super().elaborate(platform)
        store = self.store
        if self.shifter is not None:
            self._shift(m)
        m.d.comb += [
            store.inputs.eq(self.inputs), store.planes.eq(self.planes),
            store.number.eq(self.number), self.phase.eq(store.phase),
            self.go.eq(store.idle & store.ready),
        ]
        connect(m, flipped(self.i), flipped(store.i))
        with m.If(self.fill):
            m.d.sync += self.number.eq(self.first)
        with m.If(self.begins):
            m.d.comb += [store.start.eq(1), store.task.eq(Task.FILL)]
        with m.If(store.start):
            m.d.sync += self.number.eq(self.number + 1)
        return m

    def _play(self, m):
        store, bad = self.store, Signal()
        m.d.comb += bad.eq(store.o.p.label >= self.classes)
        with m.State("PLAY"):
            with m.If(self.go):
                m.d.comb += [store.start.eq(~store.failed), store.task.eq(Task.PLAY)]
                m.next = "WORDS"
                with m.If(store.failed):
                    self.end_play(m, fault=1)
        with m.State("WORDS"):
            to = self.o if self.shifter is None else self.words
            m.d.comb += [
                to.p.eq(store.o.p),
                to.valid.eq(store.o.valid & ~bad & ~self.drop),
                store.o.ready.eq(to.ready | bad | self.drop),
            ]
            with m.If(store.o.valid & store.o.ready & store.o.p.last):
                self.next_record(m, "PLAY")
                with m.If(bad):
                    self.end_play(m, fault=1)
        if self.shifter is not None:
            with m.State("LAST"):
                with m.If(self.shifter.idle):
                    self.finish(m, self.failing)

    def end_play(self, m, fault=0):
        if self.shifter is None:
            self.finish(m, fault)
            return
        m.d.sync += self.failing.eq(fault)
        m.next = "LAST"

    def _shift(self, m):
        """Images go through the shifter, other records past it."""
        m.submodules.shifter = shifter = self.shifter
        words, images = self.words, self.columns != 0
        m.d.comb += [
            shifter.dx.eq(self.offset[:4]), shifter.dy.eq(self.offset[4:]),
            shifter.rows.eq(self.rows), shifter.columns.eq(self.columns),
            shifter.clear.eq(self.drop),
            shifter.i.p.eq(words.p), shifter.i.valid.eq(words.valid & images),
            words.ready.eq(Mux(images, shifter.i.ready, self.o.ready)),
            self.o.p.eq(Mux(images, shifter.o.p, words.p)),
            self.o.valid.eq(Mux(images, shifter.o.valid & ~self.drop, words.valid)),
            shifter.o.ready.eq(self.o.ready),
        ]

    def _check(self, m, crc):
        raw = self.store.raw
        with m.State("CHECK"):
            with m.If(self.go):
                m.d.comb += [self.store.start.eq((self.left != 0) & ~self.store.failed),
                             self.store.task.eq(Task.RAW)]
                m.d.sync += self.left.eq(self.left - 1)
                m.next = "LOW"
                with m.If((self.left == 0) | self.store.failed):
                    self.finish(m, fault=self.store.failed)
        with m.State("LOW"):
            m.d.comb += [crc.data.eq(raw.p.data[:8]), crc.valid.eq(raw.valid)]
            with m.If(raw.valid):
                m.next = "HIGH"
        with m.State("HIGH"):
            m.d.comb += [crc.data.eq(raw.p.data[8:]), crc.valid.eq(1), raw.ready.eq(1)]
            m.next = "LOW"
            with m.If(raw.p.last):
                m.next = "CHECK"


class FlashPlayer(Player):
    """Plays and checks the bytes of a flash.

    Members
    -------
    sample_start, label, o, sample_ends : to a `SampleFeeder`, as its `other` ones.
    store : the flash, but for its raw transactions.
    """

    def __init__(self, config: CoreConfig):
        self.port = FlashSignature()
        self.more = {"sample_start": Out(1), "label": Out(8), "o": Out(stream.Signature(8)),
                     "sample_ends": In(1)}
        super().__init__(config)

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += [self.store.address.eq(self.number), self.label.eq(self.store.o.p),
                     self.o.p.eq(self.store.o.p)]
        return m

    def _play(self, m):
        store = self.store
        with m.State("PLAY"):
            with m.If(store.idle):
                m.d.comb += store.start.eq(1)
                m.next = "LABEL"
        with m.State("LABEL"):
            with m.If(store.o.valid):
                m.d.comb += [self.sample_start.eq(1), store.o.ready.eq(1)]
                m.next = "SAMPLE"
                with m.If(store.o.p >= self.classes):
                    m.d.comb += [self.sample_start.eq(0), store.stop.eq(1)]
                    self.finish(m, fault=1)
        with m.State("SAMPLE"):
            m.d.comb += [self.o.valid.eq(store.o.valid), store.o.ready.eq(self.o.ready)]
            with m.If(self.sample_ends):
                m.d.comb += store.stop.eq(self.left == 1)
                self.next_record(m, "LABEL")

    def _check(self, m, crc):
        store = self.store
        with m.State("CHECK"):
            with m.If(self.left == 0):
                self.finish(m)
            with m.Elif(store.idle):
                m.d.comb += store.start.eq(1)
                m.next = "BYTES"
        with m.State("BYTES"):
            m.d.comb += [store.o.ready.eq(1), crc.data.eq(store.o.p), crc.valid.eq(store.o.valid)]
            with m.If(store.o.valid):
                m.d.sync += self.left.eq(self.left - 1)
                with m.If(self.left == 1):
                    m.d.comb += store.stop.eq(1)
                    self.finish(m)


def player_of(config: CoreConfig) -> RamPlayer | FlashPlayer | None:
    """The player of a core's store."""
    return {Kind.NONE: lambda config: None, Kind.RAM: RamPlayer,
            Kind.FLASH: FlashPlayer}[Kind(config.store)](config)
