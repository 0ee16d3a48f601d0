"""The in-process harness, on a component small enough to compile in seconds."""

import random
from pathlib import Path

import pytest
from amaranth import *
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out
from tritgrad.model.errors import BadInput, ToolError
from tritgrad.sim.compiled import CompiledCore
from tritgrad.sim.verilate import build, cache_folder


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


def test_a_failed_build_names_its_log(monkeypatch, tmp_path):
    monkeypatch.setenv("TRITGRAD_CACHE", str(tmp_path))
    with pytest.raises(ToolError, match=r"^verilator_bin failed: .*\(whole output in .*\.log\)$"):
        build("module tritgrad_sim(; endmodule")
    assert not list(cache_folder().glob("*.so"))


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
