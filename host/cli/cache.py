"""``tritgrad cache``: where what was compiled and downloaded is kept."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from ...cache import settle
from .console import emit, json_option, say, screen, table

__all__ = ["cache"]

#: What each folder of the cache holds. All others are data sets.
KINDS = {
    "sim": "compiled cores, and what is being compiled",
    "numba": "compiled functions of the golden model",
    "yowasp": "compiled FPGA tools",
    "matplotlib": "list of fonts",
    "others": "compiled Yosys",
}


@dataclass(frozen=True)
class _Kept:
    """A folder of the cache."""

    name: str
    what: str
    files: int
    bytes: int
    cleared: bool


@click.command()
@click.option("--show", is_flag=True, help="List it; so does the command without options.")
@click.option("--clear", is_flag=True, help="Remove all of it but downloaded data sets.")
@json_option
def cache(show: bool, clear: bool, as_json: bool) -> None:
    """Show or clear what was compiled and downloaded, which is made anew when it is needed.

    It is in $TRITGRAD_CACHE, else in the user's cache folder. Where that cannot be written, a
    folder for temporary files stands in. Do not clear it while another tritgrad compiles.
    """
    root = settle()
    kept = [_look(folder) for folder in sorted(root.iterdir()) if folder.is_dir()]
    if clear:
        for found in kept:
            if found.cleared:
                shutil.rmtree(root / found.name)
    console = screen(stderr=as_json)
    if kept:
        console.print(table(None, ("folder", "holds", "files", "MB"), (
            (found.name, found.what, f"{found.files:,}", f"{found.bytes / 1e6:,.1f}")
            for found in kept), right=(2, 3)))
    gone = [found for found in kept if found.cleared] if clear else []
    if clear:
        freed = sum(found.bytes for found in gone) / 1e6
        say(console, f"removed {', '.join(found.name for found in gone) or 'nothing'}: "
            f"{freed:,.1f} MB")
    say(console, f"cache: {root}")
    if as_json:
        emit({"cache": str(root), "folders": [asdict(found) for found in kept],
              "removed": [found.name for found in gone]})


def _look(folder: Path) -> _Kept:
    sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
    return _Kept(folder.name, KINDS.get(folder.name, "a data set, which stays"), len(sizes),
                 sum(sizes), folder.name in KINDS)
