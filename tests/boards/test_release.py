"""Hashes of bitstreams: the committed list, and what a build is compared with."""

import hashlib

import pytest

from tritgrad.boards import BOARDS
from tritgrad.boards.recipe import builds
from tritgrad.boards.release import HASHES, hash_of, hashes, released, verify
from tritgrad.boards.report import REPORTS, last_report
from tritgrad.errors import BadInput, ToolError


def test_the_committed_list_is_that_of_the_reports():
    text = (REPORTS / HASHES).read_text()
    assert text == hashes()
    named = {line.split()[1].partition("/")[0] for line in text.splitlines()}
    assert set(BOARDS) <= named <= {made.build for board in BOARDS.values()
                                    for made in builds(board)}


def test_a_file_or_a_hash_says_what_is_wanted(tmp_path):
    path = tmp_path / "top.bin"
    path.write_bytes(b"bits")
    digest = hashlib.sha256(b"bits").hexdigest()
    assert hash_of(str(path)) == hash_of(digest.upper()) == digest
    with pytest.raises(BadInput, match=r"a bitstream or its SHA-256, not 'abc'"):
        hash_of("abc")


def test_another_bitstream_is_refused_with_both_hashes_and_the_tools():
    report = last_report(BOARDS["icebreaker"])
    own = report.bitstream["sha256"]
    verify(report, own)
    assert released(BOARDS["icebreaker"], own) and not released(BOARDS["icesugar"], own)
    with pytest.raises(ToolError, match=f"is {own}, not {'0' * 64}.*seed {report.seed}, yosys "):
        verify(report, "0" * 64)
