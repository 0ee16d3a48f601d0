"""Which words of memory WRITE and READ name."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...firmware.frames import Space
from ...model.config import CoreConfig
from ...model.layout import optional_spaces
from ..compare import exceeds
from .answers import HEAD_BYTES

__all__ = ["WindowCheck"]


class WindowCheck(wiring.Component):
    """Reads and checks the payload's head of WRITE and READ. Combinational.

    Members
    -------
    head : the six bytes.
    space : the memory; the last one also if there is no such space.
    bank, address, count : its other fields.
    within : `count` is not 0 and all words exist.
    fits : they fit into an answer.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "head": In(48),
            "space": Out(range(max(optional_spaces(config), default=Space.R) + 1)),
            "bank": Out(8),
            "address": Out(16),
            "count": Out(16),
            "within": Out(1),
            "fits": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        space, end = Signal(8), Signal(17)
        in_trits, in_residuals, in_others = Signal(), Signal(), Signal()
        largest_t, largest_r = (
            (config.max_payload - HEAD_BYTES) // size
            for size in (config.trit_word_bytes, config.residual_word_bytes))
        m.d.comb += [
            Cat(space, self.bank, self.address, self.count).eq(self.head),
            end.eq(self.address + self.count),
            in_trits.eq((space == Space.T) & (self.bank < config.banks)
                        & ~exceeds(end, config.trit_depth)),
            in_residuals.eq(config.trainable & (space == Space.R) & (self.bank == 0)
                            & ~exceeds(end, config.residual_depth)),
            self.within.eq((self.count != 0) & (in_trits | in_residuals | in_others)),
            self.fits.eq(~Mux(self.space == Space.T, exceeds(self.count, largest_t),
                              exceeds(self.count, largest_r))),
        ]
        others = optional_spaces(config)
        for other, (depth, size) in others.items():
            with m.If(space == other):
                m.d.comb += in_others.eq((self.bank == 0) & ~exceeds(end, depth))
            with m.If(self.space == other):
                m.d.comb += self.fits.eq(
                    ~exceeds(self.count, (config.max_payload - HEAD_BYTES) // size))
        if others:
            with m.If(space.matches(Space.T, Space.R, *others)):
                m.d.comb += self.space.eq(space)
            with m.Else():
                m.d.comb += self.space.eq(max(others))
        else:
            m.d.comb += self.space.eq(space != Space.T)
        return m
