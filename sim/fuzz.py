"""Hostile bytes for the link: a core and the golden device must answer them alike.

An item is a right request, or, three times out of four, what a bad wire or a bad host makes of one.
A good STATUS follows each. While a program runs, that STATUS waits for it, so that both devices are
at the same place before the next item; else items go one behind the other without a pause.
"""

import random
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from ..firmware import frames
from ..firmware.frames import FLAG, Frame, FrameDecoder, Run, Status, Type
from ..model.config import CoreConfig
from ..model.golden_device import GoldenDevice
from ..units import UNITS
from ..units.registry import windows
from .attacker import Attacker, areas_of

__all__ = ["Attacker", "Device", "Mismatch", "Report", "run", "without_cycles"]

_STATUS_BYTES = struct.calcsize("<" + "".join(code for _, code in frames.STATUS_FIELDS))
_STEADY = 4  # items that go to the devices in one piece, on average


class Device(Protocol):
    """What is tested against the golden device, as `sim.compiled.CompiledCore` is."""

    def run(self, data: bytes, max_cycles: int) -> tuple[int, bytes]:
        """Offer bytes; how many were taken, and what came out."""


class Mismatch(AssertionError):
    """A device differs from the golden device. Says which items led there."""


@dataclass
class Report:
    """What was sent and answered.

    Attributes
    ----------
    frames, good_frames
        Items, and the STATUS frames behind them.
    kinds
        Items of each kind; those of the kind "valid" are right.
    statuses
        Answers to items by status; "RESULT" for results, "TRACE" for pieces of records.
    state_checks
        Times that all of T and R was read and compared.
    runs
        Programs started.
    """

    frames: int = 0
    good_frames: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    state_checks: int = 0
    runs: int = 0

    def __iadd__(self, other: "Report") -> "Report":
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self


def without_cycles(frame: Frame | Status) -> Frame | Status:
    """An answer without the cycle counters, which the golden device does not have."""
    if (isinstance(frame, Status) or frame.type != Type.STATUS | frames.ANSWER_BIT
            or len(frame.payload) < 6 + _STATUS_BYTES):
        return frame
    values, rest = frames.unpack_fields(frames.STATUS_FIELDS, frame.payload[6:])
    values |= dict.fromkeys(("cycles", "forward_cycles", "total_cycles"), 0)
    return Frame(frame.type, frame.sequence,
                 frame.payload[:6] + frames.pack_fields(frames.STATUS_FIELDS, **values) + rest)


#: Frames by what they are: each kind comes in its order, but the kinds may overtake each other.
Queues = dict[str, list[Frame | Status]]


def _queues() -> Queues:
    return {"answer": [], "result": [], "piece": []}


def _queue(frame: Frame | Status) -> str:
    kinds = {frames.RESULT: "result", frames.TRACE: "piece"}
    return kinds.get(frame.type, "answer") if isinstance(frame, Frame) else "answer"


class _Duel:
    """Feeds both devices and compares what they say."""

    #: Cycles without a byte either way after which a device counts as stuck.
    PATIENCE = 200_000

    def __init__(self, device: Device, golden: GoldenDevice, report: Report):
        self.device, self.golden, self.report = device, golden, report
        self.decoder, self.golden_decoder = FrameDecoder(), FrameDecoder()
        self.wire = bytearray()
        self.recent: list[str] = []
        self.wanted = _queues()

    def add(self, name: str, wire: bytes) -> list[Frame]:
        """Feed the golden device now, the other one with the next `flush`; the golden answers."""
        self.wire += wire
        self.recent.append(f"{name}: {wire.hex()}")
        answers = []
        for frame in self.golden_decoder.feed(self.golden.feed(wire)):
            assert isinstance(frame, Frame)
            queue = _queue(frame)
            self.wanted[queue].append(frame)
            if queue == "answer":
                answers.append(frame)
        return answers

    def flush(self) -> None:
        """Feed the device, wait for all that the golden device has said, and compare."""
        found = _queues()
        while self.wire or any(len(found[k]) < len(self.wanted[k]) for k in found):
            taken, output = self.device.run(bytes(self.wire), self.PATIENCE)
            del self.wire[:taken]
            if not taken and not output:
                self._fail("stays silent", found)
            for frame in self.decoder.feed(output):
                found[_queue(frame)].append(without_cycles(frame))
        for key, wanted in self.wanted.items():
            if found[key] != [without_cycles(frame) for frame in wanted]:
                self._fail("answers otherwise", found)
            wanted.clear()
        del self.recent[:-8]

    def _fail(self, what: str, found: Queues) -> None:
        lines = [f"the device {what}; the last items were:", *self.recent]
        for name in found:
            pairs = enumerate(zip(found[name], self.wanted[name], strict=False))
            differing = [(n, a, without_cycles(b)) for n, (a, b) in pairs
                         if a != without_cycles(b)]
            lines.append(f"{name}s: {len(found[name])} of {len(self.wanted[name])}")
            for number, a, b in differing[:1]:
                lines.append(f"first other {name}, number {number}: {a}, not {b}")
        raise Mismatch("\n".join(lines))

    def compare_state(self) -> None:
        """Read all memories that there are on both; nothing may run."""
        for head, _ in _pieces(self.golden.config):
            self._must(Type.READ, head)
        self.flush()
        self.report.state_checks += 1

    def fill(self, rng: random.Random) -> None:
        """Begin a session and write random words to all memories that there are."""
        self._must(Type.HELLO, struct.pack("<I", rng.randrange(1, 1 << 32)))
        for head, size in _pieces(self.golden.config):
            self._must(Type.WRITE, head + rng.randbytes(size))
        self.flush()

    def _must(self, kind: Type, payload: bytes) -> None:
        answers = self.add(kind.name, Frame(kind, self.golden.expected, payload).encode())
        assert [answer.payload[0] for answer in answers] == [Status.OK]


def _pieces(c: CoreConfig) -> Iterator[tuple[bytes, int]]:
    """Heads of READ or WRITE that cover all memories, and the bytes of each one's words."""
    areas = areas_of(c, [unit for unit in UNITS if unit.within(c)])
    for space, bank, depth, size in ((space, bank, depth, size)
                                     for space, (banks, depth, size) in areas.items()
                                     for bank in range(banks)):
        most = (c.max_payload - 6) // size
        for address in range(0, depth, most):
            count = min(most, depth - address)
            yield struct.pack("<BBHH", space, bank, address, count), size * count


def _state(golden: GoldenDevice) -> tuple[object, ...]:
    machine = golden.machine
    others = windows(golden.config).items()
    return (machine.codes.tobytes(), machine.residuals.tobytes(),
            *(machine.read(space, 0, w.depth(golden.config)) for space, w in others),
            machine.prng.state,
            machine.run, tuple(machine.program), machine.front, tuple(machine.layers),
            golden.loaded, golden.nonce, golden.expected, vars(machine.statistics).copy(),
            len(machine.inbox), golden.store and golden.store.cells.tobytes())


def run(device: Device, golden: GoldenDevice, count: int, rng: random.Random, every: int = 100,
        progress: Callable[[int], None] | None = None, fill: bool = False) -> Report:
    """Send items to both devices and compare every answer.

    Parameters
    ----------
    device
        A compiled core after its reset, of the golden device's configuration.
    golden
        After its reset.
    count
        Items.
    rng
        Decides everything.
    every
        Items between two comparisons of all state.
    progress
        Is told how many items have been sent.
    fill
        Begin with random words in all memories that the host can write, and run only programs for
        the whole table. A device whose memories hold anything at power-up is like the golden
        device only then.

    Raises
    ------
    Mismatch
        The devices differ.
    """
    report = Report()
    attacker, duel = Attacker(golden, rng, whole=fill), _Duel(device, golden, report)
    if fill:
        duel.fill(rng)
    due = every
    for number in range(1, count + 1):
        before, was_running = _state(golden), golden.machine.run is Run.RUNNING
        statistics = golden.machine.statistics
        name, wire = attacker.item()
        report.kinds[name] += 1
        statuses = [Status(answer.payload[0]) for answer in duel.add(name, wire)]
        # A frame without its end is answered when the next one begins.
        statuses += [Status(answer.payload[0]) for answer in duel.add("flag", bytes([FLAG]))]
        report.statuses.update(status.name for status in statuses)
        report.frames += 1
        if not {Status.OK, Status.STORE} & {*statuses} and _state(golden) != before:
            raise Mismatch(f"the golden device changed by a refused item: {name} {wire.hex()}")
        status = Frame(Type.STATUS, golden.expected, b"\1").encode()
        answers = duel.add("STATUS", status[rng.randrange(2):])
        wanted = Status.NO_HELLO if golden.nonce == 0 else Status.OK
        if [answer.payload[0] for answer in answers] != [wanted]:
            raise Mismatch(f"the golden device refuses a good STATUS after {name} {wire.hex()}")
        report.good_frames += 1
        started = golden.machine.statistics is not statistics
        report.runs += started
        running = golden.machine.run is Run.RUNNING
        if was_running or running or started or rng.randrange(_STEADY) == 0:
            report.statuses["RESULT"] += len(duel.wanted["result"])
            report.statuses["TRACE"] += len(duel.wanted["piece"])
            duel.flush()
        if number >= due and not running and golden.nonce:
            duel.compare_state()
            due = number + every
        if progress is not None and number % 100 == 0:
            progress(number)
    duel.flush()
    return report
