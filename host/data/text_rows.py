"""Rows of cells from a text file: its encoding, delimiter and decimal mark, told or found out."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ...errors import BadInput
from .npz import need_file

__all__ = ["DECIMALS", "MISSING", "NUMBER", "Dialect", "find_dialect", "is_missing",
           "parse_delimiter", "read_rows"]

#: A finite number as people write it, and as they write it with a decimal comma.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?\Z", re.ASCII)
#: A comma that may as well set off thousands.
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+\Z", re.ASCII)
#: With marks between thousands: these are not read, but no delimiter splits them.
GROUPED = re.compile(r"[+-]?\d{1,3}([.,]\d{3})+([.,]\d+)?\Z", re.ASCII)
#: How a cell says that it has no value, in lower case: what pandas takes for it, ? and a point.
MISSING = frozenset(("", "?", ".", "na", "n/a", "#n/a", "#n/a n/a", "#na", "<na>", "n.a.", "nan",
                     "-nan", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "nat", "null", "none"))

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
DECIMALS = (".", ",")
#: Tried in this order where two explain a file equally well: a comma is often a decimal mark.
CANDIDATES = ("\t", ";", "|", ",")
#: Rows that are looked at to find out how a file is written.
SAMPLE = 200
BLOCK = 1 << 20
#: Bytes that no text has: control characters but tab, line feed, vertical tab, form feed, return.
BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True)
class Dialect:
    """How a file is written.

    Attributes
    ----------
    encoding
        As Python calls it.
    delimiter
        Between two cells; a space stands for any run of them.
    decimal
        ``.`` or ``,``.
    sep_line
        Whether the first line is Excel's ``sep=;``, which is no row.
    """

    encoding: str
    delimiter: str
    decimal: str = "."
    sep_line: bool = False

    def notes(self) -> list[str]:
        """What is worth saying about a file that is not plain UTF-8 with commas and points."""
        found = []
        if self.encoding not in ("utf-8", "utf-8-sig"):
            name = {"latin-1": "Latin-1", "cp1252": "Latin-1 (Windows-1252)"}.get(
                self.encoding, self.encoding.upper())
            found.append(f"read as {name} text")
        word = next((f"{w}s" for w, c in DELIMITERS.items() if c == self.delimiter),
                    repr(self.delimiter))
        if self.delimiter != ",":
            found.append(f"cells are separated by {word}")
        if self.decimal == ",":
            found.append("numbers have a decimal comma")
        return found


def parse_delimiter(text: str | None) -> str | None:
    """The delimiter that an option names: one character, or a word for it; None for auto."""
    if text is None or text == "auto":
        return None
    found = DELIMITERS.get(text.lower(), {"\\t": "\t"}.get(text, text))
    if len(found) != 1 or found in "\"\r\n" or found.isalnum():
        raise BadInput(f"--delimiter must be one character or {', '.join(DELIMITERS)}, "
                       f"not {text!r}")
    return found


def is_missing(cell: str) -> bool:
    """Whether a cell says that it has no value."""
    return cell.lower() in MISSING


def find_dialect(path: Path, delimiter: str | None = None,
                 decimal: str | None = None) -> Dialect:
    """How the file is written; what is given is not looked for.

    The delimiter is the one with which most rows are equally long and most cells numbers.

    Raises
    ------
    BadInput
        No such file, no text, or a decimal mark that can be read in two ways.
    """
    if decimal not in (None, "auto", *DECIMALS):
        raise BadInput(f"--decimal must be . or , not {decimal!r}")
    encoding = _encoding(path)
    first = next(_lines(path, encoding), "").strip().strip('"')
    sep_line = first.lower().startswith("sep=") and len(first) <= 5
    if delimiter is None and sep_line:
        delimiter = first[4:] or "\t"  # a tab was stripped
    if delimiter is None:
        scores = {c: _score(path, Dialect(encoding, c, sep_line=sep_line)) for c in CANDIDATES}
        best = max(scores.values())
        delimiter = next((c for c in CANDIDATES if scores[c] == best), ",") if best else ","
    found = Dialect(encoding, delimiter, sep_line=sep_line)
    if decimal in (None, "auto"):
        sample = [cells for _, cells in islice(_quietly(path, found), SAMPLE)]
        decimal = _decimal(path, sample[1:] or sample)
    return Dialect(encoding, delimiter, decimal or ".", sep_line)


def read_rows(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of every row that is not blank."""
    reader, skipped = None, 0
    try:
        with path.open(encoding=dialect.encoding, newline="") as file:
            if dialect.sep_line:
                file.readline()
                skipped = 1
            spaces = dialect.delimiter == " "
            lines = (" ".join(line.split()) + "\n" for line in file) if spaces else file
            reader = csv.reader(lines, delimiter=dialect.delimiter, strict=True,
                                skipinitialspace=dialect.delimiter != "\t")
            for cells in reader:
                stripped = [cell.strip() for cell in cells]
                if stripped not in ([], [""]):
                    yield reader.line_num + skipped, stripped
    except UnicodeDecodeError:
        raise BadInput(f"{path} is no {dialect.encoding.upper()} text") from None
    except csv.Error as error:
        line = reader.line_num + skipped if reader else 1
        raise BadInput(f"{path}, line {line}: {error}") from None
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from None


def _encoding(path: Path) -> str:
    need_file(path)
    try:
        with path.open("rb") as file:
            head = file.read(4096)
            if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                return "utf-16"
            half = len(head) // 2
            if half > 8 and (zeros := max(head[1::2].count(0), head[::2].count(0))) > 0.4 * half:
                return "utf-16-le" if head[1::2].count(0) == zeros else "utf-16-be"
            decoder, plain, windows = codecs.getincrementaldecoder("utf-8")(), True, False
            block = head
            while block:
                if BINARY.search(block):
                    raise BadInput(f"{path} is no text: it holds control characters")
                if plain:
                    try:
                        decoder.decode(block)
                    except UnicodeDecodeError:
                        plain = False
                windows = windows or any(0x80 <= byte < 0xa0 for byte in set(block))
                block = file.read(BLOCK)
            if plain:
                try:
                    decoder.decode(b"", final=True)
                except UnicodeDecodeError:
                    plain = False
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from None
    if plain:
        return "utf-8-sig"
    return "cp1252" if windows else "latin-1"


def _lines(path: Path, encoding: str) -> Iterator[str]:
    try:
        with path.open(encoding=encoding, newline=None) as file:
            yield from file
    except UnicodeDecodeError:
        raise BadInput(f"{path} is no {encoding.upper()} text") from None


def _quietly(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """The rows as far as they can be read: what is wrong is told when the file is read."""
    try:
        yield from read_rows(path, dialect)
    except BadInput:
        return


def _score(path: Path, dialect: Dialect) -> float:
    """How well a delimiter explains the first rows: 0 if it does not."""
    rows = [cells for _, cells in islice(_quietly(path, dialect), SAMPLE)]
    if not rows:
        return 0.0
    width, same = Counter(map(len, rows)).most_common(1)[0]
    if width < 2:
        return 0.0
    cells = [cell for row in rows for cell in row]
    numbers = sum(any(form.match(cell) for form in (NUMBER, COMMA, GROUPED)) for cell in cells)
    return same / len(rows) * (0.05 + numbers / len(cells))


def _decimal(path: Path, rows: Sequence[Sequence[str]]) -> str:
    """The decimal mark of the columns that hold nothing but numbers."""
    commas: list[str] = []
    points: list[str] = []
    for number in range(max(map(len, rows), default=0)):
        cells = [row[number] for row in rows if len(row) > number and not is_missing(row[number])]
        with_comma = [cell for cell in cells if COMMA.match(cell) or THOUSANDS.match(cell)]
        if with_comma and all(NUMBER.match(c) and "." not in c or COMMA.match(c)
                              or THOUSANDS.match(c) for c in cells):
            commas += with_comma
        elif cells and all(map(NUMBER.match, cells)):
            points += [cell for cell in cells if "." in cell]
    if commas and all(map(THOUSANDS.match, commas)):
        raise BadInput(f"{path}: {commas[0]!r} may have a decimal comma or set off thousands; "
                       f"give --decimal , or write numbers without it")
    if commas and points:
        raise BadInput(f"{path} mixes decimal commas ({commas[0]!r}) and points ({points[0]!r}); "
                       f"give --decimal . or , for the columns to read as numbers")
    return "," if commas else "."
