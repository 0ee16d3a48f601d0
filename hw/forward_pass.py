"""The forward pass of an engine: words from their lists through the array to their takers."""

from amaranth import *
from amaranth.lib.wiring import connect, flipped

from ..firmware.frames import Space
from ..units.registry import takes
from .parts.ports import LayerRecord, RunState

__all__ = ["connect_forward", "connect_trits", "connect_words"]


def connect_words(m: Module, engine) -> None:
    """Samples and activations, replayed by one reader for forward pass and update."""
    sequencer, inputs, activation = engine.sequencer, engine.inputs, engine.activation
    reader, forward = engine.reader, engine.forward
    connect(m, flipped(engine.samples), inputs.i)
    layer = Signal.like(activation.read_layer)
    base = Signal.like(sequencer.record.input_base)
    from_inputs = Signal()
    with m.If(reader.start):
        m.d.sync += [
            layer.eq(sequencer.operand),
            base.eq(sequencer.record.input_base),
            from_inputs.eq(sequencer.operand[:len(layer)] == 1),
        ]
    final = from_inputs | activation.read_final
    if takes(engine.config, "front"):
        final = Mux(from_inputs, inputs.final, activation.read_final)
    m.d.comb += [
        inputs.clear.eq(sequencer.clear),
        inputs.take.eq(sequencer.receive),
        activation.clear.eq(sequencer.clear),
        activation.read_layer.eq(layer),
        reader.start.eq(sequencer.forward | sequencer.update),
        reader.final.eq(final),
        reader.take.eq(forward.entry_take),
        inputs.address.eq(reader.address),
        inputs.enable.eq(reader.enable),
        activation.address.eq(base + reader.address),
        activation.enable.eq(reader.enable),
    ]
    if engine.masks:
        m.d.comb += reader.active.eq(Mux(from_inputs, inputs.active, activation.read_active))
    else:
        m.d.comb += reader.count.eq(Mux(from_inputs, inputs.count, activation.read_count))
    if engine.update is not None:
        m.d.comb += reader.take.eq(forward.entry_take | engine.update.entry_take)
    for unit in filter(None, (forward, engine.update)):
        for field in "index", "mask", "planes":
            m.d.comb += unit.entry[field].eq(
                Mux(from_inputs, inputs.entry[field], activation.entry[field]))
        m.d.comb += [
            unit.entry_valid.eq(reader.valid),
            unit.entry_last.eq(reader.last),
            unit.entry_ended.eq(reader.ended),
        ]


def connect_forward(m: Module, engine) -> None:
    """The pass through array and stages, then activation unit or score scan."""
    sequencer, forward, array = engine.sequencer, engine.forward, engine.array
    activation, scan = engine.activation, engine.scan

    # The unit behind the array takes a layer over once it is done with the one before.
    record = Signal(LayerRecord(engine.config))
    layer = Signal.like(activation.layer)
    last, pending = Signal(), Signal()
    take_over = Signal()
    behind_busy = activation.busy | scan.busy
    m.d.comb += take_over.eq(pending & ~behind_busy)
    with m.If(take_over):
        m.d.sync += pending.eq(0)
    with m.If(sequencer.forward):
        m.d.sync += [
            record.eq(sequencer.record),
            layer.eq(sequencer.operand),
            last.eq(sequencer.last),
            pending.eq(1),
        ]
    z, z_valid, z_next = array.z, array.z_valid, getattr(array, "z_next", None)
    for stage in reversed(engine.sockets.having("stage")):  # factors are the last
        m.d.comb += [
            stage.start.eq(take_over),
            stage.record.eq(record),
            stage.layer.eq(layer),
            stage.last.eq(last),
            stage.z.eq(z),
            stage.z_valid.eq(z_valid),
        ]
        z, z_valid = stage.o_z, stage.o_z_valid
        if z_next is not None:
            m.d.comb += stage.z_next.eq(z_next)
            z_next = stage.o_z_next
    m.d.comb += [
        forward.start.eq(sequencer.forward),
        forward.record.eq(sequencer.record),
        activation.start.eq(take_over & ~last),
        activation.record.eq(record),
        activation.layer.eq(layer),
        activation.z.eq(z),
        activation.z_valid.eq(z_valid),
        scan.start.eq(take_over & last),
        scan.clear.eq(sequencer.clear),
        scan.classes.eq(record.outputs),
        scan.label.eq(engine.inputs.label),
        scan.z.eq(z),
        scan.z_valid.eq(z_valid),
    ]
    if z_next is not None:
        m.d.comb += activation.z_next.eq(z_next)
    issuing = _issue(m, engine, last, pending)
    forwarding = forward.busy | pending | issuing | array.busy | behind_busy
    _tell_readiness(m, engine, pending, forwarding)
    engine.forwarding = forwarding | sequencer.forward


def _issue(m: Module, engine, last, pending):
    """Planes and words into the array; whether some are still on their way there."""
    forward, array = engine.forward, engine.array
    issued = [(array.x, forward.x), (array.active, forward.active), (array.last, forward.last),
              (array.plane, forward.plane), (array.rows, forward.rows)]
    if engine.config.drain == 2:
        issued.append((array.single, last))
    filters = engine.sockets.having("words")
    if not filters:
        m.d.comb += [
            array.words.eq(engine.trits.words),
            forward.allow_last.eq(array.room & ~pending),
        ]
        m.d.comb += [target.eq(value) for target, value in issued]
        return Const(0)
    # A filter takes a cycle; `room` does not know of a last plane on its way there.
    words = engine.trits.words
    for port in filters:
        m.d.comb += port.words.eq(words)
        words = port.o_words
    m.d.comb += [
        array.words.eq(words),
        forward.allow_last.eq(array.room & ~pending & ~(forward.active & forward.last)),
    ]
    for target, value in issued:
        late = Signal.like(value, name=f"late_{target.name}")
        m.d.sync += late.eq(value)
        m.d.comb += target.eq(late)
    return forward.active


def _tell_readiness(m: Module, engine, pending, forwarding) -> None:
    """What the sequencer waits for."""
    sequencer, forward = engine.sequencer, engine.forward
    others = engine.error.busy | engine.sending
    if engine.update is not None:
        others |= engine.update.busy | ~engine.lister.final
    for port in sequencer.ports.values():
        others |= port.busy
    quiet = ~forwarding & ~others
    if takes(engine.config, "front"):
        quiet &= ~Cat(port.feeds for port in sequencer.ports.values()).any()
    m.d.comb += [
        sequencer.forward_ready.eq(~forward.busy & ~pending & ~others),
        sequencer.quiet.eq(quiet),
    ]


def connect_trits(m: Module, engine) -> None:
    """T alone: the forward pass' while the program runs, else the link's."""
    trits, memory = engine.trits, engine.memory
    running = engine.run == RunState.RUNNING
    m.d.comb += [
        memory.read_data.eq(trits.word),
        trits.address.eq(Mux(running, engine.forward.address, memory.address)),
        trits.bank.eq(memory.bank),
        trits.write.eq(~running & memory.write & (memory.space == Space.T)),
        trits.write_bank.eq(memory.bank),
        trits.write_address.eq(memory.address),
        trits.write_data.eq(memory.write_data[-8 * engine.config.trit_word_bytes:]),
    ]
