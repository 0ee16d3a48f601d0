"""Joins the circuits of a core's units to its parts, socket by socket (`hw.parts.sockets`)."""

from amaranth import *
from amaranth.lib.wiring import Component, connect

from ..firmware.frames import Space
from ..model.config import CoreConfig
from ..units import UNITS
from ..units.record import Unit

__all__ = ["Sockets"]


class Sockets:
    """The circuits of a core's units.

    Attributes
    ----------
    units : by their names, in the order of `tritgrad.units.UNITS`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.records: dict[str, Unit] = {
            unit.name: unit for unit in UNITS if unit.within(config) and unit.circuit}
        self.units: dict[str, Component] = {
            name: getattr(record.part("rtl"), record.circuit)(config)
            for name, record in self.records.items()}

    def having(self, socket: str) -> list:
        """The sockets of a kind that there are."""
        return [port for _, port in self.named(socket)]

    def one(self, socket: str, otherwise):
        """The only part of a kind that a unit has, else what is made without."""
        found = self.having(socket)
        return found[0] if found else otherwise()

    def named(self, socket: str) -> list[tuple[str, Component]]:
        """The same, with their units' names."""
        return [(name, getattr(unit, socket)) for name, unit in self.units.items()
                if socket in self.records[name].sockets]

    def add(self, m: Module) -> None:
        """The units as submodules, by their names."""
        for name, unit in self.units.items():
            m.submodules[name] = unit

    def connect(self, m: Module, socket: str, core) -> None:
        """Join the core's interface of a kind to all units that have one."""
        if found := self.having(socket):
            connect(m, core, *found)

    def connect_all(self, m: Module, engine) -> None:
        """After the parts of an engine are connected: what units take from those counts."""
        self.connect_dispatch(m, engine.sequencer)
        self.connect_windows(m, engine.memory)
        self.connect_decision(m, engine.scan, engine.error, engine.counters)
        self.connect_peek(m, engine.scan, engine.activation, engine.errors)
        self.connect_prng(m, engine.random)
        if self.having("rows"):
            self.connect(m, "rows", engine.forward.row_words)
        if self.having("stored"):
            self.connect(m, "stored", engine.activation.stored)

    def connect_dispatch(self, m: Module, sequencer) -> None:
        """Each unit to its own port of the sequencer."""
        for name, port in sequencer.ports.items():
            connect(m, port, self.units[name].dispatch)

    def connect_windows(self, m: Module, memory) -> None:
        """The link's access; a unit keeps others out by itself while no program runs."""
        for name, record in self.records.items():
            for window in record.windows:
                port, named = self.units[name].window, memory.space == window.space
                data = memory.write_data[-8 * window.word_bytes(self.config):]
                m.d.comb += [
                    port.address.eq(memory.address),
                    port.write.eq(memory.write & named),
                    Value.cast(port.write_data).eq(data),
                ]
                with m.If(named):
                    m.d.comb += memory.read_data.eq(port.word)
        for port in self.having("status"):
            m.d.comb += port.loaded.eq(memory.write & (memory.space <= Space.R))

    def connect_decision(self, m: Module, scan, error, counters) -> None:
        """After all else that counts samples: a unit's own judgement takes its place."""
        for port in self.having("decision"):
            m.d.comb += [
                port.prediction.eq(scan.prediction),
                port.target.eq(scan.target),
                port.rival.eq(scan.rival),
                port.gap.eq(scan.gap),
                port.flag.eq(error.flag),
                port.room.eq(counters.room),
            ]
            with m.If(port.settle):
                m.d.comb += [error.settle.eq(1), error.settled.eq(port.settled)]
            with m.If(port.judges):
                m.d.comb += [counters.judged.eq(1), counters.updated.eq(0)]

    def connect_peek(self, m: Module, scan, activation, errors) -> None:
        """After all else that reads those memories."""
        for port in self.having("peek"):
            m.d.comb += [
                port.score.eq(scan.score),
                port.entry.eq(activation.entry),
                port.gates.eq(activation.gates),
            ]
            if hasattr(port, "mask"):
                m.d.comb += port.mask.eq(activation.read_active)
            else:
                m.d.comb += port.count.eq(activation.read_count)
            if errors is not None:
                m.d.comb += port.errors.eq(errors.word)
            with m.If(port.active):
                m.d.comb += [
                    scan.index.eq(port.score_index),
                    activation.read_layer.eq(port.layer),
                    activation.address.eq(port.address),
                    activation.enable.eq(port.enable),
                    activation.gate_address.eq(port.gate_address),
                ]
                if errors is not None:
                    m.d.comb += errors.address.eq(port.error_address)

    def connect_prng(self, m: Module, random) -> None:
        """After all else that loads the generator."""
        for port in self.having("prng"):
            m.d.comb += port.state.eq(random.o_state)
            with m.If(port.load):
                m.d.comb += [random.i_load.eq(1), random.i_state.eq(port.following)]
