"""Interfaces between the link's command processor and a store of samples."""

from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ..parts.ports import sample_word

__all__ = ["ADDRESS_BITS", "REQUEST", "SPI_BYTE", "FlashSignature", "Operation", "RamSignature"]

#: Of an address: bytes of a flash, words of 16 bits of a RAM.
ADDRESS_BITS = 24


class Operation(enum.Enum, shape=2):
    """What a store is asked for.

    PLAY    `count` records from `address` on, one after the other.
    CHECK   CRC-32 of a flash's `count` bytes, or of the words of `count` records of a RAM, low
            bytes first.
    FILL    Take `count` records and keep them from `address` on. RAM only.
    """

    PLAY = 0
    CHECK = 1
    FILL = 2


#: `count` is at least 1; `shift` as in `firmware.store`.
REQUEST = data.StructLayout(
    {"operation": Operation, "address": ADDRESS_BITS, "count": 24, "shift": 4})
#: A byte to send to a flash; `last` ends what is sent.
SPI_BYTE = data.StructLayout({"data": 8, "last": 1})


class RamSignature(wiring.Signature):
    """A RAM, as the command processor sees it.

    A record's label is judged before any of its words come out.

    Members
    -------
    request : taken while nothing is under way.
    classes, inputs, planes : labels are below the first; of a sample. Static during a request.
    drop : nobody takes samples: throw them away and be done soon.
    fill : the words of the samples of FILL.
    samples : the words of the samples of PLAY.
    done : strobe: the last word has been taken, or is kept, or the CRC is there.
    fault : with `done`: a label was too large; of its record no word came out.
    crc : with `done`, of CHECK.
    ready, failed, phase : the memory's test is over; how it went; see `SdramController`. A request
        waits for `ready`.
    """

    def __init__(self, config: CoreConfig):
        super().__init__({
            "request": Out(stream.Signature(REQUEST)),
            "classes": Out(range(config.max_classes + 1)),
            "inputs": Out(range(config.max_inputs + 1)),
            "planes": Out(range(config.input_planes + 1)),
            "drop": Out(1),
            "fill": Out(stream.Signature(sample_word(config))),
            "samples": In(stream.Signature(sample_word(config))),
            "done": In(1),
            "fault": In(1),
            "crc": In(32),
            "ready": In(1),
            "failed": In(1),
            "phase": In(2),
        })


class FlashSignature(wiring.Signature):
    """A serial flash, as the command processor sees it: records as bytes, and raw transactions.

    A byte comes each 17 cycles at the most often, the first of a run 90 cycles behind the request.

    Members
    -------
    request : taken while nothing is under way.
    bytes : of PLAY: a label, the bytes of its sample, the next record's label.
    record_end : strobe, while no byte is valid or with none taken: the last byte that was taken
        ends a record.
    stop : strobe: give up what is under way, without `done`.
    done : strobe: all records have ended, or the CRC is there.
    crc : with `done`, of CHECK.
    send, receive, received, idle : a raw transaction, while `idle`: bytes to send; with the last
        one, whether bytes are wanted behind it, which `stop` ends. Else the transaction ends by
        itself.
    """

    def __init__(self):
        super().__init__({
            "request": Out(stream.Signature(REQUEST)),
            "bytes": In(stream.Signature(8)),
            "record_end": Out(1),
            "stop": Out(1),
            "done": In(1),
            "crc": In(32),
            "send": Out(stream.Signature(SPI_BYTE)),
            "receive": Out(1),
            "received": In(stream.Signature(8)),
            "idle": In(1),
        })
