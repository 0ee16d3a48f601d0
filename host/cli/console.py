"""What a person sees: progress on standard error, tables on standard output."""

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

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

from ..run.checkpoint import Epoch
from ..run.training import Watcher

__all__ = ["RunProgress", "counting", "stop_on_interrupt", "table", "working"]


class _Rate(ProgressColumn):
    """Samples a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="cyan")


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
            TextColumn("{task.description}"), BarColumn(bar_width=28), MofNCompleteColumn(),
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

    def tested(self, number: int, done: int, rows: int) -> None:
        self._show(f"test of epoch {number}", done, rows, "")

    def epoch_over(self, number: int, epochs: int, epoch: Epoch) -> None:
        parts = [f"epoch {number:>{len(str(epochs))}}/{epochs}",
                 f"train {epoch.train_accuracy:6.2f} %"]
        for name, value in (("val", epoch.val_accuracy), ("test", epoch.test_accuracy)):
            if value is not None:
                parts.append(f"{name} {value:6.2f} %")
        parts.append(f"updates {epoch.updates:,}")
        if epoch.counted:
            parts.append(f"{epoch.cycles / epoch.samples:,.1f} cycles/sample")
        self.console.print("   ".join(parts), highlight=False)

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
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True,
                  disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def say(text: str) -> None:
            bar.update(task, description=f"{what}: {text}")
            if not console.is_terminal:
                console.print(f"{what}: {text}", highlight=False)
        yield say


@contextmanager
def counting(console: Console, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar for something of known length; call what it gives with how much is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(),
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
        console.print("stopping after this chunk; Ctrl-C again to stop at once")

    before = signal.signal(signal.SIGINT, wish)
    try:
        yield lambda: wished
    finally:
        signal.signal(signal.SIGINT, before)


def table(title: str | None, columns: Sequence[str], rows: Iterable[Sequence[object]],
          right: Iterable[int] = ()) -> Table:
    """A plain table; `right` are the numbers of the columns that are set flush right."""
    made = Table(title=title, title_justify="left", title_style="bold",
                 show_header=any(columns))
    flush = set(right)
    for number, name in enumerate(columns):
        made.add_column(name, justify="right" if number in flush else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(str(cell)) for cell in row))
    return made
