"""Installs tritgrad with each of its extras into a new virtual environment, by pip alone.

What is measured is what the environment gains in size, without compiled modules (pip's
``--no-compile``), and the time, which is that of the network or of pip's cache.
"""

import argparse
import subprocess
import tempfile
import time
import venv
from importlib.metadata import metadata
from pathlib import Path

from _rtl import write

ROOT = Path(__file__).resolve().parents[1]


def size(folder: Path) -> float:
    """What all files take of the disk, in units of 2^20 bytes."""
    return sum(512 * path.lstat().st_blocks for path in folder.rglob("*")) / (1 << 20)


def installed(extra: str, limit: float) -> dict[str, object]:
    """What pip makes of an extra, "" for none; raises SystemExit where it fails."""
    with tempfile.TemporaryDirectory() as name:
        folder, source = Path(name, "env"), Path(name, "source")
        subprocess.run(["git", "clone", "--quiet", ROOT, source], check=True)
        venv.create(folder, with_pip=True)
        before, begun = size(folder), time.monotonic()
        what = f"{source}[{extra}]" if extra else str(source)
        for command in ["-m", "pip", "install", "--quiet", "--no-compile", what], [
                "-m", "tritgrad", "--version"]:
            done = subprocess.run([folder / "bin" / "python", *command], capture_output=True,
                                  text=True, timeout=limit, check=False, cwd=folder)
            if done.returncode:
                raise SystemExit(f"{extra or 'no extra'}: {done.stderr}")
        return {"MB": round(size(folder) - before), "seconds": round(time.monotonic() - begun)}


def main() -> None:
    """Print a line an extra and write all of them as JSON."""
    extras = metadata("tritgrad").get_all("Provides-Extra") or []
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extras", nargs="*", metavar="EXTRA", help="default: all but dev and torch")
    parser.add_argument("--limit", type=float, default=900, metavar="S",
                        help="seconds for one (default: %(default)s)")
    given = parser.parse_args()
    wanted = given.extras or ["", *(name for name in extras if name not in ("dev", "torch"))]
    found: dict[str, object] = {}
    for extra in wanted:
        found[extra or "none"] = installed(extra, given.limit)
        print(f"{extra or 'none'}: {found[extra or 'none']}", flush=True)
    if not given.extras:
        write("extras", found)


if __name__ == "__main__":
    main()
