from pathlib import Path

import pytest

from tritgrad.errors import BadInput
from tritgrad.host.data.header import find_header

HERE = Path("d.csv")


def rows(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.split()]


@pytest.mark.parametrize("text, present", [
    ("a,b,y 1,2,x 3,4,z", True),
    ("1,2,3,low 7,18,17,high 4,11,2,low 9,1,4,high", False),
    ("5.1,?,1.4,setosa 2.0,0.7,0.2,setosa 1.6,0.8,1.0,virginica", False),
    ("0,a 107,b 14,a 121,b", False),
    ("5,0,0,12 3,0,7,12 5,0,9,12 7,0,3,12", False),
    ("400,410,420,label 0.1,0.3,0.2,x 0.5,0.1,0.2,y", True),
    ("400,410,420,430 0.1,0.3,0.2,1 0.5,0.1,0.2,0", True),
    ("400,410,420,label 380,470,510,x 500,310,260,y 410,430,600,x", True),
    ("0,1,2,3 7,2,0,1 0,6,7,0 5,6,0,0", True),
    (",0,1,2 0,7,2,x 1,0,6,y 2,5,6,y", True),
    ("1,2,label 5,6,x 7,3,y", True),
    ("0,1,2 5,6,x 7,3,y", True),
    ("outlook,windy,play sunny,no,yes rain,no,no sunny,yes,no", True),
    ("sunny,no,yes rain,no,no sunny,yes,no", False),
    ("True,1.5,x False,2.5,y True,3.5,x", False),
    ("a,smoker,y 1,yes,y 2,no,n 3,yes,n 4,no,y", True),
    ("400,410,420,430 380,470,510,1 500,310,260,0 410,430,600,1", True),
    ("a,b,c,x 1,2,3,x 4,5,6,y", True),  # a class named as its column
])
def test_a_header_is_told_from_data(text: str, present: bool) -> None:
    found = find_header(HERE, rows(text))
    assert found.present == present
    assert found.names == ([n for n in rows(text)[0] if n] if present
                           else [f"x{i + 1}" for i in range(len(rows(text)[0]))])


@pytest.mark.parametrize("text", [
    "5.1,3.5,1 4.9,3,1", "1,2,3 4,5,6 7,8,9", "n/d,x 1,x 2,y",
    "400,410,427,430 380,470,510,1 500,310,260,0 410,430,600,1",
    "9,8,7 1,2,3 4,5,6",
])
def test_what_may_be_both_is_refused_unless_told(text: str) -> None:
    with pytest.raises(BadInput, match=r"^d\.csv: the first row \(.*\) may be a header or data; "
                                       r"give --header yes or --header no$"):
        find_header(HERE, rows(text))
    assert find_header(HERE, rows(text), "no").names[0] == "x1"
    assert find_header(HERE, rows(text), "yes").names == rows(text)[0]


def test_known_names_make_a_header() -> None:
    text = rows("7,8,9 1,2,3 4,5,6")
    assert find_header(HERE, text, known=("9", "7")).present
    with pytest.raises(BadInput, match="--header must be auto, yes, no, not 'maybe'"):
        find_header(HERE, text, "maybe")


@pytest.mark.parametrize("text, names, cut, note", [
    (",a,y 0,1.5,x 1,2.5,y", ["a", "y"], slice(1, None), "no name and is left out as an index"),
    ("a,y r1,1.5,x r2,2.5,y", ["a", "y"], slice(1, None), "a row name above which"),
    ("a,y 1.5,x, 2.5,y,", ["a", "y"], slice(None, -1), "the empty cell at the end of each row"),
    ("a,y, 1.5,p, 2.5,q,", ["a", "y"], slice(None, -1), "the empty last column"),
])
def test_columns_without_a_name(text: str, names: list[str], cut: slice, note: str) -> None:
    found = find_header(HERE, rows(text))
    assert (found.names, found.cut, found.width) == (names, cut, 3)
    assert len(found.notes) == 1 and note in found.notes[0]


def test_only_the_first_column_may_lack_a_name() -> None:
    with pytest.raises(BadInput, match="column 2 has no name in the header row"):
        find_header(HERE, rows("a,,y 1,2,x 3,4,z"))
    with pytest.raises(BadInput, match="two columns have the name 'a'"):
        find_header(HERE, rows("a,a,y 1,2,x 3,4,z"))
    with pytest.raises(BadInput, match="is empty"):
        find_header(HERE, [])


def test_the_name_that_pandas_gives_an_index_is_none() -> None:
    found = find_header(HERE, [["Unnamed: 0", "a", "y"], ["0", "1.5", "p"], ["1", "2.5", "q"]])
    assert found.names == ["a", "y"] and found.cut == slice(1, None)
