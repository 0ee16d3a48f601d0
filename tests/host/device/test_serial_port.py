"""Serial ports: rates, errors, boards that go silent or away, on the golden model."""

import os
import re
import stat
import struct
import termios
import tty
from pathlib import Path

import pytest
import serial

from tritgrad.errors import BadInput, DeviceError
from tritgrad.firmware import frames
from tritgrad.firmware.frames import FLAG, Frame, FrameDecoder, Type
from tritgrad.firmware.rates import RATES, SAFE_RATE
from tritgrad.host.device import serial_port
from tritgrad.host.device.open import open_port
from tritgrad.host.device.serial_port import PortError, SerialTransport
from tritgrad.host.device.session import DeviceReset, Session
from tritgrad.model.config import CoreConfig
from tritgrad.sim.virtual import ModelBoard
from tritgrad.units.registry import HELLO_FIELDS

from ...sim.ports import Muted, serving

CONFIG = CoreConfig(lanes=8, banks=2, update_lanes=4, slot_bytes=256, trit_depth=64,
                    residual_depth=256, seeder=False)


def exactly(message):
    return f"^{re.escape(message)}$"


@pytest.fixture
def impatient(monkeypatch):
    """Give a silent board up sooner."""
    monkeypatch.setattr(serial_port, "CONTACT_S", 0.3)
    monkeypatch.setattr(serial_port, "PROBE_S", 0.05)


class Rated(ModelBoard):
    """A board that counts the bytes it got at each rate."""

    def __init__(self, *arguments):
        self.counts = {}
        super().__init__(*arguments)

    def exchange(self, data, rate):
        if data:
            key = self.rate, rate
            self.counts[key] = self.counts.get(key, 0) + len(data)
        return super().exchange(data, rate)


@pytest.mark.parametrize("bridge, board, expected", [
    (RATES, RATES, 4_000_000), (serial_port.BRIDGE_RATES, RATES, 3_000_000),
    (RATES, RATES[:5], 1_000_000), ((SAFE_RATE, 460_800), RATES, 460_800),
    ((SAFE_RATE,), RATES, SAFE_RATE), ((SAFE_RATE, 2_000_000), RATES[:6], SAFE_RATE)])
def test_the_highest_common_rate_is_used(tmp_path, impatient, bridge, board, expected):
    device = Rated(CONFIG, board)
    with serving(device, tmp_path) as port:
        transport = SerialTransport(str(port.link), bridge)
        session = Session(transport)
        assert session.config == CONFIG
        assert transport.rate == device.rate == expected
        assert transport.byte_time_s >= 10 / expected
        before = device.counts.get((expected, expected), 0)
        for _ in range(20):
            session.request(Type.STATUS, b"\0")
        assert session.repairs == 0
        assert device.counts[expected, expected] > before
        session.close()


def test_a_new_host_gets_through_to_a_board_at_a_raised_rate(tmp_path):
    """Whatever the last host left behind; here, a crash in the middle of a frame."""
    device = ModelBoard(CONFIG)
    with serving(device, tmp_path) as port:
        for _ in range(3):
            session = Session(SerialTransport(str(port.link)))
            assert device.rate == session.transport.rate == 3_000_000  # type: ignore[attr-defined]
            session.transport.write(Frame(Type.WRITE, 1, bytes(50)).encode()[:20])
            session.close()


def test_nothing_but_hello_is_written_to_a_stranger(tmp_path, impatient):
    device = Muted(CONFIG, b"Hello, world\r\n")
    with serving(device, tmp_path) as port:
        transport = SerialTransport(str(port.link))
        with pytest.raises(PortError, match="^wrong bitstream: "):
            Session(transport)
        with pytest.raises(DeviceReset, match="has not answered HELLO"):
            transport.write(Frame(Type.ABORT, 1).encode())
        transport.close()
    heard = [frame for frame in FrameDecoder().feed(device.heard)]
    assert len(heard) > 3
    assert {frame.type for frame in heard} == {Type.HELLO}
    assert {len(frame.payload) for frame in heard} == {4}
    assert device.heard == b"".join(frame.encode() for frame in heard)


def greeting(**changed):
    """An answer to HELLO that fits any, with other fields."""
    class Liar(ModelBoard):
        heard = b""

        def exchange(self, data, rate):
            self.heard += data
            out = b""
            for frame in FrameDecoder().feed(data):
                fields = {name: getattr(CONFIG, name) for name, _ in HELLO_FIELDS
                          if hasattr(CONFIG, name)}
                fields |= {"magic": frames.MAGIC, "protocol": frames.PROTOCOL_VERSION,
                           "slots": 2} | changed
                head = frames.pack_fields(
                    frames.ANSWER_HEAD, status=0, expected=(frame.sequence + 1) & 255,
                    nonce=struct.unpack("<I", frame.payload)[0])
                out += Frame(frame.type | 0x80, frame.sequence,
                             head + frames.pack_fields(HELLO_FIELDS, **fields)).encode()
            return out
    return Liar(CONFIG)


@pytest.mark.parametrize("changed, message", [
    ({"magic": b"BLNK"}, "is no tritgrad core: it says b'BLNK', not b'TRIT'"),
    ({"protocol": 77}, f"speaks protocol 77, this host speaks {frames.PROTOCOL_VERSION}")])
def test_a_wrong_magic_or_version_is_named_with_the_right_one(tmp_path, changed, message):
    device = greeting(**changed)
    with serving(device, tmp_path) as port:
        transport = SerialTransport(str(port.link))
        with pytest.raises(DeviceError, match=exactly(f"{port.link} {message}")):
            Session(transport)
        transport.close()
    assert {frame.type for frame in FrameDecoder().feed(device.heard)} == {Type.HELLO}


def test_a_length_field_is_never_followed(tmp_path, impatient):
    """A head that announces 65535 bytes, and all the bytes of a good answer but its own length."""
    device = Muted(CONFIG, bytes([FLAG, 0x81, 0, 0xFF, 0xFF, 0, 0, FLAG]))
    with serving(device, tmp_path) as port:
        transport = SerialTransport(str(port.link))
        with pytest.raises(PortError, match="^wrong bitstream: "):
            Session(transport)
        transport.close()


def test_no_such_port(tmp_path):
    port = str(tmp_path / "ttyUSB7")
    with pytest.raises(PortError, match=f"^no such port: {re.escape(port)}; there (are: |is none)"):
        SerialTransport(port)


def test_a_file_is_no_port(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    with pytest.raises(PortError, match=f"^{re.escape(str(path))} is no serial port: "):
        SerialTransport(str(path))


def test_no_permission_names_the_group(tmp_path, monkeypatch):
    path = tmp_path / "port"
    path.write_bytes(b"")
    group = path.group()

    def refuse(*arguments, **named):
        raise serial.SerialException(13, "could not open port: Permission denied")

    monkeypatch.setattr(serial, "Serial", refuse)
    message = (f"no permission for {path}: it belongs to group {group}; join it with: sudo "
               f"usermod -aG {group} $USER, then log in again")
    with pytest.raises(PortError, match=exactly(message)):
        SerialTransport(str(path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_no_permission_for_a_real_file(tmp_path):
    path = tmp_path / "port"
    path.write_bytes(b"")
    path.chmod(stat.S_IWUSR)
    with pytest.raises(PortError, match="^no permission for "):
        SerialTransport(str(path))


def test_a_busy_port(tmp_path):
    with serving(ModelBoard(CONFIG), tmp_path) as port:
        first = SerialTransport(str(port.link))
        message = f"busy port: another program has {port.link} open"
        with pytest.raises(PortError, match=exactly(message)):
            SerialTransport(str(port.link))
        first.close()
        SerialTransport(str(port.link)).close()


def test_a_silent_board(tmp_path, impatient):
    with serving(Muted(CONFIG), tmp_path) as port:
        transport = SerialTransport(str(port.link))
        message = (f"silent board: nothing on {port.link} answers at 115,200 baud; is it powered, "
                   "flashed (tritgrad flash BOARD), and this its port (tritgrad ports)?")
        with pytest.raises(PortError, match=exactly(message)):
            Session(transport)
        transport.close()


@pytest.mark.parametrize("said", [b"Hello, world\r\n", bytes(20), bytes([FLAG] * 20)])
def test_a_wrong_bitstream(tmp_path, impatient, said):
    with serving(Muted(CONFIG, said), tmp_path) as port:
        transport = SerialTransport(str(port.link))
        with pytest.raises(PortError) as caught:
            Session(transport)
        assert str(caught.value).startswith(f"wrong bitstream: {port.link} says b")
        transport.close()


def test_an_echo_is_told_as_one(tmp_path, impatient):
    class Echo(ModelBoard):
        def exchange(self, data, rate):
            return data

    with serving(Echo(CONFIG), tmp_path) as port:
        transport = SerialTransport(str(port.link))
        with pytest.raises(PortError, match=rf"^echo: {port.link} says what it is told; rx and "):
            Session(transport)
        transport.close()


class Stumbling(ModelBoard):
    """Its bridge loses a byte of every so many in a row at a high rate."""

    def exchange(self, data, rate):
        answer = super().exchange(data, rate)
        if rate > 1_000_000:
            return b"".join(answer[n:n + 299] for n in range(0, len(answer), 300))
        return answer


def test_a_rate_that_only_short_frames_survive_is_not_used(tmp_path, impatient):
    device = Stumbling(CoreConfig(lanes=8, banks=2, update_lanes=4, slot_bytes=512))
    with serving(device, tmp_path) as port:
        transport = SerialTransport(str(port.link))
        session = Session(transport)
        assert transport.rate == 1_000_000
        session.close()


def test_a_cap_behind_the_port(tmp_path, impatient):
    device = ModelBoard(CONFIG)
    with serving(device, tmp_path) as port:
        transport = open_port(f"@{port.link},500000")
        session = Session(transport)
        assert transport.rate == 460_800
        session.close()
    for cap in ("", "fast", "9600"):
        with pytest.raises(BadInput, match=rf"from 115200, not '{cap}'"):
            open_port(f"@{port.link},{cap}")


@pytest.mark.parametrize("rate", [57_600, 230_400])
def test_a_wrong_baud_rate(tmp_path, impatient, rate):
    """A board whose clock is half or twice what its bitstream was made for."""
    class Slow(ModelBoard):
        def exchange(self, data, sent):
            return super().exchange(data, SAFE_RATE) if sent == rate else b""

    with serving(Slow(CONFIG), tmp_path) as port:
        transport = SerialTransport(str(port.link))
        message = (f"wrong baud rate: the core on {port.link} answers at {rate:,} baud, not at "
                   "115,200: its clock is not what its bitstream was made for"
                   + ("; the PLL may be bypassed" if rate == 57_600 else ""))
        with pytest.raises(PortError, match=exactly(message)):
            Session(transport)
        transport.close()


def test_a_board_that_was_reset_is_found_at_the_safe_rate(tmp_path):
    device = ModelBoard(CONFIG)
    with serving(device, tmp_path) as port:
        session = Session(SerialTransport(str(port.link)))
        device.reset()
        with pytest.raises(DeviceReset, match="no frame at 3,000,000 baud any more"):
            session.request(Type.STATUS, b"\0")
        session.hello()
        session.request(Type.STATUS, b"\0")
        assert device.rate == session.transport.rate == 3_000_000  # type: ignore[attr-defined]
        session.close()


def test_a_port_that_was_away(tmp_path):
    with serving(ModelBoard(CONFIG), tmp_path, unplug_every=3000) as port:
        session = Session(SerialTransport(str(port.link)))
        lost = 0
        while port.unplugged < 3:
            try:
                session.request(Type.STATUS, b"\0")
            except DeviceReset as error:
                assert str(error) == f"{port.link} was unplugged"
                lost += 1
                session.hello()
        assert 2 <= lost <= 3
        session.close()


def test_a_port_that_stays_away(tmp_path, monkeypatch):
    monkeypatch.setattr(serial_port, "AWAY_S", 0.2)
    with serving(ModelBoard(CONFIG), tmp_path) as port:
        session = Session(SerialTransport(str(port.link)))
        monkeypatch.setattr(type(port), "AWAY_S", 1.0)
        port.unplug_every = 1
        message = f"{port.link} was unplugged and has not come back in 0 s: no such port: "
        with pytest.raises(PortError, match=f"^{re.escape(message)}"):
            for _ in range(3):
                session.request(Type.STATUS, b"\0")
        port.unplug_every = 0


def test_a_port_that_takes_nothing(monkeypatch):
    monkeypatch.setattr(serial_port, "WRITE_S", 0.2)
    master, slave = os.openpty()
    tty.setraw(slave)
    transport = SerialTransport(os.ttyname(slave))
    transport._contact = True
    with pytest.raises(PortError, match="has taken no bytes for 0.2 s$"):
        for _ in range(100):
            transport.write(bytes(4096))
    transport.close()
    for end in (master, slave):
        os.close(end)


def test_no_rate_that_the_system_refuses(tmp_path, monkeypatch):
    """A bridge without the highest rates: the next lower one is used."""
    original = termios.tcsetattr

    def refuse(fd, when, attributes):
        if attributes[5] in (termios.B3000000, termios.B2000000):
            raise termios.error(22, "Invalid argument")
        return original(fd, when, attributes)

    with serving(ModelBoard(CONFIG), tmp_path) as port:
        monkeypatch.setattr(serial.serialposix.termios, "tcsetattr", refuse)
        transport = SerialTransport(str(port.link))
        Session(transport)
        assert transport.rate == 1_500_000
        transport.close()
    assert Path(port.link).is_symlink() is False
