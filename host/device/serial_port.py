"""Boards on a serial port: rates, silence, unplugging, and what is wrong in one line.

A port starts at the safe rate. Until something there has answered HELLO as a core of this protocol
does, nothing but HELLO is written to it. Then the rate is raised as far as both sides go, while
whoever opened the conversation still waits for its answer (see ``docs/serial.md``).
"""

import contextlib
import errno
import functools
import struct
import time
from collections.abc import Callable, Iterator, Sequence

import serial

from ...firmware import frames
from ...firmware.frames import FLAG, Frame, FrameDecoder, Type
from ...firmware.rates import RATES, SAFE_RATE, rate_request
from ...units.registry import HELLO_FIELDS
from .greeting import answers, greets, is_hello, refused, speaks_our_protocol
from .ports import PortError, TerminalError, hardware_of, open_serial, port_of
from .session import DeviceReset

__all__ = ["PortError", "SerialTransport"]

#: What bridges of the FTDI class do at least.
BRIDGE_RATES = tuple(rate for rate in RATES if rate <= 3_000_000)
#: Seconds without an answer to HELLO after which a port is given up, and one on which a board has
#: answered before: it may be busy with what it was told, or without power.
CONTACT_S, SILENT_S = 4.0, 60.0
#: A board that was reset answers the first HELLO. One that takes more seconds was only slow, and
#: is given twice the time from now on, up to so many times.
SLOW_S, MOST_SLACK = 0.3, 16
#: Seconds that a byte is given until it is measured: a simulated board is slow.
FIRST_BYTE_S = 2e-3
#: Timeouts in a row, each without a frame, after which a raised rate is given up.
LOST_TIMEOUTS = 3
#: Seconds that a port may be away.
AWAY_S = 60.0
#: Seconds that a port may take no bytes.
WRITE_S = 30
#: Times that a rate is asked for, or measured. One that is asked for at a raised rate is a break.
REQUESTS = 3
#: Answers to HELLO that are asked for at a new rate, and those of them that may fail.
PROBES, FAILURES = 8, 2
#: Long frames each way, of which one must come through at a new rate: a bridge may carry a few
#: bytes at a rate at which it loses some of every few hundred.
LONG_FRAMES = 5
#: Bytes of a long frame's payload, if a slot holds as many.
LONG_BYTES = 512
#: Least seconds to wait for an answer while the rate is raised.
PROBE_S = 0.15
#: Flags that time the line; they mean nothing on it.
PADDING = 512
#: Rates at which a board of another speed is looked for, to tell what is wrong.
STRAY_RATES = (57_600, 76_800, 230_400, 38_400, 460_800, 19_200, 9_600, 921_600, 1_000_000,
               3_000_000)
#: What makes a board answer at such a rate.
CLOCKS = {57_600: "; the PLL may be bypassed",
          76_800: "; on an iCESugar, set iCELink's clock to 12 MHz: icesprog -c 2"}


class SerialTransport:
    """A board on a serial port, a `Transport`.

    Parameters
    ----------
    port
        Name of the port, ``/dev/ttyUSB1`` or ``COM3``.
    rates
        Bits a second that the bridge does; the highest that works is used.
    clock
        Seconds, monotonic.

    Attributes
    ----------
    rate
        Bits a second now.

    Raises
    ------
    PortError
        No such port, no permission, busy, or no serial port; later: silent, another design behind
        it, another rate, unplugged for good.
    DeviceReset
        From `read` and `write`: the port was away or a raised rate was lost. Whatever the board
        remembers, the next thing it is told must be HELLO.
    """

    def __init__(self, port: str, rates: Sequence[int] = BRIDGE_RATES,
                 clock: Callable[[], float] = time.monotonic):
        self.name = self.port = port
        self.rates = tuple(sorted(rate for rate in rates if rate != SAFE_RATE))
        self._clock = clock
        self._proved: set[int] = set()  # rates that have carried long frames
        self._met = False
        self._slack = 1
        self._serial = _open(port)
        self._hardware = hardware_of(port)
        self._forget()

    def _forget(self) -> None:
        """Begin anew at the safe rate: nothing is known of what is on the port."""
        self.rate = SAFE_RATE
        self.byte_time_s = FIRST_BYTE_S
        self._contact = False
        self._since: float | None = None  # when the first HELLO was written
        self._heard = bytearray()
        self._waited = 0.0
        self._decoder = FrameDecoder()
        with self._watched():
            self._serial.reset_output_buffer()
            self._serial.baudrate = SAFE_RATE
            self._serial.reset_input_buffer()

    def write(self, data: bytes) -> None:
        if not self._contact:
            if not is_hello(data):
                raise DeviceReset(f"{self.name} has not answered HELLO since it came back")
            self._hello = data
            self._since = self._clock() if self._since is None else self._since
        elif is_hello(data):
            self._hello = data
        self._write(data)

    def read(self, timeout_s: float) -> bytes:
        began = self._clock()
        timeout_s *= self._slack if self._contact else 1
        data = self._read(timeout_s)
        answers = [frame for frame in self._decoder.feed(data) if isinstance(frame, Frame)]
        if not self._contact:
            return self._meet(data, answers)
        self._waited = 0.0 if answers else self._waited + self._clock() - began
        if self.rate != SAFE_RATE and self._waited > LOST_TIMEOUTS * timeout_s:
            lost = self.rate
            self._proved.discard(lost)
            self._forget()
            raise DeviceReset(f"{self.name}: no frame at {lost:,} baud any more")
        return data

    def listen(self, seconds: float) -> bytes:
        """What comes unasked, at the rate that is set."""
        end, heard = self._clock() + seconds, b""
        while (left := end - self._clock()) > 0:
            heard += self._read(left)
        return heard

    def close(self) -> None:
        self._serial.close()

    def _meet(self, data: bytes, answers: Sequence[Frame]) -> bytes:
        """Look for the answer to HELLO; raise the rate before it is passed on."""
        self._heard += data[:64 - len(self._heard)]
        greeting = next((frame for frame in answers if greets(frame)), None)
        if greeting is not None:
            self._greeted(greeting)
            return greeting.encode()
        if self._since is not None and self._clock() - self._since > CONTACT_S:
            greeting = self._sought()
            self._greeted(greeting)
            return greeting.encode()
        return data

    def _greeted(self, greeting: Frame) -> None:
        """Raise the rate if it is a core of this protocol that has answered."""
        if speaks_our_protocol(greeting) and self._since is not None:
            took = self._clock() - self._since
            self._slack = min(2 * self._slack, MOST_SLACK) if self._met and took > SLOW_S else 1
            self._contact = self._met = True
            self._greeting = greeting.payload
            self._raise_rate(min(1.0, took))

    # The rate.

    def _raise_rate(self, round_trip_s: float) -> None:
        """Go to the highest rate at which HELLO is answered, and measure it."""
        patience = max(PROBE_S, 3 * round_trip_s)
        # A byte is no frame. When its refusal is there, all HELLOs before it have been answered.
        self._write(bytes([FLAG, 0, FLAG]))
        self._await(refused, patience)
        for rate in reversed(self.rates):
            if self._try_rate(rate, patience):
                break
        self._measure(patience)
        self._waited = 0.0
        self._decoder = FrameDecoder()

    def _try_rate(self, rate: int, patience: float) -> bool:
        if any(self._ask_for(rate, patience) for _ in range(REQUESTS)) and self._switch(rate):
            failed = 0
            for _ in range(PROBES):
                self._write(self._hello)
                failed += not self._await(greets, patience)
                if failed > FAILURES:
                    break
            else:
                if rate in self._proved or self._carries(patience):
                    self._proved.add(rate)
                    return True
        self._switch(SAFE_RATE)
        for _ in range(PROBES):
            self._write(self._hello)  # a break for whoever is at another rate
            if self._await(greets, patience):
                return False
        self._forget()
        raise DeviceReset(f"{self.name} was lost while the rate was raised to {rate:,} baud")

    def _carries(self, patience: float) -> bool:
        """Whether long frames come through, each way; they change nothing on the board.

        HELLO's own sequence number makes them repetitions: READ is carried out, WRITE is not.
        """
        try:
            core, _ = frames.unpack_fields(HELLO_FIELDS, self._greeting[6:])
        except struct.error:
            return True  # no core that anybody could talk to; the session says so
        space = min(LONG_BYTES, core["slot_bytes"] - 4)
        word = max(1, -(-2 * core["lanes"] // 8))
        count = max(1, min(core["trit_depth"], (space - 6) // word))
        # A HELLO and its answer, 80 bytes or so, took a third of `patience` at the safe rate.
        limit = patience * (1 + 2 * space / 240 * SAFE_RATE / self.rate)
        head, sequence = struct.pack("<BBHH", frames.Space.T, 0, 0, count), self._sequence()
        for kind, payload in ((Type.READ, head), (Type.WRITE, head.ljust(space, b"U"))):
            data = Frame(kind, sequence, payload).encode()
            wanted = functools.partial(answers, kind)
            for _ in range(LONG_FRAMES):
                self._write(data)
                if self._await(wanted, limit):
                    break
            else:
                return False
        return True

    def _sequence(self) -> int:
        """Of the last HELLO."""
        return next(frame.sequence for frame in FrameDecoder().feed(self._hello)
                    if isinstance(frame, Frame))

    def _ask_for(self, rate: int, patience: float) -> bool:
        """Request a rate. It reads as a frame of a byte; the refusal tells that it has arrived."""
        self._write(bytes([FLAG]) + rate_request(rate))
        arrived = self._await(refused, patience) is not None
        time.sleep(10 / SAFE_RATE)  # the board changes over behind the last stop bit
        return arrived

    def _switch(self, rate: int) -> bool:
        """Set the port's rate; whether the bridge does it."""
        with self._watched():
            try:
                self._serial.baudrate = rate
            except (TerminalError, ValueError) as error:
                if isinstance(error, TerminalError) and error.args[0] != errno.EINVAL:
                    raise
                return False
            self._serial.reset_input_buffer()
        self.rate = rate
        self._decoder = FrameDecoder()
        return True

    def _measure(self, patience: float) -> None:
        """Seconds a byte takes, by how much longer HELLO takes behind many flags.

        On a line that is no slower than its rate says this is the rate's, in a simulation more.
        """
        self.byte_time_s = 10 / self.rate
        short, long = (self._time_hello(bytes([FLAG]) * padding, patience)
                       for padding in (0, PADDING))
        self.byte_time_s = max(self.byte_time_s, (long - short) / PADDING)

    def _time_hello(self, padding: bytes, patience: float) -> float:
        """Seconds until HELLO behind some bytes is answered, or as long as was waited in vain."""
        limit = patience + 100 * len(padding) * self.byte_time_s
        for _ in range(REQUESTS):
            began = self._clock()
            self._write(padding + self._hello)
            if self._await(greets, limit):
                return self._clock() - began
        return limit

    def _await(self, wanted: Callable[[Frame], bool], timeout_s: float) -> Frame | None:
        """The first such frame, if it comes in time; all others are dropped."""
        end = self._clock() + timeout_s
        while (left := end - self._clock()) > 0:
            for frame in self._decoder.feed(self._read(left)):
                if isinstance(frame, Frame) and wanted(frame):
                    return frame
        return None

    # What is wrong.

    def _sought(self) -> Frame:
        """Nobody has answered HELLO: the answer of a board that was only busy, else what is wrong.
        """
        if self._met:
            if greeting := self._called(SILENT_S):
                return greeting
            raise PortError(f"silent board: {self.name} has answered before, but not for "
                            f"{SILENT_S:.0f} s; has it lost its power?")
        heard = bytes(self._heard)
        if self._hello in heard:
            raise PortError(
                f"echo: {self.name} says what it is told; rx and tx are joined, or what is behind "
                "it is no tritgrad core")
        stray = next(filter(self._answers_at, STRAY_RATES), None)
        # One that a killed host has left busy, at a raised rate, takes HELLO for a break by now.
        self._switch(SAFE_RATE)
        if greeting := self._called(4 * PROBE_S):
            return greeting
        if stray is not None:
            raise PortError(
                f"wrong baud rate: the core on {self.name} answers at {stray:,} baud, not at "
                f"{SAFE_RATE:,}: its clock is not what its bitstream was made for"
                f"{CLOCKS.get(stray, '')}")
        if heard:
            raise PortError(
                f"wrong bitstream: {self.name} says {heard[:16]!r}, which is no frame of a "
                "tritgrad core; flash the board with: tritgrad flash BOARD")
        raise PortError(
            f"silent board: nothing on {self.name} answers at {SAFE_RATE:,} baud; is it powered, "
            "flashed (tritgrad flash BOARD), and this its port (tritgrad ports)?")

    def _called(self, seconds: float) -> Frame | None:
        """Say HELLO at the safe rate until it is answered; None if it is not for so long."""
        end = self._clock() + seconds
        while self._clock() < end:
            self._write(self._hello)
            if greeting := self._await(greets, PROBE_S):
                return greeting
        return None

    def _answers_at(self, rate: int) -> bool:
        if not self._switch(rate):
            return False
        self._write(self._hello)
        return self._await(greets, PROBE_S) is not None

    # The port.

    def _write(self, data: bytes) -> None:
        with self._watched():
            self._serial.write(data)

    def _read(self, timeout_s: float) -> bytes:
        with self._watched():
            self._serial.timeout = timeout_s
            first: bytes = self._serial.read(1)
            return first + self._serial.read(self._serial.in_waiting) if first else b""

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Inside, a port that goes away is waited for."""
        try:
            yield
        except serial.SerialTimeoutException:
            raise PortError(f"{self.name} has taken no bytes for {WRITE_S} s") from None
        except (OSError, TerminalError):
            self._reattach()

    def _reattach(self) -> None:
        self._serial.close()
        end = self._clock() + AWAY_S
        while True:
            time.sleep(0.1)
            try:
                self._serial = _open(port_of(self._hardware, self.port))
                break
            except PortError as error:
                if self._clock() > end:
                    raise PortError(f"{self.name} was unplugged and has not come back in "
                                    f"{AWAY_S:.0f} s: {error}") from None
        self._forget()
        raise DeviceReset(f"{self.name} was unplugged")


def _open(port: str) -> serial.Serial:
    return open_serial(port, WRITE_S)
