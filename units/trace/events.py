"""What an update step decided, and the queue in which it waits for the trace unit."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ...hw.memory.block_ram import BlockRam
from ...hw.parts.pipeline import read_delay
from ...model.config import CoreConfig

__all__ = ["EventQueue", "StepEvent"]


class StepEvent(data.StructLayout):
    """A step of UPD on U counters: where they are, which way they went, and what came of it."""

    def __init__(self, config: CoreConfig):
        super().__init__({
            "negative": 1,
            "bank": range(config.banks),
            "address": range(config.trit_depth),
            "step": range(config.steps),
            "flips": config.update_lanes,
            "saturated": config.update_lanes,
        })


class EventQueue(wiring.Component):
    """A queue of events that says in time when it gets full.

    Latency: 2 cycles. An event a cycle.

    Parameters
    ----------
    config
        The core.
    depth
        Events that it holds, a power of two, more than its margin.

    Members
    -------
    write, event : strobe: append.
    nearly_full : no more than `margin` further events have room.
    empty : nothing was appended that was not taken.
    o : the events.

    Raises
    ------
    ValueError
        The depth is no power of two, or too small.
    """

    def __init__(self, config: CoreConfig, depth: int):
        #: Events that may still come after `nearly_full`: an update step takes so many cycles.
        self.margin = 5 + read_delay(config)
        least = 1 << self.margin.bit_length()
        if depth < least or depth & (depth - 1):
            raise ValueError(f"depth must be a power of two, at least {least}, not {depth!r}")
        self.depth = depth
        super().__init__({
            "write": In(1),
            "event": In(StepEvent(config)),
            "nearly_full": Out(1),
            "empty": Out(1),
            "o": Out(stream.Signature(StepEvent(config))),
        })
        self.memory = BlockRam(StepEvent(config), depth)

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        # One bit more than an address has, so that full and empty differ.
        written, read, level = (Signal(exact_log2(self.depth) + 1, name=name)
                                for name in ("written", "read", "level"))
        reads = Signal()
        m.d.comb += [
            level.eq(written - read),
            self.nearly_full.eq(level >= self.depth - self.margin),
            self.empty.eq((level == 0) & ~self.o.valid),
            reads.eq((level != 0) & (~self.o.valid | self.o.ready)),
            memory.address.eq(read),
            memory.enable.eq(reads),
            memory.write.eq(self.write),
            memory.write_address.eq(written),
            memory.write_data.eq(self.event),
            self.o.p.eq(memory.word),
        ]
        m.d.sync += [written.eq(written + self.write), read.eq(read + reads)]
        with m.If(reads):
            m.d.sync += self.o.valid.eq(1)
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m
