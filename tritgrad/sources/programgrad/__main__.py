"""``python -m tritgrad.sources.programgrad FOLDER``: the source's own tests against this package.

FOLDER is a checkout of sanowl/ProgramGrad, of which `tests` and `examples` are used.
"""

import sys
import unittest
from pathlib import Path

import tritgrad.sources.programgrad


def main() -> int:
    """Run them; 0 if all pass, 1 if one fails, 2 if there are none."""
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "tests").is_dir():
        print("usage: python -m tritgrad.sources.programgrad FOLDER, a checkout of "
              "sanowl/ProgramGrad", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1]).resolve()
    sys.path[:0] = [str(folder / "tests"), str(folder)]
    sys.modules["programgrad"] = tritgrad.sources.programgrad
    suite = unittest.TestSuite()
    for path in sorted((folder / "tests").glob("test_*.py")):
        suite.addTests(unittest.defaultTestLoader.loadTestsFromName(path.stem))
    return 0 if unittest.TextTestRunner().run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
