"""A conversation with a device: sequence numbers, credits, and repair of whatever the wire does.

Requests are numbered and may be pipelined, at most as many unanswered as the device has slots. The
device takes a request only in its turn and answers each one it reads; a repeated one it answers
without doing it again. So after any sign of loss (an unreadable or out-of-turn request, a missing
answer) it is enough to wait until nothing is on its way and to send what is unanswered once more,
in order: nothing is lost and nothing is done twice.
"""

import secrets
import struct
from collections import deque
from dataclasses import dataclass

from ...errors import ConfigError, DeviceError
from ...firmware import frames
from ...firmware.frames import Frame, FrameDecoder, Status, Type
from ...model.config import CoreConfig
from ...units.registry import HELLO_FIELDS, hello_tail, status_parts
from .transport import Transport

__all__ = ["DeviceAstray", "DeviceReset", "Pending", "RequestRefused", "Session"]

#: Seconds for a device to answer, besides the time on the wire and the work it was given.
PATIENCE_S = 0.1
#: Silences in a row before a device counts as dead.
MAX_SILENCES = 10
#: Repairs in a row that no request survived before a wire counts as unusable.
MAX_REPAIRS = 200
#: Answers in a row for another session or out of any order before a device counts as astray.
MAX_STRAYS = 16
#: Bytes in a row that are no frame before a device counts as something else.
MAX_NOISE = 1 << 18
#: Payload bytes of the first long frames; they grow while all is well and shrink with faults.
FIRST_BUDGET = 512
LEAST_BUDGET = 64

REASONS = {
    Status.CRC: "the check sum is wrong",
    Status.LENGTH: "its length is wrong",
    Status.OVERFLOW: "it is longer than a receive slot",
    Status.TYPE: "this core does not know it",
    Status.SEQUENCE: "it is out of turn",
    Status.RANGE: "a value is outside what this core allows",
    Status.STATE: "not in this state: nothing loaded, or a program runs, or none does",
    Status.NO_HELLO: "the device was reset",
}


class DeviceReset(DeviceError):
    """The device has lost its state. `Session.hello`, load the last snapshot, repeat from there."""


class DeviceAstray(DeviceError):
    """The device did what no program says. Begin a session, and repeat from the last snapshot."""


class RequestRefused(DeviceAstray):
    """The device understood a request and will not do it.

    Attributes
    ----------
    request, status
        What was asked, and why not.
    """

    def __init__(self, name: str, request: Type, status: int):
        known = status in [*Status]
        reason = REASONS.get(Status(status), "no reason given") if known else "unknown reason"
        label = Status(status).name if known else str(status)
        super().__init__(f"{name} refused {request.name}: {label} ({reason})")
        self.request = request
        self.status = status


@dataclass(eq=False)
class Pending:
    """A request on its way. `answer` is what follows the answer's head, once it is there."""

    type: Type
    frame: Frame
    work_s: float
    in_flight: bool = False
    answer: bytes | None = None

    @property
    def done(self) -> bool:
        """Whether the device has done it and, if it asked for data, they have arrived."""
        return self.answer is not None


class Session:
    """Exactly-once requests over a transport.

    Parameters
    ----------
    transport
        The pipe to the device.
    nonce
        Names the session, 1 to 2^32 - 1; by default a random one. Each `hello` takes the next.

    Attributes
    ----------
    config
        The core, as the device describes it.
    repairs
        Times something had to be sent again.

    Raises
    ------
    DeviceError
        Nobody answers, or something that is no core of this protocol.
    """

    config: CoreConfig
    slots: int

    def __init__(self, transport: Transport, nonce: int | None = None):
        self.transport = transport
        self.nonce = (nonce or secrets.randbelow(2**32 - 1) + 1) - 1
        self.repairs = 0
        self._budget = FIRST_BUDGET
        self.hello()

    @property
    def name(self) -> str:
        """The device, for messages."""
        return self.transport.name

    @property
    def budget(self) -> int:
        """Payload bytes that suit the wire now; requests with much data are cut to this."""
        return min(self._budget, self.config.max_payload)

    def hello(self) -> None:
        """Open the conversation, or open it again after a reset; forgets unanswered requests."""
        self._outstanding: deque[Pending] = deque()
        self._results: list[bytes] = []
        self._pieces: list[bytes] = []
        self._decoder = FrameDecoder()
        self._repairing = False
        self._silences = self._stuck = self._noise = self._strays = 0
        self.nonce = self.nonce % (2**32 - 1) + 1
        hello = Frame(Type.HELLO, self.nonce & 0xFF, struct.pack("<I", self.nonce))
        self._next = (hello.sequence + 1) & 0xFF
        for _ in range(MAX_SILENCES):
            self.transport.write(hello.encode())
            while data := self._read(PATIENCE_S + 200 * self.transport.byte_time_s):
                for frame in self._decoder.feed(data):
                    if isinstance(frame, Frame) and self._greets(frame, hello.sequence):
                        self._meet(frame.payload)
                        return
        raise DeviceError(f"{self.name} does not answer")

    def _greets(self, frame: Frame, sequence: int) -> bool:
        self._noise = 0
        if frame.type != Type.HELLO | frames.ANSWER_BIT or frame.sequence != sequence:
            return False
        head = _head(frame.payload)
        return head is not None and head[0] == {
            "status": Status.OK, "expected": self._next, "nonce": self.nonce}

    def _meet(self, payload: bytes) -> None:
        """Check that the other side is a core of this protocol, and take its description."""
        data = payload[6:]
        if data[:4] != frames.MAGIC or len(data) < 5:
            raise DeviceError(f"{self.name} is no tritgrad core: it says {data[:4]!r}, "
                              f"not {frames.MAGIC!r}")
        if data[4] != frames.PROTOCOL_VERSION:
            raise DeviceError(f"{self.name} speaks protocol {data[4]}, this host speaks "
                              f"{frames.PROTOCOL_VERSION}")
        try:
            fields, rest = frames.unpack_fields(HELLO_FIELDS, data)
            if rest:
                fields |= frames.unpack_fields(hello_tail(len(rest)), rest)[0]
            for key in ("magic", "protocol"):
                del fields[key]
            self.slots = max(1, fields.pop("slots"))
            flags = {name: bool(value) for name, value in fields.items()
                     if isinstance(CoreConfig.default(name), bool)}
            self.config = CoreConfig(**fields | flags)
        except (struct.error, ConfigError) as error:
            raise DeviceError(f"{self.name} describes an impossible core: {error}") from None

    def request(self, kind: Type, payload: bytes = b"", work_s: float = 0.0) -> bytes:
        """Do one thing and wait for it; the data it answers."""
        pending = self.post(kind, payload, work_s)
        self.flush()
        assert pending.answer is not None
        return pending.answer

    def post(self, kind: Type, payload: bytes = b"", work_s: float = 0.0) -> Pending:
        """Send a request as soon as the device has room for it; do not wait for its answer.

        Parameters
        ----------
        kind, payload
            As `Type` describes.
        work_s
            Most seconds that the device may need before it answers.

        Raises
        ------
        RequestRefused
            For this request or one before it.
        DeviceReset, DeviceError
            See `Session`.
        """
        if len(payload) > self.config.max_payload:
            raise ValueError(f"a payload has at most {self.config.max_payload} bytes, "
                             f"not {len(payload)}")
        while len(self._outstanding) >= self.slots:
            self._pump()
        pending = Pending(kind, Frame(kind, self._next, payload), work_s)
        self._next = (self._next + 1) & 0xFF
        self._outstanding.append(pending)
        if not self._repairing:
            self._transmit(pending)
        return pending

    def flush(self) -> None:
        """Wait until every request is answered."""
        while self._outstanding:
            self._pump()

    def status(self, wait: bool = False, work_s: float = 0.0) -> dict[str, int]:
        """The device's STATUS record: the names of `STATUS_FIELDS`, and of units that add to it."""
        data = self.request(Type.STATUS, bytes([wait]), work_s)
        values, rest = frames.unpack_fields(frames.STATUS_FIELDS, data)
        for name, size in status_parts(self.config).items():
            values[name], rest = int.from_bytes(rest[:size], "little"), rest[size:]
        return values

    def take_results(self) -> list[bytes]:
        """Payloads of the RESULT frames that have arrived since the last call."""
        results, self._results = self._results, []
        return results

    def take_pieces(self) -> list[bytes]:
        """Payloads of the TRACE frames that have arrived since the last call."""
        pieces, self._pieces = self._pieces, []
        return pieces

    def close(self) -> None:
        """Let the device go."""
        self.transport.close()

    def _transmit(self, pending: Pending) -> None:
        pending.in_flight = True
        self.transport.write(pending.frame.encode())

    def _read(self, timeout_s: float) -> bytes:
        data = self.transport.read(timeout_s)
        self._noise += len(data)
        if self._noise > MAX_NOISE:
            raise DeviceError(f"{self.name} sends bytes that are no frames of this protocol")
        return data

    def _pump(self) -> None:
        """Take what arrives next, and send again what must be."""
        wire = sum(len(p.frame.payload) + 300 for p in self._outstanding)
        timeout_s = (PATIENCE_S + 2 * wire * self.transport.byte_time_s
                     + sum(p.work_s for p in self._outstanding))
        data = self._read(timeout_s)
        if not data:
            self._silence()
        for frame in self._decoder.feed(data):
            if isinstance(frame, Frame):
                self._silences = self._noise = 0
                self._take(frame)
        if self._repairing and not any(p.in_flight for p in self._outstanding):
            self._repair()

    def _silence(self) -> None:
        self._silences += 1
        if self._silences >= MAX_SILENCES:
            waiting = self._outstanding[0].type.name if self._outstanding else "anything"
            raise DeviceError(f"{self.name} has fallen silent: no answer to {waiting} "
                              f"after {self._silences} tries")
        self._repairing = True
        for pending in self._outstanding:
            pending.in_flight = False

    def _repair(self) -> None:
        """Send everything unanswered once more, in order."""
        self._repairing = False
        self.repairs += 1
        self._stuck += 1
        if self._stuck > MAX_REPAIRS:
            raise DeviceError(f"the wire to {self.name} is too bad: "
                              f"{MAX_REPAIRS} repairs without getting anything through")
        self._budget = max(LEAST_BUDGET, self.budget // 2)
        for pending in self._outstanding:
            if not pending.done:
                self._transmit(pending)

    def _take(self, frame: Frame) -> None:
        if frame.type == frames.RESULT:
            self._results.append(frame.payload)
            return
        if frame.type == frames.TRACE:
            self._pieces.append(frame.payload)
            return
        split = _head(frame.payload)
        if split is None:
            return
        head, data = split
        if head["nonce"] == 0:
            raise DeviceReset(f"{self.name} was reset: it has lost its state")
        if head["nonce"] != self.nonce:
            self._stray()  # an answer to an earlier session, or the device has forgotten this one
            return
        status = head["status"]
        if not self._settle(head["expected"]):
            self._stray()  # an old answer, or the device has lost its place
            return
        if frame.type == frames.NAK and status != Status.TYPE:
            flying = next((p for p in self._outstanding if p.in_flight), None)
            if flying is not None:
                flying.in_flight = False
            self._repairing = True
            return
        pending = next((p for p in self._outstanding if p.frame.sequence == frame.sequence
                        and frame.type in (p.type | frames.ANSWER_BIT, frames.NAK)), None)
        if pending is None:
            return  # answered before
        for earlier in self._outstanding:
            if earlier is pending:
                break
            self._repairing = self._repairing or not earlier.done
            earlier.in_flight = False
        pending.in_flight = False
        if status == Status.OK:
            pending.answer = data
            self._advance()
        elif status == Status.SEQUENCE:
            self._repairing = self._repairing or not pending.done
        elif not pending.done:
            self._refuse(pending, status, head["expected"])

    def _settle(self, expected: int) -> bool:
        """The device says that it has done all requests before number `expected`.

        Returns whether that can be.
        """
        if not self._outstanding:
            return True
        count = (expected - self._outstanding[0].frame.sequence) & 0xFF
        if count > len(self._outstanding):
            return False
        for pending in list(self._outstanding)[:count]:
            if pending.type not in frames.READ_ONLY and not pending.done:
                pending.answer = b""
        self._advance()
        return True

    def _stray(self) -> None:
        self._strays += 1
        if self._strays > MAX_STRAYS:
            raise DeviceAstray(f"{self.name} answers, but not what it was asked: "
                               f"{self._strays} answers of another session or out of order")

    def _advance(self) -> None:
        while self._outstanding and self._outstanding[0].done:
            self._outstanding.popleft()
            self._stuck = self._strays = 0
            self._budget = min(2 * self._budget, self.config.max_payload)

    def _refuse(self, refused: Pending, status: int, expected: int) -> None:
        """Forget a refused request and those behind it, which are out of turn now, and raise."""
        flying = [p for p in self._outstanding if p.in_flight]
        self._outstanding.clear()
        self._repairing = False
        self._next = expected
        while flying and (data := self._read(PATIENCE_S)):
            for frame in self._decoder.feed(data):
                if isinstance(frame, Frame):
                    flying = [p for p in flying if p.frame.sequence != frame.sequence]
        raise RequestRefused(self.name, refused.type, status)


def _head(payload: bytes) -> tuple[dict[str, int], bytes] | None:
    try:
        return frames.unpack_fields(frames.ANSWER_HEAD, payload)
    except struct.error:
        return None
