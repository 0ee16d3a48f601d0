"""Rows put into the memory beside a core for later runs, whatever the device does meanwhile."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...firmware.store import Kind
from ..data.datasets import Dataset
from ..device.directory import Entry
from ..device.flash_rows import FlashRows
from ..device.flash_sets import write_set
from ..device.keeping import check_fits
from ..device.store import RowStore
from ..device.stored import Progress, TooLarge
from .judging import parts_of
from .learners import DeviceLearner

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
               told: Callable[[str], None] = lambda text: None) -> Entry | RowStore:
    """Write a data set's rows into the memory of a learner's device; again after a reset.

    Those that are only judged are left away where there is no room for all, as in a run.

    Parameters
    ----------
    name
        In a flash, what it is called in its list.
    progress, pause
        See `device.flash.Flash.write`; a RAM's writing ends where either raises.
    begins
        Is told the data sets in a flash before anything is written, but one of this name.
    told
        Is told if some rows are left away, and why.

    Returns
    -------
    What a flash lists now; the rows in a RAM.

    Raises
    ------
    TooLarge
        There is no room for those that are learned.
    """
    x, y, learned = kept_rows(data)

    def put(rows: int) -> Entry | RowStore:
        driver = learner.lay_out()
        if driver.config.store == Kind.FLASH:
            kept = FlashRows(driver, x[:rows], y[:rows], learned)
            begins([e.name for e in kept.flash.directory()[0].entries if e.name != name])
            return write_set(kept, name, progress, pause)
        check_fits(driver, x[:rows])
        stored = RowStore(driver, x[:rows], y[:rows], learned)

        def counted(done: int, whole: int) -> None:
            progress(done, whole)
            pause()

        stored.fill(counted)
        return stored

    def write() -> Entry | RowStore:
        try:
            return put(len(x))
        except TooLarge as error:
            if learned == len(x):
                raise
            try:
                done = put(learned)
            except TooLarge:
                raise error from None
            told(f"{error}; {len(x) - learned:,} for tests will go over the line")
            return done

    return learner.survive(write, lambda: None)
