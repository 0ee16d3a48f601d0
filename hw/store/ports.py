"""Interfaces between the link's command processor and a memory beside the FPGA.

The command processor reads the requests, checks what they hold and asks the store for one record
after the other; the store knows where records lie and how its memory is driven.
"""

from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ..parts.ports import sample_word

__all__ = ["RAW_WORD", "FlashSignature", "RamSignature", "Task"]

#: A word of a record as it lies in memory; `last` marks the record's last one.
RAW_WORD = data.StructLayout({"data": 16, "last": 1})


class Task(enum.Enum, shape=2):
    """What is done with a record of a RAM."""

    PLAY = 0   #: its words leave through `o`
    FILL = 1   #: words come through `i`, and are written
    RAW = 2    #: it leaves through `raw` as it lies in memory


class RamSignature(wiring.Signature):
    """A store of records of equal size, `firmware.store`; from the link's side.

    Members
    -------
    inputs, planes : of a sample: they give the record's size. Static from a cycle before `start`
        on, while not `idle`.
    start : strobe, while `idle` and `ready`: begin with
    task, number : what to do, and with which record. Its first word is that of this number times
        the words of a record, taken modulo the size of the memory.
    idle : nothing is under way: all words of a record have been taken, or are written.
    ready, failed, phase : the memory has tested itself; it found no way to read; the one it found.
    i : words of a sample, as `sample_word`, but the label is valid with all of them.
    o : the same; all of a record is taken before the next one begins.
    raw : see `RAW_WORD`; the first one is the label's.
    """

    def __init__(self, config: CoreConfig):
        super().__init__({
            "inputs": Out(range(config.max_stored_inputs + 1)),
            "planes": Out(range(config.input_planes + 1)),
            "start": Out(1), "task": Out(Task), "number": Out(24),
            "idle": In(1), "ready": In(1), "failed": In(1), "phase": In(3),
            "i": Out(stream.Signature(sample_word(config))),
            "o": In(stream.Signature(sample_word(config))),
            "raw": In(stream.Signature(RAW_WORD)),
        })


class FlashSignature(wiring.Signature):
    """A serial flash that is read from any byte on, and reached by raw transactions; from the
    link's side.

    Members
    -------
    start, address : strobe, while `idle`: read from there on.
    stop : strobe that ends what is under way, reading or a transaction; `o` has no byte then.
    idle : nothing is under way, and the flash has been woken.
    o : bytes read, or received in a transaction.
    i : bytes of a raw transaction; the first one, while `idle`, begins it. `last`: no more follow.
    receive : with `last`, whether bytes are wanted behind it, until `stop`; else it ends by itself.
    """

    def __init__(self) -> None:
        super().__init__({
            "start": Out(1), "address": Out(24), "stop": Out(1), "idle": In(1),
            "o": In(stream.Signature(8)),
            "i": Out(stream.Signature(data.StructLayout({"data": 8, "last": 1}))),
            "receive": Out(1),
        })
