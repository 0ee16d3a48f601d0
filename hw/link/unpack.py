"""Samples as they travel on the link to words of L inputs."""

from math import gcd

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ...model.config import CoreConfig
from ..parts.ports import sample_word

__all__ = ["Unpacker"]


class Unpacker(wiring.Component):
    """Bytes of a sample to `sample_word`: groups of a byte a plane in, words of L lanes out.

    Takes a byte a cycle if L is a multiple of 8. Else a group of ``planes`` bytes takes
    ``planes + 8 / g - 1`` cycles, with g = gcd(8, L). What fills up the last word takes a cycle per
    g lanes. A word comes the cycle after its last byte and stands still, as does all else, until it
    is taken. Of a sparse sample a byte that says what follows takes a cycle, and a group that does
    not follow as many as one that does.

    Members
    -------
    start : strobe: a sample begins; one that is under way is forgotten.
    label : its label, valid with `start`.
    inputs, planes : of a sample, at least 1; static while one is under way.
    sparse : whether it is sparse; static while one is under way.
    i : bytes of a sample; not ready between its last byte and the next `start`.
    o : its words. The bits that pad the last byte, whatever they are, and the lanes and planes that
        the sample does not have come out as 0.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "start": In(1),
            "label": In(8),
            "inputs": In(range(config.max_stored_inputs + 1)),
            "planes": In(range(config.input_planes + 1)),
            "sparse": In(1),
            "i": In(stream.Signature(8)),
            "o": Out(stream.Signature(sample_word(config))),
        })

    def elaborate(self, platform):
        m = Module()
        lanes = self.config.lanes
        shift = gcd(8, lanes)

        # A group of bytes goes to the top of the registers, its first `shift` inputs to the top of
        # the word below. Each step shifts in as many more, zeros after the sample's end.
        registers = [Signal(lanes + 8 - shift, name=f"plane{p}")
                     for p in range(self.config.input_planes)]
        plane = Signal(range(self.config.input_planes))
        part = Signal(range(8 // shift))     # steps that the group has taken
        filled = Signal(range(lanes // shift))  # steps that the word has taken
        left = Signal.like(self.inputs)      # inputs that have taken no step
        busy, ended = Signal(), Signal()

        # Which of the groups to come follow, the next one lowest, and a 1 behind the last of them.
        groups = Signal(9)
        telling, absent = Signal(), Signal()
        move, fetch, place, step = Signal(), Signal(), Signal(), Signal()
        byte, known = Signal(8), Signal(8)  # one without what pads the sample
        m.d.comb += [
            self.o.p.planes.eq(Cat(register[:lanes] for register in registers)),
            move.eq(busy & (~self.o.valid | self.o.ready)),
            fetch.eq((part == 0) & ~ended),
            telling.eq(self.sparse & ~groups[1:].any()),
            absent.eq(self.sparse & ~groups[0]),
            self.i.ready.eq(move & fetch & (telling | ~absent)),
            place.eq(move & fetch & ~telling & (self.i.valid | absent)),
            step.eq(Mux(fetch, place & (plane + 1 == self.planes), move)),
            byte.eq(Mux(absent, 0, self.i.p)),
            known.eq(byte),
        ]
        with m.If(self.i.ready & self.i.valid & telling):
            m.d.sync += groups.eq(Cat(self.i.p, 1))
        with m.Elif(place & (plane + 1 == self.planes)):
            m.d.sync += groups.eq(groups >> 1)
        with m.Switch(left):
            for n in range(1, min(8, self.config.max_inputs + 1)):
                with m.Case(n):
                    m.d.comb += known.eq(byte[:n])
        with m.If(Mux(fetch, place & (plane == 0), move)):
            m.d.sync += [register.eq(register >> shift) for register in registers]
        with m.If(place):
            m.d.sync += plane.eq(Mux(plane + 1 == self.planes, 0, plane + 1))
            with m.Switch(plane):
                for p, register in enumerate(registers):
                    with m.Case(p):
                        m.d.sync += register[-8:].eq(known)

        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(step):
            final = ended | (left[exact_log2(shift):] == 0) | (left == shift)
            m.d.sync += [
                part.eq(part + 1),
                filled.eq(filled + 1),
                left.eq(left - shift),
                ended.eq(final),
            ]
            with m.If(filled == lanes // shift - 1):
                m.d.sync += [
                    filled.eq(0),
                    self.o.valid.eq(1),
                    self.o.p.last.eq(final),
                    busy.eq(~final),
                ]
        with m.If(self.start):
            m.d.sync += [
                self.o.p.label.eq(self.label),
                left.eq(self.inputs),
                part.eq(0),
                plane.eq(0),
                filled.eq(0),
                ended.eq(0),
                busy.eq(1),
                groups.eq(1),
                self.o.valid.eq(0),
            ]
        return m
