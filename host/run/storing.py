"""Rows put into the memory beside a core for later runs, whatever the device does meanwhile."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import DeviceError
from ...firmware.store import Kind
from ..data.datasets import Dataset
from ..device.directory import Entry
from ..device.driver import Driver
from ..device.flash_rows import FlashRows
from ..device.flash_sets import write_set
from ..device.keeping import check_fits
from ..device.session import DeviceAstray, DeviceReset
from ..device.store import RowStore
from ..device.stored import Progress
from .judging import parts_of
from .learners import MAX_RESETS, DeviceLearner

__all__ = ["kept_rows", "store_rows"]


def kept_rows(data: Dataset) -> tuple[Any, Any, int]:
    """Inputs and labels of all rows that a run may keep, and how many of them it learns.

    Those that it learns come first, then those that are judged, as `parts_of` numbers them.
    """
    parts = parts_of(data)
    return (np.concatenate([data.x_train, *(part.x for part in parts)]),
            np.concatenate([data.y_train, *(part.y for part in parts)]), len(data.x_train))


def store_rows(learner: DeviceLearner, data: Dataset, name: str, progress: Progress,
               pause: Callable[[], None], begins: Callable[[list[str]], None] = lambda names: None,
               ) -> Entry | RowStore:
    """Write a data set's rows into the memory of a learner's device; again after a reset.

    Parameters
    ----------
    name
        In a flash, what it is called in its list.
    progress, pause
        See `device.flash.Flash.write`; a RAM's writing ends where either raises.
    begins
        Is told the data sets in a flash before anything is written, but one of this name.

    Returns
    -------
    What a flash lists now; the rows in a RAM.
    """
    x, y, learned = kept_rows(data)

    def write(driver: Driver) -> Entry | RowStore:
        if driver.config.store == Kind.FLASH:
            rows = FlashRows(driver, x, y, learned)
            begins([e.name for e in rows.flash.directory()[0].entries if e.name != name])
            return write_set(rows, name, progress, pause)
        check_fits(driver, x)
        kept = RowStore(driver, x, y, learned)

        def told(done: int, whole: int) -> None:
            progress(done, whole)
            pause()

        kept.fill(told)
        return kept

    return _survive(learner, write)


def _survive(learner: DeviceLearner, act: Callable[[Driver], Any]) -> Any:
    lost: DeviceError | None = None
    for _ in range(MAX_RESETS + 1):
        try:
            if lost is not None:
                learner.driver.reconnect()
            return act(learner.lay_out())
        except (DeviceReset, DeviceAstray) as error:
            lost = error
    assert lost is not None
    raise lost
