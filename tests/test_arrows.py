"""The direction of imports: every arrow of the tree is listed here, and none leads back up."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
#: Modules of the public face that stand below all others.
BELOW_ALL = {"tritgrad": "version", "tritgrad.errors": "errors", "tritgrad.cache": "cache",
             "tritgrad.option": "option", "tritgrad.host.text": "host.text"}
FOLDERS = ("tritgrad", "boards", "firmware", "host", "hw", "model", "sim", "units")

#: Of each group of modules, the groups that it may import. `units` are the records, `units.rtl`
#: what a unit is made of, its golden part too; `hw` are the modules that put a core together.
#: `tritgrad` is what stands above all: the command's entry.
ARROWS = {
    "version": (),
    "errors": (),
    "cache": (),
    "option": (),
    "firmware": ("errors",),
    "units": ("errors", "firmware", "option"),
    "model": ("cache", "errors", "firmware", "option", "units"),
    "units.host": ("errors", "firmware", "units", "model"),
    "hw.parts": ("errors", "firmware", "units", "model"),
    "hw.memory": ("hw.parts", "model"),
    "hw.control": ("firmware", "units", "model", "hw.parts", "hw.memory"),
    "hw.datapath": ("units", "model", "hw.parts", "hw.memory"),
    "units.rtl": ("firmware", "units", "model", "hw.parts", "hw.memory", "hw.datapath"),
    "hw.link": ("version", "firmware", "units", "model", "hw.parts", "hw.memory",
                "hw.store"),
    "hw.wrappers": ("firmware",),
    "hw.store": ("version", "errors", "firmware", "model", "hw.parts"),
    "hw": ("version", "errors", "firmware", "units", "model", "hw.parts", "hw.memory",
           "hw.control", "hw.datapath", "hw.link", "hw.wrappers", "units.rtl"),
    "boards": ("version", "errors", "firmware", "units", "model", "hw.parts", "hw.memory",
               "hw.link", "hw.store", "hw"),
    "sim": ("cache", "errors", "firmware", "units", "model", "hw", "hw.store", "boards"),
    "rules": ("errors", "firmware", "option", "units", "model"),
    "host.text": (),
    "host.data": ("cache", "errors", "option", "model"),
    "host.device": ("errors", "firmware", "units", "model", "boards", "sim"),
    "host.run": ("version", "errors", "firmware", "option", "units", "model", "rules", "host.data",
                 "host.device", "host.text"),
    "host.selftest": ("errors", "firmware", "units", "model", "boards", "host.device",
                      "host.run"),
    "host.interchange": ("errors", "model", "host.data", "host.run"),
    "host.live": ("errors", "model", "host.data", "host.run"),
    "host.api": ("errors", "model", "rules", "units", "host.data", "host.run"),
    "host.sweep": ("errors", "model", "boards", "host.data", "host.device", "host.run"),
    "host.cli": ("cache", "version", "errors", "firmware", "option", "units", "model", "rules",
                 "hw", "boards", "sim", "host.data", "host.device", "host.run",
                 "host.interchange", "host.live", "host.selftest", "host.sweep", "host.text"),
    "sources": ("version", "errors", "model", "host.data", "host.run", "host.cli"),
    "tritgrad": ("version", "errors", "firmware", "units", "model", "boards", "sim",
                 "host.data", "host.device", "host.run", "host.cli"),
}


def modules():
    """Each module's dotted name below `tritgrad`, and its file."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts if parts[0] == "tritgrad" else ("tritgrad", *parts))
            yield name.removesuffix(".__init__"), path


def imported(name, path, known):
    """Modules that a module imports, also inside functions and for type checks alone."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            base = package.split(".")[:len(package.split(".")) - node.level + 1]
            source = ".".join([*(base if node.level else []), *filter(None, [node.module])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                if inner in known or source in known:
                    yield inner if inner in known else source
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)


def group(name, path):
    """The group of a module."""
    parts = name.split(".")
    if name in BELOW_ALL:
        return BELOW_ALL[name]
    if parts[1] == "units":
        if path.name in ("__init__.py", "device_part.py", "part.py", "record.py", "registry.py",
                         "run_part.py"):
            return "units"
        return "units.host" if path.name in ("device.py", "run.py") else "units.rtl"
    if parts[1] == "sources":
        return "sources"
    if parts[1] in ("hw", "host") and path.parent.name != parts[1]:
        return ".".join(parts[1:3])
    return parts[1] if parts[1] in ARROWS else "tritgrad"


def arrows():
    """Pairs of modules, the second imported by the first."""
    known = dict(modules())
    return [(name, other) for name, path in known.items() for other in imported(name, path, known)
            if other != name]


def test_the_list_itself_leads_downward():
    assert list(TopologicalSorter(ARROWS).static_order())


def test_every_import_is_an_arrow_of_the_list():
    known = dict(modules())
    wrong = sorted({f"{name} -> {other}" for name, other in arrows()
                    if (a := group(name, known[name])) != (b := group(other, known[other]))
                    and b not in ARROWS[a]})
    assert not wrong, "imports against the direction: " + ", ".join(wrong)


def test_no_module_imports_itself_through_others():
    graph = {}
    for name, other in arrows():
        if not (name + ".").startswith(other + "."):  # a package is there before its modules
            graph.setdefault(name, set()).add(other)
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(("line", "found"), [
    ("from ..model.config import CoreConfig", "tritgrad.model.config"),
    ("from .. import model", "tritgrad.model"),
    ("import tritgrad.model.config", "tritgrad.model.config"),
    ("def f():\n    from tritgrad.model import config", "tritgrad.model.config"),
])
def test_an_arrow_is_seen_however_it_is_written(tmp_path, line, found):
    path = tmp_path / "isa.py"
    path.write_text(line)
    assert list(imported("tritgrad.firmware.isa", path, dict(modules()))) == [found]


def test_the_index_of_places_names_files_that_are_there():
    page = (ROOT / "docs" / "architecture.md").read_text().split("## Where is", 1)[1]
    rows = [line.strip("| ").split("|") for line in page.splitlines() if line.startswith("| ")][1:]
    hits = [next(cell for cell in reversed(row) if cell.strip()).strip(" `") for row in rows]
    assert len(hits) == 10
    assert [hit for hit in hits if not (ROOT / hit).is_file()] == []
