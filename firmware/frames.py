"""Link frames: one table for the golden device, the RTL, the host and the docs.

On the wire a frame is ``FLAG``, then the stuffed bytes of *type, sequence number, length (u16),
payload, CRC-32 (u32)*, then ``FLAG``. Numbers are little-endian; the CRC (CRC-32/ISO-HDLC, the one
of zlib) covers all bytes before it. Inside a frame, ``FLAG`` and ``ESC`` are sent as ``ESC`` and
the byte XOR 0x20, as PPP does (RFC 1662); two flags in a row hold no frame.

Every frame to the device is answered. An answer's type is the request's with bit 7 set, or `NAK`
if the request could not be read; its payload starts with `ANSWER_HEAD`.
"""

import enum
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = [
    "ANSWER_BIT", "ANSWER_HEAD", "CORE_FIELDS", "ESC", "FLAG", "IMAGE_FIELDS", "LAYER_FIELDS",
    "MAGIC", "NAK", "PROTOCOL_VERSION", "RESULT", "ROWS_FIELDS", "SHIFTED", "SIGNATURE_BYTES",
    "SLOTS", "STATUS_FIELDS", "TRACE",
    "Fields", "Flags", "Frame", "FrameDecoder", "Loaded", "Run", "Space", "Status", "Type",
    "pack_fields", "size_of", "unpack_fields",
]

FLAG = 0xA5
ESC = 0x5B
ESC_XOR = 0x20
ANSWER_BIT = 0x80
MAGIC = b"TRIT"
PROTOCOL_VERSION = 5

#: Receive slots of a device: the frames that may be unanswered at a time.
SLOTS = 2


class Type(enum.IntEnum):
    """Requests. Payload and effect:

    HELLO    nonce u32 (not 0): names the session, sets the expected sequence number.
    PROGRAM  instruction words u32: replaces the program.
    TABLE    `LAYER_ROW` a layer: replaces the layer table.
    WRITE    space u8, bank u8, address u16, count u16, words: writes a memory.
    READ     space u8, bank u8, address u16, count u16: answers words of a memory.
    PRNG     state u64 (not 0).
    SEED     seed u64, index u64: PRNG state <- SplitMix64 out(seed, index), or 1 if that is 0.
    RUN      nothing: clears the statistics and starts the program at address 0.
    DATA     flags u8 (1: sparse), count u8, `count` labels u8, `count` samples, each of
             ceil(inputs / 8) groups of `planes` bytes, plane 0 first; bit i is input 8g + i.
             Sparse, a byte goes before each eight groups: of those whose bit is 0 in it, the first
             one in bit 0, there are no bytes, and all inputs are 0.
    STATUS   wait u8 (0 or 1): answers `STATUS_FIELDS`; with wait = 1 not before the program has
             stopped, a sample is missing or another frame has arrived. Of a core with `signature`
             in HELLO follows that of T and R, u32: XOR of all that programs have changed in them
             since the last WRITE. Bit n of the U codes and of the U residuals that are changed
             together goes into bit n mod 32.
    ABORT    nothing: stops the program before its next instruction.

    Of a core with a store, see `firmware.store`:

    PLAY     first u24, run u8, flags u8 (1: sparse, 2: entries of 24 bits, 4: shifted), count u16,
             `count` entries u16 or u24: for each entry, `run` records one after the other, of which
             the first one is number first + entry. All are read, and taken as samples of DATA are.
             Shifted, behind each entry is a byte: pixels that its images move, right in the low
             four bits and down in the high ones, -store_shift to store_shift each. Of a core that
             shifts images, with a table that has columns of them.
    FILL     first u24, then as DATA: makes records of samples, the first one of this number. Of a
             core with a RAM.
    CHECK    first u24, count u24: answers the CRC-32 of `count` records of a RAM as they lie there,
             or bytes of a flash, u32, and which phase the test of the RAM has chosen, u8.
    SPI      receive u16, bytes: a transaction that sends the bytes to a flash; answers the
             `receive` bytes that it sends then.
    """

    HELLO = 0x01
    PROGRAM = 0x02
    TABLE = 0x03
    WRITE = 0x04
    READ = 0x05
    PRNG = 0x06
    SEED = 0x07
    RUN = 0x08
    DATA = 0x09
    STATUS = 0x0A
    ABORT = 0x0B
    PLAY = 0x0C
    FILL = 0x0D
    CHECK = 0x0E
    SPI = 0x0F


#: Answer to a request that could not be read.
NAK = 0xFF
#: Sent by SEND, unasked: index u32 since RUN, prediction u8, a score i32 a class. Its sequence
#: number is the index mod 256.
RESULT = 0xC0
#: Sent unasked by a core with a trace unit: number u32 since RUN, a piece of the records that
#: `firmware.records` describes. Its sequence number is the number mod 256.
TRACE = 0xC1

#: Requests that are carried out again when they are repeated. All change nothing but SPI, of which
#: a host therefore has one at a time.
READ_ONLY = frozenset({Type.HELLO, Type.READ, Type.STATUS, Type.CHECK, Type.SPI})


class Status(enum.IntEnum):
    """First byte of every answer: done, or why nothing was changed."""

    OK = 0
    CRC = 1        #: the check sum is wrong
    LENGTH = 2     #: the length field, or the payload's length for this type, is wrong
    OVERFLOW = 3   #: longer than a receive slot
    TYPE = 4       #: no such request
    SEQUENCE = 5   #: not the expected sequence number
    RANGE = 6      #: a value is outside what this core allows
    STATE = 7      #: not now: nothing loaded, or the program runs, or it does not
    NO_HELLO = 8   #: the device was reset and waits for HELLO
    #: the RAM's test has failed, or PLAY has come to a record whose label no class has; the records
    #: before it have been played
    STORE = 9


class Flags(enum.IntFlag):
    """How DATA, FILL and PLAY have their samples."""

    SPARSE = 1  #: samples are sparse
    WIDE = 2    #: entries have 24 bits; of PLAY


#: Of PLAY, beside `Flags`, where a core shifts images: each entry says by how much.
SHIFTED = 4


class Space(enum.IntEnum):
    """Memories that WRITE and READ reach."""

    T = 0   #: 2 * L bits a word, lane 0 lowest: the two top bits of each counter
    R = 1   #: U * (b - 2) bits a word, lane 0 lowest: the residuals; its bank field must be 0
    #: 2 bits a word: a row's trits mod 3, 3 becoming 0; its bank field must be 0. The row of neuron
    #: j of a layer is word ``output_base * L + j`` (`model.layout.Placement`).
    SUMS = 2
    #: 48 bits of corr, 8 of the factor's code; its bank field must be 0. Rows as in SUMS, then a
    #: word with the step in place of corr.
    S = 3
    #: A bit for each word of L inputs, word 0 lowest: whether the granule is inside; its bank field
    #: must be 0. Row group g of a layer is word ``group_base + g``.
    SUPPORT = 4
    #: A counter of a kernel, its bits lowest of 16; its bank field must be 0. Tap t, by row and
    #: column, of kernel f of k x k taps is word ``f * k * k + t``.
    K = 5


class Loaded(enum.IntFlag):
    """What a core has been given since its reset; RUN needs all four."""

    PROGRAM = 1  #: by PROGRAM
    TABLE = 2    #: by TABLE
    T = 4        #: by WRITE of any word of memory T
    PRNG = 8     #: by PRNG or SEED


class Run(enum.IntEnum):
    """State of the sequencer in STATUS."""

    IDLE = 0     #: nothing has run since the reset
    RUNNING = 1  #: DATA, PLAY, STATUS, ABORT and HELLO are accepted now, and nothing else
    HALTED = 2   #: the program has ended by itself
    ABORTED = 3  #: by ABORT
    FAULT = 4   #: an instruction named a layer that the table does not have
    CORRUPT = 5  #: SCRUB found a row whose trits do not have the sum that was kept


#: A field is a name and a `struct` code.
Fields = tuple[tuple[str, str], ...]

#: `expected` is the next sequence number the device accepts. `nonce` is 0 after a reset.
ANSWER_HEAD: Fields = (("status", "B"), ("expected", "B"), ("nonce", "I"))

#: What a row of the layer table says for any core; columns of units follow
#: (`units.registry.LAYER_ROW`).
LAYER_FIELDS: Fields = (("inputs", "H"), ("outputs", "H"), ("planes", "B"), ("shift", "B"),
                        ("gain", "b"))

#: What any core tells of itself in answer to HELLO; the options of units follow
#: (`units.registry.HELLO_FIELDS`).
CORE_FIELDS: Fields = (
    ("magic", "4s"), ("protocol", "B"), ("slots", "B"), ("slot_bytes", "H"),
    ("lanes", "H"), ("banks", "H"), ("update_lanes", "H"), ("counter_bits", "B"),
    ("activation_bits", "B"), ("input_planes", "B"), ("max_layers", "B"), ("max_inputs", "H"),
    ("max_neurons", "H"), ("max_classes", "H"), ("program_depth", "H"), ("seeder", "B"),
    ("trit_depth", "I"), ("residual_depth", "I"), ("hidden_depth", "I"),
    ("store", "B"), ("store_bits", "B"),
)

#: What a core tells behind them that shifts images of its store: `model.config`.
IMAGE_FIELDS: Fields = (("store_shift", "B"), ("store_rows", "B"), ("store_columns", "B"),
                        ("store_planes", "B"))
#: Behind all else in answer to HELLO, of a core that updates several rows at once.
ROWS_FIELDS: Fields = (("update_rows", "B"),)

#: Cycle counters: `forward_cycles` inside FWD, `cycles` while the program runs and does not wait
#: for the link, `total_cycles` since the device's reset.
STATUS_FIELDS: Fields = (
    ("run", "B"), ("loaded", "B"), ("samples", "I"), ("correct", "I"), ("updates", "I"),
    ("flips", "Q"), ("cycles", "Q"), ("forward_cycles", "Q"), ("total_cycles", "Q"), ("prng", "Q"),
)


#: Behind `STATUS_FIELDS`, of a core that keeps one: the XOR of all changes that the update unit has
#: made in T and R since the last WRITE, each word folded (`model.signature`).
SIGNATURE_BYTES = 4


def _layout(fields: Fields) -> str:
    return "<" + "".join(code for _, code in fields)


def size_of(fields: Fields) -> int:
    """Bytes of a record."""
    return struct.calcsize(_layout(fields))


def pack_fields(fields: Fields, **values: int | bytes) -> bytes:
    """Bytes of a record; every field must be given."""
    return struct.pack(_layout(fields), *(values[name] for name, _ in fields))


def unpack_fields(fields: Fields, data: bytes) -> tuple[dict[str, int], bytes]:
    """The record at the start of `data`, and what follows it. Raises `struct.error` if short."""
    size = struct.calcsize(_layout(fields))
    values = struct.unpack(_layout(fields), data[:size])
    return dict(zip((name for name, _ in fields), values, strict=True)), data[size:]


@dataclass(frozen=True)
class Frame:
    """A frame without its envelope."""

    type: int
    sequence: int
    payload: bytes = b""

    def body(self) -> bytes:
        """Header, payload and CRC, not stuffed."""
        head = struct.pack("<BBH", self.type, self.sequence, len(self.payload)) + self.payload
        return head + struct.pack("<I", zlib.crc32(head))

    def encode(self) -> bytes:
        """Bytes on the wire, a flag on either side."""
        return bytes([FLAG]) + stuff(self.body()) + bytes([FLAG])


def stuff(body: bytes) -> bytes:
    """Replace `FLAG` and `ESC` by two-byte escapes."""
    return body.replace(bytes([ESC]), bytes([ESC, ESC ^ ESC_XOR])).replace(
        bytes([FLAG]), bytes([ESC, FLAG ^ ESC_XOR]))


def unstuff(data: bytes) -> bytes:
    """Undo `stuff`; an escape at the end is dropped."""
    out = bytearray()
    escaped = False
    for byte in data:
        if escaped:
            out.append(byte ^ ESC_XOR)
            escaped = False
        elif byte == ESC:
            escaped = True
        else:
            out.append(byte)
    return bytes(out)


class FrameDecoder:
    """Splits a byte stream into frames, the way a device does.

    Parameters
    ----------
    limit
        Most bytes of header and payload; a longer frame is reported as `Status.OVERFLOW`.
    """

    def __init__(self, limit: int = 1 << 16):
        self.limit = limit
        self._partial = bytearray()

    def feed(self, data: bytes | Iterable[int]) -> Iterator[Frame | Status]:
        """Frames in `data` and what it completes; a `Status` for each unreadable one."""
        pieces = bytes(data).split(bytes([FLAG]))
        for piece in pieces[:-1]:
            self._partial += piece
            raw, self._partial = bytes(self._partial), bytearray()
            if raw:
                yield self._parse(unstuff(raw))
        self._partial += pieces[-1]

    def _parse(self, body: bytes) -> Frame | Status:
        if len(body) > self.limit + 4:
            return Status.OVERFLOW
        if len(body) < 8:
            return Status.LENGTH
        head, (crc,) = body[:-4], struct.unpack("<I", body[-4:])
        if zlib.crc32(head) != crc:
            return Status.CRC
        kind, sequence, length = struct.unpack("<BBH", head[:4])
        if length != len(head) - 4:
            return Status.LENGTH
        return Frame(kind, sequence, head[4:])
