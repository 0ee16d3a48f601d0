"""What `training` is, of an engine that updates several rows at once."""

from amaranth import *

from ..firmware.frames import Space
from .datapath.row_lists import RowLists
from .datapath.row_update import RowUpdateUnit
from .datapath.sample_buffer import ListReader
from .memory.row_stores import RowResidualStore
from .memory.stores import ErrorStore
from .parts.ports import RunState
from .training import join_units

__all__ = ["add_training", "connect_memories", "connect_update"]


def add_training(engine) -> None:
    """Make its parts, attributes of the engine."""
    config = engine.config
    engine.residuals = RowResidualStore(config)
    engine.errors = ErrorStore(config)
    engine.lister = RowLists(config)
    engine.row_readers = {f"row_reader{n}": ListReader(engine.lister.depth)
                          for n in range(config.update_rows)}
    engine.update = RowUpdateUnit(config)


def connect_update(m: Module, engine) -> None:
    """Errors: written by error unit and backward pass, listed for update and backward pass."""
    sequencer, errors, error = engine.sequencer, engine.errors, engine.error
    lister, update = engine.lister, engine.update
    begin = sequencer.backward | sequencer.update
    m.d.comb += [
        lister.start.eq(begin),
        lister.record.eq(sequencer.record),
        lister.draws.eq(sequencer.update & (update.record.gain < 0)),
        lister.dither.eq(engine.random.o_draw),
        lister.error_word.eq(errors.word),
        errors.address.eq(lister.error_address),
        errors.write.eq(error.write | update.error_write),
        errors.write_address.eq(Mux(error.write, error.write_address,
                                    update.error_write_address)),
        errors.write_data.eq(Mux(error.write, error.write_data, update.error_write_data)),
        update.start.eq(begin),
        update.backward.eq(sequencer.backward),
        update.record.eq(sequencer.record),
        engine.random.i_draw.eq(lister.draw),
        engine.counters.flips.eq(update.flips),
        engine.activation.gate_address.eq(update.gate_address),
        update.gates.eq(engine.activation.gates),
    ]
    for n, rows in enumerate(engine.row_readers.values()):
        m.d.comb += [
            rows.start.eq(begin),
            rows.count.eq(lister.count[n]),
            rows.final.eq(lister.final),
            rows.take.eq(update.row_take[n]),
            lister.address[n].eq(rows.address),
            lister.enable[n].eq(rows.enable),
            update.rows[n].eq(lister.entry[n]),
            update.row_valid[n].eq(rows.valid),
            update.row_last[n].eq(rows.last),
            update.row_ended[n].eq(rows.ended),
        ]
    join_units(m, engine, lister.draw)


def connect_memories(m: Module, engine) -> None:
    """T and R: the update unit's while the program runs, else the link's.

    The link's bank of T and word of R are of the part that their lowest bits say.
    """
    trits, residuals, update = engine.trits, engine.residuals, engine.update
    memory, config = engine.memory, engine.config
    bits = (config.update_rows - 1).bit_length()
    running = engine.run == RunState.RUNNING
    read_trits = Array(trits.word)[memory.bank[:bits]]
    read_residuals = Array(update.residual_read)[memory.address[:bits]]
    m.d.comb += memory.read_data.eq(Mux(memory.space == Space.T, read_trits, read_residuals))
    writes_trits = memory.write & (memory.space == Space.T)
    writes_residuals = memory.write & (memory.space == Space.R)
    trit_data = memory.write_data[-8 * config.trit_word_bytes:]
    residual_data = memory.write_data[-8 * config.residual_word_bytes:]
    for n in range(config.update_rows):
        of_trits, of_residuals = memory.bank[:bits] == n, memory.address[:bits] == n
        m.d.comb += [
            trits.bank[n].eq(Mux(running, update.trit_bank[n], memory.bank[bits:])),
            trits.address[n].eq(Mux(running, Mux(update.busy, update.trit_address[n],
                                                 engine.forward.address), memory.address)),
            trits.write[n].eq(Mux(running, update.trit_write[n], writes_trits & of_trits)),
            trits.write_bank[n].eq(Mux(running, update.trit_write_bank[n], memory.bank[bits:])),
            trits.write_address[n].eq(Mux(running, update.trit_write_address[n],
                                          memory.address)),
            trits.write_data[n].eq(Mux(running, update.trit_write_data[n], trit_data)),
            residuals.address[n].eq(Mux(running, update.residual_address[n],
                                        memory.address[bits:])),
            residuals.write[n].eq(Mux(running, update.residual_write[n],
                                      writes_residuals & of_residuals)),
            residuals.write_address[n].eq(Mux(running, update.residual_write_address[n],
                                              memory.address[bits:])),
            residuals.write_data[n].eq(Mux(running, update.residual_write_data[n],
                                           residual_data)),
            update.trit_word[n].eq(trits.word[n]),
            update.residual_word[n].eq(residuals.word[n]),
        ]
