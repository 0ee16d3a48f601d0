"""The engine: all units, their memories and the sequencer. It knows no link."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..firmware.frames import Space
from ..model.config import CoreConfig
from ..units.perturb.batch import BatchBuffer
from ..units.perturb.direction import DirectionFold, PlaceWords
from ..units.perturb.loss import LossUnit
from ..units.row_sums.rtl import RowSums
from ..units.scales.rtl import ScaleUnit
from ..units.skip.rtl import SkipConnection
from ..units.support.granules import GranuleReader
from ..units.support.purge import PurgeUnit
from ..units.support.rtl import SupportStore
from ..units.trace.rtl import TraceUnit
from .control.sequencer import Sequencer
from .control.statistics import Statistics
from .datapath.activation import ActivationUnit
from .datapath.array import MacArray
from .datapath.error import ErrorUnit
from .datapath.forward import ForwardControl
from .datapath.row_list import ErrorStore, RowLister
from .datapath.sample_buffer import ListReader, SampleBuffer
from .datapath.score_scan import ScoreScan
from .datapath.update import UpdateUnit
from .memory.stores import ResidualStore, TritStore
from .optional import (
    connect_probes,
    connect_scales,
    connect_skip,
    connect_sums,
    connect_support,
    connect_tracer,
)
from .parts.ports import (
    PACKET_BYTE,
    LayerRecord,
    MemorySignature,
    RunState,
    StatisticsSignature,
    sample_word,
)
from .parts.prng import XorShift64

__all__ = ["Engine"]


class Engine(wiring.Component):
    """The core without its link.

    Members
    -------
    program_*, table_*, layers, begin, abort, hold, run, waiting : see `Sequencer`.
    samples : words of samples from the link.
    memory : the link's access to T and R; only while the program does not run.
    prng_load, prng_state : sets the PRNG; prng : its state.
    statistics : counters that STATUS reports; all but `total_cycles` restart with `begin`.
    send, prediction, classes : strobe to the result sender, first maximum of the scores, number of
        scores.
    sending : a result is still on its way.
    score_index, score : score to read; one cycle later.
    trace, tracing : bytes of the trace unit (see `TraceUnit`), if there is one; whether some that
        were taken are still on their way.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "program_write": In(1),
            "program_address": In(range(config.program_depth)),
            "program_data": In(32),
            "program_length": In(range(config.program_depth + 1)),
            "table_write": In(1),
            "table_index": In(range(config.max_layers)),
            "table_record": In(LayerRecord(config)),
            "layers": In(range(config.max_layers + 1)),
            "begin": In(1),
            "abort": In(1),
            "hold": In(1),
            "run": Out(RunState),
            "waiting": Out(1),
            "samples": In(stream.Signature(sample_word(config))),
            "memory": In(MemorySignature(config)),
            "prng_load": In(1),
            "prng_state": In(64),
            "prng": Out(64),
            "statistics": In(StatisticsSignature()),
            "send": Out(1),
            "prediction": Out(range(config.max_classes)),
            "classes": Out(range(config.max_classes + 1)),
            "sending": In(1),
            "score_index": In(range(config.max_classes)),
            "score": Out(signed(config.score_bits)),
            **({"trace": Out(stream.Signature(PACKET_BYTE)), "tracing": In(1)}
               if config.trace else {}),
        })
        self.sequencer = Sequencer(config)
        self.trits = TritStore(config)
        self.inputs = BatchBuffer(config) if config.resident else SampleBuffer(config)
        self.reader = (GranuleReader(config) if config.support else
                       ListReader(max(config.max_input_words, config.hidden_depth)))
        self.forward = ForwardControl(config)
        self.array = MacArray(config)
        self.activation = ActivationUnit(config)
        self.scan = ScoreScan(config)
        self.error = ErrorUnit(config)
        self.random = XorShift64()
        self.counters = Statistics(config)
        self.update = None
        if config.trainable:
            self.residuals = ResidualStore(config)
            self.errors = ErrorStore(config)
            self.lister = RowLister(config)
            self.row_reader = ListReader(config.max_neurons)
            self.update = UpdateUnit(config)
        self.tracer = TraceUnit(config) if config.trace else None
        self.sums = RowSums(config) if config.row_sums else None
        self.scales = ScaleUnit(config) if config.scales else None
        self.skip = SkipConnection(config) if config.skip else None
        if config.skip and config.trainable:
            self.above = ErrorStore(config)
        self.loss = None
        if config.resident:
            self.loss = LossUnit(config)
            self.places = PlaceWords(config)
            self.folds = [DirectionFold(config) for _ in range(config.banks)]
            self.update_fold = DirectionFold(config)
        self.support = None
        if config.support:
            self.support = SupportStore(config)
            self.purge = PurgeUnit(config)

    def elaborate(self, platform):
        m = Module()
        names = ["sequencer", "trits", "inputs", "reader", "forward", "array", "activation", "scan",
                 "error", "random", "counters"]
        if self.config.trainable:
            names += ["residuals", "errors", "lister", "row_reader", "update"]
        if self.sums is not None:
            names.append("sums")
        if self.scales is not None:
            names.append("scales")
        if self.skip is not None:
            names += ["skip", "above"] if self.config.trainable else ["skip"]
        if self.loss is not None:
            names += ["loss", "places", "update_fold"]
            for n, fold in enumerate(self.folds):
                m.submodules[f"fold{n}"] = fold
        if self.support is not None:
            names += ["support", "purge"]
        for name in names:
            m.submodules[name] = getattr(self, name)
        self._connect_sequencer(m)
        self._connect_words(m)
        self._connect_forward(m)
        self._connect_error(m)
        if self.config.trainable:
            self._connect_update(m)
            self._connect_memories(m)
        else:
            self._connect_trits(m)
        if self.tracer is not None:
            m.submodules.tracer = self.tracer
            connect_tracer(m, self)
        if self.sums is not None:
            connect_sums(m, self)
        if self.scales is not None:
            connect_scales(m, self)
        if self.skip is not None:
            connect_skip(m, self)
        if self.loss is not None:
            connect_probes(m, self)
        if self.support is not None:
            connect_support(m, self)
        self._count(m)
        return m

    def _connect_sequencer(self, m):
        sequencer = self.sequencer
        for name in ("program_write", "program_address", "program_data", "program_length",
                     "table_write", "table_index", "table_record", "layers", "begin", "abort",
                     "hold", "sending"):
            m.d.comb += getattr(sequencer, name).eq(getattr(self, name))
        m.d.comb += [
            self.run.eq(sequencer.run),
            self.waiting.eq(sequencer.waiting),
            sequencer.filled.eq(self.inputs.filled),
            sequencer.flag.eq(self.error.flag),
            self.send.eq(sequencer.send),
            self.prediction.eq(self.scan.prediction),
            self.classes.eq(sequencer.record.outputs),
            self.scan.index.eq(self.score_index),
            self.score.eq(self.scan.score),
            self.random.i_load.eq(self.prng_load),
            self.random.i_state.eq(self.prng_state),
            self.prng.eq(self.random.o_state),
        ]

    def _connect_words(self, m):
        """Samples and activations, replayed by one reader for forward pass and update."""
        sequencer, inputs, activation = self.sequencer, self.inputs, self.activation
        reader, forward = self.reader, self.forward
        connect(m, flipped(self.samples), inputs.i)
        layer = Signal.like(activation.read_layer)
        base = Signal.like(sequencer.record.input_base)
        from_inputs = Signal()
        with m.If(reader.start):
            m.d.sync += [
                layer.eq(sequencer.operand),
                base.eq(sequencer.record.input_base),
                from_inputs.eq(sequencer.operand[:len(layer)] == 1),
            ]
        m.d.comb += [
            inputs.clear.eq(sequencer.clear),
            inputs.take.eq(sequencer.receive),
            activation.clear.eq(sequencer.clear),
            activation.read_layer.eq(layer),
            reader.start.eq(sequencer.forward | sequencer.update),
            reader.final.eq(from_inputs | activation.read_final),
            reader.take.eq(forward.entry_take),
            inputs.address.eq(reader.address),
            inputs.enable.eq(reader.enable),
            activation.address.eq(base + reader.address),
            activation.enable.eq(reader.enable),
        ]
        if self.support is None:
            m.d.comb += reader.count.eq(Mux(from_inputs, inputs.count, activation.read_count))
        else:
            m.d.comb += [
                reader.masked.eq(sequencer.forward),
                reader.group.eq(sequencer.record.group_base),
                reader.active.eq(Mux(from_inputs, inputs.active, activation.read_active)),
            ]
        if self.update is not None:
            m.d.comb += reader.take.eq(forward.entry_take | self.update.entry_take)
        for unit in filter(None, (forward, self.update)):
            for field in "index", "mask", "planes":
                m.d.comb += unit.entry[field].eq(
                    Mux(from_inputs, inputs.entry[field], activation.entry[field]))
            m.d.comb += [
                unit.entry_valid.eq(reader.valid),
                unit.entry_last.eq(reader.last),
                unit.entry_ended.eq(reader.ended),
            ]

    def _connect_forward(self, m):
        """The pass through array, then activation unit or score scan."""
        sequencer, forward, array = self.sequencer, self.forward, self.array
        activation, scan = self.activation, self.scan
        z, z_valid = array.z, array.z_valid
        if self.scales is not None:
            z, z_valid = self.scales.o_z, self.scales.o_z_valid

        # The unit behind the array takes a layer over once it is done with the one before.
        record = Signal(LayerRecord(self.config))
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
            scan.label.eq(self.inputs.label),
            scan.z.eq(z),
            scan.z_valid.eq(z_valid),
        ]
        if self.scales is not None:
            m.d.comb += [
                self.scales.forward.eq(take_over),
                self.scales.forward_record.eq(record),
                self.scales.z.eq(array.z),
                self.scales.z_valid.eq(array.z_valid),
            ]
        issued = {name: getattr(forward, name)
                  for name in ("x", "active", "last", "plane", "rows")}
        if self.config.drain == 2:
            m.d.comb += activation.z_next.eq(array.z_next)
            issued["single"] = last
        if self.loss is None:
            m.d.comb += [
                array.words.eq(self.trits.words),
                forward.allow_last.eq(array.room & ~pending),
            ]
            m.d.comb += [getattr(array, name).eq(value) for name, value in issued.items()]
            issuing = Const(0)
        else:
            # The direction takes a cycle; `room` does not know of a last plane on its way there.
            issuing = forward.active
            m.d.comb += forward.allow_last.eq(array.room & ~pending & ~(issuing & forward.last))
            for name, value in issued.items():
                late = Signal.like(value, name=f"late_{name}")
                m.d.sync += late.eq(value)
                m.d.comb += getattr(array, name).eq(late)
        forwarding = forward.busy | pending | issuing | array.busy | behind_busy
        others = self.error.busy | self.sending
        if self.update is not None:
            others |= self.update.busy | ~self.lister.final
        if self.tracer is not None:
            others |= self.tracer.telling
        if self.sums is not None:
            others |= self.sums.busy
        if self.scales is not None:
            others |= self.scales.busy
        if self.loss is not None:
            others |= self.loss.busy | self.places.busy
        if self.support is not None:
            others |= self.support.busy | self.purge.busy
        m.d.comb += [
            sequencer.forward_ready.eq(~forward.busy & ~pending & ~others),
            sequencer.quiet.eq(~forwarding & ~others),
        ]
        self.forwarding = forwarding | sequencer.forward

    def _connect_error(self, m):
        sequencer, error, scan = self.sequencer, self.error, self.scan
        m.d.comb += [
            error.start.eq(sequencer.error),
            error.margin.eq(sequencer.operand),
            error.record.eq(sequencer.record),
            error.clear.eq(sequencer.clear),
            error.gap.eq(scan.gap),
            error.target.eq(scan.target),
            error.rival.eq(scan.rival),
        ]

    def _connect_update(self, m):
        """Errors: written by error unit and backward pass, listed for update and backward pass."""
        sequencer, errors, error = self.sequencer, self.errors, self.error
        lister, rows, update = self.lister, self.row_reader, self.update
        begin = sequencer.backward | sequencer.update
        if self.loss is not None:
            begin |= sequencer.step
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
            update.dither.eq(self.random.o_draw),
            self.random.i_draw.eq(update.draw),
            self.counters.flips.eq(update.flips),
            self.activation.gate_address.eq(update.gate_address),
            update.gates.eq(self.activation.gates),
        ]

    def _connect_memories(self, m):
        """T and R: the units' while the program runs, else the link's."""
        trits, residuals, update = self.trits, self.residuals, self.update
        memory = self.memory
        m.d.comb += [
            memory.read_data.eq(Mux(memory.space == Space.T, trits.word, update.residual_read)),
            update.trit_word.eq(trits.word),
            update.residual_word.eq(residuals.word),
        ]
        if self.config.signature:
            m.d.comb += update.signing.clear.eq(memory.write & (memory.space <= Space.R))
        running = self.run == RunState.RUNNING
        bank, address = update.trit_bank, self.forward.address
        if self.sums is not None:
            bank = Mux(self.sums.walking, self.sums.trit_bank, bank)
            address = Mux(self.sums.walking, self.sums.trit_address, address)
        residual = update.residual_address
        trit_write, trit_write_address = update.trit_write, update.trit_write_address
        trit_write_bank, trit_write_data = update.trit_write_bank, update.trit_write_data
        residual_write, residual_write_address, residual_write_data = (
            update.residual_write, update.residual_write_address, update.residual_write_data)
        if self.support is not None:
            purge = self.purge
            bank = Mux(purge.busy, purge.trit_bank, bank)
            address = Mux(purge.busy, purge.trit_address, address)
            residual = Mux(purge.busy, purge.residual_address, residual)
            trit_write |= purge.trit_write
            trit_write_bank = Mux(purge.busy, purge.trit_bank, trit_write_bank)
            trit_write_address = Mux(purge.busy, purge.trit_address, trit_write_address)
            trit_write_data = Mux(purge.busy, purge.trit_write_data, trit_write_data)
            residual_write |= purge.residual_write
            residual_write_address = Mux(purge.busy, purge.residual_address,
                                         residual_write_address)
            residual_write_data = Mux(purge.busy, purge.residual_write_data, residual_write_data)
        reads = [Mux(running, *pair) for pair in (
            (Mux(update.busy, update.trit_address, address), memory.address),
            (residual, memory.address))]
        writes = [Mux(running, *pair) for pair in (
            (trit_write_address, memory.address),
            (residual_write_address, memory.address))]
        if self.config.single_port:
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
                Array([memory.address, trit_write_address, update.trit_address,
                       address])[source],
                Mux(running, Mux(residual_write, residual_write_address, residual),
                    memory.address),
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
                trits.write_data.eq(memory.write_data[-8 * self.config.trit_word_bytes:]),
                residuals.write.eq(memory.write & (memory.space == Space.R)),
                residuals.write_data.eq(memory.write_data[-8 * self.config.residual_word_bytes:]),
            ]

    def _connect_trits(self, m):
        """T alone: the forward pass' while the program runs, else the link's."""
        trits, memory = self.trits, self.memory
        running = self.run == RunState.RUNNING
        m.d.comb += [
            memory.read_data.eq(trits.word),
            trits.address.eq(Mux(running, self.forward.address, memory.address)),
            trits.bank.eq(memory.bank),
            trits.write.eq(~running & memory.write & ~memory.space),
            trits.write_bank.eq(memory.bank),
            trits.write_address.eq(memory.address),
            trits.write_data.eq(memory.write_data[-8 * self.config.trit_word_bytes:]),
        ]

    def _count(self, m):
        counters, sequencer = self.counters, self.sequencer
        running = self.run == RunState.RUNNING
        connect(m, flipped(self.statistics), counters.report)
        m.d.comb += [
            counters.clear.eq(sequencer.clear),
            counters.judged.eq(sequencer.error),
            counters.correct.eq(self.scan.prediction == self.scan.target),
            counters.updated.eq(self.error.violated),
            sequencer.countable.eq(counters.room),
            counters.working.eq(running & ~sequencer.stalled),
            counters.forwarding.eq(running & self.forwarding),
        ]
        if self.loss is not None:
            with m.If(sequencer.loss):
                m.d.comb += [counters.judged.eq(1), counters.updated.eq(0)]
