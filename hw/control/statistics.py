"""What STATUS reports of a run: counters in a block RAM with one small adder."""

import struct

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...firmware.frames import ANSWER_HEAD, STATUS_FIELDS
from ...model.config import CoreConfig
from ..memory.block_ram import BlockRam
from ..parts.ports import StatisticsSignature

__all__ = ["COUNTERS", "ROUND", "Statistics"]

#: Cycles of a round. In each a byte is worked on, at the place that it has in STATUS's answer.
ROUND = 64

_NAMES = ("samples", "correct", "updates", "flips", "cycles", "forward_cycles", "total_cycles")


def _places() -> dict[str, range]:
    place = 4 + struct.calcsize("<" + "".join(code for _, code in ANSWER_HEAD))
    found = {}
    for name, code in STATUS_FIELDS:
        size = struct.calcsize(code)
        found[name] = range(place, place + size)
        place += size
    return {name: found[name] for name in _NAMES}


#: Places of each counter's bytes, counted from the first byte of the frame that answers STATUS.
COUNTERS = _places()


class Statistics(wiring.Component):
    """Counts events, and keeps a picture of all counters as they were in one cycle.

    What happens in a round of 64 cycles goes, when it ends, into registers at once, and from there
    into the memory during the next round: a byte a cycle is read, added to and written.

    A picture takes no copying: for a round the bytes are read from one area of the memory and
    written to the other, and what was read stays. Counters that begin anew take a zero in place
    of the word that was read: LUT RAM holds anything at power-up.

    Members
    -------
    clear : strobe: all but `total_cycles` restart; while nothing else happens.
    judged, correct, updated : strobe, while `room`: one more sample, whether it was predicted
        right, and whether its gap was below the margin.
    room : the round has no sample yet.
    flips : counters whose trit changed in this cycle.
    working, forwarding : this cycle counts for `cycles`, for `forward_cycles`.
    report : see `StatisticsSignature`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "clear": In(1),
            "judged": In(1),
            "correct": In(1),
            "updated": In(1),
            "room": Out(1),
            "flips": In(range(config.update_lanes * config.update_rows + 1)),
            "working": In(1),
            "forwarding": In(1),
            "report": In(StatisticsSignature()),
        })
        # Two areas for the counters; twice, as a block has one read port.
        self.memory = BlockRam(8, 2 * ROUND)
        self.picture = BlockRam(8, 2 * ROUND)
        self.place = Signal(range(ROUND))  # of the byte that is written; the next one is read
        self.last = Signal()

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        m.submodules.picture = picture = self.picture
        report, place, last = self.report, self.place, self.last
        following = Signal.like(place)
        m.d.comb += [following.eq(place + 1), last.eq(place == ROUND - 1)]
        m.d.sync += place.eq(following)

        source, target = Signal(), Signal()  # areas
        taking = Signal()  # in this round the counters become those of the picture
        unset, cleared, clearing = Signal(init=1), Signal(), Signal()
        zero = Signal()  # the byte begins at 0, whatever the memory holds
        lasting = Signal()  # `clear` does not concern the byte
        m.d.comb += [
            lasting.eq(following.matches(*COUNTERS["total_cycles"])),
            memory.address.eq(Cat(following, source)),
            report.taken.eq(last & report.take & ~taking),
            report.ready.eq(last & taking),
            picture.address.eq(Cat(report.place, ~target)),
            report.byte.eq(picture.word),
        ]
        m.d.sync += zero.eq(unset | (clearing & ~lasting))
        with m.If(last):
            m.d.sync += [
                source.eq(target),
                target.eq(target ^ taking),
                taking.eq(report.taken),
                unset.eq(0),
                clearing.eq(cleared),
                cleared.eq(0),
            ]
        with m.If(self.clear):
            m.d.sync += cleared.eq(1)

        addend, starts, event = self._collect(m)
        total, carry = Signal(9), Signal()
        kept = memory.word & ~zero.replicate(8)
        m.d.comb += total.eq(  # one adder
            (Cat(1, kept) + Cat(Mux(starts, event, carry), addend))[1:])
        m.d.sync += carry.eq(total[-1])
        for ram in memory, picture:
            m.d.comb += [
                ram.write.eq(1),
                ram.write_address.eq(Cat(place, target)),
                ram.write_data.eq(total),
            ]
        return m

    def _collect(self, m):
        """What is added to the byte at `place`; whether a counter starts there, and its event."""
        place, last = self.place, self.last
        flips = Signal((ROUND * self.config.update_lanes * self.config.update_rows).bit_length())
        working, forwarding = (Signal(range(ROUND + 1), name=name) for name in (
            "working", "forwarding"))
        for count, more in (flips, self.flips), (working, self.working), (
                forwarding, self.forwarding):
            with m.If(self.clear):
                m.d.sync += count.eq(0)
            with m.Elif(last):
                m.d.sync += count.eq(more)
            with m.Else():
                m.d.sync += count.eq(count + more)

        # The round's counts move up the chain as they are used, and so do its events.
        counts = {"flips": flips, "cycles": working, "forward_cycles": forwarding,
                  "total_cycles": Const(ROUND)}
        parts = [(COUNTERS[name][first // 8], count[first:first + 8])
                 for name, count in counts.items() for first in range(0, len(count), 8)]
        chain = [Signal(8, name=f"chain{n}") for n in range(len(parts))]
        used, starts = Signal(), Signal()
        judged, events = Signal(3), Signal(3)
        m.d.comb += [
            used.eq(place.matches(*(at for at, _ in parts))),
            starts.eq(place.matches(*(places[0] for places in COUNTERS.values()))),
            self.room.eq(~judged[0]),
        ]
        with m.If(last):
            m.d.sync += [entry.eq(part) for entry, (_, part) in zip(chain, parts, strict=True)]
            m.d.sync += [events.eq(judged), judged.eq(0)]
        with m.Else():
            with m.If(used):
                m.d.sync += [entry.eq(after) for entry, after in zip(
                    chain, [*chain[1:], 0], strict=True)]
            with m.If(starts):
                m.d.sync += events.eq(events >> 1)
        with m.If(self.clear):
            m.d.sync += judged.eq(0)
        with m.Elif(self.judged):
            m.d.sync += judged.eq(Cat(1, self.correct, self.updated))
        return chain[0] & used.replicate(8), starts, events[0]
