"""Runs handed out by Dask: to processes of this machine, to a cluster, to boards."""

import logging
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
#: Seconds that a cluster may take to answer.
ANSWER_S = 60

SETTINGS = {"distributed.worker.daemon": False, "distributed.scheduler.allowed-failures": RETRIES,
            "distributed.comm.timeouts.connect": "120s",
            # what goes wrong with a run is told here, and each step of its way is nobody's concern
            "distributed.nanny.pre-spawn-environ.DASK_DISTRIBUTED__LOGGING__DISTRIBUTED":
            "critical"}
#: In place of a result: what is wrong with a run that need not be tried again.
REFUSED = "refused"


def _on_worker(stored: dict[str, Any], folder: str, board: bool) -> dict[str, Any]:
    """A run in this worker, on the board that it has."""
    try:
        return run_point(stored, folder, str(get_worker().name) if board else None)
    except BadInput as error:
        return {REFUSED: str(error)}


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
        Nothing answers at the address, or it has no worker, or none for a board.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with dask.config.set(SETTINGS):
        if scheduler is not None:
            with _joined(scheduler) as client:
                _check_workers(client, scheduler, devices)
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


def _joined(scheduler: str) -> Client:
    try:
        return Client(scheduler, timeout=ANSWER_S)
    except (OSError, ValueError) as error:
        raise BadInput(f"--scheduler {scheduler} does not answer: {error}") from None


def _check_workers(client: Client, scheduler: str, devices: Sequence[str]) -> None:
    """Refuse a cluster on which runs would wait for ever."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    if not workers:
        raise BadInput(f"--scheduler {scheduler} has no worker; start one: dask worker {scheduler}")
    ready = {str(worker["name"]) for worker in workers if worker["resources"].get(BOARD)}
    for device in devices:
        if device not in ready:
            raise BadInput(f"--scheduler {scheduler} has no worker for {device}; start one: dask "
                           f"worker {scheduler} --nthreads 1 --resources {BOARD}=1 --name {device}")


def run_sweep(client: Client, runs: Sequence[Point], folder: Path, boards: Sequence[str],
              tell: Callable[[Point, dict[str, Any] | None, str | None], None],
              ) -> list[dict[str, Any] | None]:
    """All runs that have no result yet, each in a folder of its own.

    Parameters
    ----------
    client
        Of the workers.
    boards
        Devices, of which each run needs one for itself alone; the workers have their names.
    tell
        Called after each run with its result, or with what went wrong.

    Returns
    -------
    The result of each run; None of one that failed.

    Raises
    ------
    BadInput
        What a run refuses: its board cannot hold the network, its folder holds another run.
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
        needs = {"resources": {BOARD: 1}, "workers": list(boards)} if boards else {}
        waiting[client.submit(_on_worker, point.options.as_json(), os.fspath(place), bool(boards),
                              key=point.name, retries=RETRIES if boards else 0, pure=False,
                              **needs)] = point
    for future in as_completed(list(waiting)):
        point, error = waiting[future], future.exception()
        if error is None and REFUSED in future.result():
            raise BadInput(future.result()[REFUSED])
        results[point.name] = None if error is not None else future.result()
        tell(point, results[point.name], None if error is None else _reason(error))
    return [results[point.name] for point in runs]


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, TritgradError) else f"{type(error).__name__}: {error}"
