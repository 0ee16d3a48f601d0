"""Two HyperBus PSRAMs side by side, as the words of 16 bits that an SDRAM has."""

from dataclasses import dataclass
from math import ceil

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
        register, word = Signal(init=1), Signal(16)
        room, asked = Signal(), Signal()
        flying = self._reads(m, asked, testing, room)
        m.d.comb += self.ready.eq(testing == 0)

        with m.FSM():
            with m.State("POWER"):
                m.d.sync += [power.eq(power - 1), self.reset_n.eq(power < wait // 2)]
                with m.If(power == 0):
                    m.d.sync += [word.eq(CONFIGURATION), writing.eq(1)]
                    m.next = "SELECT"
            with m.State("IDLE"):
                m.d.comb += self.idle.eq((testing == 0) & ~flying)
                m.d.sync += [at.eq(self.address), writing.eq(self.write), left.eq(self.words)]
                with m.If(testing != 0):
                    m.d.sync += [at.eq(~C(self.TEST - 1, self.address_bits)),
                                 writing.eq(testing == 2), left.eq(self.TEST)]
                with m.If(Mux(testing != 0, ~flying, self.start & self.idle)):
                    m.next = "NEXT"
            with m.State("NEXT"):
                m.d.sync += word.eq(Mux(testing != 0, pattern(at[:3]), self.i.p))
                with m.If(left == 0):
                    with m.If(testing == 2):  # a test that reads ends with its last word
                        m.d.sync += testing.eq(1)
                    m.next = "IDLE"
                with m.Elif(Mux(writing, (testing != 0) | self.i.valid, room)):
                    m.d.comb += self.i.ready.eq(writing & (testing == 0))
                    m.next = "SELECT"
            self._transaction(m, register, writing, at, left, word, asked)
        return m

    def _transaction(self, m, register, writing, at, left, word, asked):
        """States from the parts' selection until they may be selected again, and the pins."""
        n = Signal(4)  # cycles that a state still has
        second = Signal()  # of a pair of bytes, between which the clock is high
        skip, over = Signal(), Signal()  # the byte is not meant: the word is before, or behind
        selected, clocked, commands, data, mine, masks = (Signal() for _ in range(6))
        place, command = at[1:], Signal(48)  # words of a part, of two bytes each
        m.d.comb += command.eq(Mux(register, 0x60_00_01_00_00_00, Cat(
            place[:3], C(0, 13), place[3:], C(0, 29 - (len(place) - 3)),
            C(1, 1), C(0, 1), ~writing)))
        byte = Array([command.word_select(k, 8) for k in range(6)])[n[:3]]
        m.d.sync += [n.eq(n - 1), second.eq(clocked & ~second)]
        with m.State("SELECT"):
            m.d.comb += selected.eq(1)
            m.d.sync += [n.eq(COMMAND - 1), over.eq(0), skip.eq(at[0] & ~register)]
            m.next = "COMMAND"
        with m.State("COMMAND"):
            m.d.comb += [selected.eq(1), clocked.eq(1), commands.eq(1)]
            with m.If(n == 0):
                m.d.sync += n.eq(LATENCY - COMMAND - 1)
                m.next = "LATENCY"
                with m.If(register):
                    m.next = "DATA"
        with m.State("LATENCY"):
            m.d.comb += [selected.eq(1), clocked.eq(1), masks.eq(n[1:] == 0)]
            with m.If(n == 0):
                m.next = "DATA"
        with m.State("DATA"):
            last = register | writing | (left == 1) | at[:self.burst.bit_length() - 1].all()
            m.d.comb += [selected.eq(1), clocked.eq(1), data.eq(1), masks.eq(1),
                         mine.eq(~skip & ~over), asked.eq(mine & ~writing)]
            m.d.sync += skip.eq(0)
            with m.If(mine & ~register):
                m.d.sync += [at.eq(at + 1), left.eq(left - 1), over.eq(last)]
            with m.If(second & (over | last)):
                m.d.sync += n.eq(3)
                m.next = "BEHIND"
        with m.State("BEHIND"):  # selected while the last byte comes in, then not for two cycles
            m.d.comb += selected.eq(~writing & n[1])
            with m.If(n == 0):
                m.d.sync += register.eq(0)
                m.next = "NEXT"
                with m.If(register):
                    m.next = "IDLE"
        m.d.sync += [
            self.cs_n.eq(~selected), self.ck.eq(Cat(clocked & second, clocked & ~second)),
            self.dq_o.eq(Mux(~data, byte.replicate(2), Mux(
                register, Mux(second, word[:8], word[8:]).replicate(2), word))),
            self.dq_oe.eq(clocked & (writing | commands)),
            self.rwds_oe.eq(writing & ~register & masks), self.rwds_o.eq(~mine),
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
