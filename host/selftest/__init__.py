"""A board, step by step from its USB bridge to training, with what to do where a step fails.

Each step is a function of a `Bench`; it returns what it found, or raises `Failed` or `Skipped`.
Everything is compared with the golden model, behind the same driver.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ...errors import DeviceError
from . import core, line
from .bench import Bench, Failed, Skipped

__all__ = ["STEPS", "Bench", "Failed", "Result", "Skipped", "run"]

#: All steps in their order.
STEPS: tuple[tuple[int, str, Callable[[Bench], str]], ...] = (*line.STEPS, *core.STEPS)


@dataclass(frozen=True)
class Result:
    """A line of the report."""

    number: int
    name: str
    state: Literal["ok", "failed", "skipped"]
    found: str
    advice: str
    seconds: float


def run(bench: Bench, tell: Callable[[Result], None]) -> list[Result]:
    """All steps until one fails; each result is told as it comes."""
    results: list[Result] = []
    failed = False
    for number, name, step in STEPS:
        began, advice = time.perf_counter(), ""
        state: Literal["ok", "failed", "skipped"] = "skipped"
        if failed:
            found = "a step before it failed"
        else:
            try:
                found, state = step(bench), "ok"
            except Skipped as error:
                found = str(error)
            except Failed as error:
                found, advice, state = str(error), error.advice, "failed"
            except DeviceError as error:
                found, advice, state = str(error), "the line or the board was lost: again", "failed"
        failed = failed or state == "failed"
        results.append(Result(number, name, state, found, advice, time.perf_counter() - began))
        tell(results[-1])
    if bench.transport is not None:
        bench.transport.close()
    return results
