"""The core: the engine behind its link, a byte stream in and a byte stream out."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..model.config import CoreConfig
from ..units.watchdog.rtl import Watchdog
from .engine import Engine
from .link.commands import CommandProcessor
from .link.receiver import Receiver
from .link.record_packets import PieceSender
from .link.results import ResultSender
from .link.transmitter import Arbiter, Transmitter
from .parts.ports import RunState

__all__ = ["Core"]


class Core(wiring.Component):
    """Trains and infers, driven by frames (see `firmware.frames`).

    Takes and gives at most a byte a cycle. Nothing above the byte streams assumes a UART.

    Members
    -------
    i : bytes from the host; not ready while all receive slots are full.
    o : bytes to the host.

    Attributes
    ----------
    run : `RunState` of the engine, for a top that shows it.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.run = Signal(RunState)
        super().__init__({
            "i": In(stream.Signature(8)),
            "o": Out(stream.Signature(8)),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.receiver = receiver = Receiver(config.slot_bytes)
        m.submodules.commands = commands = CommandProcessor(config)
        m.submodules.engine = engine = Engine(config)
        m.submodules.results = results = ResultSender(config)
        m.submodules.arbiter = arbiter = Arbiter(3 if config.trace else 2)
        m.submodules.transmitter = transmitter = Transmitter()

        connect(m, flipped(self.i), receiver.i)
        connect(m, receiver.o_frame, commands.frames)
        connect(m, commands.answers, arbiter.i[0])
        connect(m, results.o, arbiter.i[1])
        if config.trace:
            m.submodules.pieces = pieces = PieceSender()
            connect(m, engine.trace, pieces.i)
            connect(m, pieces.o, arbiter.i[2])
            m.d.comb += [pieces.clear.eq(engine.begin), engine.tracing.eq(pieces.busy)]
        connect(m, arbiter.o, transmitter.i)
        connect(m, transmitter.o, flipped(self.o))
        connect(m, commands.samples, engine.samples)
        connect(m, commands.memory, engine.memory)
        connect(m, commands.statistics, engine.statistics)
        m.d.comb += [
            receiver.i_offset.eq(commands.offset),
            commands.byte.eq(receiver.o_byte),
            receiver.i_release.eq(commands.release),
            commands.pending.eq(receiver.o_pending),
            results.clear.eq(engine.begin),
            results.start.eq(engine.send),
            results.prediction.eq(engine.prediction),
            results.classes.eq(engine.classes),
            engine.sending.eq(results.busy),
            self.run.eq(engine.run),
            engine.score_index.eq(results.score_index),
            results.score.eq(engine.score),
        ]
        for name in ("program_write", "program_address", "program_data", "program_length",
                     "table_write", "table_index", "table_record", "layers", "begin", "abort",
                     "prng_load", "prng_state"):
            m.d.comb += getattr(engine, name).eq(getattr(commands, name))
        for name in "run", "waiting", "prng":
            m.d.comb += getattr(commands, name).eq(getattr(engine, name))
        if config.signature:
            m.d.comb += commands.signed.eq(engine.update.signing.value)
        if not config.watchdog:
            return m
        m.submodules.watchdog = watchdog = Watchdog(config.watchdog)
        m.d.comb += [
            watchdog.owing.eq((engine.run == RunState.RUNNING) & ~engine.waiting
                              | receiver.o_pending | ~commands.frames.ready | ~self.i.ready),
            watchdog.progress.eq(engine.sequencer.dispatched
                                 | commands.samples.valid & commands.samples.ready
                                 | self.o.valid & self.o.ready),
        ]
        return ResetInserter(watchdog.bite)(m)
