"""Properties of what carries bytes, frames and packets."""

from amaranth import *
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC

from tritgrad.firmware.frames import FLAG, Space
from tritgrad.firmware.records import PIECE_BYTES
from tritgrad.hw.link.stuffing import Unstuffer

from .prover import Property, small


def stuffing(p: Property, module):
    """unstuff(stuff(bytes)) are the bytes, in order; an end comes only after a packet's last byte;
    both streams keep their contract
    """
    m = p.m
    stuffer = p.unit(module.Stuffer(), "stuffer")
    unstuffer = p.unit(module.Unstuffer(), "unstuffer")
    data, last, valid = p.free(8, "data"), p.free(1, "last"), p.free(1, "valid")
    taken = p.source(stuffer.i, Cat(data, last), valid)
    m.d.comb += [unstuffer.i.p.eq(stuffer.o.p), unstuffer.i.valid.eq(stuffer.o.valid),
                 stuffer.o.ready.eq(unstuffer.i.ready), unstuffer.o.ready.eq(p.free(1, "ready"))]
    p.keeps_contract(stuffer.o)
    p.keeps_contract(unstuffer.o)
    out, item = p.named(1, unstuffer.o.valid & unstuffer.o.ready, "out"), unstuffer.o.p
    ended = Signal()
    with m.If(taken):
        m.d.sync += ended.eq(last)
    with m.If(out & item.end):
        m.d.sync += ended.eq(0)
    p.check((out & ~item.end) == taken, ~taken | (item.data == data), ~(out & item.end) | ended,
            ~taken | ~ended)


def crc(p: Property, module, polynomial: int = 0xEDB88320):
    """the register of Amaranth's CRC is the division by 0x04C11DB7, bit by bit, of any byte in any
    state
    """
    dut, m = p.unit(CRC32_ISO_HDLC().create()), p.m
    p.drive(dut, "data", "valid", "start")
    register = Signal(32, init=0xFFFFFFFF)
    value = p.named(32, Mux(dut.start, C(0xFFFFFFFF, 32), register) ^ dut.data, "value")
    for n in range(8):
        value = p.named(32, (value >> 1) ^ (value[0].replicate(32) & polynomial), f"division{n}")
    with m.If(dut.valid):
        m.d.sync += register.eq(value)
    with m.Elif(dut.start):
        m.d.sync += register.eq(0xFFFFFFFF)
    p.check(dut.crc == ~register)


def receiver(p: Property, module):
    """`o_frame` stays until it is taken; `o_pending` says that a frame's closing flag has come and
    it was not taken; until then no second one is
    """
    dut, m = p.unit(module.Receiver(8)), p.m
    data, valid = p.free(8, "data"), p.free(1, "valid")
    p.drive(dut, "i_offset", "i_release")
    m.d.comb += [dut.i.p.eq(data), dut.i.valid.eq(valid), dut.o_frame.ready.eq(p.free(1, "ready"))]
    p.keeps_contract(dut.o_frame)
    took, inside, waiting = valid & dut.i.ready, Signal(), Signal()
    with m.If(took):
        m.d.sync += inside.eq(data != FLAG)
    ends = p.named(1, took & (data == FLAG) & inside, "ends")
    with m.If(dut.o_frame.valid & dut.o_frame.ready):
        m.d.sync += waiting.eq(0)
    with m.If(ends):
        m.d.sync += waiting.eq(1)
    p.check(dut.o_pending == waiting, ~(ends & waiting), ~dut.o_frame.valid | waiting)


def _watched_byte(p: Property, taken: Value, data: Value, out: Value, byte: Value, bits: int = 3):
    """Whatever byte is watched comes out as it went in, and none that did not go in."""
    m = p.m
    watched, want = p.constant(3, "watched"), p.constant(8, "want")
    sent, got = Signal(bits), Signal(bits)  # too wide to come round
    with m.If(taken):
        m.d.sync += sent.eq(sent + 1)
        p.assume((sent != watched) | (data == want))
    with m.If(out):
        m.d.sync += got.eq(got + 1)
        p.check((got != watched) | (byte == want), got != sent)


def transmitter(p: Property, module):
    """byte n out, unstuffed, is byte n in, none is made up; the wire keeps its contract"""
    dut, unstuffer, m = p.unit(module.Transmitter()), p.unit(Unstuffer(), "unstuffer"), p.m
    data, valid = p.free(8, "data"), p.free(1, "valid")
    taken = p.source(dut.i, Cat(data, C(0, 1)), valid)
    m.d.comb += [unstuffer.i.p.eq(dut.o.p), unstuffer.i.valid.eq(dut.o.valid),
                 dut.o.ready.eq(unstuffer.i.ready), unstuffer.o.ready.eq(p.free(1, "ready"))]
    p.keeps_contract(dut.o)
    out = unstuffer.o.valid & unstuffer.o.ready & ~unstuffer.o.p.end
    _watched_byte(p, taken, data, out, unstuffer.o.p.data)


def arbiter(p: Property, module):
    """of three inputs: a byte out is taken from one of them, packets stay whole, `o` keeps its
    contract, one that waits sees at most three packets of others end
    """
    inputs, m = 3, p.m
    dut = p.unit(module.Arbiter(inputs))
    m.d.comb += dut.o.ready.eq(p.free(1, "ready"))
    out, inside, owner = dut.o.valid & dut.o.ready, Signal(), Signal(range(inputs))
    takes = []
    for n in range(inputs):
        item, valid = p.free(9, f"item{n}"), p.free(1, f"valid{n}")
        takes.append(p.source(dut.i[n], item, valid))
        p.check(~takes[n] | (Value.cast(dut.o.p) == item), ~takes[n] | ~inside | (owner == n))
        ended = Signal(3, name=f"ended{n}")
        with m.If(~valid | takes[n]):
            m.d.sync += ended.eq(0)
        with m.Elif(out & dut.o.p.last):
            m.d.sync += ended.eq(ended + 1)
        p.check(ended <= inputs)
        with m.If(takes[n]):
            m.d.sync += [inside.eq(~dut.o.p.last), owner.eq(n)]
    p.check(sum(takes) == out)
    p.keeps_contract(dut.o)


def window(p: Property, module):
    """`within` iff space, bank and every word exist and the count is not 0, `fits` iff an answer
    holds them; of all 2^48 heads
    """
    config = small(trit_depth=24, residual_depth=48)
    dut, head = p.unit(module.WindowCheck(config)), p.free(48, "head")
    p.m.d.comb += dut.head.eq(head)
    space, bank, address, count = head[:8], head[8:16], head[16:32], head[32:]
    trits = (space == Space.T) & (bank < config.banks) & (address + count <= 24)
    residuals = (space == Space.R) & (bank == 0) & (address + count <= 48)
    size = Mux(space == Space.T, config.trit_word_bytes, config.residual_word_bytes)
    p.check(dut.within == ((count != 0) & (trits | residuals)),
            ~dut.within | (dut.fits == (count * size <= config.max_payload - module.HEAD_BYTES)))


def memory_window(p: Property, module):
    """bytes come in words of the opened memory's own size, of SUMS too; `byte` and address go on as
    the strobes say
    """
    config = small(row_sums=True, lanes=8, update_lanes=4, residual_depth=32)
    dut, m = p.unit(module.MemoryWindow(config)), p.m
    p.drive(dut, "word", "open", "rewind", "next_byte", "next_word", "write")
    m.d.comb += dut.memory.read_data.eq(p.free(len(dut.memory.read_data), "read"))
    sizes = {Space.T: config.trit_word_bytes, Space.R: config.residual_word_bytes, Space.SUMS: 1}
    head = dut.word[-48:]
    known = Signal()
    space, place, address = Signal(8), Signal(4), Signal(16)
    p.assume(~dut.open | head[:8].matches(*sizes), ~dut.open | (place == 0),
             ~dut.open | ~dut.next_byte)
    with m.If(dut.open):
        m.d.sync += [space.eq(head[:8]), known.eq(1)]
    with m.If(dut.next_byte):
        m.d.sync += place.eq(Mux(dut.word_ends, 0, place + 1))
    with m.If(dut.rewind):
        m.d.sync += address.eq(head[16:32])
    with m.Elif(dut.next_word):
        m.d.sync += address.eq(address + 1)
    for n, size in sizes.items():
        p.check(~known | (space != n) | ((dut.word_bytes == size)
                                         & (dut.word_ends == (place + 1 == size))))
    shown = Array(dut.memory.read_data[n:n + 8] for n in range(
        0, len(dut.memory.read_data), 8))[place]
    p.check(dut.memory.address == address[:len(dut.memory.address)],
            p.first() | (p.past(place) >= len(dut.memory.read_data) // 8)
            | (dut.byte == p.past(shown)), dut.memory.write == dut.write)


def frame_reader(p: Property, module):
    """the place, the place kept, `word` and `nonzero` follow the strobes"""
    config, m = small(), p.m
    dut = p.unit(module.FrameReader(config))
    p.drive(dut, "byte", "restart", "rewind", "take", "mark", "swap", "end", "gather", "load",
            "value")
    p.assume(~dut.load | ~dut.gather)
    place, other = Signal(7), Signal(7)
    going = p.named(7, place + (dut.take | dut.gather), "going")
    to = p.named(7, Mux(dut.restart, 0, Mux(dut.rewind, module.PAYLOAD, Mux(
        dut.swap, other, going))), "to")
    m.d.sync += place.eq(to)
    with m.If(dut.mark | dut.swap):
        m.d.sync += other.eq(going)
    nonzero = Signal()
    with m.If(dut.restart):
        m.d.sync += nonzero.eq(0)
    with m.If(dut.gather):
        m.d.sync += nonzero.eq(nonzero | dut.byte.any())
    before = p.past(dut.word)
    p.check(dut.at_end == (place == dut.end), dut.following == going, dut.behind == place + 1,
            dut.offset == to[:len(dut.offset)], dut.nonzero == nonzero,
            ~p.past(dut.gather) | (dut.word == Cat(before[8:], p.past(dut.byte))),
            ~p.past(dut.load) | (dut.word[:64] == p.past(dut.value)),
            p.first() | p.past(dut.gather | dut.load) | (dut.word == before))


def answers(p: Property, module):
    """header, status, sequence number and nonce of an answer in their places, then its data; `last`
    with the last byte of its length
    """
    config, m = small(), p.m
    dut = p.unit(module.AnswerSender(config))
    fields = {name: p.constant(bits, name) for name, bits in (
        ("nak", 1), ("type", 4), ("sequence", 8), ("status", 4), ("expected", 8), ("nonce", 32))}
    data, data_valid, time = p.free(8, "data"), p.free(1, "data_valid"), p.time(3)
    size = p.constant(4, "size")
    p.assume((size >= 6) & (size <= 7))
    for name, signal in fields.items():
        m.d.comb += Value.cast(getattr(dut, name)).eq(signal)
    left, place, over = Signal(5), Signal(5), Signal()
    with m.If(time == 0):
        m.d.sync += left.eq(size)
    with m.If(dut.counted):
        m.d.sync += left.eq(left - 1)
    m.d.comb += [dut.load.eq(time == 0), dut.enable.eq((time != 0) & ~over), dut.length.eq(left),
                 dut.data.eq(data), dut.data_valid.eq(data_valid), dut.o.ready.eq(p.free(1, "r"))]
    sent = dut.o.valid & dut.o.ready
    with m.If(sent):
        m.d.sync += place.eq(place + 1)
    with m.If(dut.done):
        m.d.sync += over.eq(1)
    head = [Mux(fields["nak"], module.NAK, module.ANSWER_BIT | fields["type"]), fields["sequence"],
            size, 0, fields["status"], fields["expected"],
            *(fields["nonce"][n:n + 8] for n in range(0, 32, 8))]
    for n, byte in enumerate(head):
        p.check(~sent | (place != n) | (dut.o.p.data == byte))
    p.check(~sent | (place < len(head)) | (data_valid & (dut.o.p.data == data)),
            ~sent | (dut.o.p.last == (place == size + 3)), dut.done == (sent & dut.o.p.last))


def pieces(p: Property, module):
    """packets hold the bytes in order, each piece's own length and number; none is lost while both
    halves are full; `o` keeps its contract
    """
    dut, m = p.unit(module.PieceSender()), p.m
    data, last, valid = p.free(8, "data"), p.free(1, "last"), p.free(1, "valid")
    taken = p.source(dut.i, Cat(data, last), valid)
    m.d.comb += dut.o.ready.eq(p.free(1, "ready"))
    p.keeps_contract(dut.o)
    out, place, number = dut.o.valid & dut.o.ready, Signal(6), Signal(4)
    behind = p.named(1, place >= module.HEAD_BYTES, "behind")
    with m.If(out):
        m.d.sync += place.eq(Mux(dut.o.p.last, 0, place + 1))
        m.d.sync += number.eq(number + dut.o.p.last)
    _watched_byte(p, taken, data, out & behind, dut.o.p.data, 6)
    # Of the watched piece: how many bytes it has, and that its packet tells so.
    watched, filling, size = p.constant(2, "piece"), Signal(4), Signal(6)
    with m.If(taken):
        m.d.sync += filling.eq(filling + last)
        with m.If(filling == watched):
            m.d.sync += size.eq(size + 1)
    here = out & (number == watched)
    p.check(~here | (place != 0) | (dut.o.p.data == module.TRACE),
            ~here | ~place.matches(1, 4) | (dut.o.p.data == watched),
            ~here | (place != 2) | (dut.o.p.data == size + 4),
            ~here | ~place.matches(3, 5, 6, 7) | (dut.o.p.data == 0),
            ~here | (dut.o.p.last == (place == size + module.HEAD_BYTES - 1)),
            dut.busy | ~dut.o.valid, size < PIECE_BYTES)


def results(p: Property, module, most: int):
    """a result's packet holds index, length, prediction and the scores in order; `busy` until it is
    out
    """
    config, m = small(max_classes=3), p.m
    dut = p.unit(module.ResultSender(config))
    classes, prediction = p.constant(2, "classes"), p.constant(2, "prediction")
    scores = [p.constant(config.score_bits, f"score{n}") for n in range(3)]
    time, place = p.time(3), Signal(6)
    p.assume((classes >= 1) & (classes <= most))
    m.d.comb += [dut.clear.eq(time == 0), dut.start.eq(time == 1), dut.classes.eq(classes),
                 dut.prediction.eq(prediction), dut.o.ready.eq(p.free(1, "ready")),
                 dut.score.eq(p.past(Array(scores)[dut.score_index]).as_signed())]
    sent = dut.o.valid & dut.o.ready
    with m.If(sent):
        m.d.sync += place.eq(place + 1)
    head = [module.RESULT, 0, 5 + 4 * classes, 0, 0, 0, 0, 0, prediction]
    for n, byte in enumerate(head):
        p.check(~sent | (place != n) | (dut.o.p.data == byte))
    for n, score in enumerate(scores[:most]):
        wide = p.named(signed(32), score.as_signed(), f"wide{n}")
        for k in range(4):
            p.check(~sent | (place != len(head) + 4 * n + k)
                    | (dut.o.p.data == wide[8 * k:8 * k + 8]))
    p.check(~sent | (dut.o.p.last == (place == 8 + 4 * classes)),
            (time < 2) | (dut.busy == (place < 9 + 4 * classes)))
    p.keeps_contract(dut.o)


def uart(p: Property, module, cycles: int, drift: int):
    """what a transmitter whose bits are up to `drift` % shorter or longer sends, from any phase of
    its clock, arrives: every byte, once, without an error
    """
    bits, m = 12, p.m
    sender, dut = p.unit(module.UartTransmitter(bits), "sender"), p.unit(module.UartReceiver(bits))
    step = (1 << bits) // cycles
    rate, byte = p.constant(bits, "rate"), p.constant(8, "byte")
    time, got = p.time(1023), Signal(2)
    delay = p.constant(range(cycles), "delay")
    p.assume(rate * 100 >= step * (100 - drift), rate * 100 <= step * (100 + drift))
    offered = Signal()
    with m.If(sender.i.ready & sender.i.valid):
        m.d.sync += offered.eq(1)
    m.d.comb += [sender.step.eq(rate), dut.step.eq(step), dut.rx.eq(sender.tx), sender.i.p.eq(byte),
                 sender.i.valid.eq((time >= delay) & ~offered), dut.o.ready.eq(1)]
    m.d.sync += got.eq(got + dut.o.valid)
    p.check(~dut.good | (dut.byte == byte), ~dut.o.valid | (dut.o.p == byte), got <= 1,
            ~dut.error, ~dut.broken, (time < 13 * cycles) | (got == 1))
