"""A store of samples in a RAM of 16-bit words, by the number of a record."""

from typing import Any

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...model.config import CoreConfig
from ..parts.ports import sample_word
from ..parts.skid import Skid
from .hyper import HYPER_PINS, HyperController, HyperTiming
from .ports import RamSignature, Task
from .records import Gather, RecordSize, Scatter
from .sdram import SDRAM_PINS, SdramController, SdramTiming

__all__ = ["HyperStore", "RamStore", "SdramStore", "WordSignature"]


class WordSignature(wiring.Signature):
    """A memory of words, from its user's side: see `hw.store.sdram.SdramController`."""

    def __init__(self, address_bits: int):
        super().__init__({
            "start": Out(1), "write": Out(1), "address": Out(address_bits), "words": Out(24),
            "idle": In(1), "ready": In(1), "failed": In(1), "phase": In(3),
            "i": Out(stream.Signature(16)), "o": In(stream.Signature(16)),
        })


class RamStore(wiring.Component):
    """Finds a record by its number, and turns its words.

    To play a record of 51 words takes 59 cycles in an open row of an SDRAM, from its start to its
    last word; one that is not behind the one before takes 1 more and one for each bit of its
    number. To fill one takes some 3.5 cycles a word.

    Parameters
    ----------
    config
        The core.
    address_bits
        Of the memory.

    Members
    -------
    port : the link.
    memory : the memory's words.
    """

    def __init__(self, config: CoreConfig, address_bits: int):
        self.config, self.address_bits = config, address_bits
        super().__init__({
            "port": In(RamSignature(config)),
            "memory": Out(WordSignature(address_bits)),
        })

    def elaborate(self, platform):
        m = Module()
        port, memory = self.port, self.memory
        m.submodules.size = size = RecordSize(self.config)
        m.submodules.gather = gather = Gather(self.config)
        m.submodules.scatter = scatter = Scatter(self.config)
        # Between two wide selections: of the words' lanes, and of who gives the core its samples.
        m.submodules.skid = skid = Skid(sample_word(self.config))
        number, following = Signal(24), Signal(25, init=~0)
        at, addend = Signal(self.address_bits), Signal(self.address_bits)
        task = Signal(Task)
        left = Signal.like(size.words)
        m.d.comb += [
            size.inputs.eq(port.inputs), size.planes.eq(port.planes),
            gather.inputs.eq(port.inputs), gather.planes.eq(port.planes),
            gather.label.eq(memory.o.p), gather.i.p.eq(memory.o.p),
            scatter.planes.eq(port.planes),
            port.ready.eq(memory.ready), port.failed.eq(memory.failed),
            port.phase.eq(memory.phase),
            port.raw.p.data.eq(memory.o.p), port.raw.p.last.eq(left == 1),
            memory.address.eq(at), memory.words.eq(size.words), memory.i.p.eq(scatter.o.p.data),
        ]
        connect(m, gather.o, skid.i)
        connect(m, flipped(port.o), skid.o)
        connect(m, flipped(port.i), scatter.i)
        with m.If(~size.known):  # the records are elsewhere now
            m.d.sync += following.eq(~0)

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += port.idle.eq(size.known)
                m.d.sync += [task.eq(port.task), number.eq(port.number), addend.eq(size.words)]
                with m.If(port.start & size.known):
                    m.d.sync += following.eq(port.number + 1)
                    m.next = "BEGIN"
                    with m.If(port.number == following):
                        m.d.sync += at.eq(at + size.words)
                    with m.Else():
                        m.d.sync += at.eq(0)
                        m.next = "FIND"
            with m.State("FIND"):
                m.d.sync += [number.eq(number >> 1), addend.eq(addend << 1)]
                with m.If(number[0]):
                    m.d.sync += at.eq(at + addend)
                with m.If(number == 0):
                    m.next = "BEGIN"
            with m.State("BEGIN"):
                m.d.sync += left.eq(size.words)
                with m.If(task == Task.FILL):
                    m.d.comb += scatter.start.eq(1)
                    m.next = "WRITE"
                with m.Elif(memory.idle & memory.ready):
                    m.d.comb += memory.start.eq(1)
                    m.next = "LABEL"
                    with m.If(task == Task.RAW):
                        m.next = "RAW"
            self._reads(m, gather, left)
            self._writes(m, scatter, at)
        return m

    def _reads(self, m, gather, left):
        """A record whose words have been asked for: to words of L inputs, or as they are."""
        port, memory = self.port, self.memory
        with m.State("LABEL"):
            m.d.comb += memory.o.ready.eq(1)
            with m.If(memory.o.valid):
                m.d.comb += gather.start.eq(1)
                m.next = "PLAY"
        with m.State("PLAY"):
            m.d.comb += [gather.i.valid.eq(memory.o.valid),
                         memory.o.ready.eq(gather.i.ready)]
            with m.If(gather.o.valid & gather.o.ready & gather.o.p.last):
                m.next = "IDLE"
        with m.State("RAW"):
            m.d.comb += [port.raw.valid.eq(memory.o.valid),
                         memory.o.ready.eq(port.raw.ready)]
            with m.If(memory.o.valid & port.raw.ready):
                m.d.sync += left.eq(left - 1)
                with m.If(port.raw.p.last):
                    m.next = "IDLE"

    def _writes(self, m, scatter, at):
        """A record that is filled from place `at` on."""
        memory = self.memory
        with m.State("WRITE"):  # the next word's place is known with it
            with m.If(scatter.o.valid & memory.idle & memory.ready):
                m.d.comb += [memory.start.eq(1), memory.write.eq(1), memory.words.eq(1),
                             memory.address.eq(at + scatter.o.p.place)]
                m.next = "WORD"
        with m.State("WORD"):
            m.d.comb += [memory.i.valid.eq(1), scatter.o.ready.eq(memory.i.ready)]
            with m.If(memory.i.ready):
                m.next = "WRITE"
                with m.If(scatter.o.p.last):
                    m.next = "IDLE"


class ControlledStore(wiring.Component):
    """A store in a memory with pins.

    Parameters
    ----------
    config
        The core.
    controller
        Has the members of `WordSignature`, from the memory's side, and the pins.
    pins
        The memory's, as members.

    Members
    -------
    port : the link.
    pins : see the controller.
    """

    def __init__(self, config: CoreConfig, controller: Any, pins: dict[str, Any]):
        self.controller, self.pins = controller, pins
        self.store = RamStore(config, self.controller.address_bits)
        super().__init__({"port": In(RamSignature(config)), **pins})

    def elaborate(self, platform):
        m = Module()
        m.submodules.controller = controller = self.controller
        m.submodules.store = store = self.store
        memory = store.memory
        connect(m, flipped(self.port), store.port)
        connect(m, memory.i, controller.i)
        connect(m, controller.o, memory.o)
        m.d.comb += [
            controller.start.eq(memory.start), controller.write.eq(memory.write),
            controller.address.eq(memory.address), controller.words.eq(memory.words),
            memory.idle.eq(controller.idle), memory.ready.eq(controller.ready),
            memory.failed.eq(controller.failed), memory.phase.eq(controller.phase),
        ]
        for name, member in self.pins.items():
            ours, theirs = getattr(self, name), getattr(controller, name)
            m.d.comb += theirs.eq(ours) if member.flow is In else ours.eq(theirs)
        return m


class SdramStore(ControlledStore):
    """A store in an SDRAM; see `SdramController` for timing, delay and spread."""

    def __init__(self, config: CoreConfig, timing: SdramTiming, delay: int = 0, spread: int = 1):
        super().__init__(config, SdramController(timing, delay, spread), SDRAM_PINS)


class HyperStore(ControlledStore):
    """A store in two PSRAMs; see `HyperController` for timing, delay and spread."""

    def __init__(self, config: CoreConfig, timing: HyperTiming, delay: int = 0, spread: int = 1):
        super().__init__(config, HyperController(timing, delay, spread), HYPER_PINS)
