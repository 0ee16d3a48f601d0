"""Whether the rows of a run can be learned from the memory beside a core."""

import numpy as np
import numpy.typing as npt

from ...errors import BadInput, DeviceError
from ...firmware.store import Kind
from ...model.images import StoredImages
from .driver import Driver
from .flash_rows import FlashRows
from .session import DeviceAstray, DeviceReset
from .store import RowStore, rows_that_fit
from .stored import Numbers, StoredRows, TooLarge

__all__ = ["check_fits", "keepable"]

#: Bytes of a frame on the line for each byte of its samples, by a few parts in a hundred.
FRAMED = 1.02


def keepable(driver: Driver, x: npt.NDArray[np.uint8], y: Numbers, learned: int | None = None,
             images: StoredImages | None = None) -> tuple[StoredRows | None, str]:
    """The rows in the memory of a device, once their `fill` has been called, and a line about it.

    A RAM can be filled at any time. A flash is never written here: rows that are not there go over
    the line, and the line says how they get there and whether it would be worth it.

    Parameters
    ----------
    driver
        The device, with the network.
    x, y, learned
        As of `StoredRows`.
    images
        As of `RowStore`.

    Returns
    -------
    None and "" if there is no such memory, None and why not if the rows are not for it.
    """
    if driver.config.store == Kind.RAM:
        return _in_ram(driver, x, y, learned, images)
    if driver.config.store == Kind.FLASH:
        return _in_flash(driver, x, y, learned)
    return None, ""


def check_fits(driver: Driver, x: npt.NDArray[np.uint8],
               images: StoredImages | None = None) -> None:
    """Raise `TooLarge` if a RAM has no room for so many rows; says how many it has room for."""
    inputs = driver.arranged(x[:1]).shape[1] if images is None else images.inputs
    most = rows_that_fit(driver.config, inputs, driver.rows[0].planes)
    if most < len(x):
        raise TooLarge(f"the memory of {driver.name} holds {most:,} of these {len(x):,} rows")


def _in_ram(driver: Driver, x: npt.NDArray[np.uint8], y: Numbers, learned: int | None,
            images: StoredImages | None) -> tuple[StoredRows | None, str]:
    try:
        check_fits(driver, x, images)
    except TooLarge as error:
        if learned is not None and learned < len(x):
            return _in_ram(driver, x[:learned], y[:learned], None, images)
        return None, f"{error}: they go over the line"
    shifts = "" if images is None else ", which shifts them"
    return (RowStore(driver, x, y, learned, images),
            f"{len(x):,} rows are in the memory of {driver.name}{shifts}")


def _in_flash(driver: Driver, x: npt.NDArray[np.uint8], y: Numbers, learned: int | None,
              ) -> tuple[StoredRows | None, str]:
    try:
        rows = FlashRows(driver, x, y, learned)
        directory, _ = rows.flash.directory()
    except (DeviceReset, DeviceAstray):
        raise  # the learner begins anew
    except (BadInput, DeviceError) as error:
        return None, f"{error}; rows go over the line"
    if rows.seek(directory):
        assert rows.found is not None
        return rows, f"{rows.kept:,} rows are in {rows.flash.name}, as {rows.found.name}"
    return None, (f"these {len(x):,} rows are not in {rows.flash.name} "
                  f"({rows.why_not(directory)}): they go over the line; tritgrad store writes them"
                  f"{_worth(driver, rows)}")


def _worth(driver: Driver, rows: FlashRows) -> str:
    """What a flash would give over the line, as far as that is known."""
    board, byte_s = driver.board, driver.session.transport.byte_time_s
    if board is None or not byte_s:
        return ""
    from ...boards.report import last_report

    report = last_report(board)
    network = "-".join(str(n) for n in (rows.driver.layers[0].inputs,
                                        *(layer.outputs for layer in driver.layers)))
    cycles = report.cycles.get(network) if report is not None else None
    line = len(rows.y) / (byte_s * FRAMED * rows.size)
    if cycles is None:
        return f"; the line carries {line:,.0f} of them a second"
    core = board.clock_hz / cycles
    if line >= core:
        return (f", but this core learns {core:,.0f} of them a second and the line carries "
                f"{line:,.0f}")
    return f", and learns {core:,.0f} of them a second, not the {line:,.0f} that the line carries"
