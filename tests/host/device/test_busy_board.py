"""Boards that are busy: for how long a host waits, and what it takes their silence for."""

import re
import time

import pytest

from tritgrad.firmware.frames import Type
from tritgrad.host.device import serial_port
from tritgrad.host.device.serial_port import PortError, SerialTransport
from tritgrad.host.device.session import DeviceReset, Session
from tritgrad.model.config import CoreConfig
from tritgrad.sim.virtual import ModelBoard

from ...sim.ports import serving

CONFIG = CoreConfig(lanes=8, banks=2, update_lanes=4, slot_bytes=256, trit_depth=64,
                    residual_depth=256, seeder=False)


class Busy(ModelBoard):
    """A board that, told to, hears nothing until something has come about."""

    def __init__(self, config):
        self.until = lambda: True
        super().__init__(config)

    def exchange(self, data, rate):
        while data and not self.until():
            time.sleep(0.01)
        return super().exchange(data, rate)


def test_a_busy_board_has_no_wrong_baud_rate(tmp_path, monkeypatch):
    """What a killed host has told it takes until the next one looks for it at other rates."""
    monkeypatch.setattr(serial_port, "CONTACT_S", 0.3)
    monkeypatch.setattr(serial_port, "STRAY_RATES", (3_000_000,))
    device = Busy(CONFIG)
    with serving(device, tmp_path) as port:
        Session(SerialTransport(str(port.link))).close()
        monkeypatch.setattr(serial_port, "PROBE_S", 2.0)
        transport, tried = SerialTransport(str(port.link)), []
        switch = transport._switch
        monkeypatch.setattr(transport, "_switch", lambda rate: tried.append(rate) or switch(rate))
        device.until = lambda: 3_000_000 in tried
        session = Session(transport)
        session.request(Type.STATUS, b"\0")
        assert device.rate == transport.rate == 3_000_000
        session.close()


def test_a_board_that_has_answered_may_be_silent_for_longer(tmp_path, monkeypatch):
    """It is given more time from then on, until it was reset."""
    monkeypatch.setattr(serial_port, "CONTACT_S", 0.3)
    monkeypatch.setattr(serial_port, "SLOW_S", 0.0)
    device = Busy(CONFIG)
    with serving(device, tmp_path) as port:
        transport = SerialTransport(str(port.link))
        session, calls = Session(transport), []
        called, until = transport._called, lambda: bool(calls)
        monkeypatch.setattr(transport, "_called",
                            lambda seconds: calls.append(seconds) or called(seconds))
        for slack in 2, 4:
            calls.clear()
            device.until = until
            with pytest.raises(DeviceReset, match="no frame at .* baud any more"):
                session.request(Type.STATUS, b"\0")
            session.hello()
            assert (calls, transport._slack) == ([serial_port.SILENT_S], slack)
        monkeypatch.setattr(serial_port, "SLOW_S", 1e9)
        transport._forget()
        session.hello()
        assert transport._slack == 1
        session.close()


def test_a_board_that_has_answered_and_does_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(serial_port, "CONTACT_S", 0.3)
    monkeypatch.setattr(serial_port, "SILENT_S", 0.2)
    device = Busy(CONFIG)
    with serving(device, tmp_path) as port:
        over = []
        session = Session(SerialTransport(str(port.link)))
        device.until = lambda: bool(over)
        with pytest.raises(DeviceReset, match="no frame at .* baud any more"):
            session.request(Type.STATUS, b"\0")
        message = (f"silent board: {port.link} has answered before, but not for 0 s; has it lost "
                   "its power?")
        with pytest.raises(PortError, match=f"^{re.escape(message)}$"):
            session.hello()
        over.append(True)
        session.close()
