"""What an engine has more to train: memory R, errors, the list of rows, and the update unit."""

from amaranth import *

from ..firmware.frames import Space
from ..units.registry import takes
from .datapath.row_list import RowLister
from .datapath.sample_buffer import ListReader
from .datapath.update import UpdateUnit
from .memory.stores import ErrorStore, ResidualStore
from .parts.ports import RunState

__all__ = ["add_training", "connect_memories", "connect_update", "join_units"]


def add_training(engine) -> None:
    """Make its parts, attributes of the engine."""
    config = engine.config
    engine.residuals = ResidualStore(config)
    engine.errors = ErrorStore(config)
    engine.lister = RowLister(config)
    engine.row_readers = {"row_reader": ListReader(config.max_neurons)}
    engine.update = UpdateUnit(config)


def connect_update(m: Module, engine) -> None:
    """Errors: written by error unit and backward pass, listed for update and backward pass."""
    sequencer, errors, error = engine.sequencer, engine.errors, engine.error
    lister, rows = engine.lister, engine.row_readers["row_reader"]
    update, sockets = engine.update, engine.sockets
    begin = sequencer.backward | sequencer.update
    for port in sockets.having("along"):
        begin |= port.start
        m.d.comb += lister.every.eq(port.along)
    m.d.comb += [
        lister.start.eq(begin),
        lister.record.eq(sequencer.record),
        lister.error_word.eq(errors.word),
        errors.address.eq(lister.error_address),
        errors.write.eq(error.write | update.error_write),
        errors.write_address.eq(Mux(error.write, error.write_address,
                                    update.error_write_address)),
        errors.write_data.eq(Mux(error.write, error.write_data, update.error_write_data)),
        rows.start.eq(begin),
        rows.count.eq(lister.count),
        rows.final.eq(lister.final),
        rows.take.eq(update.row_take),
        lister.address.eq(rows.address),
        lister.enable.eq(rows.enable),
        update.start.eq(begin),
        update.backward.eq(sequencer.backward),
        update.record.eq(sequencer.record),
        update.row.eq(lister.entry),
        update.row_valid.eq(rows.valid),
        update.row_last.eq(rows.last),
        update.row_ended.eq(rows.ended),
        update.dither.eq(engine.random.o_draw),
        engine.random.i_draw.eq(update.draw),
        engine.counters.flips.eq(update.flips),
        engine.activation.gate_address.eq(update.gate_address),
        update.gates.eq(engine.activation.gates),
    ]
    join_units(m, engine, update.draw)
    for name in "still", "begins", "along":
        if sockets.having(name):
            sockets.connect(m, name, getattr(update, name))
    if sockets.having("changes"):
        _join_changes(m, engine)


def join_units(m: Module, engine, draw: Signal) -> None:
    """What units draw, make of gains, and see of errors; `draw` is the engine's own strobe."""
    sequencer, errors, update = engine.sequencer, engine.errors, engine.update
    for port in engine.sockets.having("draws"):
        m.d.comb += [
            port.dither.eq(engine.random.o_draw),
            engine.random.i_draw.eq(draw | port.draw),
            engine.counters.flips.eq(update.flips | port.flips),
        ]
    for port in engine.sockets.having("gain"):
        m.d.comb += [
            port.gain.eq(sequencer.record.gain),
            port.wrong.eq(engine.scan.prediction != engine.scan.target),
            update.record.gain.eq(port.o_gain),
        ]
    if takes(engine.config, "front"):
        _gate_front(m, engine)
    for port in engine.sockets.having("errors"):
        m.d.comb += [port.write.eq(errors.write), port.write_address.eq(errors.write_address),
                     port.write_data.eq(errors.write_data)]


def _gate_front(m: Module, engine) -> None:
    """Gate bits of the first layer's inputs, for their errors."""
    sequencer, update, inputs = engine.sequencer, engine.update, engine.inputs
    first = Signal()
    with m.If(sequencer.backward):
        m.d.sync += first.eq(sequencer.operand[:len(sequencer.layers)] == 1)
    m.d.comb += inputs.gate_address.eq(update.gate_address)
    with m.If(first):
        m.d.comb += update.gates.eq(inputs.gates)


def _join_changes(m: Module, engine) -> None:
    """To those that follow changes: the update unit's, and those of units that make some."""
    update, sockets = engine.update, engine.sockets
    m.d.comb += update.stall.eq(Cat(port.stall for port in engine.sequencer.ports.values()).any())
    for name, port in sockets.named("changes"):
        for member in port.signature.members:
            value = getattr(update.changes, member)
            for source, made in sockets.named("moves"):
                if source != name:
                    value = Mux(made.step, getattr(made, member), value)
            m.d.comb += getattr(port, member).eq(value)


def _share_trits(m: Module, engine, read):
    """Bank and address of T that are read: those of whoever reads it beside the forward pass."""
    bank, address = read
    for port in engine.sockets.having("trits"):
        bank = Mux(port.active, port.bank, bank)
        address = Mux(port.active, port.address, address)
        m.d.comb += port.word.eq(engine.trits.word)
    return bank, address


def connect_memories(m: Module, engine) -> None:
    """T and R: the units' while the program runs, else the link's."""
    trits, residuals, update = engine.trits, engine.residuals, engine.update
    memory, config = engine.memory, engine.config
    m.d.comb += [
        memory.read_data.eq(Mux(memory.space == Space.T, trits.word, update.residual_read)),
        update.trit_word.eq(trits.word),
        update.residual_word.eq(residuals.word),
    ]
    running = engine.run == RunState.RUNNING
    bank, address = _share_trits(m, engine, (update.trit_bank, engine.forward.address))
    residual = update.residual_address
    trit_write, trit_write_address = update.trit_write, update.trit_write_address
    trit_write_bank, trit_write_data = update.trit_write_bank, update.trit_write_data
    residual_write, residual_write_address, residual_write_data = (
        update.residual_write, update.residual_write_address, update.residual_write_data)
    for name, port in engine.sockets.named("counters"):
        read = engine.sockets.units[name].trits
        m.d.comb += port.residual_word.eq(residuals.word)
        residual = Mux(read.active, port.residual_address, residual)
        trit_write |= port.trit_write
        trit_write_bank = Mux(read.active, read.bank, trit_write_bank)
        trit_write_address = Mux(read.active, read.address, trit_write_address)
        trit_write_data = Mux(read.active, port.trit_write_data, trit_write_data)
        residual_write |= port.residual_write
        residual_write_address = Mux(read.active, port.residual_address, residual_write_address)
        residual_write_data = Mux(read.active, port.residual_write_data, residual_write_data)
    reads = [Mux(running, *pair) for pair in (
        (Mux(update.busy, update.trit_address, address), memory.address),
        (residual, memory.address))]
    writes = [Mux(running, *pair) for pair in (
        (trit_write_address, memory.address),
        (residual_write_address, memory.address))]
    if config.single_port:
        # The memories would choose between two addresses: the choice is made here at once.
        source = Signal(2)
        with m.If(~running):
            m.d.comb += source.eq(0)
        with m.Elif(trit_write):
            m.d.comb += source.eq(1)
        with m.Elif(update.busy):
            m.d.comb += source.eq(2)
        with m.Else():
            m.d.comb += source.eq(3)
        reads = writes = [
            Array([memory.address, trit_write_address, update.trit_address, address])[source],
            Mux(running, Mux(residual_write, residual_write_address, residual), memory.address),
        ]
    for store, read, write in zip((trits, residuals), reads, writes, strict=True):
        m.d.comb += [store.address.eq(read), store.write_address.eq(write)]
    with m.If(running):
        m.d.comb += [
            trits.bank.eq(bank),
            trits.write.eq(trit_write),
            trits.write_bank.eq(trit_write_bank),
            trits.write_data.eq(trit_write_data),
            residuals.write.eq(residual_write),
            residuals.write_data.eq(residual_write_data),
        ]
    with m.Else():
        m.d.comb += [
            trits.bank.eq(memory.bank),
            trits.write.eq(memory.write & (memory.space == Space.T)),
            trits.write_bank.eq(memory.bank),
            trits.write_data.eq(memory.write_data[-8 * config.trit_word_bytes:]),
            residuals.write.eq(memory.write & (memory.space == Space.R)),
            residuals.write_data.eq(memory.write_data[-8 * config.residual_word_bytes:]),
        ]
