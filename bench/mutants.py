"""Draws mutants of the RTL and of the host, and says which of them the nearest tests do not notice.

    python bench/mutants.py [--count N] [--seed S] [--limit SECONDS] [FOLDER...]

A mutant is one edit of one module in a copy of the tree: a number one larger, an operator, a
comparison or a condition another, an assignment left out. The nearest tests are those of
`tests/nearest.py` and the module's rows of docs/proofs.md. A survivor is a gap in the tests or an
equivalent program; which of the two, somebody has to read.

The limit is of processor time, as a busy machine would kill mutants by the clock on the wall. Tests
that use less than it and yet have not ended after four times as long give no answer.
"""

import argparse
import ast
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.hw.formal.prover import why_not  # noqa: E402
from tests.hw.formal.rows import ROWS  # noqa: E402
from tests.nearest import ALWAYS, nearest  # noqa: E402

FOLDERS = ("hw", "units", "host", "firmware")

#: Tests nearer to a module than those that `tests/nearest.py` finds: it is one of several files
#: of a unit, or only a whole engine shows what it does.
NEAREST = {
    "hw/joins.py": ["tests/units/perturb/test_probes.py", "tests/hw/test_engine.py"],
    "hw/engine.py": ["tests/hw/test_engine.py"],
    "hw/forward_pass.py": ["tests/hw/test_engine.py"],
    "hw/training.py": ["tests/hw/test_engine.py"],
    "hw/row_training.py": ["tests/hw/test_row_training.py"],
    "hw/datapath/row_lists.py": ["tests/hw/test_row_training.py"],
    "hw/datapath/row_update.py": ["tests/hw/test_row_training.py"],
    "hw/memory/row_stores.py": ["tests/hw/test_row_training.py"],
    "hw/datapath/update_stages.py": ["tests/hw/datapath/test_update.py", "tests/hw/test_engine.py"],
    "hw/link/steps.py": ["tests/hw/link/test_commands.py"],
    "hw/core.py": ["tests/hw/link/test_commands.py"],
    "hw/link/answers.py": ["tests/hw/link/test_commands.py"],
    "hw/link/reader.py": ["tests/hw/link/test_commands.py"],
    "hw/link/samples.py": ["tests/hw/link/test_commands.py"],
    "hw/parts/ports.py": ["tests/hw/link/test_commands.py"],
    "hw/parts/pipeline.py": ["tests/hw/memory/test_stores.py", "tests/hw/datapath/test_array.py"],
    "units/perturb/direction.py": ["tests/units/perturb/test_direction.py",
                                   "tests/units/perturb/test_probes.py"],
    "units/perturb/loss.py": ["tests/units/perturb/test_probes.py"],
    "units/perturb/batch.py": ["tests/units/perturb/test_batch.py"],
    "units/support/granules.py": ["tests/units/support/test_rtl.py"],
    "units/support/purge.py": ["tests/units/support/test_rtl.py"],
    "units/support/store.py": ["tests/units/support/test_store.py",
                              "tests/units/support/test_rtl.py"],
}

OTHER = {ast.Add: "-", ast.Sub: "+", ast.BitAnd: "|", ast.BitOr: "&", ast.BitXor: "&",
         ast.LShift: ">>", ast.RShift: "<<"}
COMPARED = {ast.Eq: "!=", ast.NotEq: "==", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
#: Functions outside `elaborate` that make hardware, beside those that take the module ``m``.
HARDWARE = {"add_mod3", "canonical_mod3", "chains", "cuts", "exceeds", "heights_after", "perturbed",
            "popcount", "select", "sum_mod3", "times", "tree_sum"}
#: Times the limit after which tests that wait are given up.
WAITED = 4


class Edit(NamedTuple):
    """A place in a source, in bytes, and what stands there instead."""

    line: int
    kind: str
    begin: int
    end: int
    new: str


def edits(source: str, rtl: bool) -> list[Edit]:
    """All mutants of a module: of the bodies of its functions, in RTL of those that make some."""
    raw = source.encode()
    starts = [0]
    for line in raw.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(node) -> tuple[int, int]:
        return (starts[node.lineno - 1] + node.col_offset,
                starts[node.end_lineno - 1] + node.end_col_offset)

    found = set()
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        arguments = {argument.arg for argument in function.args.args}
        if rtl and not (function.name == "elaborate" or "m" in arguments
                        or function.name in HARDWARE):
            continue
        for statement in function.body:
            for node in ast.walk(statement):
                for kind, place, new in _changes(
                        node, rtl, lambda part: raw[slice(*span(part))].decode()):
                    found.add(Edit(place.lineno, kind, *span(place), new))
    return sorted(found)


def _changes(node, rtl: bool, text) -> Iterator[tuple[str, ast.expr, str]]:
    """Kind, place and text of the edits of one node."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield "number", node, str(node.value + 1)
    elif isinstance(node, ast.BinOp) and type(node.op) in OTHER:
        if isinstance(node.op, (ast.BitAnd, ast.BitOr)):
            for part in node.left, node.right:
                yield "condition", node, f"({text(part)})"
        else:
            yield "operator", node, (
                f"(({text(node.left)}) {OTHER[type(node.op)]} ({text(node.right)}))")
    elif isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARED:
        yield "comparison", node, (f"(({text(node.left)}) {COMPARED[type(node.ops[0])]} "
                                   f"({text(node.comparators[0])}))")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Invert, ast.Not)):
        yield "inversion", node, f"({text(node.operand)})"
    elif rtl and isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name == "Mux" and len(node.args) == 3:
            a, b, c = map(text, node.args)
            yield "branches", node, f"Mux({a}, {c}, {b})"
        elif name == "eq" and len(node.args) == 1:
            yield "assignment", node, "Signal().eq(0)"
        elif name in ("If", "Elif") and node.args:
            yield "condition", node.args[0], f"(Value.cast({text(node.args[0])}) == 0)"
    elif not rtl and isinstance(node, (ast.If, ast.While)):
        yield "condition", node.test, f"(not ({text(node.test)}))"
    elif not rtl and isinstance(node, ast.BoolOp):
        for part in node.values:
            yield "condition", node, f"({text(part)})"
    elif not rtl and isinstance(node, ast.AugAssign) and type(node.op) in OTHER:
        yield "operator", node, (  # type: ignore[misc]
            f"{text(node.target)} {OTHER[type(node.op)]}= {text(node.value)}")


def tests_of(path: str) -> list[str]:
    """Arguments of pytest: the nearest tests of a module, its proofs first."""
    module = path.removesuffix(".py").replace("/", ".")
    rows = [row.name for row in ROWS.values() if row.module == module and not row.long]
    found = NEAREST.get(path) or [test for test in nearest([path]) if test != ALWAYS]
    return [*(f"tests/hw/formal/test_proofs.py::test_property[{name}]" for name in rows
              if why_not() is None), *found]


def copy_tree(target: Path) -> dict[str, str]:
    """Copies what git knows of the tree; the environment in which its `tritgrad` is imported."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True,
                           check=True).stdout.split("\0")[:-1]
    for name in names:
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    for folder in target.iterdir():
        if (folder / "__init__.py").exists() and folder.name not in ("tests", "tritgrad"):
            (target / "tritgrad" / folder.name).symlink_to(folder)
    env = {**os.environ, "PYTHONPATH": str(target), "PYTHONDONTWRITEBYTECODE": "1",
           "TRITGRAD_CACHE": str(target / "cache"), "NUMBA_CACHE_DIR": str(target / "numba")}
    # An installed tritgrad must not come first: then every mutant would survive.
    for module in "hw.core", "host.cli.main", "units.registry":
        found = subprocess.run(
            [sys.executable, "-c", f"import tritgrad.{module} as m; print(m.__file__)"],
            cwd=target, env=env, capture_output=True, text=True, check=True).stdout.strip()
        if target not in Path(found).parents:
            raise SystemExit(f"tritgrad.{module} is {found}, not that of the copy in {target}")
    return env


def survives(tree: Path, env: dict[str, str], tests: list[str], limit: int) -> str:
    """How the tests end: killed, killed by time, survived, or without an answer."""
    with subprocess.Popen(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests],
            cwd=tree, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))) as run:
        try:
            code = run.wait(WAITED * limit)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            return "no answer"
    return {0: "survived", 1: "killed", 2: "killed", -signal.SIGXCPU: "killed by time"}.get(
        code, f"pytest ended with {code}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="*", default=FOLDERS, metavar="FOLDER",
                        help="folders or modules to draw from (default: %(default)s)")
    parser.add_argument("--count", type=int, default=32, metavar="N",
                        help="mutants to draw (default: %(default)s)")
    parser.add_argument("--seed", type=int, metavar="S", help="of the draw (default: a new one)")
    parser.add_argument("--limit", type=int, default=180, metavar="SECONDS",
                        help="of processor time for the tests of a mutant, each process by "
                             "itself (default: %(default)s)")
    options = parser.parse_args()
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    rng = random.Random(seed)
    print(f"seed {seed}")
    paths = {}
    for folder in options.folders:
        found = [ROOT / folder] if folder.endswith(".py") else sorted((ROOT / folder).rglob("*.py"))
        for path in found:
            name = path.relative_to(ROOT).as_posix()
            places = edits(path.read_text(), rtl=name.startswith(("hw/", "units/")))
            if places and tests_of(name):
                paths[name] = places
    names = rng.sample(sorted(paths), len(paths))
    survivors = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder)
        env = copy_tree(tree)
        for n in range(options.count):
            name = names[n % len(names)]
            kind = rng.choice(sorted({edit.kind for edit in paths[name]}))
            edit = rng.choice([edit for edit in paths[name] if edit.kind == kind])
            raw, began = (ROOT / name).read_bytes(), monotonic()
            (tree / name).write_bytes(
                raw[:edit.begin] + edit.new.encode() + raw[edit.end:])
            result = survives(tree, env, tests_of(name), options.limit)
            (tree / name).write_bytes(raw)
            old = " ".join(raw[edit.begin:edit.end].decode().split())
            line = f"{name}:{edit.line}: {old} -> {' '.join(edit.new.split())}"
            print(f"{result:16} {monotonic() - began:5.0f} s  {line}", flush=True)
            if result not in ("killed", "killed by time"):
                survivors.append(f"{result}: {line}\n    {' '.join(tests_of(name))}")
    print(f"{options.count} mutants, {len(survivors)} not killed")
    print("\n".join(survivors))
    return 0


if __name__ == "__main__":
    sys.exit(main())
