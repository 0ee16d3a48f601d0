"""A board tests itself: what is wrong with it is named by the right line."""

import json
import struct
from dataclasses import asdict, replace

import numpy as np
import pytest
from click.testing import CliRunner

from tritgrad.boards import BOARDS
from tritgrad.firmware.frames import PROTOCOL_VERSION, Space
from tritgrad.host.cli.main import cli
from tritgrad.host.device import bus, serial_port
from tritgrad.host.selftest import line as line_steps
from tritgrad.model.golden_device import GoldenDevice
from tritgrad.model.rng import MASK, XorShift64
from tritgrad.sim.virtual import ModelBoard

from ...sim.ports import Muted, serving

#: A board with a small core, so that its memories are small too.
BOARD = replace(BOARDS["icebreaker"], networks=((24, 12, 4),), sizes={
    "lanes": 8, "banks": 2, "update_lanes": 4, "trit_depth": 64, "residual_depth": 256,
    "max_classes": 8, "scales": True})
CONFIG = BOARD.config
QUICK = ("--networks", "2", "--samples", "8", "--seconds", "0.1")


@pytest.fixture(autouse=True)
def board(monkeypatch, tmp_path, loader):
    monkeypatch.setitem(BOARDS, "icebreaker", BOARD)
    monkeypatch.setattr(serial_port, "CONTACT_S", 0.3)
    monkeypatch.setattr(serial_port, "PROBE_S", 0.05)
    monkeypatch.setattr(line_steps, "LINK_BYTES", 1 << 12)
    monkeypatch.setattr(line_steps, "TRIPS", 5)
    monkeypatch.setattr(bus, "SYS", tmp_path)  # nothing of this machine's USB


def of_core(core_class, rates=BOARD.rates):
    """A virtual board with another core behind its UART."""
    made = ModelBoard(CONFIG, rates)
    made.core = core_class(CONFIG)
    return made


def report_of(device, folder, *options):
    """The record of a test, and its lines."""
    with serving(device, folder) as port:
        result = CliRunner().invoke(cli, ["selftest", f"icebreaker@{port.link}", *QUICK, *options,
                                          "--json"])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    record = json.loads(result.stdout)
    assert result.exit_code == (0 if record["passed"] else 1)
    return record, result.stderr


def first_failure(record):
    return next(step for step in record["steps"] if step["state"] == "failed")


class Stuck(GoldenDevice):
    """A bit of a word of a memory that reads as 1."""

    space: Space

    def _read(self, payload):
        data = bytearray(super()._read(payload))
        space, bank, first, count = struct.unpack("<BBHH", payload)
        if space == self.space and bank == 0 and first <= 5 < first + count:
            data[(5 - first) * self._word_bytes(self.space)] |= 4
        return bytes(data)


class OtherTap(XorShift64):
    """It shifts by 9 where it should by 7."""

    def draw(self):
        s = self.state
        s ^= (s << 13) & MASK
        s ^= s >> 9
        s ^= (s << 17) & MASK
        self.state = s
        return s >> 48


class OtherPrng(GoldenDevice):
    def reset(self):
        super().reset()
        self.machine.prng = OtherTap(1)


class Counting(GoldenDevice):
    """Its statistics do not begin at 0."""

    def _run(self, payload):
        answer = super()._run(payload)
        self.machine.statistics.samples += 3
        return answer


class Losing(ModelBoard):
    """Every so many frames a byte is lost on the way to the host."""

    count = 0

    def exchange(self, data, rate):
        answer = super().exchange(data, rate)
        if rate > 115_200 and len(answer) > 100:
            self.count += 1
            if self.count % 4 == 0:
                return answer[:90] + answer[91:]
        return answer


class Echo(ModelBoard):
    def exchange(self, data, rate):
        return data


class Chatty(ModelBoard):
    """Another design, which says something by itself."""

    busy = True

    def exchange(self, data, rate):
        return b"ets Jun  8 2016 00:22:57\r\n" if rate == 115_200 else b""


def test_a_board_that_works_passes_every_line(tmp_path):
    record, lines = report_of(ModelBoard(CONFIG, BOARD.rates), tmp_path)
    assert record["passed"], first_failure(record)
    assert {step["number"] for step in record["steps"]} == set(range(1, 17))
    assert [step["name"] for step in record["steps"] if step["state"] == "skipped"] == [
        "USB", "which board", "permission", "FPGA", "bitstream",
        "convolution", "clock"]
    assert record["rate"] == 4_000_000
    assert record["link_errors"] == 0
    assert "PASS 14 memories" in lines and "skip  6 FPGA: only with --load" in lines


def test_a_loader_that_does_not_start_is_no_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(line_steps, "CALL", "raise OSError('libusb-1.0.so.0: no such file')")
    record, lines = report_of(ModelBoard(CONFIG, BOARD.rates), tmp_path)
    assert record["passed"], first_failure(record)
    assert "skip  5 loader: openFPGALoader is not there or does not start: tritgrad doctor" in lines


def test_a_loader_that_does_not_know_the_board_is_one(tmp_path, monkeypatch):
    monkeypatch.setattr(line_steps, "CALL", "print('other ft2232')")
    record, _ = report_of(ModelBoard(CONFIG, BOARD.rates), tmp_path)
    assert first_failure(record)["name"] == "loader"


FAULTS = {
    "T": (lambda: of_core(type("StuckT", (Stuck,), {"space": Space.T})), "memories",
          "T, bank 0: ", "address 5, bit 2 "),
    "R": (lambda: of_core(type("StuckR", (Stuck,), {"space": Space.R})), "memories",
          "memory R: ", "address 5, bit 2 "),
    "S": (lambda: of_core(type("StuckS", (Stuck,), {"space": Space.S})), "memories",
          "memory S: ", "address 5, bit 2 "),
    "PRNG": (lambda: of_core(OtherPrng), "PRNG", "PRNG: 0x", "golden model 0x"),
    "counters": (lambda: of_core(Counting), "counters", "samples 3", "run of no samples"),
    "loss": (lambda: Losing(CONFIG, BOARD.rates), "rate", "something was lost", "4,000,000 baud"),
    "configuration": (lambda: ModelBoard(BOARDS["icesugar"].config, BOARD.rates), "core",
                      "another core: ", "max_inputs 784, not 24"),
    "slow port": (lambda: ModelBoard(CONFIG, BOARD.rates[:3]), "rate", "of 4,000,000 baud", ""),
    "echo": (lambda: Echo(CONFIG), "HELLO", "says what it is told", "rx and tx are joined"),
    "silence": (lambda: Muted(CONFIG), "HELLO", "silent board", ""),
    "another design": (lambda: Chatty(CONFIG), "quiet line", "ets Jun", "unasked"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_by_its_line_with_advice(tmp_path, fault):
    make, line, *words = FAULTS[fault]
    record, lines = report_of(make(), tmp_path)
    failed = first_failure(record)
    assert failed["name"] == line, failed
    assert failed["advice"]
    for word in words:
        assert word in failed["found"]
    assert failed["advice"] in lines
    assert f"FAIL {failed['number']:2} {line}" in lines


def test_the_core_of_another_build_is_asked_for_by_its_report(tmp_path):
    other = replace(CONFIG, lanes=4)
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"config": asdict(other)}))
    record, _ = report_of(ModelBoard(other, BOARD.rates), tmp_path, "--core", str(report))
    assert record["passed"], first_failure(record)


def test_no_such_port_fails_at_the_port(tmp_path):
    result = CliRunner().invoke(cli, ["selftest", f"icebreaker@{tmp_path}/none", "--json"])
    assert first_failure(json.loads(result.stdout))["name"] == "port"


def test_a_bridge_that_is_not_ours_to_open_is_named_with_its_rule(tmp_path, monkeypatch):
    device = tmp_path / "bus/usb/devices/1-1"
    device.mkdir(parents=True)
    for name, text in {"idVendor": "0403", "idProduct": "6010", "busnum": "1", "devnum": "7",
                       "serial": "X1"}.items():
        (device / name).write_text(text + "\n")
    monkeypatch.setattr(bus, "DEV", tmp_path)
    found, = bus.bridges()
    assert (found.usb, found.serial_number) == ((0x0403, 0x6010), "X1")
    record, _ = report_of(ModelBoard(CONFIG, BOARD.rates), tmp_path)
    failed = first_failure(record)
    assert failed["name"] == "permission" and "bus/usb/001/007" in failed["found"]
    assert 'ATTR{idVendor}=="0403", ATTR{idProduct}=="6010"' in failed["advice"]


def test_info_tells_what_is_there(tmp_path):
    with serving(ModelBoard(CONFIG, BOARD.rates), tmp_path) as port:
        result = CliRunner().invoke(cli, ["info", f"@{port.link}", "--json"])
        text = CliRunner().invoke(cli, ["info", f"icebreaker@{port.link}"]).stdout
    found = json.loads(result.stdout)
    assert found["config"]["lanes"] == 8 and found["run"] == "IDLE"
    assert found["protocol"] == PROTOCOL_VERSION
    assert "idle, 0 samples" in text and "trit_depth" in text


def test_check_takes_a_board(tmp_path):
    with serving(ModelBoard(CONFIG, BOARD.rates), tmp_path) as port:
        result = CliRunner().invoke(cli, ["check", "--device", f"icebreaker@{port.link}",
                                          "--samples", "20"])
    assert result.stdout.startswith(f"icebreaker@{port.link} and golden model agree: ")


def test_a_wrong_score_is_found_by_the_forward_line(tmp_path):
    class Wrong(GoldenDevice):
        def _result(self, result):
            frame = super()._result(result)
            scores = np.frombuffer(frame.payload[5:], "<i4") + 1
            return type(frame)(frame.type, frame.sequence, frame.payload[:5] + scores.tobytes())

    record, _ = report_of(of_core(Wrong), tmp_path)
    assert first_failure(record)["name"] == "forward"
