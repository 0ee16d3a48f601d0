"""Runs of the command line at a virtual board, both processes that may end at any moment.

Host and board are killed, the host is told to stop, the board halted for a while; its port may
vanish, its core be reset, its line damage bytes, and bits of its flash may turn. Whoever sits
before it starts the board again and types what the command says, until the run is over.
"""

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tritgrad.errors import DeviceError

__all__ = ["CONTEXT", "Campaign", "Command", "lasting"]

#: Processes are forked from one that has what a command imports, so that a start takes no seconds.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([
    "tritgrad.host.cli.main", "tritgrad.host.cli.train", "tritgrad.host.cli.store",
    "tritgrad.host.cli.virtual", "tritgrad.sim.virtual", "tritgrad.boards.store_pins",
    "tritgrad.host.run.model_learner", "sklearn.datasets"])
#: Seconds after which something that should come about counts as hanging.
HANGS_S = 600.0
#: Times that a command is typed before it counts as one that never ends.
MOST_STARTS = 40
#: The exit code of a command that was told to stop.
STOPPED = 130
#: Where an iCEBreaker's first data set begins, and bytes of it in which bits turn.
FIRST_RECORD, RECORDS = (128 + 64) << 10, 4096
#: What a run is, apart from time and cycles.
LASTING = ("train_accuracy", "test_accuracy", "test_balanced", "val_accuracy", "updates_by_epoch",
           "flips_by_epoch", "samples", "best_epoch", "best_state_sha256", "state_sha256")


def lasting(told: dict[str, Any]) -> dict[str, Any]:
    """What two equal runs say alike."""
    return {name: told[name] for name in LASTING if name in told}


def _command(words: list[str], out: Path, err: Path, checkpoint_s: float) -> None:
    """`tritgrad` with some words; a process's whole life."""
    for number, path in (1, out), (2, err):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
    from tritgrad.host.cli.main import main
    from tritgrad.host.run import training

    training.CHECKPOINT_S = checkpoint_s
    sys.argv = ["tritgrad", *words]
    main()


class Command:
    """`tritgrad` with some words, as a process.

    Attributes
    ----------
    out, err
        What it says.
    """

    def __init__(self, folder: Path, words: list[str], checkpoint_s: float = 0.1):
        self.words = words
        self._out, self._err = folder / f"{words[0]}.out", folder / f"{words[0]}.err"
        for path in self._out, self._err:
            path.unlink(missing_ok=True)
        self._process = CONTEXT.Process(target=_command, daemon=True, args=(
            words, self._out, self._err, checkpoint_s))
        self._process.start()

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.exitcode

    @property
    def out(self) -> str:
        return self._out.read_text() if self._out.exists() else ""

    @property
    def err(self) -> str:
        return self._err.read_text() if self._err.exists() else ""

    def wait(self, seconds: float = HANGS_S) -> bool:
        """Whether it ends in time."""
        self._process.join(seconds)
        return self.code is not None

    def send(self, number: signal.Signals) -> None:
        """A signal, if it still runs."""
        if self._process.is_alive() and self._process.pid is not None:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        """End it at once, if it still runs."""
        self._process.kill()
        self._process.join()


@dataclass
class Campaign:
    """A board in a folder, and commands at it that are disturbed.

    Parameters
    ----------
    folder
        Where everything is.
    board
        The virtual board's name.
    flash
        Whether its memory is a flash: kept in a file, and written before a run.
    rng
        Decides what happens, and after how long.
    weather
        What may be wrong with a board from one start to the next, as words of ``tritgrad virtual``.
    mean_s
        Seconds from one disturbance to the next, on average.

    Attributes
    ----------
    counts, lines
        How often what has happened; errors that ended a command.
    starts
        Processes of the host.
    lost
        Whether a line has said that rows were lost.
    """

    folder: Path
    board: str
    flash: bool
    rng: random.Random
    weather: dict[str, tuple[int, int]]
    mean_s: float = 1.0
    counts: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    lost: bool = False
    _device: Command | None = None
    _host: Command | None = None
    _store: list[str] = field(default_factory=list)

    @property
    def port(self) -> str:
        return f"{self.board}@{self.folder / 'port'}"

    def power_up(self, weather: str = "") -> None:
        """Start the board, with something wrong or not."""
        words = ["virtual", self.board, "--model", "--store", "--link", str(self.folder / "port")]
        if self.flash:
            words += ["--flash", str(self.folder / "flash")]
        if weather == "noise":
            words += ["--drop", "0.0004", "--flip", "0.0004", "--repeat", "0.0002",
                      "--delay", "0.0005", "--seed", str(self.rng.randrange(1 << 30))]
        elif weather:
            words += [f"--{weather}-every", str(self.rng.randrange(*self.weather[weather]))]
        if weather:
            self.counts[weather] += 1
        self._device = Command(self.folder, words)
        end = time.monotonic() + HANGS_S
        while not self._device.out:
            if self._device.code is not None or time.monotonic() > end:
                raise DeviceError(f"the board does not start: {self._device.err}")
            time.sleep(0.02)

    def power_off(self) -> None:
        """Kill the board: its port is gone, and an SDRAM is noise next time."""
        assert self._device is not None
        if self._device.code is not None:
            raise DeviceError(f"the board ended by itself: {self._device.err}")
        # Before its terminal is somebody else's: a device that is unplugged takes its name along.
        (self.folder / "port").unlink(missing_ok=True)
        self._device.kill()

    def carried_out(self, first: list[str], again: list[str], kept: Path | None = None,
                    disturbances: int = 0, kinds: tuple[str, ...] = ()) -> str:
        """What a command says once it has come to its end.

        Parameters
        ----------
        first, again
            Its words, and those with which it goes on once the file `kept` is there.
        disturbances, kinds
            How much happens, and of what: names of methods.

        Raises
        ------
        DeviceError
            It hangs, does not end, or ends otherwise than with one line.
        """
        for _ in range(MOST_STARTS):
            words = again if kept is not None and kept.exists() else first
            host = self.typed(words)
            while disturbances and not host.wait(self.rng.expovariate(1 / self.mean_s)):
                kind = self.rng.choice(kinds)
                disturbances -= 1
                self.counts[kind] += 1
                getattr(self, kind)(host)
            if not disturbances:
                self._calm()
            if not host.wait():
                raise DeviceError(f"{' '.join(words)} hangs: {host.err}")
            if self.ended(host):
                return host.out
        raise DeviceError(f"{MOST_STARTS} starts, and no end: {dict(self.lines)}")

    def typed(self, words: list[str]) -> Command:
        """A command at the board, which ends with the campaign at the latest."""
        self._host, self.starts = Command(self.folder, words), self.starts + 1
        return self._host

    def _calm(self) -> None:
        """A sound board from now on, if this one is not."""
        assert self._device is not None
        if any(word.endswith(("-every", "--drop")) for word in self._device.words):
            self.power_off()
            self.power_up()

    def ended(self, host: Command) -> bool:
        """Whether a command is done; one that is not was killed, or has ended with one line.

        Raises
        ------
        DeviceError
            It has ended otherwise.
        """
        said = host.err
        self.lost = self.lost or "lost rows" in said
        if host.code in (0, -signal.SIGKILL):
            return host.code == 0
        errors = [line for line in said.splitlines() if line.startswith("tritgrad: ")]
        if host.code not in (1, 2, STOPPED) or len(errors) != 1 or "Traceback" in said:
            raise DeviceError(f"{' '.join(host.words)} ended with {host.code}: {said}")
        line = errors[0].removeprefix("tritgrad: ").replace(str(self.folder), "")
        self.lines[line.partition("; continue with")[0]] += 1
        if "tritgrad store writes them again" in line:
            self.carried_out(self._store, self._store)
        return False

    def store(self, rows: list[str], disturbances: int = 0, kinds: tuple[str, ...] = ()) -> None:
        """Write rows into the flash."""
        self._store = ["store", self.port, *rows]
        self.carried_out(self._store, self._store, None, disturbances, kinds)

    def trained(self, options: list[str], disturbances: int, kinds: tuple[str, ...],
                ) -> dict[str, Any]:
        """What a run says at its end."""
        run = self.folder / "run"
        out = self.carried_out(
            ["train", *options, "--device", self.port, "--out", str(run), "--json"],
            ["train", "--resume", str(run), "--json"], run / "checkpoint.npz", disturbances, kinds)
        told: dict[str, Any] = json.loads(out.splitlines()[-1])
        return told

    # Disturbances.

    def kill(self, host: Command) -> None:
        """The host's process is no more."""
        host.kill()

    def stop(self, host: Command) -> None:
        """Somebody has pressed Ctrl-C, once the command has begun to speak."""
        end = time.monotonic() + HANGS_S
        while not host.err and host.code is None and time.monotonic() < end:
            time.sleep(0.01)
        host.send(signal.SIGINT)

    def power(self, host: Command) -> None:
        """The board is unplugged, and back after a while with other weather."""
        self.power_off()
        time.sleep(self.rng.random())
        self.power_up(self.rng.choice(["", *self.weather]))

    def both(self, host: Command) -> None:
        """A power cut of everything."""
        host.kill()
        self.power(host)

    def halt(self, host: Command) -> None:
        """The board does nothing for a while, longer than the host waits for most answers."""
        assert self._device is not None
        self._device.send(signal.SIGSTOP)
        time.sleep(self.rng.uniform(0.5, 6.0))
        self._device.send(signal.SIGCONT)

    def bits(self, host: Command) -> None:
        """Bits of the flash's records turn."""
        cells = np.memmap(self.folder / "flash", np.uint8, "r+")
        for _ in range(5):
            cells[FIRST_RECORD + self.rng.randrange(RECORDS)] ^= 1 << self.rng.randrange(8)
        cells.flush()

    def __enter__(self) -> "Campaign":
        return self

    def __exit__(self, *error: object) -> None:
        for command in self._host, self._device:
            if command is not None:
                command.kill()
