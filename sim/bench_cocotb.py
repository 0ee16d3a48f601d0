"""cocotb bench: a core's Verilog trains and infers beside the golden device, frame by frame.

Runs inside the simulator; ``TRITGRAD_SEED`` names the case, `case` makes it. The same case makes
the Verilog, so that whoever builds the bench needs no other parameter.
"""

import os
import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

from ..firmware import frames, programs
from ..firmware.frames import Frame, FrameDecoder, Run, Space, Status, Type
from ..firmware.wire import pack_samples, pack_words
from ..model.config import CoreConfig, ceil_div
from ..model.golden_device import GoldenDevice
from ..model.layout import Layer, check_table
from ..units.registry import LAYER_ROW
from .fuzz import without_cycles

__all__ = ["SEED_VARIABLE", "Case", "case"]

SEED_VARIABLE = "TRITGRAD_SEED"
SAMPLES = 40
#: Cycles without an answer after which a core counts as stuck.
PATIENCE = 40_000


@dataclass(frozen=True)
class Case:
    """A core, a network's layers, the margin, a PRNG state, and samples."""

    config: CoreConfig
    layers: list[Layer]
    margin: int
    prng: int
    x: np.ndarray
    y: np.ndarray


def case(seed: int) -> Case:
    """A small random core and network, and samples for it, all from the seed."""
    rng = random.Random(seed)
    lanes = rng.choice([3, 4, 6, 8])
    planes, activation_bits = rng.randint(1, 3), rng.randint(1, 4)
    sizes = [rng.randint(5, 20), rng.randint(3, 12), rng.randint(2, 6)]
    config = CoreConfig(
        lanes=lanes, banks=rng.randint(1, 3),
        update_lanes=rng.choice([u for u in range(1, lanes + 1) if lanes % u == 0]),
        counter_bits=rng.randint(6, 9), activation_bits=activation_bits, input_planes=planes,
        max_layers=2, max_inputs=20, max_neurons=12, max_classes=8, trit_depth=256,
        residual_depth=512, hidden_depth=8, program_depth=16, slot_bytes=128,
        single_port=bool(seed % 2))
    layers = [Layer(sizes[0], sizes[1], planes, rng.randint(0, 2), rng.choice([-2, 1, 3])),
              Layer(sizes[1], sizes[2], activation_bits, 0, rng.choice([-2, 1, 3]))]
    check_table(config, layers)
    x = np.array([[rng.randrange(1 << planes) for _ in range(sizes[0])] for _ in range(SAMPLES)],
                 np.uint8)
    y = np.array([rng.randrange(sizes[2]) for _ in range(SAMPLES)])
    return Case(config, layers, rng.randint(1, 8), rng.randrange(1, 1 << 64), x, y)


class Conversation:
    """The byte streams of a core, with random stalls, and the golden device's twin of them."""

    def __init__(self, dut, config: CoreConfig, rng: random.Random):
        self.dut, self.rng = dut, rng
        self.golden = GoldenDevice(config)
        self.gap, self.stall = rng.choice([(0, 0), (0.3, 0), (0, 0.3), (0.5, 0.5)])
        self.queue = bytearray()
        self.found: list[Frame | Status] = []
        self.wanted: list[Frame | Status] = []
        self.decoder, self.golden_decoder = FrameDecoder(), FrameDecoder()
        self.sequence = 0
        self.cycles = 0

    async def run(self) -> None:
        """Move at most a byte each way a cycle; set after an edge, look when all has settled."""
        dut, rng = self.dut, self.rng
        offering, held = False, None
        while True:
            await RisingEdge(dut.clk)
            offering = offering or bool(self.queue and rng.random() >= self.gap)
            taking = rng.random() >= self.stall
            dut.i__valid.value = int(offering)
            dut.i__payload.value = self.queue[0] if offering else rng.randrange(256)
            dut.o__ready.value = int(taking)
            await FallingEdge(dut.clk)
            self.cycles += 1
            if offering and int(dut.i__ready.value):
                del self.queue[0]
                offering = False
            offered = int(dut.o__payload.value) if int(dut.o__valid.value) else None
            assert held is None or offered == held, "an offered byte must stay until it is taken"
            held = None if taking else offered
            if taking and offered is not None:
                self.found += self.decoder.feed([offered])

    async def exchange(self, requests: Sequence[tuple[Type, bytes]]) -> list[Frame]:
        """Send requests one behind the other, wait for all answers; the answers, compared."""
        first = len(self.wanted)
        for kind, payload in requests:
            wire = Frame(kind, self.sequence, payload).encode()
            self.sequence = (self.sequence + 1) & 0xFF
            self.queue += wire
            self.wanted += self.golden_decoder.feed(self.golden.feed(wire))
        limit = self.cycles + PATIENCE
        while len(self.found) < len(self.wanted):
            assert self.cycles < limit, f"{len(self.found)} of {len(self.wanted)} frames came"
            await RisingEdge(self.dut.clk)
        answers, results = split(self.found[first:])
        wanted_answers, wanted_results = split(self.wanted[first:])
        assert [without_cycles(a) for a in answers] == [without_cycles(a) for a in wanted_answers]
        assert results == wanted_results
        assert all(answer.payload[0] == Status.OK for answer in answers)
        return answers


def split(received: Sequence[Frame | Status]) -> tuple[list[Frame], list[Frame]]:
    """Answers and results; they may be mixed differently on either device."""
    whole = [frame for frame in received if isinstance(frame, Frame)]
    assert len(whole) == len(received), "the core sends unreadable frames"
    return ([frame for frame in whole if frame.type != frames.RESULT],
            [frame for frame in whole if frame.type == frames.RESULT])


def windows(config: CoreConfig) -> list[tuple[bytes, int]]:
    """Heads of READ and WRITE, and bytes that follow, that cover both memories."""
    heads = []
    areas = [(Space.T, bank, config.trit_depth, config.trit_word_bytes)
             for bank in range(config.banks)]
    areas.append((Space.R, 0, config.residual_depth, config.residual_word_bytes))
    for space, bank, depth, size in areas:
        most = (config.max_payload - 6) // size
        for address in range(0, depth, most):
            count = min(most, depth - address)
            heads.append((struct.pack("<BBHH", space, bank, address, count), count * size))
    return heads


def data_requests(case: Case) -> list[tuple[Type, bytes]]:
    """The samples, as many a frame as fit."""
    planes = case.layers[0].planes
    size = planes * ceil_div(case.layers[0].inputs, 8)
    most = min(5, (case.config.max_payload - 2) // (1 + size))
    packed = pack_samples(case.x, planes)
    return [(Type.DATA, bytes([0, len(packed[n:n + most]), *case.y[n:n + most].tolist()])
             + packed[n:n + most].tobytes()) for n in range(0, len(packed), most)]


def program_request(words: Sequence[int]) -> tuple[Type, bytes]:
    return Type.PROGRAM, struct.pack(f"<{len(words)}I", *words)


@cocotb.test()
async def trains_and_infers_as_the_golden_device(dut):
    """Train, read all memories back, infer; every frame equals the golden device's."""
    seed = int(os.environ[SEED_VARIABLE])
    rng = random.Random(f"bench {seed}")
    this = case(seed)
    config = this.config
    talk = Conversation(dut, config, rng)
    dut.rst.value, dut.i__valid.value, dut.o__ready.value = 1, 0, 0
    Clock(dut.clk, 10, unit="ns").start()
    for _ in range(2):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    cocotb.start_soon(talk.run())

    table = b"".join(frames.pack_fields(LAYER_ROW, **vars(row))
                     for row in this.layers)
    await talk.exchange([(Type.HELLO, struct.pack("<I", rng.randrange(1, 1 << 32)))])
    await talk.exchange([
        program_request(programs.train(len(this.layers), SAMPLES, this.margin)),
        (Type.TABLE, table), (Type.PRNG, struct.pack("<Q", this.prng)),
        *((Type.WRITE, head + rng.randbytes(size)) for head, size in windows(config))])

    await talk.exchange([(Type.RUN, b""), *data_requests(this)])
    await finished(talk)
    machine = talk.golden.machine
    assert machine.statistics.flips and machine.statistics.updates, "nothing was learned"
    answers = await talk.exchange([(Type.READ, head) for head, _ in windows(config)])
    assert b"".join(answer.payload[6:] for answer in answers) == memories(talk.golden)

    await talk.exchange([program_request(programs.infer(len(this.layers), SAMPLES)),
                         (Type.RUN, b""), *data_requests(this)])
    await finished(talk)
    _, results = split(talk.found)
    assert [frame.sequence for frame in results] == list(range(SAMPLES))
    answers = await talk.exchange([(Type.READ, head) for head, _ in windows(config)])
    assert b"".join(answer.payload[6:] for answer in answers) == memories(talk.golden)
    dut._log.info("%d cycles, %d frames", talk.cycles, len(talk.found))


async def finished(talk: Conversation) -> None:
    status, = await talk.exchange([(Type.STATUS, b"\1")])
    values, _ = frames.unpack_fields(frames.STATUS_FIELDS, status.payload[6:])
    assert values["run"] == Run.HALTED
    assert values["prng"] == talk.golden.machine.prng.state


def memories(golden: GoldenDevice) -> bytes:
    """T, bank after bank, and R, as READ gives them."""
    config, machine = golden.config, golden.machine
    banks = [pack_words(bank, 2, config.trit_word_bytes) for bank in machine.codes]
    return b"".join(banks) + pack_words(machine.residuals, config.residual_bits,
                                        config.residual_word_bytes)
