"""Proves every row and finds every planted fault; prints the table of docs/proofs.md.

    python -m tests.hw.formal [--jobs N] [--limit SECONDS] [NAME...]
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .prover import Answer, prove, why_not
from .rows import OPEN, ROWS, Row


def _ask(row: Row, fault: int | None, limit: float):
    with tempfile.TemporaryDirectory(prefix="formal-") as folder:
        return prove(row.property(fault), row.depth, Path(folder),
                     induction=row.induction and fault is None, limit=limit)


def _line(row: Row, limit: float) -> tuple[str, bool]:
    """A row of the table, and whether all is as it should be."""
    proof = _ask(row, None, limit)
    faults = [_ask(row, fault, limit) for fault in range(len(row.faults))]
    found = sum(verdict.answer is Answer.FAIL for verdict in faults)
    good = proof.answer is Answer.PASS and found == len(faults)
    answer = "" if proof.answer is Answer.PASS else f"**{proof.answer.value}**, "
    planted = "-" if not faults else f"{found} of {len(faults)}"
    cells = (row.name, f"`{row.module}`", row.says, row.mode, f"{answer}{proof.seconds:.1f}",
             planted)
    return f"| {' | '.join(cells)} |", good


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hw.formal", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows; all by default")
    parser.add_argument("--jobs", type=int, default=2, metavar="N",
                        help="proofs at a time (default: %(default)s)")
    parser.add_argument("--limit", type=float, default=300, metavar="SECONDS",
                        help="of each proof (default: %(default)s)")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in ROWS]:
        parser.error(f"no row {unknown[0]!r}; rows are {', '.join(ROWS)}")
    if reason := why_not():
        parser.error(reason)
    rows = [ROWS[name] for name in options.names] or list(ROWS.values())
    print("| row | module | what holds | mode, cycles | seconds | faults found |")
    print("|---|---|---|---|---|---|")
    bad = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for line, good in pool.map(lambda row: _line(row, options.limit), rows):
            print(line, flush=True)
            bad += not good
    for module, reason in OPEN.items() if not options.names else ():
        print(f"Open: `{module}`: {reason}")
    print(f"{len(rows)} rows, {bad} not as they should be", file=sys.stderr)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
