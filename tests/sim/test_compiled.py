"""The in-process harness, on a component small enough to compile in seconds."""

import errno
import importlib.util
import math
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from amaranth import *
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from tritgrad.errors import BadInput, DeviceError, ToolError
from tritgrad.sim import toolchain
from tritgrad.sim.compiled import CompiledCore, period_ps
from tritgrad.sim.verilate import build, cache_folder, component_verilog

from ..hw.link.harness import simulate


class Increment(wiring.Component):
    """Bytes plus one, through a queue whose ready depends on its output's."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(width=8, depth=4)
        m.d.comb += [
            queue.w_data.eq(self.i.payload), queue.w_en.eq(self.i.valid),
            self.i.ready.eq(queue.w_rdy),
            self.o.payload.eq(queue.r_data + 1), self.o.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.o.ready),
        ]
        return m


class Gate(wiring.Component):
    """Passes bytes in two cycles of three; both handshakes go through it in the same cycle."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        phase, count = Signal(range(3)), Signal(8)
        m.d.sync += phase.eq(Mux(phase == 2, 0, phase + 1))
        shut = phase == 2
        m.d.comb += [
            self.i.ready.eq(self.o.ready & ~shut), self.o.valid.eq(self.i.valid & ~shut),
            self.o.payload.eq(self.i.payload ^ count),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += count.eq(count + 1)
        return m


def open_increment(**options):
    return CompiledCore(Increment, "tests: Increment", **options)


def pump(core, data, **options):
    out = b""
    rest = data
    while len(out) < len(data):
        consumed, output = core.run(rest, 1000, **options)
        rest, out = rest[consumed:], out + output
        assert consumed or output, "the core makes no progress"
    return out


DATA = random.Random(1).randbytes(5000)


def test_every_byte_comes_out_once():
    with open_increment() as core:
        out = pump(core, DATA, stop_at_frame=False)
        assert out == bytes((byte + 1) & 0xFF for byte in DATA)
        assert core.cycles >= len(DATA)


@pytest.mark.parametrize("gap, stall", [(0.5, 0), (0, 0.5), (0.7, 0.7)])
def test_stalls_lose_nothing(gap, stall):
    with open_increment() as core:
        core.stall(7, gap, stall)
        out = pump(core, DATA, stop_at_frame=False)
        assert out == bytes((byte + 1) & 0xFF for byte in DATA)
        assert core.cycles > 1.5 * len(DATA)


@pytest.mark.parametrize("component", [Increment, Gate])
def test_each_cycle_is_as_in_amaranths_simulator(component):
    rng = random.Random(3)
    schedule = [(rng.random() < 0.7, rng.random() < 0.6) for _ in range(600)]
    dut, expected = component(), []

    async def testbench(ctx):
        rest = DATA
        for offer, take in schedule:
            ctx.set(dut.i.valid, offer)
            ctx.set(dut.i.payload, rest[0])
            ctx.set(dut.o.ready, take)
            *_, ready, valid, payload = await ctx.tick().sample(
                dut.i.ready, dut.o.valid, dut.o.payload)
            taken = int(offer and ready)
            expected.append((taken, bytes([payload]) if valid and take else b""))
            rest = rest[taken:]

    simulate(dut, testbench)
    seen, rest = [], DATA
    with CompiledCore(component, f"tests: {component.__name__}") as core:
        for offer, take in schedule:
            core.stall(0, 0, 0 if take else 1)
            seen.append(core.run(rest if offer else b"", 1))
            rest = rest[seen[-1][0]:]
    assert seen == expected
    assert sum(taken for taken, _ in seen) > 100


def test_every_seed_stalls_in_its_own_way():
    def transfers(seed):
        with open_increment() as core:
            core.stall(seed, 0.5, 0.5)
            return tuple(core.run(b"abc", 1, stop_at_frame=False) for _ in range(100))

    assert len({transfers(seed) for seed in (0, 1, 2, 3, 4)}) == 5
    assert transfers(2) == transfers(2)


def test_it_stops_where_a_frame_ends():
    with open_increment() as core:
        # 0xA4 comes out as a flag; the first flag only opens the frame.
        consumed, output = core.run(b"\xa4\x01\x02\xa4\xa4\x05", 1000)
        assert output == b"\xa5\x02\x03\xa5"
        assert consumed >= 4


def test_reset_clears_the_cycle_counter_and_the_queue():
    with open_increment() as core:
        core.run(b"\x01\x02", 2)
        core.reset()
        assert core.cycles == 0
        assert core.run(b"", 20) == (0, b"")
        assert core.cycles == 20


def test_a_closed_core_says_so():
    core = open_increment()
    core.close()
    core.close()
    with pytest.raises(DeviceError, match=r"^the compiled core is closed$"):
        core.run(b"", 1)


def test_a_second_core_comes_from_the_cache():
    open_increment().close()
    seen = []
    open_increment(progress=seen.append).close()
    assert seen == []


def test_a_waveform_is_written(tmp_path):
    path = tmp_path / "wave.vcd"
    with open_increment(vcd=path) as core:
        pump(core, b"abc", stop_at_frame=False)
    text = path.read_text()
    assert "$enddefinitions" in text
    assert "i__payload" in text


def test_a_waveform_needs_a_known_suffix():
    with pytest.raises(BadInput, match=r"^a waveform's file must end in .vcd or .fst, not 'x.tx"):
        open_increment(vcd="x.txt")


@pytest.fixture
def fake_compiler(monkeypatch, tmp_path):
    """Makes ``$CXX`` a script: the given lines, then an empty file where ``-o`` says."""
    def use(lines=""):
        script = tmp_path / "compiler.py"
        script.write_text("import pathlib, sys\nif '--version' in sys.argv:\n"
                          f"    sys.exit(print('fake 1.0'))\n{lines}\n"
                          "pathlib.Path(sys.argv[sys.argv.index('-o') + 1]).touch()\n")
        monkeypatch.setenv("CXX", shlex.join([sys.executable, str(script)]))

    monkeypatch.setenv("TRITGRAD_CACHE", str(tmp_path / "cache"))
    return use


def increment_verilog():
    return component_verilog(Increment, "tests: Increment")


def built():
    """Suffixes of what builds left in the cache of their own, and unfinished folders."""
    return sorted(path.suffix for path in cache_folder().iterdir()
                  if path.suffix != ".v" and path.name != "runtime")


def test_a_failed_build_leaves_its_log_and_nothing_else(fake_compiler):
    fake_compiler()
    with pytest.raises(ToolError, match=r"^verilator failed: %Error: .*\(whole output in .*\.log"):
        build("module tritgrad_sim(; endmodule")
    assert built() == [".log"]


@pytest.mark.parametrize("said, reason", [
    ("In file included\nx.cpp:3: error: no\n1 error made", "x.cpp:3: error: no"),
    ("x.o: undefined reference to y\ncollect2: error", "x.o: undefined reference to y"),
    ("one\n\nKilled\n\n", "Killed"),
    ("", "exit code 1"),
])
def test_a_compilers_own_words_come_through(fake_compiler, said, reason):
    verilog = increment_verilog()
    fake_compiler(f"print({said!r}, file=sys.stderr)\nsys.exit(1)")
    with pytest.raises(ToolError) as caught:
        build(verilog)
    log, = cache_folder().glob("*.log")
    assert str(caught.value) == f"fake 1.0 failed: {reason} (whole output in {log})"
    assert said in log.read_text()
    assert built() == [".log"]


def test_verilators_runtime_is_compiled_once(fake_compiler):
    verilog = increment_verilog()
    fake_compiler("print(*sys.argv, sep='\\n', file=open('../../called', 'a'))")
    called = cache_folder().parent / "called"

    def runtime(**options):
        """What of it is compiled for a top that is no other one's."""
        called.write_text("")
        build(f"{verilog}\n// {len(built())}\n", **options)
        return {Path(word).name for word in called.read_text().split()
                if word.endswith(".cpp") and Path(word).name.startswith("verilated")}

    assert runtime() == {"verilated.cpp", "verilated_threads.cpp"}
    assert runtime() == set()
    assert "verilated_vcd_c.cpp" in runtime(trace="vcd")
    assert runtime() == runtime(trace="vcd") == set()


def test_two_builds_at_once_make_one_library(fake_compiler):
    verilog = increment_verilog()
    fake_compiler()
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(build, [verilog, verilog])
    assert first == second
    assert built() == [".so"]


def test_a_full_cache_is_one_line(fake_compiler, monkeypatch):
    verilog = increment_verilog()
    fake_compiler()

    def full(source, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(ToolError, match=r"^cannot write to the cache '.*' \(No space left on "):
        build(verilog)
    assert built() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_aborted_compile_ends_at_once_and_leaves_nothing(fake_compiler, monkeypatch, tmp_path,
                                                            number):
    (tmp_path / "top.v").write_text(increment_verilog())
    fake_compiler("pathlib.Path('../../begun').touch(); import time; time.sleep(60)")
    process = subprocess.Popen([sys.executable, "-c", """if True:
        import signal, sys
        from tritgrad.sim.verilate import build
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        build(open(sys.argv[1]).read())"""] + [str(tmp_path / "top.v")], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (tmp_path / "cache/begun").exists():
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    process.wait(20)
    (tmp_path / "cache/begun").unlink()
    if number == signal.SIGKILL:
        assert len(list(cache_folder().glob("build-*"))) == 1
        fake_compiler()
        monkeypatch.setattr("tritgrad.sim.verilate.NEW_S", 0.0)
        build((tmp_path / "top.v").read_text())
        assert built() == [".so"]
    else:
        assert built() == []


def test_a_build_at_work_is_not_swept_away(fake_compiler, monkeypatch):
    verilog = increment_verilog()
    monkeypatch.setattr("tritgrad.sim.verilate.NEW_S", -1.0)
    fake_compiler("import time; time.sleep(0.2)")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(build, verilog)
        while not list(cache_folder().glob("build-*/lock")):
            time.sleep(0.01)
        fake_compiler()
        assert pool.submit(build, verilog + "\n").result() != first.result()
    assert built() == [".so", ".so"]


@pytest.mark.skipif(importlib.util.find_spec("ziglang") is None,
                    reason="the ziglang wheel is not installed")
def test_zig_compiles_it_too(monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(toolchain, "_COMPILERS", ())
    assert "ziglang" in toolchain.find_compiler().command
    with open_increment() as core:
        assert pump(core, DATA, stop_at_frame=False) == bytes((b + 1) & 0xFF for b in DATA)


def test_a_missing_compiler_is_one_line(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ToolError, match=r"^CXX='no-such-compiler' does not run; unset it"):
        build("module tritgrad_sim; endmodule")


def test_an_fst_waveform_is_written_or_its_headers_are_named(tmp_path):
    path = tmp_path / "wave.fst"
    headers = [name for name in ("zlib.h", "lz4.h") if Path("/usr/include", name).exists()]
    if len(headers) == 2:
        with open_increment(vcd=path) as core:
            pump(core, b"abc", stop_at_frame=False)
        assert path.stat().st_size > 100
    else:
        with pytest.raises(ToolError, match=r"needs the headers zlib.h and lz4.h"):
            open_increment(vcd=path)


@pytest.mark.parametrize("clock_hz", [24e6, 65e6, 66.25e6, 94.5e6, 462.5e6 / 7])
def test_cycles_that_make_a_least_time_are_no_shorter_in_picoseconds(clock_hz):
    least_us = 200
    assert math.ceil(least_us * clock_hz / 1e6) * period_ps(clock_hz) >= least_us * 1_000_000
