"""Data sets in a flash: written behind each other, and forgotten."""

from collections.abc import Callable

from ...errors import BadInput
from .directory import Directory, Entry, in_sectors, room_for, rooms
from .flash import Flash
from .flash_rows import FlashRows
from .stored import Progress, TooLarge

__all__ = ["described", "forget", "write_set"]


def write_set(rows: FlashRows, name: str, progress: Progress = lambda done, whole: None,
              pause: Callable[[], None] = lambda: None) -> Entry:
    """Write rows and list them; see `Flash.write` for `progress` and `pause`.

    What is there already of a write that ended early is not written again: the place is the same
    as long as the list is.

    Returns
    -------
    What is listed now; rows that were there stay where they are.

    Raises
    ------
    TooLarge
        There is no room.
    BadInput
        Another data set has the name.
    DeviceError
        The flash cannot be written.
    """
    flash = rows.flash
    directory, sector = flash.directory()
    known = directory.named(name)
    if known is not None and rows.entry(name, known.first) != known:
        raise BadInput(f"{flash.name} holds another {name}: {described(known)}; give these rows "
                       f"another --name, or --erase {name} first")
    if known is None:
        first = room_for(in_sectors(rows.size), directory.entries, flash.first, flash.size)
        if first is None:
            raise TooLarge(_too_large(rows, directory))
        listed = directory.having(rows.entry(name, first))  # refuses what no list can have
    flash.check_writable()
    entry = known or listed.entries[-1]
    flash.write(entry.first, rows.records.tobytes(), progress, pause)
    if known is None:
        flash.list(listed, sector)
    return entry


def forget(flash: Flash, names: list[str], progress: Progress = lambda done, whole: None,
           pause: Callable[[], None] = lambda: None) -> None:
    """Take data sets off the list, then erase their rows.

    Raises
    ------
    BadInput
        One is not there: names those that are.
    """
    directory, sector = flash.directory()
    entries = []
    for name in names:
        entry = directory.named(name)
        if entry is None:
            there = ", ".join(e.name for e in directory.entries) or "no data set"
            raise BadInput(f"{flash.name} has no {name!r}; it holds {there}")
        entries.append(entry)
    flash.check_writable()
    flash.list(directory.without(names), sector)
    whole = sum(entry.end - entry.first for entry in entries)
    for n, entry in enumerate(entries):
        before = sum(e.end - e.first for e in entries[:n])

        def told(part: int, size: int, before: int = before) -> None:
            progress(before + part, whole)

        flash.erase(entry.first, entry.end, told, pause)


def described(entry: Entry) -> str:
    """A data set in a few words."""
    others = f" and {entry.rows - entry.learned:,}" if entry.rows > entry.learned else ""
    return (f"{entry.learned:,}{others} rows of {entry.inputs} inputs of {entry.planes} "
            f"bit{'s' * (entry.planes > 1)}")


def _too_large(rows: FlashRows, directory: Directory) -> str:
    """That no room is large enough, and what is."""
    flash = rows.flash
    largest = max(room for _, room in rooms(directory.entries, flash.first, flash.size))
    fit = int((rows.starts <= largest).sum()) - 1
    empty = int((rows.starts <= flash.size - flash.first).sum()) - 1
    text = (f"{len(rows.y):,} rows take {rows.size:,} bytes, and the largest room in {flash.name} "
            f"has {largest:,}: {max(0, fit):,} of them fit")
    if directory.entries and empty > fit:
        text += f", {empty:,} if nothing else were there (--erase)"
    return text
