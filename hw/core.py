"""The core: the engine behind its link, a byte stream in and a byte stream out."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..model.config import CoreConfig
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
    store : of a core with a memory for samples, see `hw.store.ports`.

    Attributes
    ----------
    run : `RunState` of the engine, for a top that shows it.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.run = Signal(RunState)
        self.commands = CommandProcessor(config)
        super().__init__({
            "i": In(stream.Signature(8)),
            "o": Out(stream.Signature(8)),
            **({"store": self.commands.signature.members["store"]} if config.store else {}),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.receiver = receiver = Receiver(config.slot_bytes)
        m.submodules.commands = commands = self.commands
        m.submodules.engine = engine = Engine(config)
        m.submodules.results = results = ResultSender(config)
        records = engine.sockets.having("records")
        m.submodules.arbiter = arbiter = Arbiter(2 + len(records))
        m.submodules.transmitter = transmitter = Transmitter()

        connect(m, flipped(self.i), receiver.i)
        connect(m, receiver.o_frame, commands.frames)
        connect(m, commands.answers, arbiter.i[0])
        connect(m, results.o, arbiter.i[1])
        for port in records:  # the wire has one kind of them
            m.submodules.pieces = pieces = PieceSender()
            connect(m, port.o, pieces.i)
            connect(m, pieces.o, arbiter.i[2])
            m.d.comb += [pieces.clear.eq(engine.begin), port.sending.eq(pieces.busy)]
        connect(m, arbiter.o, transmitter.i)
        connect(m, transmitter.o, flipped(self.o))
        if config.store:
            connect(m, commands.store, flipped(self.store))
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
        m.d.comb += [
            engine.program_write.eq(commands.program_write),
            engine.program_address.eq(commands.program_address),
            engine.program_data.eq(commands.program_data),
            engine.program_length.eq(commands.program_length),
            engine.table_write.eq(commands.table_write),
            engine.table_index.eq(commands.table_index),
            engine.table_record.eq(commands.table_record),
            engine.layers.eq(commands.layers),
            engine.begin.eq(commands.begin),
            engine.abort.eq(commands.abort),
            engine.prng_load.eq(commands.prng_load),
            engine.prng_state.eq(commands.prng_state),
            commands.run.eq(engine.run),
            commands.waiting.eq(engine.waiting),
            commands.prng.eq(engine.prng),
        ]
        if tails := engine.sockets.having("status"):
            m.d.comb += commands.more.eq(Cat(tail.value for tail in tails))
        guards = engine.sockets.having("guard")
        for guard in guards:
            m.d.comb += [
                guard.owing.eq((engine.run == RunState.RUNNING) & ~engine.waiting
                               | receiver.o_pending | ~commands.frames.ready | ~self.i.ready),
                guard.progress.eq(engine.sequencer.dispatched
                                  | commands.samples.valid & commands.samples.ready
                                  | self.o.valid & self.o.ready),
            ]
        return ResetInserter(Cat(guard.bite for guard in guards).any())(m) if guards else m
