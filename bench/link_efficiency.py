"""How much of the serial line carries samples: MNIST trained on a board's compiled top level.

All in clock cycles of the board: sample bytes (label and inputs, in the form that the host sends)
of ten bits each against the time that the line had. A host that answers late is modelled by a
latency, as USB has. The network's state comes and goes past the line (`sim.direct`).
"""

import argparse

import numpy as np
from _rtl import Trained, trained, write
from rich.console import Console

from tritgrad.boards import find_board
from tritgrad.firmware.frames import FLAG, Frame, FrameDecoder, Type
from tritgrad.firmware.rates import SAFE_RATE, rate_request
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.session import Session
from tritgrad.model.layout import tile_order
from tritgrad.model.margin import state_sha256
from tritgrad.sim.direct import DirectBoard

LAYERS = (784, 128, 10)


class Line:
    """A transport: the board's line, whose clock runs only while the host waits.

    Parameters
    ----------
    board
        The board, powered up.
    latency_s
        Seconds of the board's time until the host has seen what came and answered.

    Attributes
    ----------
    direct
        Bytes pass by the line; changes only where every request has been answered.
    """

    name = "virtual board"
    BURST = 500
    direct = False

    def __init__(self, board: DirectBoard, latency_s: float):
        self.board, self.latency = board, round(latency_s * board.clock_hz)
        self.rate = SAFE_RATE
        self.byte_time_s = 1e-3
        self.frames: list[tuple[int, int, int]] = []  # samples, their bytes, and the frame's end
        # Samples and their bytes, and bytes that have not left.
        self._queue: list[tuple[int, int, bytearray]] = []

    def raise_rate(self, rate: int) -> None:
        """Ask for a rate and wait for the refusal of the frame that the request looks like."""
        self.write(bytes([FLAG]) + rate_request(rate))
        decoder = FrameDecoder()
        while not [*decoder.feed(self.read(0.1))]:
            pass
        # The last byte is here in the middle of its stop bit; the rate changes at its end.
        self._run(round(2 * self.board.clock_hz / self.rate))
        self.rate = rate

    def write(self, data: bytes) -> None:
        payloads = [frame.payload for frame in FrameDecoder().feed(data)
                    if isinstance(frame, Frame) and frame.type == Type.DATA]
        self._queue.append((sum(payload[1] for payload in payloads),
                            sum(len(payload) - 2 for payload in payloads), bytearray(data)))

    def read(self, timeout_s: float) -> bytes:
        if self.direct:
            waiting = b"".join(data for *_, data in self._queue)
            consumed, out = self.board.run_direct(waiting, round(timeout_s * self.board.clock_hz))
            self._queue = [(0, 0, bytearray(waiting[consumed:]))]
            return out
        end = self.board.cycles + round(timeout_s * self.board.clock_hz)
        out = b""
        while not out and self.board.cycles < end:
            out = self._run(self.BURST)
        end = self.board.cycles + self.latency
        while out and self.board.cycles < end:
            out += self._run(min(self.BURST, end - self.board.cycles))
        return out

    def _run(self, cycles: int) -> bytes:
        waiting = b"".join(data for *_, data in self._queue)
        consumed, out = self.board.run(waiting, self.rate, cycles)
        while consumed:
            samples, size, data = self._queue[0]
            left = len(data) - consumed
            del data[:consumed]
            consumed = max(0, -left)
            if not data:
                self._queue.pop(0)
                if samples:
                    self.frames.append((samples, size, self.board.cycles))
        return out

    def close(self) -> None:
        self.board.close()


def measure(board: DirectBoard, rate: int, latency_s: float, state: Trained,
            samples: int) -> dict[str, object]:
    """Train some samples to warm up and `samples` more; the line's use, in steady state and all."""
    line = Line(board, latency_s)
    session = Session(line)
    line.raise_rate(rate)
    driver = Driver(session)
    line.direct = True
    driver.load(layer_table(state.recipe, state.gains), state.network.counters,
                state.network.prng.state, tile_order((28, 28), driver.config.lanes))
    line.direct = False
    warm = 60
    driver.train_chunk(state.x[:warm], state.y[:warm], state.recipe.margin)
    line.frames.clear()
    began = board.cycles
    part = slice(warm, warm + samples)
    driver.train_chunk(state.x[part], state.y[part], state.recipe.margin)
    took = board.cycles - began
    cycles_a_byte = 10 * board.clock_hz / rate
    sent = sum(size for _, size, _ in line.frames)
    steady = sum(size for _, size, _ in line.frames[1:])
    line.direct = True
    counters = driver.counters()
    return {
        "latency_ms": 1e3 * latency_s,
        "samples_a_frame": max(count for count, *_ in line.frames),
        "bytes_a_sample": round(sent / samples, 1),
        "line_rate_samples_per_second": round(rate * samples / (10 * sent)),
        "steady_efficiency": round(
            steady * cycles_a_byte / (line.frames[-1][2] - line.frames[0][2]), 4),
        "whole_run_efficiency": round(sent * cycles_a_byte / took, 4),
        "samples_per_second": round(samples * board.clock_hz / took),
        "repairs": session.repairs,
        "state_sha256": state_sha256(counters),
    }


def main() -> None:
    """Print the figures and keep them as JSON; fails if board and model differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", metavar="BOARD", default="ulx3s-25f",
                        help="virtual board (default: %(default)s)")
    parser.add_argument("--samples", metavar="N", type=int, default=512,
                        help="samples of a run (default: %(default)s)")
    options = parser.parse_args()
    console = Console()
    board = find_board(options.board).resized(store=False)
    rate = board.rates[-1]
    rows = []
    state = trained(LAYERS, 1)
    for latency_s in (0.0, 0.001, 0.002):
        compiled = DirectBoard.of(board, progress=console.print)
        rows.append(measure(compiled, rate, latency_s, state, options.samples))
        compiled.close()
        console.print(rows[-1])
    seen = slice(0, 60 + options.samples)
    x, y = state.x[seen], state.y[seen]
    state.network.train(x, y, np.arange(len(x)), state.gains)
    expected = state_sha256(state.network.counters)
    equal = all(row["state_sha256"] == expected for row in rows)
    write(f"link_efficiency_{options.board}", {
        "board": options.board, "clock_Hz": float(board.pll.output_hz), "rate": rate,
        "network": LAYERS, "samples": options.samples, "runs": rows, "equal_to_model": equal})
    if not equal:
        raise SystemExit("board and golden model differ")


if __name__ == "__main__":
    main()
