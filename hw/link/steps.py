"""Steps of the command processor: states in which a request is taken, judged and carried out.

Functions take the `hw.link.commands.CommandProcessor` as `unit`, and add states to its machine.
"""

from amaranth import *

from ...firmware.frames import READ_ONLY, Flags, Space, Status, Type
from ...firmware.store import Kind, known
from ..parts.arith import exceeds
from .answers import HEAD_BYTES, hello_bytes, status_bytes
from .reader import PAYLOAD

__all__ = ["decide", "judge", "measure", "receive", "wait"]

#: Payload bytes of each request, without those that may repeat.
FIXED_BYTES = {
    Type.HELLO: 4, Type.PROGRAM: 0, Type.TABLE: 0, Type.WRITE: 6, Type.READ: 6, Type.PRNG: 8,
    Type.SEED: 16, Type.RUN: 0, Type.DATA: 2, Type.STATUS: 1, Type.ABORT: 0, Type.PLAY: 7,
    Type.FILL: 5, Type.CHECK: 6, Type.SPI: 2,
}
#: Requests that have bytes which may repeat.
REPEATING = {Type.PROGRAM, Type.TABLE, Type.WRITE, Type.DATA, Type.PLAY, Type.FILL, Type.SPI}

#: Bytes that answer CHECK.
CHECK_BYTES = 5

#: Bits of `loaded`.
PROGRAM_LOADED, TABLE_LOADED, TRITS_LOADED, PRNG_LOADED = range(4)


def receive(m, unit):
    """Takes a frame and reads its header."""
    with m.State("IDLE"):
        m.d.comb += [unit.frames.ready.eq(1), unit.reader.restart.eq(1)]
        m.d.sync += [
            unit.reader.end.eq(unit.frames.p.length + PAYLOAD),
            unit.nak.eq(unit.frames.p.status != Status.OK),
            unit.sequence.eq(unit.expected),
        ]
        with m.If(unit.frames.valid):
            m.next = "FETCH"
            with m.If(unit.frames.p.status != Status.OK):
                unit.answer(m, unit.frames.p.status)

    with m.State("FETCH"):
        m.next = "TYPE"

    with m.State("TYPE"):
        m.d.comb += unit.reader.take.eq(1)
        m.d.sync += [unit.kind.eq(unit.byte), unit.nak.eq(1)]
        with m.Switch(unit.byte):
            with m.Case(*sorted(known(unit.config))):
                m.d.sync += unit.nak.eq(0)
        m.next = "SEQUENCE"

    with m.State("SEQUENCE"):
        m.d.sync += unit.sequence.eq(unit.byte)
        m.next = "SESSION"


def judge(m, unit):
    """The checks that all requests share, and the payload's fixed bytes."""
    reader = unit.reader
    with m.State("SESSION"):
        m.d.comb += reader.rewind.eq(1)
        ahead = Signal(8)
        hello, read_only, always = Signal(), Signal(), Signal()
        m.d.comb += [
            ahead.eq(unit.sequence - unit.expected),
            hello.eq(unit.kind == Type.HELLO),
            read_only.eq(unit.kind.matches(*READ_ONLY)),
            always.eq(unit.kind.matches(Type.HELLO, Type.STATUS, Type.ABORT)),
        ]
        m.d.sync += unit.in_order.eq(hello | (ahead == 0))
        m.next = "LENGTH"
        with m.If(unit.nak):
            unit.answer(m, Status.TYPE)
        with m.Elif(~hello & ~unit.named):
            unit.answer(m, Status.NO_HELLO)
        with m.Elif(~hello & (ahead != 0) & ~ahead[7]):
            unit.answer(m, Status.SEQUENCE)
        with m.Elif(~read_only & (ahead != 0)):
            unit.answer(m, Status.OK)
        with m.Elif(~always & (unit.running != unit.kind.matches(Type.DATA, Type.PLAY))):
            unit.answer(m, Status.STATE)
        if unit.config.store == Kind.RAM:  # its records have the size that a table says
            with m.Elif(unit.kind.matches(Type.FILL, Type.CHECK) & ~unit.loaded[TABLE_LOADED]):
                unit.answer(m, Status.STATE)

    wrong, whole = Signal(), Signal()  # the length, known a cycle before it decides
    with m.State("LENGTH"):
        bits = (PAYLOAD + max(FIXED_BYTES.values())).bit_length()
        fixed, repeating, beyond = Signal(bits), Signal(), Signal()
        m.d.comb += beyond.eq(reader.end[bits:].any())
        with m.Switch(unit.kind):
            for kind in sorted(known(unit.config)):
                size = FIXED_BYTES[kind]
                with m.Case(kind):
                    m.d.comb += [fixed.eq(PAYLOAD + size), repeating.eq(kind in REPEATING)]
        unit.make_total(m, fixed)
        m.d.sync += [
            wrong.eq(~beyond & (reader.end[:bits] < fixed)
                     | ~repeating & (beyond | (reader.end[:bits] != fixed))),
            whole.eq(fixed == PAYLOAD),
        ]
        m.next = "MEASURED"

    with m.State("MEASURED"):
        m.next = "GATHER"
        with m.If(wrong):
            unit.answer(m, Status.LENGTH)
        with m.Elif(whole):
            m.next = "DECIDE"

    with m.State("GATHER"):
        m.d.comb += reader.gather.eq(1)
        if unit.config.seeder:
            seed_gathered = reader.behind == PAYLOAD + 9
            m.d.comb += unit.seeder.i_seed.eq((unit.kind == Type.SEED) & seed_gathered)
        with m.If(reader.behind == unit.total):
            m.next = "DECIDE"


def decide(m, unit):
    """`word` ends with the payload's fixed bytes, the place and `total` are behind them."""
    reader, window = unit.reader, unit.window
    misaligned = Signal()  # for words of four bytes
    m.d.comb += misaligned.eq((reader.end == PAYLOAD) | reader.end[:2].any())
    with m.State("DECIDE"):
        m.d.comb += window.open.eq(1)
        sampled = unit.kind.matches(Type.DATA, Type.FILL)
        m.d.sync += unit.count.eq(Mux(sampled, window.count[8:], window.count))
        with m.Switch(unit.kind):
            with m.Case(Type.HELLO):
                unit.answer(m, Status.RANGE)
                with m.If(reader.nonzero):
                    m.d.comb += unit.sender.load.eq(1)
                    m.d.sync += unit.named.eq(1)
                    unit.succeed(m, HEAD_BYTES + hello_bytes(unit.config))
            with m.Case(Type.PROGRAM):
                m.d.comb += unit.program.start.eq(~misaligned)
                m.next = "PROGRAM"
                with m.If(misaligned):
                    unit.answer(m, Status.LENGTH)
            with m.Case(Type.TABLE):
                m.d.comb += unit.table.start.eq(~misaligned & reader.end[2])
                m.next = "TABLE"
                with m.If(misaligned | ~reader.end[2]):
                    unit.answer(m, Status.LENGTH)
            with m.Case(Type.DATA, Type.FILL):
                m.next = "MEASURE"
                with m.If(unit.feeder.sparse):  # it measures them itself
                    m.d.comb += unit.feeder.start.eq(1)
                    m.next = "DATA"
            with m.Case(Type.WRITE):
                m.next = "MEASURE"
                with m.If(window.count[len(unit.count):].any()):
                    unit.answer(m, Status.LENGTH)
            if unit.config.store:
                decide_stored(m, unit)
            with m.Case(Type.READ):
                # Answer and request have as many bytes before the words.
                m.d.comb += window.rewind.eq(1)
                unit.make_total(m, HEAD_BYTES)
                m.next = "MEASURE"
                with m.If(~window.within | ~window.fits):
                    unit.answer(m, Status.RANGE)
            with m.Case(Type.PRNG):
                unit.answer(m, Status.RANGE)
                with m.If(reader.nonzero):
                    m.d.comb += unit.prng_load.eq(1)
                    m.d.sync += unit.loaded[PRNG_LOADED].eq(1)
                    unit.succeed(m)
            if unit.config.seeder:
                with m.Case(Type.SEED):
                    m.d.comb += unit.seeder.i_index.eq(1)
                    m.next = "SEED"
            with m.Case(Type.RUN):
                unit.answer(m, Status.STATE)
                with m.If(unit.loaded.all()):
                    m.d.comb += unit.begin.eq(1)
                    unit.succeed(m)
            with m.Case(Type.STATUS):
                m.next = "STATUS"
                with m.If(reader.word[-7:].any()):
                    unit.answer(m, Status.RANGE)
            with m.Case(Type.ABORT):
                m.d.comb += unit.abort.eq(1)
                m.next = "ABORT"


def decide_stored(m, unit):
    """The requests of a core with a store, where a request's kind is known."""
    reader, window, player = unit.reader, unit.window, unit.player
    with m.Case(Type.PLAY):
        m.next = "MEASURE"
        with m.If(window.count[len(unit.count):].any()):
            unit.answer(m, Status.LENGTH)
    with m.Case(Type.CHECK):
        m.d.comb += player.check.eq(1)
        m.next = "PLAYER"
    if unit.config.store == Kind.FLASH:
        with m.Case(Type.SPI):
            m.next = "SPI"
            with m.If(reader.at_end):
                unit.answer(m, Status.LENGTH)
            with m.Elif(exceeds(window.count, unit.config.max_payload - HEAD_BYTES)):
                unit.answer(m, Status.RANGE)


def measure(m, unit):
    """Counts the bytes that a request's items have; goes through the words of WRITE."""
    reader, window = unit.reader, unit.window
    # No frame is longer; any other wrong length shows at the end. Decided a cycle later.
    beyond = Signal()
    with m.State("MEASURE"):
        m.d.sync += [
            unit.count.eq(unit.count - 1),
            beyond.eq((unit.kind != Type.READ) & exceeds(unit.sum, unit.config.slot_bytes)),
        ]
        with m.If(beyond):
            m.d.sync += beyond.eq(0)
            unit.answer(m, Status.LENGTH)
        with m.Elif(unit.count != 0):
            m.d.comb += unit.add_item.eq(1)
        with m.Elif(unit.kind == Type.READ):
            unit.succeed(m, unit.total)
        with m.Elif(unit.total != reader.end):
            unit.answer(m, Status.LENGTH)
        with m.Elif(unit.kind.matches(Type.DATA, Type.FILL)):
            m.d.comb += unit.feeder.start.eq(1)
            m.next = "DATA"
        if unit.config.store:
            with m.Elif(unit.kind == Type.PLAY):
                flags = reader.word[-24:-16]
                allowed = Flags.WIDE | (
                    Flags.SPARSE if unit.config.store == Kind.FLASH else 0)
                wrong = (flags & ~allowed).any()
                if unit.config.store_shift:
                    wrong |= unit.player.shifted & (unit.table.image_columns == 0)
                m.d.comb += unit.player.play.eq(1)
                m.next = "PLAYER"
                with m.If((window.count == 0) | (unit.player.run == 0) | wrong):
                    m.d.comb += unit.player.play.eq(0)
                    unit.answer(m, Status.RANGE)
        with m.Else():
            m.d.comb += window.rewind.eq(1)
            m.next = "WORD"
            with m.If(~window.within):
                unit.answer(m, Status.RANGE)

    with m.State("WORD"):
        m.d.comb += [reader.gather.eq(1), window.next_byte.eq(1)]
        with m.If(window.word_ends):
            m.next = "WRITE"

    with m.State("WRITE"):
        m.d.comb += [window.write.eq(1), window.next_word.eq(1)]
        m.next = "WORD"
        with m.If(reader.at_end):
            with m.If(unit.memory.space == Space.T):
                m.d.sync += unit.loaded[TRITS_LOADED].eq(1)
            unit.succeed(m)


def wait(m, unit):
    """A request that another unit carries out, or that waits for the program."""
    reader, program, table, feeder = unit.reader, unit.program, unit.table, unit.feeder

    def finish(loader, bit=None):
        with m.If(loader.done):
            unit.answer(m, Status.RANGE)
            with m.If(~loader.fault):
                if bit is not None:
                    m.d.sync += unit.loaded[bit].eq(1)
                unit.succeed(m)

    with m.State("PROGRAM"):
        m.d.comb += [reader.gather.eq(program.gather), reader.rewind.eq(program.rewind)]
        finish(program, PROGRAM_LOADED)

    with m.State("TABLE"):
        m.d.comb += [reader.take.eq(table.take), reader.rewind.eq(table.rewind)]
        finish(table, TABLE_LOADED)

    with m.State("DATA"):
        m.d.comb += [reader.take.eq(feeder.take), reader.rewind.eq(feeder.rewind),
                     reader.mark.eq(feeder.mark), reader.swap.eq(feeder.swap)]
        m.d.comb += unit.first_label.eq(FIXED_BYTES[Type.DATA])
        if unit.config.store == Kind.RAM:
            with m.If(unit.kind == Type.FILL):
                m.d.comb += unit.first_label.eq(FIXED_BYTES[Type.FILL])
        with m.If(feeder.done):
            unit.answer(m, Status.RANGE)
            with m.If(feeder.short):
                unit.answer(m, Status.LENGTH)
            with m.Elif(~feeder.fault):
                unit.succeed(m)

    if unit.config.store:
        wait_stored(m, unit)

    if unit.config.seeder:
        with m.State("SEED"):
            with m.If(unit.seeder.o_done):
                m.d.sync += unit.loaded[PRNG_LOADED].eq(1)
                unit.succeed(m)

    with m.State("STATUS"):
        at_once = ~reader.word[-8]
        with m.If(at_once | ~unit.running | unit.waiting | unit.pending):
            m.next = "PICTURE"

    with m.State("PICTURE"):
        m.d.comb += unit.statistics.take.eq(1)
        with m.If(unit.statistics.ready):
            unit.succeed(m, HEAD_BYTES + status_bytes(unit.config))

    with m.State("ABORT"):
        with m.If(~unit.running):
            unit.succeed(m)


def wait_stored(m, unit):
    """PLAY and CHECK, until they are done; the bytes of SPI."""
    reader, player = unit.reader, unit.player
    with m.State("PLAYER"):
        m.d.comb += reader.take.eq(player.take)
        if unit.config.store_shift:
            m.d.comb += [reader.rewind.eq(player.rewind),
                         unit.first_label.eq(FIXED_BYTES[Type.PLAY])]
        with m.If(player.done):
            with m.If(player.fault):
                m.next = "PLAYED"
            if unit.config.store_shift:
                with m.Elif(player.refused):
                    unit.answer(m, Status.RANGE)
            with m.Elif(unit.kind == Type.CHECK):
                unit.succeed(m, HEAD_BYTES + CHECK_BYTES)
            with m.Else():
                unit.succeed(m)
    with m.State("PLAYED"):  # until the program is done with what came before
        with m.If(unit.waiting | ~unit.running):
            unit.answer(m, Status.STORE)
    if unit.config.store == Kind.FLASH:
        with m.State("SPI"):
            m.d.comb += [
                unit.store.i.valid.eq(1), unit.store.i.p.data.eq(unit.byte),
                unit.store.i.p.last.eq(reader.behind == reader.end),
                reader.take.eq(unit.store.i.ready),
            ]
            with m.If(unit.store.i.ready & unit.store.i.p.last):
                unit.succeed(m, HEAD_BYTES + unit.window.count)
