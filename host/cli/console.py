"""What a person sees: progress on standard error, tables on standard output."""

import json
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from ...errors import TritgradError
from ..run.checkpoint import Epoch
from ..run.training import Watcher
from ..text import visible

__all__ = ["RunProgress", "counting", "draw", "emit", "fits", "json_option", "say", "screen",
           "stop_on_interrupt", "table", "warn", "working"]

#: What ``--json`` means wherever there is one.
json_option = click.option(
    "--json", "as_json", is_flag=True,
    help="End standard output with the results as one JSON object on one line.")


def screen(stderr: bool = False) -> Console:
    """A console that shows every text as it is: no markup, no emoji codes, no coloured numbers.

    A cell of a notebook is a terminal that cannot go back to a line, so nothing moves there.
    """
    terminal = False if "JPY_PARENT_PID" in os.environ else None
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False,
                   force_terminal=terminal)


def say(console: Console, *parts: str | tuple[str, str], fold: bool = False) -> None:
    """Print one line, however long, or fold it; a pair is a text and its style.

    Names are made visible.
    """
    shown = (visible(part) if isinstance(part, str) else (visible(part[0]), part[1])
             for part in parts)
    console.print(Text.assemble(*shown), soft_wrap=not fold)


def warn(text: str) -> None:
    """Tell on standard error of something that did not stop the command."""
    click.echo(f"tritgrad: {visible(text)}", err=True)


def draw(path: str | Path, picture: Callable[[Path], None]) -> bool:
    """Draw a picture, when all else is written; what goes wrong is told, and raises nothing."""
    try:
        picture(Path(path))
    except TritgradError as error:
        warn(f"no picture: {error}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        warn(f"no picture {path}: it needs the package matplotlib: pip install 'tritgrad[plot]'")
    except Exception as error:  # whatever a library for plots may raise
        warn(f"no picture {path}: {' '.join(str(error).split())} ({type(error).__name__})")
    else:
        return True
    return False


def emit(result: dict[str, Any]) -> None:
    """The last line of a command that was given ``--json``."""
    click.echo(json.dumps(result, allow_nan=False))


class _Rate(ProgressColumn):
    """Samples a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="cyan")


class _Description(ProgressColumn):
    """What goes on, which may name a file."""

    def render(self, task: Task) -> Text:
        return Text(visible(task.description), no_wrap=True, overflow="ellipsis")


class RunProgress(Watcher):
    """A bar for the epoch in hand, and a line for each epoch that is over.

    Parameters
    ----------
    console
        Where to, usually standard error. If it is no terminal, there are lines only.
    """

    def __init__(self, console: Console):
        self.console = console
        self._bar = Progress(
            _Description(), BarColumn(bar_width=20), MofNCompleteColumn(),
            _Rate(), TextColumn("{task.fields[note]}"), TimeRemainingColumn(),
            console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("", note="", visible=False)
        self._label = ""

    def __enter__(self) -> "RunProgress":
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def working(self, what: str) -> AbstractContextManager[Callable[[str], None]]:
        return working(self.console, what)

    def trained(self, number: int, epochs: int, epoch: Epoch, rows: int) -> None:
        self._show(f"epoch {number}/{epochs}", epoch.samples, rows,
                   f"{epoch.train_accuracy:.2f} % right")

    def storing(self, done: int, whole: int) -> None:
        self._show("bytes written", done, whole, "")

    def erasing(self, done: int, whole: int) -> None:
        """`done` of `whole` bytes of a flash are erased."""
        self._show("bytes erased", done, whole, "")

    def noted(self, text: str) -> None:
        say(self.console, text)

    def tested(self, number: int, done: int, rows: int) -> None:
        self._show(f"test of epoch {number}", done, rows, "")

    def epoch_over(self, number: int, epochs: int, epoch: Epoch) -> None:
        right = [("train", epoch.train_accuracy), ("val", epoch.val_accuracy),
                 ("test", epoch.test_accuracy)]
        parts = [f"epoch {number:>{len(str(epochs))}}/{epochs}",
                 *(f"{name} {value:6.2f}" for name, value in right if value is not None)]
        parts[-1] += " %"
        parts.append(f"updates {epoch.updates:,}")
        if epoch.counted and epoch.cycles:
            parts.append(f"{epoch.cycles / epoch.samples:,.0f} cycles")
        say(self.console, "  ".join(parts))

    def _show(self, label: str, done: int, rows: int, note: str) -> None:
        if label != self._label:
            self._bar.reset(self._task, total=rows, visible=True, description=label,
                            note=note)
            self._label = label
        self._bar.update(self._task, completed=done, note=note)


@contextmanager
def working(console: Console, what: str) -> Iterator[Callable[[str], None]]:
    """Show that something of unknown length goes on, and for how long.

    Call what it gives with what is being done now; without a terminal only that is shown.
    """
    columns = (SpinnerColumn(), _Description(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True,
                  disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def tell(text: str) -> None:
            bar.update(task, description=f"{what}: {text}")
            if not console.is_terminal:
                say(console, f"{what}: {text}")
        yield tell


@contextmanager
def counting(console: Console, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar for something of known length; call what it gives with how much is done."""
    columns = (_Description(), BarColumn(), MofNCompleteColumn(), _Rate(),
               TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True,
                  disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def stop_on_interrupt(console: Console) -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a wish to stop, which the yielded function tells."""
    wished = False

    def wish(number: int, frame: FrameType | None) -> None:
        nonlocal wished
        if wished:
            raise KeyboardInterrupt
        wished = True
        say(console, "stopping after this chunk; Ctrl-C again to stop at once")

    before = signal.signal(signal.SIGINT, wish)
    try:
        yield lambda: wished
    finally:
        signal.signal(signal.SIGINT, before)


def table(title: str | None, columns: Sequence[str], rows: Iterable[Sequence[object]],
          right: Iterable[int] = ()) -> Table:
    """A plain table; `right` are the numbers of the columns that are set flush right.

    A cell that is a tuple has a line for each item.
    """
    made = Table(title=None if title is None else Text(visible(title), "bold"),
                 title_justify="left", show_header=any(columns))
    flush = set(right)
    for number, name in enumerate(columns):
        made.add_column(Text(visible(name)), justify="right" if number in flush else "left",
                        overflow="fold")
    for row in rows:
        made.add_row(*(Text("\n".join(map(visible, cell)) if isinstance(cell, tuple)
                            else visible(cell)) for cell in row))
    return made


def fits(console: Console, made: Table) -> bool:
    """Whether a table has its natural width on this console: no cell is folded."""
    wide = console.options.update(max_width=1 << 16)
    return made.__rich_measure__(console, wide).maximum <= console.width
