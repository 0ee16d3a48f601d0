"""A large memory of words in a simulation: pages, and noise where nobody has written."""

import random

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tritgrad.sim.compiled import CompiledCore
from tritgrad.sim.stored import SparseWords, sparse_verilog

BITS = 24


class Words(wiring.Component):
    """Of an address of three bytes, a count, and 1: writes so many words that follow; 0: reads."""

    def __init__(self):
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = SparseWords(BITS)
        port, head, place = memory.words, Signal(40), Signal(range(5))
        high, low = Signal(), Signal(8)
        m.d.comb += [port.address.eq(head[:24]), port.words.eq(head[24:32]),
                     port.write.eq(head[32]), port.i.p.eq(Cat(low, self.i.p)),
                     self.o.p.eq(port.o.p.word_select(high, 8))]
        with m.FSM():
            with m.State("HEAD"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    m.d.sync += [head.eq(Cat(head[8:], self.i.p)),
                                 place.eq(Mux(place == 4, 0, place + 1))]
                    with m.If(place == 4):
                        m.next = "BEGIN"
            with m.State("BEGIN"):
                m.d.comb += port.start.eq(port.idle)
                with m.If(port.idle):
                    m.next = "MOVE"
            with m.State("MOVE"):
                m.d.comb += [port.i.valid.eq(self.i.valid & high),
                             self.i.ready.eq(head[32] & (port.i.ready | ~high)),
                             self.o.valid.eq(port.o.valid), port.o.ready.eq(self.o.ready & high)]
                with m.If((self.i.valid & self.i.ready) | (self.o.valid & self.o.ready)):
                    m.d.sync += [high.eq(~high), low.eq(self.i.p)]
                    with m.If(high):
                        m.d.sync += head[24:32].eq(head[24:32] - 1)
                        with m.If(head[24:32] == 1):
                            m.next = "HEAD"
        return m


def test_what_is_written_is_read_and_the_rest_is_noise(fresh_seed):
    rng = random.Random(fresh_seed)
    text = sparse_verilog(Words())
    assert len(text) < 100_000

    def read(core, at, count):
        out, ask = b"", at.to_bytes(3, "little") + bytes([count, 0])
        while len(out) < 2 * count:
            taken, some = core.run(ask, 10_000, stop_at_frame=False)
            ask, out = ask[taken:], out + some
        return out

    def write(core, at, data):
        wire = at.to_bytes(3, "little") + bytes([len(data) // 2, 1]) + data
        while wire:
            wire = wire[core.run(wire, 10_000, stop_at_frame=False)[0]:]

    def opened(power_up):
        return CompiledCore(lambda: text, text, power_up=power_up)

    places = [0, (1 << BITS) - 100, *(rng.randrange(100, (1 << BITS) - 300) for _ in range(4))]
    with opened(7) as core:
        noise = {at: read(core, at, 100) for at in places}
        for at, before in noise.items():
            first, count = rng.randrange(40), rng.randint(1, 60)
            data = rng.randbytes(2 * count)
            write(core, at + first, data)
            noise[at] = before[:2 * first] + data + before[2 * (first + count):]
            # The words of a page that nobody wrote stay as they were.
            assert read(core, at, 100) == noise[at]
    with opened(7) as core, opened(8) as other, opened(0) as cold:
        for made in core, other, cold:
            words = [read(made, at, 100) for at in places]
            assert len({word[n:n + 2] for word in words for n in range(0, 200, 2)}) > 500
        assert read(core, 5, 100) == read(core, 5, 100) != read(other, 5, 100)
