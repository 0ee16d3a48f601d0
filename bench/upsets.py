"""Single-bit upsets while a core trains, before and after what is built against them.

A bit of the compiled core's state is turned in a random cycle of a run of digits, 64-16-10. Bits
are drawn class by class and the classes weighed by their bits. "Before" is a core without the units
and a host that writes table and program once and takes only a reset for a loss of state; "after"
has the watchdog and the signature of T and R, and the host that there is.

masked: the run ends with the clean run's state. recovered: so it does after repairs, or from the
last snapshot. silent: another state, and nobody has noticed. detected: the host ends with an error.
hung: the device is silent, or the run takes ten times its cycles.
"""

import argparse
import hashlib
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from _flips import FlippedCore
from _rtl import before, write
from sklearn.datasets import load_digits

import tritgrad.host.device.session as session_module
from tritgrad.errors import DeviceError
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import SimTransport
from tritgrad.host.run.learners import DeviceLearner
from tritgrad.model.config import CoreConfig
from tritgrad.model.recipe import Recipe

RECIPE = Recipe.default((64, 16, 10), 4, 8, 4, epochs=3, seed=5, gain=-1, output_gain=-3,
                        shifts=(5,))
SAMPLES, PASSES, UNSEEN = 200, 3, 500
#: Short enough that a campaign does not wait for the watchdog: 0.6 of the host's patience.
WATCHDOG_BITS = 16
#: Seconds of the device, in place of the host's.
PATIENCE_S, MAX_SILENCES = 0.005, 5
BUILD = Path("build/upsets").resolve()


def config(after: bool) -> CoreConfig:
    """The core with or without what is built against upsets."""
    return CoreConfig(
        lanes=8, banks=4, update_lanes=4, counter_bits=8, activation_bits=4, input_planes=4,
        max_layers=2, max_inputs=64, max_neurons=16, max_classes=10, trit_depth=64,
        residual_depth=512, hidden_depth=4, program_depth=16, slot_bytes=256,
        watchdog=WATCHDOG_BITS if after else 0, signature=after)


class Hung(Exception):
    """The core has had its time."""


class Pipe(SimTransport):
    """A core of one run, with an end to its patience."""

    def __init__(self, core: FlippedCore):
        self.name, self.core, self._queue = "core", core, bytearray()
        self.limit = 10**9

    def read(self, timeout_s: float) -> bytes:
        if self.core.cycles > self.limit:
            raise Hung
        return super().read(timeout_s)


class OldDriver(Driver):
    """Writes table and program only if they are others than before."""

    _sent: tuple = ()

    def set_gains(self, gains):
        if tuple(gains) != tuple(layer.gain for layer in self.layers):
            super().set_gains(gains)

    def _start(self, program):
        if tuple(program) == self._sent:
            self.session.request(session_module.Type.RUN)
        else:
            super()._start(program)
            self._sent = tuple(program)


class OldLearner(DeviceLearner):
    """Takes nothing but a reset for a loss of state."""

    def _survive(self, act):
        return act()


class Run:
    """A run of the job on a core, perhaps with an upset."""

    def __init__(self, after: bool):
        self.core = FlippedCore(config(after), BUILD / ("after" if after else "before"))
        self.pipe = Pipe(self.core)
        session = Session(self.pipe, 7)
        self.driver = (Driver if after else OldDriver)(session)
        self.learner = (DeviceLearner if after else OldLearner)(self.driver, RECIPE)
        self.restarts = 0
        reconnect = self.driver.reconnect

        def counted() -> None:
            self.restarts += 1
            reconnect()

        self.driver.reconnect = counted
        self.learner.start()
        self.loaded = self.core.cycles

    def train(self, data: "Data", passes: int = PASSES) -> str:
        """Hash of the state after some passes, each with its snapshot."""
        for _ in range(passes):
            self.learner.train(data.x, data.y, RECIPE.gains)
            state = self.learner.state()
        return hashlib.sha256(b"".join(c.tobytes() for c in state.counters)
                              + state.prng.to_bytes(8, "little")).hexdigest()


class Data:
    """Digits to learn, and others to be tested with."""

    def __init__(self) -> None:
        digits = load_digits()
        order = np.random.default_rng(3).permutation(len(digits.target))
        x = np.minimum(digits.data, 15).astype(np.uint8)[order]
        y = digits.target[order].astype(np.int64)
        self.x, self.y = x[:SAMPLES], y[:SAMPLES]
        self.unseen_x, self.unseen_y = (part[SAMPLES:SAMPLES + UNSEEN] for part in (x, y))


def class_of(name: str) -> str | None:
    """What a state belongs to; None for what cannot be upset: memories that are only read."""
    unit, memory = name.split("__DOT__")[0], name.endswith("memory")
    if "watchdog" in name or "signing" in name:
        return "watchdog and signature"
    if memory:
        for part, kind in (("hello", None), ("trits", "T"), ("residuals", "R"),
                           ("program", "program"), ("table", "layer table"),
                           ("counters", "statistics")):
            if part in name:
                return kind
        return "receive slots" if unit == "receiver" else "samples, activations, errors"
    if "random" in name:
        return "registers: PRNG"
    if "sequencer" in name or "walk" in name:
        return "registers: sequencer"
    return ("registers: link" if unit in ("receiver", "transmitter", "arbiter", "results",
                                          "commands") else "registers: units")


def outcome(after: bool, data: Data, upset: tuple[int, int, int, int] | None, clean: str,
            limit: int) -> tuple[str, str]:
    """What becomes of a run with an upset (cycle, state, word, bit); and what the host says."""
    run = Run(after)
    try:
        run.pipe.limit = run.loaded + limit
        run.core.inject(*upset)
        try:
            same = run.train(data) == clean
        except Hung:
            return "hung", "takes too long"
        except DeviceError as error:
            return ("hung" if "silent" in str(error) else "detected"), str(error)[:120]
        noticed = run.restarts or run.driver.session.repairs
        return ("recovered" if noticed else "masked") if same else "silent", ""
    finally:
        run.core.close()


def campaign(after: bool, count: int, seed: int, seconds: float,
             earlier: dict[str, Any]) -> dict[str, Any]:
    """Upsets class by class, each weighed by its bits; those of an earlier campaign count too."""
    data, run, rng = Data(), Run(after), random.Random(seed)
    clean = run.train(data)
    ended, states = run.core.cycles, run.core.states
    end = run.driver.end
    used = {"T": end.trit_base, "R": end.residual_base, "layer table": 2, "program": 7}
    classes: dict[str, list[tuple[int, int, int]]] = {}
    for number, state in enumerate(states):
        kind = class_of(state.name)
        if kind is not None:
            depth = min(state.depth, used.get(kind, state.depth))
            classes.setdefault(kind, []).append((number, state.width, depth))
    bits = {kind: sum(width * depth for _, width, depth in classes[kind]) for kind in classes}
    found: dict[str, Counter[str]] = {kind: Counter() for kind in classes}
    said: Counter[str] = Counter()
    began, n = time.monotonic(), 0
    names = sorted(classes)
    while n < count and time.monotonic() - began < seconds:
        kind = names[n % len(names)]
        number, width, depth = rng.choices(
            classes[kind], weights=[width * depth for _, width, depth in classes[kind]])[0]
        upset = (rng.randrange(run.loaded, ended), number, rng.randrange(depth),
                 rng.randrange(width))
        result, text = outcome(after, data, upset, clean, 10 * (ended - run.loaded) + 3_000_000)
        found[kind][result] += 1
        said.update([text] if text else [])
        n += 1
    for kind, results in earlier.get("found", {}).items():
        found[kind].update(results)
    said.update(earlier.get("said", {}))
    whole = sum(bits.values())
    weighed: Counter[str] = Counter()
    for kind in classes:
        share = bits[kind] / whole / max(1, sum(found[kind].values()))
        for result, times in found[kind].items():
            weighed[result] += 100 * share * times
    return {"injections": n + earlier.get("injections", 0),
            "seconds": round(time.monotonic() - began) + earlier.get("seconds", 0),
            "cycles": ended - run.loaded, "bits": bits,
            "found": {kind: dict(found[kind]) for kind in names},
            "percent_by_bits": {k: round(v, 2) for k, v in weighed.items()},
            "said": dict(said.most_common(12))}


def main() -> None:
    """Print both campaigns and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--injections", type=int, default=1200, metavar="N",
                        help="of each campaign (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--seconds", type=float, default=3600, metavar="T",
                        help="at most for each (default: %(default)s)")
    parser.add_argument("--more", action="store_true",
                        help="count the committed result's injections too; with another seed")
    parser.add_argument("--only", choices=("before", "after"), help="one campaign alone")
    options = parser.parse_args()
    session_module.PATIENCE_S, session_module.MAX_SILENCES = PATIENCE_S, MAX_SILENCES
    result = before("upsets") if options.more else {}
    for name in ("before", "after"):
        if options.only in (None, name):
            result[name] = campaign(name == "after", options.injections, options.seed,
                                    options.seconds, result.get(name, {}))
            print(name, json.dumps(result[name], indent=1), flush=True)
            write("upsets", result)


if __name__ == "__main__":
    main()
