"""What an engine's optional units are connected to: a function a unit, for `hw.engine`.

Each comes after the units that every core has are connected, and where it takes a memory's port
from one of those, its assignment is the later one, which counts.
"""

from amaranth import *
from amaranth.lib.wiring import connect, flipped

from ..firmware.frames import Space
from ..units.perturb.direction import perturbed
from .parts.arith import times
from .parts.pipeline import delayed, words_delay
from .parts.ports import RunState

__all__ = ["connect_probes", "connect_scales", "connect_skip", "connect_sums", "connect_support",
           "connect_tracer"]


def connect_tracer(m, engine):
    """It reads the memories of other units while those do nothing."""
    sequencer, tracer, scan, activation = (engine.sequencer, engine.tracer, engine.scan,
                                           engine.activation)
    connect(m, tracer.o, flipped(engine.trace))
    m.d.comb += [
        sequencer.settled.eq(tracer.settled),
        sequencer.drained.eq(tracer.settled & ~engine.tracing),
        tracer.clear.eq(sequencer.clear),
        tracer.switch.eq(sequencer.trace),
        tracer.mode.eq(sequencer.operand),
        tracer.tell.eq(sequencer.tell),
        tracer.layer.eq(sequencer.operand),
        tracer.record.eq(sequencer.record),
        tracer.last.eq(sequencer.last),
        tracer.judge.eq(sequencer.error),
        tracer.margin.eq(sequencer.operand),
        tracer.prediction.eq(scan.prediction),
        tracer.target.eq(scan.target),
        tracer.rival.eq(scan.rival),
        tracer.gap.eq(scan.gap),
        tracer.flag.eq(engine.error.flag),
        tracer.score.eq(scan.score),
        tracer.read_count.eq(activation.read_count),
        tracer.entry.eq(activation.entry),
        tracer.gates.eq(activation.gates),
    ]
    if engine.update is not None:
        m.d.comb += [
            tracer.event.eq(engine.update.event),
            engine.update.hold.eq(tracer.hold),
            tracer.errors.eq(engine.errors.word),
        ]
    with m.If(tracer.telling):
        m.d.comb += [
            scan.index.eq(tracer.score_index),
            activation.read_layer.eq(tracer.read_layer),
            activation.address.eq(tracer.address),
            activation.enable.eq(tracer.enable),
            activation.gate_address.eq(tracer.gate_address),
        ]
        if engine.update is not None:
            m.d.comb += engine.errors.address.eq(tracer.error_address)


def connect_sums(m, engine):
    """SUMS: follows the update unit and walks T while the program runs, else the link's."""
    sums, update, sequencer, memory = engine.sums, engine.update, engine.sequencer, engine.memory
    m.d.comb += [
        sums.step.eq(update.sum_step),
        sums.new.eq(update.sum_new),
        sums.old.eq(update.sum_old),
        sums.ends.eq(update.sum_ends),
        sums.row.eq(update.sum_row),
        sums.start.eq(sequencer.scrub),
        sums.record.eq(sequencer.record),
        sums.clear.eq(sequencer.clear),
        sequencer.scrubbing.eq(sums.scrubbing),
        sequencer.corrupt.eq(sums.corrupt),
        sums.trit_word.eq(engine.trits.word),
        sums.linked.eq(engine.run != RunState.RUNNING),
        sums.address.eq(memory.address),
        sums.write.eq(memory.write & (memory.space == Space.SUMS)),
        sums.write_data.eq(memory.write_data[-8:]),
    ]
    with m.If(memory.space == Space.SUMS):
        m.d.comb += memory.read_data.eq(sums.word)


def connect_scales(m, engine):
    """Scores from the update unit, the instructions of scales, and the link's access to S."""
    sequencer, scales, update = engine.sequencer, engine.scales, engine.update
    memory = engine.memory
    m.d.comb += [
        scales.record.eq(sequencer.record),
        scales.score_valid.eq(update.score_valid),
        scales.score_row.eq(update.score_row),
        scales.score.eq(update.score),
        scales.refresh.eq(sequencer.refresh),
        scales.operand.eq(sequencer.operand),
        scales.scale.eq(sequencer.scale),
        sequencer.stepping.eq(scales.stepping),
        engine.error.settle.eq(scales.settle),
        engine.error.settled.eq(scales.settled),
        scales.linked.eq(engine.run != RunState.RUNNING),
        scales.address.eq(memory.address),
        scales.write.eq(memory.write & (memory.space == Space.S)),
        Value.cast(scales.write_data).eq(
            memory.write_data[-8 * engine.config.scale_word_bytes:]),
    ]
    with m.If(memory.space == Space.S):
        m.d.comb += memory.read_data.eq(scales.word)


def connect_skip(m, engine):
    """Between array and activation unit, and errors read a second time by the update unit."""
    skip, activation, array = engine.skip, engine.activation, engine.array
    m.d.comb += [
        skip.clear.eq(engine.sequencer.clear),
        skip.start.eq(activation.start),
        skip.record.eq(activation.record),
        skip.layer.eq(activation.layer),
        skip.z.eq(array.z),
        skip.z_valid.eq(array.z_valid & activation.busy),
        activation.z.eq(skip.o_z),
        activation.z_valid.eq(skip.o_z_valid),
        skip.store.eq(activation.store),
        skip.store_address.eq(activation.store_address),
        skip.store_planes.eq(activation.store_planes),
    ]
    if engine.update is not None:
        above, errors = engine.above, engine.errors
        m.d.comb += [
            above.address.eq(engine.update.above_address),
            above.write.eq(errors.write),
            above.write_address.eq(errors.write_address),
            above.write_data.eq(errors.write_data),
            engine.update.above.eq(above.word),
        ]


def connect_probes(m, engine):
    """Resident samples, the direction on T's way to the array, and updates along it."""
    sequencer, loss, places, inputs = engine.sequencer, engine.loss, engine.places, engine.inputs
    forward, update, record = engine.forward, engine.update, engine.sequencer.record
    m.d.comb += [
        places.start.eq(sequencer.probe),
        places.operand.eq(sequencer.operand),
        places.state.eq(engine.random.o_state),
        places.record.eq(record),
        places.layers.eq(engine.layers),
        sequencer.walking.eq(places.walking),
        sequencer.walk.eq(places.layer),
        loss.probe.eq(sequencer.probe),
        loss.loss.eq(sequencer.loss),
        loss.margin.eq(sequencer.operand),
        loss.gap.eq(engine.scan.gap),
        loss.kept.eq(inputs.kept),
        loss.clear.eq(sequencer.clear),
        inputs.select.eq(loss.select),
        inputs.position.eq(loss.position),
        engine.error.settle.eq(loss.settle),
        engine.error.settled.eq(loss.settled),
        forward.perturb.eq(loss.perturbed),
    ]
    with m.If(places.done):
        m.d.comb += [engine.random.i_load.eq(1), engine.random.i_state.eq(places.following)]

    # An update along the direction goes through all rows and all words.
    along = Signal()
    rest, words = Signal.like(record.rest), Signal.like(record.words)
    row, word = Signal.like(places.row_address), Signal(range(engine.config.max_words))
    base = Signal.like(places.chunk_address)
    last, last_read = Signal(), Signal()
    m.d.comb += last.eq(word + 1 == words)
    with m.If(sequencer.forward | sequencer.update | sequencer.backward):
        m.d.sync += along.eq(0)
    with m.If(sequencer.forward | sequencer.step):
        m.d.sync += base.eq(Mux(sequencer.operand == 1, engine.config.hidden_depth,
                                record.input_base))
    with m.If(along):
        m.d.comb += [
            update.entry.index.eq(word),
            update.entry_valid.eq(1),
            update.entry_last.eq(last),
            update.entry_ended.eq(0),
            engine.reader.take.eq(forward.entry_take),
        ]
        m.d.sync += row.eq(row + update.row_take)
        with m.If(update.entry_take):
            m.d.sync += word.eq(Mux(last, 0, word + 1))
    with m.If(sequencer.step):
        m.d.sync += [
            along.eq(1), rest.eq(record.rest), words.eq(record.words), word.eq(0),
            loss.gain.eq(record.gain), row.eq(times(record.output_base, engine.config.lanes)),
        ]

    # Words of rows and chunks, and directions folded from them, beside the words of T.
    index = Mux(along, word, forward.entry.index)
    offset = Signal.like(engine.update_fold.offset)
    m.d.sync += [offset.eq(index), last_read.eq(last)]
    m.d.comb += [
        places.chunk_address.eq(base + index),
        places.row_address.eq(Mux(along, row, forward.row_address)),
    ]
    rows = [Signal(32, name=f"row{n}") for n in range(engine.config.banks)]
    with m.If(forward.row_shift):
        m.d.sync += [register.eq(following) for register, following in zip(
            rows, [*rows[1:], places.row], strict=True)]
    for fold, value in zip([*engine.folds, engine.update_fold], [*rows, places.row], strict=True):
        m.d.comb += [
            fold.row.eq(value),
            fold.chunks.eq(places.chunks),
            fold.offset.eq(offset),
            fold.sparsity.eq(places.sparsity),
        ]
    for n, fold in enumerate(engine.folds):
        trits = Signal(2 * engine.config.lanes, name=f"perturbed{n}", reset_less=True)
        signs = fold.negative ^ loss.negative.replicate(engine.config.lanes)
        probing, nonzero, negative = (
            delayed(m, value, words_delay(engine.config, n), f"{name}{n}")[-1]
            for name, value in (("probing", loss.perturbed), ("nonzero", fold.nonzero),
                                ("negative", signs)))
        m.d.sync += trits.eq(Mux(probing, perturbed(
            engine.trits.words[n], nonzero, negative), engine.trits.words[n]))
        m.d.comb += engine.array.words[n].eq(trits)
    used = Cat(~last_read | (rest == 0) | (rest > n) for n in range(engine.config.lanes))
    m.d.comb += [
        engine.lister.every.eq(along),
        update.along.eq(along),
        update.nonzero.eq(engine.update_fold.nonzero & used),
        update.negative.eq(engine.update_fold.negative ^ loss.down.replicate(engine.config.lanes)),
        update.magnitude.eq(loss.step),
    ]


def connect_support(m, engine):
    """SUPPORT: the reader's, the update unit's or the purge's, else the link's."""
    support, purge, update, reader = engine.support, engine.purge, engine.update, engine.reader
    sequencer, memory = engine.sequencer, engine.memory
    running = engine.run == RunState.RUNNING
    m.d.comb += [
        purge.limits.eq(sequencer.limits),
        purge.operand.eq(sequencer.operand),
        purge.clear.eq(sequencer.clear),
        purge.start.eq(sequencer.purge),
        purge.record.eq(sequencer.record),
        purge.trit_word.eq(engine.trits.word),
        purge.residual_word.eq(engine.residuals.word),
        update.rest.eq(purge.rest),
        update.support_word.eq(support.word),
        reader.support_word.eq(support.word),
        support.clear.eq(sequencer.update),
        support.visit.eq(update.visit),
        support.visit_group.eq(update.visit_group),
        support.visit_index.eq(update.visit_index),
        support.alive.eq(update.alive),
    ]
    with m.If(~running):
        m.d.comb += [
            support.address.eq(memory.address),
            support.enable.eq(1),
            support.write.eq(memory.write & (memory.space == Space.SUPPORT)),
            support.write_address.eq(memory.address),
            support.write_data.eq(memory.write_data[-8 * engine.config.support_word_bytes:]),
        ]
    with m.Else():
        m.d.comb += [
            support.address.eq(Mux(update.busy, update.support_address,
                                   reader.support_address)),
            support.enable.eq(update.busy | reader.support_enable),
            support.write.eq(purge.support_write),
            support.write_address.eq(purge.group),
            support.write_data.eq(purge.support),
        ]
    with m.If(memory.space == Space.SUPPORT):
        m.d.comb += memory.read_data.eq(support.word)
