from pathlib import Path

import pytest

from tritgrad.errors import BadInput
from tritgrad.host.data.text_rows import Dialect, find_dialect, parse_delimiter, read_rows

PLAIN = "a,b,y\n0.5,1.25,x\n2.5,-3,y\n"


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("text, delimiter, decimal", [
    (PLAIN, ",", "."),
    (PLAIN.replace(",", ";"), ";", "."),
    (PLAIN.replace(",", "\t"), "\t", "."),
    (PLAIN.replace(",", "|"), "|", "."),
    (PLAIN.replace(",", ";").replace(".", ","), ";", ","),
    ("0,5;1,25;x\n2,5;-3;y\n0,75;1,5;x\n", ";", ","),  # without a header, commas and all
    ("1,5;rot\n2,25;blau\n", ";", ","),
    ("0,471;-0,698;4,21;0\n" * 5, ";", ","),
    ('"a","b","y"\n"0,5","1,25","x"\n', ",", ","),
    ("a,b,y\n1,2,x;y\n3,4,z;y\n", ",", "."),  # the same number of semicolons in each row
    ("t,a,y\n10:20:30,1,x\n10:20:31,2,y\n", ",", "."),
    ("a\tname\n1.5\tSmith, J\n2.5\tMiller, K\n", "\t", "."),
    ("a;b;y\n1;2;x\n", ";", "."),
    ("sep=;\na;b;y\n1,5;2;x\n", ";", ","),
    ("sep=,\na,b,y\n1.5,2,x\n", ",", "."),
    ("sep=\t\na\tb\ty\n1.5\t2\tx\n", "\t", "."),
    ("2,5;x\n1.234,5;y\n", ";", "."),  # points between thousands are no number
    ("a\n1\n2\n", ",", "."),
    ("", ",", "."),
])
def test_delimiter_and_decimal_mark_are_found(tmp_path: Path, text: str, delimiter: str,
                                              decimal: str) -> None:
    found = find_dialect(written(tmp_path, text))
    assert (found.delimiter, found.decimal) == (delimiter, decimal)
    assert found.sep_line == text.startswith("sep=")


def test_what_is_told_is_not_looked_for(tmp_path: Path) -> None:
    path = written(tmp_path, PLAIN)
    assert find_dialect(path, ";").delimiter == ";"
    assert find_dialect(path, decimal=",").decimal == ","
    assert find_dialect(written(tmp_path, "sep=;\n1;2\n"), ",").delimiter == ","
    for text, delimiter in (("semicolon", ";"), ("TAB", "\t"), ("\\t", "\t"), (";", ";"),
                            ("space", " "), ("auto", None), (None, None)):
        assert parse_delimiter(text) == delimiter
    for text in ("", ",,", "x", '"', "\n"):
        with pytest.raises(BadInput, match="^--delimiter must be one character or comma, "):
            parse_delimiter(text)
    with pytest.raises(BadInput, match=r"^--decimal must be \. or , not ':'$"):
        find_dialect(path, decimal=":")


def test_commas_that_may_be_two_things_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "a;y\n1,234;x\n2,500;y\n")
    with pytest.raises(BadInput, match="'1,234' may have a decimal comma or set off thousands; "
                                       "give --decimal"):
        find_dialect(path)
    assert find_dialect(path, decimal=",").decimal == ","
    path = written(tmp_path, "a;b;y\n1,5;2.5;x\n2,5;3.5;y\n")
    with pytest.raises(BadInput, match=r"mixes decimal commas \('1,5'\) and points \('2.5'\)"):
        find_dialect(path)


@pytest.mark.parametrize("encoding, note", [
    ("utf-8", None), ("utf-8-sig", None), ("utf-16", "read as UTF-16 text"),
    ("utf-16-le", "read as UTF-16-LE text"), ("utf-16-be", "read as UTF-16-BE text"),
    ("latin-1", "read as Latin-1 text"), ("cp1252", "read as Latin-1 (Windows-1252) text"),
])
def test_encodings_are_found_and_named(tmp_path: Path, encoding: str, note: str | None) -> None:
    word = "männlich" + ("€" if encoding == "cp1252" else "")
    path = written(tmp_path, f"größe,geschlecht\n1.5,{word}\n2.5,{word}\n".encode(encoding))
    dialect = find_dialect(path)
    assert [cells for _, cells in read_rows(path, dialect)] == [
        ["größe", "geschlecht"], ["1.5", word], ["2.5", word]]
    assert dialect.notes() == ([] if note is None else [note])


def test_a_letter_cut_by_a_block_is_still_utf_8(tmp_path: Path) -> None:
    text = "a,y\n" + "1,é\n" * 3000
    assert any(text.encode()[at] & 0xc0 == 0x80 for at in (4096, 4097, 4098, 4099, 4100))
    for shift in range(5):
        path = written(tmp_path, "b" * shift + text)
        assert find_dialect(path).encoding == "utf-8-sig"


def test_all_line_ends_and_runs_of_spaces(tmp_path: Path) -> None:
    for end in ("\n", "\r\n", "\r"):
        path = written(tmp_path, PLAIN.replace("\n", end))
        assert list(read_rows(path, find_dialect(path)))[1] == (2, ["0.5", "1.25", "x"])
    path = written(tmp_path, "  1   2 x\n3 \t 4   y \n")
    rows = [cells for _, cells in read_rows(path, Dialect("utf-8", " "))]
    assert rows == [["1", "2", "x"], ["3", "4", "y"]]
    path = written(tmp_path, "sep=;\n1;2\n3;\"4\n")
    with pytest.raises(BadInput, match="line 3: unexpected end of data"):
        list(read_rows(path, find_dialect(path, ";")))
