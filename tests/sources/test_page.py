"""The page docs/sources.md is what happens when one follows it."""

import doctest
import re
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sources.md"
#: Marks a block that needs PyTorch.
TORCH = doctest.register_optionflag("TORCH")


def blocks():
    """Each block of Python: its text, its line, whether it needs PyTorch."""
    for found in re.finditer(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S):
        line = PAGE.read_text()[:found.start()].count("\n") + 1
        yield found[1], line, "+TORCH" in found[1]


def test_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before, names, ran = dict(sys.modules), {}, 0
    runner, parser = doctest.DocTestRunner(), doctest.DocTestParser()
    told = []
    try:
        for text, line, torch in blocks():
            if torch and find_spec("torch") is None:
                continue
            if torch:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # PyTorch's own, while it is imported
                    pytest.importorskip("torch")
            test = parser.get_doctest(text, names, "sources.md", str(PAGE), line)
            assert test.examples, f"line {line} runs nothing"
            runner.run(test, out=told.append, clear_globs=False)
            names.update(test.globs)
            ran += 1
    finally:
        for name in set(sys.modules) - set(before):
            if not name.startswith(("torch", "tritgrad", "numpy")):
                del sys.modules[name]
    assert not runner.failures, "".join(told)
    assert ran >= 9 and (tmp_path / "threshold_trace.svg").exists()


def test_the_table_is_the_benchs():
    results = PAGE.parents[1] / "bench" / "results"
    import json
    found = [json.loads((results / f"sign_vote_{name}.json").read_text())["test"]
             for name in ("digits", "mnist")]
    page = PAGE.read_text()
    for row in found[0]:
        cells = " | ".join(", ".join(f"{value:.1f}" for value in test[row]) for test in found)
        assert cells in page.replace("*", ""), row
