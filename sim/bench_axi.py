"""cocotb bench: a core on AXI-Stream answers cocotbext-axi's source and sink as the golden device.

Runs inside the simulator. A frame is a packet either way: the sink's packets end with TLAST.
"""

import random
import struct

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamSink, AxiStreamSource

from ..firmware.frames import FLAG, Frame, Space, Type
from ..model.golden_device import GoldenDevice
from .trials import SMALL

__all__: list[str] = []

SEED = 5


@cocotb.test()
async def packets_are_frames_and_those_of_the_golden_device(dut):
    """HELLO, writes and reads of memory T, refusals: packet by packet, with pauses both ways."""
    rng = random.Random(SEED)
    Clock(dut.aclk, 10, unit="ns").start()
    bus = AxiStreamBus.from_prefix
    source = AxiStreamSource(bus(dut, "s_axis"), dut.aclk, dut.aresetn, reset_active_level=False)
    sink = AxiStreamSink(bus(dut, "m_axis"), dut.aclk, dut.aresetn, reset_active_level=False)
    source.set_pause_generator(iter(lambda: rng.random() < 0.3, None))
    sink.set_pause_generator(iter(lambda: rng.random() < 0.3, None))
    dut.aresetn.value = 0
    for _ in range(3):
        await RisingEdge(dut.aclk)
    dut.aresetn.value = 1
    golden, count = GoldenDevice(SMALL), 8
    head = struct.pack("<BBHH", Space.T, 1, 3, count)
    requests = [(Type.HELLO, struct.pack("<I", 7)), (Type.PRNG, struct.pack("<Q", 99))]
    for _ in range(10):
        requests += [(Type.WRITE, head + rng.randbytes(count * SMALL.trit_word_bytes)),
                     (Type.READ, head), (Type.DATA, rng.randbytes(4))]
    for sequence, (kind, payload) in enumerate(requests, 7):  # HELLO names 7
        wire = Frame(kind, sequence, payload).encode()
        wanted = golden.feed(wire)
        await source.send(wire)
        packet = await sink.recv()
        assert bytes(packet.tdata) == wanted, (kind, bytes(packet.tdata), wanted)
        assert wanted[0] == wanted[-1] == FLAG
    assert sink.empty()
