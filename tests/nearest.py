"""Prints the tests nearest to what changed since main: ``pytest $(python tests/nearest.py)``.

The nearest tests of a module are those at its place in ``tests/``; of a module that has none there,
those that import it; of a page, those that read it. The direction of imports is always tested.
"""

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ALWAYS = "tests/test_arrows.py"


def changed(base: str = "main") -> list[str]:
    """Paths that differ from where this branch left `base`, and those git does not know yet."""
    def git(*arguments: str) -> list[str]:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True,
                              check=False)
        return done.stdout.split("\n")[:-1] if done.returncode == 0 else []

    start = git("merge-base", base, "HEAD") or git("merge-base", f"origin/{base}", "HEAD")
    return sorted({*git("diff", "--name-only", *start[:1]),
                   *git("ls-files", "--others", "--exclude-standard")})


def nearest(paths: Iterable[str], root: Path = ROOT) -> list[str]:
    """Tests nearest to some paths of the tree, as arguments of pytest."""
    texts = {test.relative_to(root).as_posix(): test.read_text()
             for test in sorted((root / "tests").rglob("test_*.py"))}
    found = {ALWAYS}
    for path in paths:
        found.update(_of(Path(path), texts))
    return sorted(found)


def _of(path: Path, texts: dict[str, str]) -> Iterator[str]:
    if path.parts[0] == "tests":
        if path.as_posix() in texts:
            yield path.as_posix()
        elif path.suffix == ".py" and path.name not in ("__init__.py", "nearest.py"):
            yield from _naming(path.stem, texts, path.parent.as_posix() + "/")
        return
    if path.suffix != ".py":
        yield from _naming(path.name, texts)
        return
    mirrored = Path("tests", *path.parts[:-1], f"test_{path.name}").as_posix()
    if mirrored in texts:
        yield mirrored
    else:
        parts = path.with_suffix("").parts
        name = ".".join(parts if parts[0] == "tritgrad" else ("tritgrad", *parts))
        yield from _naming(name.removesuffix(".__init__"), texts)


def _naming(name: str, texts: dict[str, str], folder: str = "tests/") -> Iterator[str]:
    """Tests in a folder that have a name in their text."""
    return (test for test, text in texts.items() if test.startswith(folder) and name in text)


if __name__ == "__main__":
    print(" ".join(nearest(changed())))
