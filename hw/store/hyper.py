"""Two HyperBus PSRAMs side by side, as the words of 16 bits that an SDRAM has."""

from dataclasses import dataclass
from math import ceil
from types import SimpleNamespace

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from ...errors import ConfigError
from .sdram import pattern, phases

__all__ = ["HYPER_PINS", "HyperController", "HyperTiming"]

#: Of both parts, whose chip selects, clocks and strobes go together. `ck` has the clock's level in
#: the first and in the second half of a cycle; data and `rwds`, the mask, stay for a cycle.
HYPER_PINS = {
    "reset_n": Out(1), "cs_n": Out(1, init=1), "ck": Out(2), "dq_o": Out(16), "dq_oe": Out(1),
    "rwds_o": Out(1), "rwds_oe": Out(1), "dq_rise": In(16), "dq_fall": In(16),
}
#: CR0: not asleep, a fixed latency of twice three clocks, which is enough up to 83 MHz.
CONFIGURATION = 0x8FEF
#: Edges of the clock: those of a command, and those before the first byte of data.
COMMAND, LATENCY = 6, 16


@dataclass(frozen=True)
class HyperTiming:
    """Size of a part, the time in us that it takes after power-up, and its clock.

    Parameters
    ----------
    clock_hz
        20 to 100 MHz, of `sync`; the parts' clock is half of it. Below, a burst is too long for
        parts that must not be selected for more than 4 us.
    byte_bits
        Each part holds 2^byte_bits bytes.
    """

    clock_hz: float
    byte_bits: int = 22
    power_up: float = 150

    def __post_init__(self) -> None:
        if not 20e6 <= self.clock_hz <= 100e6:
            raise ConfigError(
                f"a PSRAM's clock must be 20 to 100 MHz, not {self.clock_hz!r} Hz")


class HyperController(wiring.Component):
    """Reads and writes words in sequence; of each one, each part has a byte.

    A transaction takes 17 cycles to the first byte. It reads up to `burst` words, one a cycle, to
    the end of as many from a multiple of them on, so that none is in two rows; 4 cycles lie behind
    them. Or it writes one word, 24 cycles in all: neither can wait for a word. What nobody takes
    keeps the next burst from beginning. The parts refresh themselves while they are not selected.

    Data change with `sync`, and the parts' clock, of half its frequency, in the middle of a cycle.
    After the power-up the last 8 words are written and read, by which `phase` is chosen; it is an
    index of `hw.store.sdram.phases(delay, spread, 3)`.

    Parameters
    ----------
    timing
        The parts, and the frequency of `sync`.
    delay, spread
        See `phases`; its half cycles are those behind the begin of the edge's cycle at the pins.

    Members
    -------
    start, write, address, words, idle, ready, failed, phase, i, o : see `SdramController`.
    the others : see `HYPER_PINS`; all that go out are registered. dq_rise, dq_fall : see
        `SdramController`.
    """

    #: Words of the test.
    TEST = 8
    #: Words of the longest transaction.
    burst = 32

    def __init__(self, timing: HyperTiming, delay: int = 0, spread: int = 1):
        self.timing = timing
        self.phases = phases(delay, spread, 3)
        self.flight = max(self.phases) // 2 + 1
        self.address_bits = timing.byte_bits
        super().__init__({
            "start": In(1), "write": In(1), "address": In(self.address_bits), "words": In(24),
            "idle": Out(1), "ready": Out(1), "failed": Out(1), "phase": Out(3),
            "i": In(stream.Signature(16)), "o": Out(stream.Signature(16)), **HYPER_PINS,
        })

    def elaborate(self, platform):
        m = Module()
        wait = ceil(self.timing.power_up * self.timing.clock_hz / 1e6)
        power = Signal(range(wait + 1), init=wait)
        at, left = Signal(self.address_bits), Signal(24)
        writing, testing = Signal(), Signal(2, init=2)  # 2: the test writes, 1: it reads
        # Of a transaction: its edge, and what it does.
        edge, runs = Signal(range(LATENCY + self.burst + 4)), Signal()
        register, word, count = Signal(init=1), Signal(16), Signal(range(self.burst + 1))
        here, until = Signal(range(self.burst)), Signal(range(self.burst + 1))
        room, asked = Signal(), Signal()
        flying = self._reads(m, asked, testing, room)
        m.d.comb += [here.eq(at), until.eq(self.burst - here), self.ready.eq(testing == 0)]
        ends = Signal()
        self._transaction(m, edge, runs, ends, SimpleNamespace(
            register=register, writing=writing, at=at, word=word, count=count, asked=asked))

        with m.FSM():
            with m.State("POWER"):
                m.d.sync += [power.eq(power - 1), self.reset_n.eq(power < wait // 2)]
                with m.If(power == 0):
                    m.d.sync += [word.eq(CONFIGURATION), writing.eq(1), runs.eq(1), edge.eq(0)]
                    m.next = "RUN"
            with m.State("IDLE"):
                m.d.comb += self.idle.eq((testing == 0) & ~flying)
                m.d.sync += [at.eq(self.address), writing.eq(self.write), left.eq(self.words)]
                with m.If(testing != 0):
                    m.d.sync += [at.eq(~C(self.TEST - 1, self.address_bits)),
                                 writing.eq(testing == 2), left.eq(self.TEST)]
                with m.If(Mux(testing != 0, ~flying, self.start & self.idle)):
                    m.next = "NEXT"
            with m.State("NEXT"):
                m.d.sync += [edge.eq(0), word.eq(Mux(testing != 0, pattern(at[:3]), self.i.p)),
                             count.eq(Mux(writing, 1, Mux(left < until, left, until)))]
                with m.If(left == 0):
                    with m.If(testing == 2):  # a test that reads ends with its last word
                        m.d.sync += testing.eq(1)
                    m.next = "IDLE"
                with m.Elif(Mux(writing, (testing != 0) | self.i.valid, room)):
                    m.d.comb += self.i.ready.eq(writing & (testing == 0))
                    m.d.sync += runs.eq(1)
                    m.next = "RUN"
            with m.State("RUN"):
                with m.If(ends):
                    m.d.sync += [runs.eq(0), register.eq(0)]
                    with m.If(~register):
                        m.d.sync += [at.eq(at + count), left.eq(left - count)]
                    m.next = "NEXT"
                    with m.If(register):
                        m.next = "IDLE"
        return m

    def _transaction(self, m, edge, runs, ends, what):
        """Pins of the transaction that `runs`, by its cycle `edge`, from 0 on."""
        # Cycles of the pins: selected, then with an edge of the clock in each, then still selected
        # while the last byte comes in; then not selected, for two at least.
        command = Signal(48)
        place = what.at[1:]  # words of a part, of two bytes each
        m.d.comb += command.eq(Mux(what.register, 0x60_00_01_00_00_00, Cat(
            place[:3], C(0, 13), place[3:], C(0, 29 - (len(place) - 3)),
            C(1, 1), C(0, 1), ~what.writing)))
        beat = Signal.like(edge)  # of the clock
        odd, last, clocked, data = Signal(), Signal.like(edge), Signal(), Signal()
        m.d.comb += [
            beat.eq(edge - 1), odd.eq(what.at[0] & ~what.register),
            # Bytes go in pairs.
            last.eq(Mux(what.register, COMMAND + 1,
                        LATENCY - 1 + ((odd + what.count + 1) & ~1))),
            clocked.eq(runs & (edge != 0) & (beat <= last)),
            data.eq(clocked & (beat >= Mux(what.register, COMMAND, LATENCY))),
            ends.eq(edge == last + 5),
        ]
        with m.If(runs):
            m.d.sync += edge.eq(edge + 1)
        first = Signal()  # of a pair
        m.d.comb += first.eq(~beat[0])
        byte = Signal(8)
        m.d.comb += byte.eq(Array([command.word_select(5 - n, 8) for n in range(6)])[beat[:3]])
        written = runs & what.writing
        mine = Signal()  # the byte of a pair that is meant
        m.d.comb += [
            mine.eq((beat - LATENCY >= odd) & (beat - LATENCY < odd + what.count)),
            what.asked.eq(data & mine & ~what.writing),
        ]
        m.d.sync += [
            self.cs_n.eq(~(runs & (edge <= last + Mux(what.writing, 1, 3)))),
            self.ck.eq(Mux(clocked, Mux(first, 0b10, 0b01), 0)),
            self.dq_o.eq(Mux(beat < COMMAND, byte.replicate(2), Mux(
                what.register, Mux(first, what.word[8:], what.word[:8]).replicate(2), what.word))),
            self.dq_oe.eq(clocked & ((beat < COMMAND) | written)),
            self.rwds_oe.eq(written & ~what.register & (edge >= LATENCY - 1) & (beat <= last)),
            self.rwds_o.eq(~mine),
        ]

    def _reads(self, m, asked, testing, room):
        """Words on their way in: whether there are any; sets whether a burst has room."""
        m.submodules.fifo = fifo = SyncFIFO(width=16, depth=self.burst)
        pipe = Signal(self.flight)
        m.d.sync += pipe.eq(Cat(asked, pipe))
        # What the pins showed, the last half cycle first.
        shown = [self.dq_rise, self.dq_fall]
        while 2 * self.flight - 2 - len(shown) >= min(self.phases):
            late = Signal(16)
            m.d.sync += late.eq(shown[-2])
            shown.append(late)
        seen = Array([shown[2 * self.flight - 2 - phase] for phase in self.phases])
        flying = Signal()
        m.d.comb += [
            flying.eq(pipe.any()),
            room.eq((fifo.level == 0) & ~flying),
            fifo.w_data.eq(seen[self.phase]),
            fifo.w_en.eq(pipe[-1] & (testing == 0)),
            self.o.p.eq(fifo.r_data), self.o.valid.eq(fifo.r_rdy), fifo.r_en.eq(self.o.ready),
        ]
        place, wrong = Signal(3), Signal(len(self.phases))
        with m.If(pipe[-1] & (testing == 1)):
            m.d.sync += place.eq(place + 1)
            fails = Cat(value != pattern(place) for value in seen) | wrong
            m.d.sync += wrong.eq(fails)
            with m.If(place == self.TEST - 1):
                m.d.sync += [testing.eq(0), self.failed.eq(fails.all())]
                for n in reversed(range(len(self.phases))):
                    with m.If(~fails[n]):
                        m.d.sync += self.phase.eq(n)
        return flying
