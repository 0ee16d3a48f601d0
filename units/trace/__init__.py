"""The trace unit: tells the host what each sample decided (`firmware.records`)."""

from ...firmware import programs
from ...firmware.isa import Op
from ...firmware.records import PIECE_BYTES
from ..record import Config, Memory, Option, Unit, bits_of

__all__ = ["QUEUE", "TRACE"]

#: Steps of UPD that can wait: what a block RAM of the smallest FPGA holds.
QUEUE = 256


def _memories(c: Config) -> tuple[Memory, ...]:
    event = 1 + bits_of(range(c.banks)) + bits_of(range(c.trit_depth)) + bits_of(
        range(c.steps)) + 2 * c.update_lanes
    return (*((Memory("steps to tell", "update_lanes", QUEUE, event,
                      "engine.trace.queue.memory"),) if c.trainable else ()),
            Memory("pieces of records", "trace", 2 * PIECE_BYTES, 8, "pieces.memory"))


TRACE = Unit(
    name="trace",
    title="with a trace unit",
    options=(Option(
        "trace", "Build in the trace unit, which tells the host what each sample decided."),),
    excludes={"update_rows": "records tell of one row at a time"},
    ops=(Op.TRACE, Op.TELL),
    circuit="TraceUnit",
    golden="Trace",
    sockets=("dispatch", "changes", "decision", "peek", "records"),
    memories=_memories,
    trial_sizes={"program_depth": 24},
    trial_training=lambda rng: {"trace": rng.randrange(4)},
    trial_programs=lambda rng, layers, samples: (
        programs.infer(layers, samples, rng.randrange(4)),),
)
