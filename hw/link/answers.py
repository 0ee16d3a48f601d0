"""Answers to requests: their frames, and what HELLO and STATUS tell."""

import struct

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...firmware.frames import (
    ANSWER_BIT,
    MAGIC,
    NAK,
    PROTOCOL_VERSION,
    SLOTS,
    STATUS_FIELDS,
    Status,
    pack_fields,
)
from ...model.config import CoreConfig
from ...units.registry import hello_fields, status_tail
from ..memory.block_ram import BlockRam
from ..parts.ports import PACKET_BYTE, RunState

__all__ = ["DATA_BYTE", "HEAD_BYTES", "STATUS_BYTES", "AnswerSender", "Hello", "StatusReport",
           "hello_bytes", "status_bytes"]

#: Bytes of a frame's header, and of an answer's payload before its data.
FRAME_BYTES, HEAD_BYTES = 4, 6
#: The first byte of an answer's data in its frame.
DATA_BYTE = FRAME_BYTES + HEAD_BYTES


def _size(fields) -> int:
    return struct.calcsize("<" + "".join(code for _, code in fields))


STATUS_BYTES = _size(STATUS_FIELDS)


def hello_bytes(config: CoreConfig) -> int:
    """Bytes of a core's answer to HELLO behind the head."""
    return _size(hello_fields(config))


def status_bytes(config: CoreConfig) -> int:
    """Bytes of a core's answer to STATUS behind the head."""
    return STATUS_BYTES + status_tail(config)


def _longest(config: CoreConfig) -> int:
    """Bytes of the longest answer that `AnswerSender` counts, behind the head."""
    return max(status_bytes(config), hello_bytes(config))


class AnswerSender(wiring.Component):
    """Sends answers: the header and head, then the data that it is given.

    A byte a cycle. Inputs but `data` and `length` stand still while `enable` is set.

    Members
    -------
    enable : send an answer; until `done`.
    nak, type, sequence : whether the request could not be read, else its type; for the header.
    status, expected : for the head.
    load, nonce : strobe, while not enabled: the nonce from now on.
    length : of the payload, less what `counted` has counted.
    index : byte that is next, from the header's first on; goes no further than STATUS and
        HELLO need.
    data, data_valid : that byte, if it is behind the head.
    counted : strobe: a byte of the payload has been sent.
    done : strobe: the last one.
    o : header and payload.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "enable": In(1),
            "nak": In(1),
            "type": In(4),
            "sequence": In(8),
            "status": In(Status),
            "expected": In(8),
            "load": In(1),
            "nonce": In(32),
            "length": In(range(config.slot_bytes + 1)),
            "index": Out(range(DATA_BYTE + _longest(config))),
            "data": In(8),
            "data_valid": In(1),
            "counted": Out(1),
            "done": Out(1),
            "o": Out(stream.Signature(PACKET_BYTE)),
        })

    def elaborate(self, platform):
        m = Module()
        nonce = Signal(32)  # turns as it goes out
        head = [Mux(self.nak, NAK, ANSWER_BIT | self.type), self.sequence,
                self.length[:8], self.length[8:], self.status, self.expected, nonce[:8]]
        in_head, in_nonce = Signal(), Signal()
        sent = Signal()
        m.d.comb += [
            sent.eq(self.o.valid & self.o.ready),
            self.o.valid.eq(self.enable & (in_head | self.data_valid)),
            # Only the header's first bytes come before the length has been sent.
            self.counted.eq(sent & (self.index >= FRAME_BYTES)),
            self.o.p.last.eq((self.length == 1) & (self.index >= FRAME_BYTES)),
            self.done.eq(sent & self.o.p.last),
        ]
        with m.Switch(self.index):
            for n, byte in enumerate(head):
                last = n == len(head) - 1
                with m.Case(*range(n, DATA_BYTE if last else n + 1)):
                    m.d.comb += [in_head.eq(1), in_nonce.eq(last), self.o.p.data.eq(byte)]
            with m.Default():
                m.d.comb += self.o.p.data.eq(self.data)
        with m.If(self.load):
            m.d.sync += nonce.eq(self.nonce)
        with m.Elif(sent & in_nonce):
            m.d.sync += nonce.eq(nonce.rotate_right(8))
        with m.If(sent & (self.index != DATA_BYTE + _longest(self.config) - 1)):
            m.d.sync += self.index.eq(self.index + 1)
        with m.If(self.done):
            m.d.sync += self.index.eq(0)
        return m


class Hello(wiring.Component):
    """What a core tells of itself, `units.registry.hello_fields`.

    Members
    -------
    index : byte of the answer's frame; `byte` is that byte, one cycle later.
    """

    def __init__(self, config: CoreConfig):
        fields, size = hello_fields(config), DATA_BYTE + hello_bytes(config)
        super().__init__({"index": In(range(size)), "byte": Out(8)})
        named = {name: getattr(config, name) for name, _ in fields if hasattr(config, name)}
        self.payload = pack_fields(fields, magic=MAGIC, protocol=PROTOCOL_VERSION,
                                   slots=SLOTS, **named)
        self.memory = BlockRam(8, size, bytes(DATA_BYTE) + self.payload)

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        m.d.comb += [memory.address.eq(self.index), self.byte.eq(memory.word)]
        return m


class StatusReport(wiring.Component):
    """What a core tells of its state, `firmware.frames.STATUS_FIELDS`. Combinational.

    Members
    -------
    run, loaded : the first two bytes.
    statistics : the byte of the statistics at `index`.
    prng : the next byte of the PRNG's state.
    index : byte of the answer's frame; `byte` is that byte.
    in_prng : it is one of the PRNG's state, the last eight of `STATUS_FIELDS`.
    more : what follows them, where units tell more.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "run": In(RunState),
            "loaded": In(4),
            "statistics": In(8),
            "prng": In(8),
            "index": In(range(DATA_BYTE + status_bytes(config))),
            "byte": Out(8),
            "in_prng": Out(1),
            **({"more": In(8 * status_tail(config))} if status_tail(config) else {}),
        })

    def elaborate(self, platform):
        m = Module()
        end, more = DATA_BYTE + STATUS_BYTES, status_tail(self.config)
        m.d.comb += [
            self.in_prng.eq((self.index >= end - 8) & (self.index < end)
                            if more else self.index >= end - 8),
            self.byte.eq(Mux(self.in_prng, self.prng, self.statistics)),
        ]
        with m.Switch(self.index):
            with m.Case(DATA_BYTE):
                m.d.comb += self.byte.eq(self.run)
            with m.Case(DATA_BYTE + 1):
                m.d.comb += self.byte.eq(self.loaded)
            for n in range(more):
                with m.Case(end + n):
                    m.d.comb += self.byte.eq(self.more.word_select(n, 8))
        return m
