"""The engine: all units, their memories and the sequencer. It knows no link."""

from typing import Any

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..model.config import CoreConfig
from ..units.registry import takes
from . import row_training, training
from .control.sequencer import Sequencer
from .control.statistics import Statistics
from .datapath.activation import ActivationUnit
from .datapath.array import MacArray
from .datapath.error import ErrorUnit
from .datapath.forward import ForwardControl
from .datapath.sample_buffer import ListReader, SampleBuffer
from .datapath.score_scan import ScoreScan
from .forward_pass import connect_forward, connect_trits, connect_words
from .joins import Sockets
from .memory.row_stores import RowTritStore
from .memory.stores import TritStore
from .parts.ports import LayerRecord, MemorySignature, RunState, StatisticsSignature, sample_word
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

    Attributes
    ----------
    sockets : the circuits of the units that the core has, see `Sockets`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "program_write": In(1),
            "program_address": In(range(config.program_depth)),
            "program_data": In(32),
            "program_length": In(range(config.program_depth + 1)),
            "table_write": In(1),
            "table_index": In(range(config.table_rows)),
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
        })
        self.sockets = Sockets(config)
        self.masks = takes(config, "masks")
        self.sequencer = Sequencer(config)
        several = config.update_rows > 1
        self.trits = RowTritStore(config) if several else TritStore(config)
        self.inputs = self.sockets.one("inputs", lambda: SampleBuffer(config))
        self.reader = self.sockets.one("reader", lambda: ListReader(
            max(config.max_input_words, config.hidden_depth)))
        self.forward = ForwardControl(config)
        self.array = MacArray(config)
        self.activation = ActivationUnit(config)
        self.scan = ScoreScan(config)
        self.error = ErrorUnit(config)
        self.random = XorShift64()
        self.counters = Statistics(config)
        self.update: Any = None
        self.errors: Any = None
        self.row_readers: dict[str, Any] = {}
        self.training = row_training if several else training
        if takes(config, "training"):
            self.training.add_training(self)

    def elaborate(self, platform):
        m = Module()
        m.submodules.sequencer = self.sequencer
        m.submodules.trits = self.trits
        m.submodules.inputs = self.inputs
        m.submodules.reader = self.reader
        m.submodules.forward = self.forward
        m.submodules.array = self.array
        m.submodules.activation = self.activation
        m.submodules.scan = self.scan
        m.submodules.error = self.error
        m.submodules.random = self.random
        m.submodules.counters = self.counters
        if self.update is not None:
            m.submodules.residuals = self.residuals
            m.submodules.errors = self.errors
            m.submodules.lister = self.lister
            for name, reader in self.row_readers.items():
                m.submodules[name] = reader
            m.submodules.update = self.update
        self.sockets.add(m)
        self._connect_sequencer(m)
        connect_words(m, self)
        connect_forward(m, self)
        self._connect_error(m)
        if self.update is not None:
            self.training.connect_update(m, self)
            self.training.connect_memories(m, self)
        else:
            connect_trits(m, self)
        self._count(m)
        self.sockets.connect_all(m, self)
        return m

    def _connect_sequencer(self, m):
        sequencer = self.sequencer
        pending = getattr(self.inputs, "pending", None)  # words that are not in a buffer yet
        m.d.comb += [
            sequencer.program_write.eq(self.program_write),
            sequencer.program_address.eq(self.program_address),
            sequencer.program_data.eq(self.program_data),
            sequencer.program_length.eq(self.program_length),
            sequencer.table_write.eq(self.table_write),
            sequencer.table_index.eq(self.table_index),
            sequencer.table_record.eq(self.table_record),
            sequencer.layers.eq(self.layers),
            sequencer.begin.eq(self.begin),
            sequencer.abort.eq(self.abort),
            sequencer.hold.eq(self.hold),
            sequencer.sending.eq(self.sending),
            self.run.eq(sequencer.run),
            self.waiting.eq(sequencer.waiting if pending is None
                            else sequencer.waiting & ~pending),
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
