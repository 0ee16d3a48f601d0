"""Folders of runs: a new one, or one that is free."""

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from ...errors import BadInput
from ..run.lock import hold
from ..run.training import CHECKPOINT
from ..run.watchers import HISTORY

__all__ = ["CURVE", "REPORT", "new_folder", "take"]

#: The picture of a run.
CURVE = "curve.png"
#: Files that a run writes.
REPORT = "ensemble.json"
RUN_FILES = (CHECKPOINT, "model.npz", "best.npz", "history.json", HISTORY, CURVE, REPORT)


def take(folder: Path, held: ExitStack, made: bool = False) -> None:
    """Have a folder for a new run, which must hold no other; `made` for it."""
    held.enter_context(hold(folder, made))
    there = [name for name in RUN_FILES if (folder / name).exists()]
    if there:
        raise BadInput(f"{folder} holds another run ({', '.join(there)}); choose another folder "
                       f"or continue it with --resume {folder}")


def new_folder(dataset: str) -> Path:
    """A folder that is there now and was not before, whoever else makes one at the same time."""
    stem = f"{Path(dataset).stem}-{datetime.now():%Y%m%d-%H%M%S}"
    folder, number = Path("runs") / stem, 1
    while True:
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            number += 1
            folder = Path("runs") / f"{stem}-{number}"
        except OSError as error:
            raise BadInput(f"cannot create {folder}: {error.strerror}") from None
