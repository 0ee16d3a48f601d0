"""SDRAM of 16 bits: words from any address on, one a cycle, and all that keeps the part alive."""

from dataclasses import dataclass
from math import ceil

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from ...errors import ConfigError

__all__ = ["SDRAM_PINS", "SdramController", "SdramTiming", "phases"]

#: Of a part of 16 bits, with the data pins' drivers and input registers beside the FPGA's logic.
SDRAM_PINS = {
    "cke": Out(1), "cs_n": Out(1, init=1), "ras_n": Out(1, init=1), "cas_n": Out(1, init=1),
    "we_n": Out(1, init=1), "ba": Out(2), "a": Out(13), "dqm": Out(2), "dq_o": Out(16),
    "dq_oe": Out(1), "dq_rise": In(16), "dq_fall": In(16),
}


def phases(delay: int = 0, spread: int = 1, first: int = 5) -> tuple[int, ...]:
    """Half cycles behind a READ's command at which its word may be taken, the best one first.

    Parameters
    ----------
    delay
        Cycles that registers at the pins add, on both ways together.
    spread
        Half cycles that are tried to either side of what is expected.
    first
        What is expected without a delay.
    """
    return tuple(first + 2 * delay + sign * n for n in range(spread + 1)
                 for sign in ((-1, 1) if n else (1,)))


@dataclass(frozen=True)
class SdramTiming:
    """Size and limits of a part, in ns; the last two in us: the slowest of makers. And its clock.

    Parameters
    ----------
    clock_hz
        20 to 100 MHz: below, the refreshes are too many; above, a latency of 2 is too short.
    """

    clock_hz: float
    column_bits: int = 9
    row_bits: int = 13
    rcd: float = 20
    rp: float = 20
    ras: float = 45
    rc: float = 66
    rfc: float = 70
    wr: float = 15
    power_up: float = 200
    refresh: float = 64_000

    def __post_init__(self) -> None:
        if not 20e6 <= self.clock_hz <= 100e6:
            raise ConfigError(
                f"an SDRAM's clock must be 20 to 100 MHz, not {self.clock_hz!r} Hz")

    def cycles(self, ns: float) -> int:
        """Cycles that last at least so long."""
        return ceil(ns * self.clock_hz / 1e9 - 1e-9)


class SdramController(wiring.Component):
    """Reads and writes words in sequence, with the row left open between requests.

    A word a cycle; a request whose row is not open waits for precharge and activation, one that
    reaches a row's end does so again, and each refresh closes the row: 5, 5 and 10 cycles at
    65 MHz. Consecutive rows lie in different banks. A word that is read comes 5 cycles behind its
    command; what nobody takes stops the commands, not the refreshes.

    The part's clock is `sync` inverted. After the power-up its last 8 words are written and read,
    by which `phase` is chosen; it is an index of `phases(delay, spread)`.

    Parameters
    ----------
    timing
        The part, and the frequency of `sync`.
    delay, spread
        See `phases`. A word that is read comes so many cycles later, and one more for each two of
        `spread` beyond the first.

    Members
    -------
    start : strobe, while `idle`: begin with
    write, address, words : which way, the first word, how many, at least 1.
    idle : nothing is under way; words may wait in `o`.
    ready, failed : the test is over, and no phase has passed it.
    phase : the one in use.
    i, o : words to write, and words read.
    cke, cs_n, ras_n, cas_n, we_n, ba, a, dqm, dq_o, dq_oe : pins, registered.
    dq_rise, dq_fall : the data pins as an input register took them at the last rise of `sync`, and
        at the fall before it.
    """

    #: Words of the test.
    TEST = 8

    def __init__(self, timing: SdramTiming, delay: int = 0, spread: int = 1):
        self.timing = timing
        self.phases = phases(delay, spread)
        #: Cycles behind a command in which all of its phases have passed.
        self.flight = max(self.phases) // 2 + 1
        #: Words that may wait in `o`.
        self.depth = 8 if self.flight == 4 else 16
        self.address_bits = timing.row_bits + 2 + timing.column_bits
        super().__init__({
            "start": In(1), "write": In(1), "address": In(self.address_bits), "words": In(24),
            "idle": Out(1), "ready": Out(1), "failed": Out(1), "phase": Out(3),
            "i": In(stream.Signature(16)), "o": Out(stream.Signature(16)), **SDRAM_PINS,
        })

    def elaborate(self, platform):
        m = Module()
        t = self.timing
        rcd, rp, ras, rc, rfc, wr = (
            t.cycles(getattr(t, name)) for name in ("rcd", "rp", "ras", "rc", "rfc", "wr"))
        at = Signal(self.address_bits)
        left = Signal(24)
        writing, opened, refreshing = Signal(), Signal(), Signal()
        row = Signal(t.row_bits + 2)           # the open one, and its bank below
        here = at[t.column_bits:]
        gap = Signal(range(max(rcd, rp, rfc, 3) + 1))   # cycles without a command
        age = Signal(range(rc + 1), init=rc)   # since the row was opened, up to tRC
        written = Signal(range(wr + 1), init=wr)
        m.d.sync += [gap.eq(gap - (gap != 0)), age.eq(age + (age != rc)),
                     written.eq(written + (written != wr))]

        # ras_n, cas_n, we_n of the command; its address is bank and `a`.
        command, bank, a = Signal(3, init=7), Signal(2), Signal(13)
        m.d.comb += [command.eq(7), bank.eq(here[:2]), a.eq(at[:t.column_bits])]
        m.d.sync += [
            Cat(self.we_n, self.cas_n, self.ras_n).eq(command), self.cs_n.eq(0), self.cke.eq(1),
            self.ba.eq(bank), self.a.eq(a), self.dq_oe.eq(command == 4),
        ]
        asked, due = Signal(), Signal()
        testing = Signal(2, init=2)  # 2: the test writes, 1: it reads, 0: it is over
        flying, room = self._reads(m, asked, testing)
        self._refreshes(m, due)
        take = Signal()
        m.d.sync += self.dq_o.eq(Mux(testing != 0, pattern(at[:3]), self.i.p))
        m.d.comb += [self.i.ready.eq(take & (testing == 0)), self.ready.eq(testing == 0)]

        with m.FSM():
            self._power_up(m, gap, command, bank, a)
            with m.State("IDLE"):
                m.d.comb += self.idle.eq((testing == 0) & ~flying)
                m.d.sync += [at.eq(self.address), writing.eq(self.write)]
                with m.If(testing != 0):
                    m.d.sync += [at.eq(~C(self.TEST - 1, self.address_bits)),
                                 writing.eq(testing == 2)]
                with m.If(due):
                    m.d.sync += [refreshing.eq(1), left.eq(0)]
                    m.next = "CLOSE"
                with m.If(Mux(testing != 0, (gap == 0) & ~flying & ~due, self.start & self.idle)):
                    m.d.sync += left.eq(Mux(testing != 0, self.TEST, self.words))
                    m.next = "COLUMN"
            with m.State("COLUMN"):
                with m.If(due):
                    m.d.sync += refreshing.eq(1)
                    m.next = "CLOSE"
                with m.Elif(left == 0):
                    with m.If(testing == 2):  # a test that reads ends with its last word
                        m.d.sync += testing.eq(1)
                    m.next = "IDLE"
                with m.Elif(~opened | (row != here)):
                    m.next = "CLOSE"
                with m.Elif(gap == 0):
                    go = Mux(writing, ((testing != 0) | self.i.valid) & ~flying, room)
                    m.d.comb += take.eq(writing & ~flying)
                    with m.If(go):
                        m.d.comb += [command.eq(Mux(writing, 4, 5)), asked.eq(~writing)]
                        m.d.sync += [at.eq(at + 1), left.eq(left - 1)]
                        with m.If(writing):
                            m.d.sync += written.eq(0)
            with m.State("CLOSE"):
                with m.If(opened):
                    with m.If((age >= ras) & (written >= wr)):
                        m.d.comb += [command.eq(2), a.eq(1 << 10)]
                        m.d.sync += [opened.eq(0), gap.eq(rp - 1)]
                with m.Elif(gap == 0):
                    with m.If(refreshing):
                        m.d.comb += command.eq(1)
                        m.d.sync += [refreshing.eq(0), due.eq(0), gap.eq(rfc - 1)]
                        m.next = "IDLE"
                        with m.If(left != 0):
                            m.next = "COLUMN"
                    with m.Elif(age >= rc):
                        m.d.comb += [command.eq(3), a.eq(here[2:])]
                        m.d.sync += [opened.eq(1), row.eq(here), gap.eq(rcd - 1), age.eq(1)]
                        m.next = "COLUMN"
        return m

    def _power_up(self, m, gap, command, bank, a):
        """The part's start: precharge, eight refreshes, its mode: words one by one, latency 2."""
        t = self.timing
        wait = t.cycles(t.power_up * 1e3)
        power, starts = Signal(range(wait + 1), init=wait), Signal(range(9), init=8)
        with m.State("POWER"):
            m.d.sync += power.eq(power - 1)
            with m.If(power == 0):
                m.d.comb += [command.eq(2), a.eq(1 << 10)]
                m.d.sync += gap.eq(t.cycles(t.rp) - 1)
                m.next = "BEGIN"
        with m.State("BEGIN"):
            with m.If(gap == 0):
                m.d.sync += [starts.eq(starts - 1), gap.eq(t.cycles(t.rfc) - 1)]
                m.d.comb += command.eq(1)
                with m.If(starts == 0):
                    m.d.comb += [command.eq(0), bank.eq(0), a.eq(2 << 4)]
                    m.d.sync += gap.eq(2)
                    m.next = "IDLE"

    def _refreshes(self, m, due):
        """Sets `due` as often as a row is to be refreshed."""
        interval = int(self.timing.refresh * self.timing.clock_hz / 1e6) >> self.timing.row_bits
        until = Signal(range(interval), init=interval - 1)
        m.d.sync += until.eq(Mux(until == 0, interval - 1, until - 1))
        with m.If(until == 0):
            m.d.sync += due.eq(1)

    def _reads(self, m, asked, testing):
        """Words on their way in: whether there are any, and whether another one has room."""
        m.submodules.fifo = fifo = SyncFIFO(width=16, depth=self.depth)
        pipe = Signal(self.flight)
        m.d.sync += pipe.eq(Cat(asked, pipe))
        # What the pins showed, the last half cycle first: at the end of a word's flight that is the
        # half cycle 2 `flight` - 2 behind its command.
        shown = [self.dq_rise, self.dq_fall]
        while 2 * self.flight - 2 - len(shown) >= min(self.phases):
            late = Signal(16)
            m.d.sync += late.eq(shown[-2])
            shown.append(late)
        seen = Array([shown[2 * self.flight - 2 - phase] for phase in self.phases])
        coming = sum(bit for bit in pipe)
        flying, room = Signal(), Signal()
        m.d.comb += [
            flying.eq(pipe.any()),
            room.eq(fifo.level + coming < self.depth),
            fifo.w_data.eq(seen[self.phase]),
            fifo.w_en.eq(pipe[-1] & (testing == 0)),
            self.o.p.eq(fifo.r_data), self.o.valid.eq(fifo.r_rdy),
            fifo.r_en.eq(self.o.ready),
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
        return flying, room


def pattern(place: Value) -> Value:
    """The word of the test at each of its places: neighbours differ in most bits."""
    return Cat(place, ~place, place, ~place, place, C(1, 1))
