"""Runs handed out by Dask: to processes of this machine, to a cluster, to boards."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
from distributed import Client, Nanny, Scheduler, SpecCluster, as_completed
from distributed.worker import get_worker

from ...errors import BadInput, TritgradError
from .grid import Point
from .work import finished, run_point

__all__ = ["BOARD", "cluster", "run_sweep"]

#: The resource that a worker with a board has one of. Its name is the device.
BOARD = "board"
#: How often a run is begun again whose worker was lost, or that failed on its device.
RETRIES = 3

SETTINGS = {"distributed.worker.daemon": False, "distributed.scheduler.allowed-failures": RETRIES,
            "distributed.comm.timeouts.connect": "120s", "distributed.logging": {}}


def _on_board(stored: dict[str, Any], folder: str) -> dict[str, Any]:
    """A run on the board that this worker has."""
    return run_point(stored, folder, str(get_worker().name))


@contextmanager
def cluster(jobs: int, devices: Sequence[str] = (), scheduler: str | None = None,
            ) -> Iterator[Client]:
    """Workers, and a client of theirs.

    Parameters
    ----------
    jobs
        Processes on this machine.
    devices
        Boards, ``BOARD@PORT``; a process for each in place of `jobs`.
    scheduler
        Address of a cluster, in place of processes of this machine. A worker with a board has the
        resource ``board=1`` and the device for a name.

    Raises
    ------
    BadInput
        Nothing answers at the address.
    """
    with dask.config.set(SETTINGS):
        if scheduler is not None:
            try:
                client = Client(scheduler, timeout=30)
            except (OSError, ValueError) as error:
                raise BadInput(f"--scheduler {scheduler} does not answer: {error}") from None
            with client:
                yield client
            return
        # a port of the system's choice for what is never looked at: a fixed one may be taken
        quiet = {"host": "127.0.0.1", "dashboard": False, "dashboard_address": "127.0.0.1:0"}
        own = {"nthreads": 1} | quiet
        workers = ({device: {"cls": Nanny, "options": own | {"resources": {BOARD: 1},
                                                             "name": device}}
                    for device in devices}
                   or {str(n): {"cls": Nanny, "options": own} for n in range(jobs)})
        made = SpecCluster(workers, {"cls": Scheduler, "options": quiet | {"port": 0}},
                           asynchronous=False)
        with made, Client(made) as client:
            yield client


def run_sweep(client: Client, runs: Sequence[Point], folder: Path, boards: bool,
              tell: Callable[[Point, dict[str, Any] | None, str | None], None],
              ) -> list[dict[str, Any] | None]:
    """All runs that have no result yet, each in a folder of its own.

    Parameters
    ----------
    client
        Of the workers.
    boards
        Whether each run needs a worker with a board, for itself alone.
    tell
        Called after each run with its result, or with what went wrong.

    Returns
    -------
    The result of each run; None of one that failed.
    """
    results: dict[str, dict[str, Any] | None] = {}
    waiting = {}
    for point in runs:
        place = (folder / point.name).absolute()
        done = finished(place, point.options)
        if done is not None:
            results[point.name] = done
            tell(point, done, None)
            continue
        act = _on_board if boards else run_point
        needs = {"resources": {BOARD: 1}} if boards else {}
        waiting[client.submit(act, point.options.as_json(), os.fspath(place), key=point.name,
                              retries=RETRIES if boards else 0, pure=False, **needs)] = point
    for future in as_completed(list(waiting)):
        point, error = waiting[future], future.exception()
        if isinstance(error, BadInput):
            raise error
        results[point.name] = None if error is not None else future.result()
        tell(point, results[point.name], None if error is None else _reason(error))
    return [results[point.name] for point in runs]


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, TritgradError) else f"{type(error).__name__}: {error}"
