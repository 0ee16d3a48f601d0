"""Speed of the driven simulation against a bare C++ loop around the same compiled core.

The bytes that a driver sent in a training run are recorded, then replayed by one call of the C++
loop: the same model does the same work without Python. Both alternate, and the medians count.
"""

import argparse
import statistics
import time

from _rtl import open_driver, trained, write
from rich.console import Console

from tritgrad.model.config import CoreConfig
from tritgrad.sim.device import open_sim


class Recorder:
    """Keeps what goes through a transport."""

    def __init__(self, inner):
        self.inner = inner
        self.sent = bytearray()
        self.name, self.byte_time_s = inner.name, inner.byte_time_s

    def write(self, data):
        self.sent += data
        self.inner.write(data)

    def read(self, timeout_s):
        return self.inner.read(timeout_s)

    def close(self):
        self.inner.close()


def driven(config, state, samples):
    """Cycles and seconds of a training run through the driver, and the bytes it sent."""
    driver = open_driver(config, state)
    transport = driver.session.transport
    prelude = Recorder(transport)
    driver.session.transport = prelude
    core, before = transport.core, transport.core.cycles
    began = time.perf_counter()
    driver.train_chunk(state.x[:samples], state.y[:samples], state.recipe.margin)
    seconds = time.perf_counter() - began
    cycles = core.cycles - before
    driver.close()
    return cycles, seconds, bytes(prelude.sent)


def bare(config, state, sent, cycles):
    """Seconds of as many cycles in the C++ loop alone, on a core in the same state."""
    driver = open_driver(config, state)
    core = driver.session.transport.core
    began = time.perf_counter()
    before, rest = core.cycles, sent
    while core.cycles - before < cycles:
        consumed, _ = core.run(rest, cycles - (core.cycles - before), stop_at_frame=False)
        rest = rest[consumed:]
    seconds = time.perf_counter() - began
    driver.close()
    return seconds


def main() -> None:
    """Print the ratio and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", metavar="N", type=int, default=4000,
                        help="training samples a run (default: %(default)s)")
    parser.add_argument("--rounds", metavar="N", type=int, default=5,
                        help="runs of each kind (default: %(default)s)")
    options = parser.parse_args()
    state = trained((784, 128, 10), 1)
    config = CoreConfig.for_network(state.recipe.layers, 1)
    open_sim(config).close()
    ratios, speeds = [], []
    for _ in range(options.rounds):
        cycles, seconds, sent = driven(config, state, options.samples)
        alone = bare(config, state, sent, cycles)
        ratios.append(alone / seconds)
        speeds.append(cycles / seconds / 1e6)
    result: dict[str, object] = {
        "driven_MHz": round(statistics.median(speeds), 3),
        "driven_to_bare_speed": round(statistics.median(ratios), 3),
        "rounds": [round(ratio, 3) for ratio in ratios], "samples": options.samples,
    }
    Console().print(result)
    write("sim_speed", result)


if __name__ == "__main__":
    main()
