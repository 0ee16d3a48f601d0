from pathlib import Path

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.data.columns import Column
from tritgrad.host.data.datasets import load
from tritgrad.host.data.features import read_features
from tritgrad.host.data.reading import Layout, Reading
from tritgrad.host.data.tables import Table, read_csv

ROWS = "a,colour,on,y\n1,red,True,x\n2,blue,False,z\n4,red,true,x\n5,green,FALSE,z\n"


def written(tmp_path: Path, text: str, name: str = "data.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def table(tmp_path: Path, text: str, **options: object) -> Table:
    return read_csv(written(tmp_path, text), Reading(**options))  # type: ignore[arg-type]


def test_text_is_one_input_for_each_value_and_truth_is_a_number(tmp_path: Path) -> None:
    found = table(tmp_path, ROWS)
    assert found.columns == ("a", "colour=blue", "colour=green", "colour=red", "on")
    assert found.values.tolist() == [[1, 0, 0, 1, 1], [2, 1, 0, 0, 0], [4, 0, 0, 1, 1],
                                     [5, 0, 1, 0, 0]]
    assert "text columns, an input for each value: colour (3)" in found.notes
    assert "True is read as 1, False as 0 in on" in found.notes


def test_numbers_beside_text_are_an_error_and_not_a_category(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="line 4, column 'a': 'five' is not a finite number$"):
        table(tmp_path, "a,y\n1,x\n2,z\nfive,x\n6,z\n")
    late = "a,y\n" + "1,x\n" * 1500 + "two,x\n"
    with pytest.raises(BadInput, match="line 1502, column 'a': 'two' is not a finite number$"):
        table(tmp_path, late)
    with pytest.raises(BadInput, match="'1,5' is not a finite number; --decimal , reads"):
        table(tmp_path, "a;y\n1,5;x\n2;z\n", decimal=".")


@pytest.mark.parametrize("cells, kind", [
    ([f"name {i}" for i in range(40)], "text with 40 different values in 40 rows"),
    ([f"2024-01-0{1 + i % 5}" for i in range(40)], "dates or times with 5 different values"),
    ([f"{i % 70}th" for i in range(400)], "text with 70 different values in 400 rows"),
])
def test_text_that_can_be_no_category_is_refused(tmp_path: Path, cells: list[str],
                                                 kind: str) -> None:
    text = "when,y\n" + "".join(f"{c},{'xz'[i % 2]}\n" for i, c in enumerate(cells))
    with pytest.raises(BadInput, match=f"line 2, column 'when': .*{kind}.*--drop when$"):
        table(tmp_path, text)


HOLES = "a,kind,y\n1,u,x\n?,v,z\n3,,x\n4,v,NA\n8,u,z\n"


def test_missing_values_are_refused_dropped_or_filled(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"line 3, column 'a': missing value '\?'; --missing drop"):
        table(tmp_path, HOLES)
    with pytest.raises(BadInput, match="line 2, column 'y': missing label 'nan'; --missing drop"):
        table(tmp_path, "a,y\n1,nan\n2,x\n3,z\n")
    found = table(tmp_path, HOLES, missing="drop")
    assert found.values.tolist() == [[1, 1], [8, 1]] and found.labels.tolist() == ["x", "z"]
    assert found.dropped == 3
    assert found.starts is not None and found.starts.tolist() == [1]
    found = table(tmp_path, HOLES, missing="mean")
    assert found.labels.tolist() == ["x", "z", "x", "z"] and found.dropped == 1
    assert np.isnan(found.values[1, 0]) and found.values[2].tolist() == [3, 0, 0]
    assert "column 'a' lacks 1 values" in found.notes
    found = table(tmp_path, HOLES, missing="mean", classes=("NA", "x", "z"))
    assert found.labels.tolist() == ["x", "z", "x", "NA", "z"] and found.dropped == 0
    with pytest.raises(BadInput, match="all 2 rows lack a value"):
        table(tmp_path, "a,b,y\n1,,x\n2,,z\n", missing="drop")


def test_the_mean_is_that_of_the_training_rows_and_goes_with_the_model(tmp_path: Path) -> None:
    train = written(tmp_path, "a,b,y\n" + "".join(f"{i},{i},{'xz'[i % 2]}\n" for i in range(8))
                    + ",3,x\n")
    test = written(tmp_path, "a,b,y\n?,1,x\n100,2,z\n", "test.csv")
    data = load(str(train), test=test, reading=Reading(missing="mean"), planes=8)
    assert data.layout is not None and data.layout.fill == (3.5, 31 / 9)
    assert data.x_train[8].tolist() == data.x_test[0].tolist()[:1] + [109]
    layout = Layout.from_json(data.layout.as_json())
    assert layout == data.layout
    rows = read_features(test, layout=layout)
    assert rows.values.tolist() == [[3.5, 1], [100, 2]]
    plain = load(str(written(tmp_path, "a,b,y\n" + "1,2,x\n3,4,z\n" * 5))).layout
    with pytest.raises(BadInput, match="--missing mean needs a model that was trained with it"):
        read_features(test, layout=plain, reading=Reading(missing="mean"))
    with pytest.raises(BadInput, match="no training row has a value in column 'a'"):
        load(str(written(tmp_path, "a,b,y\n" + ",2,x\n,4,z\n" * 5)),
             reading=Reading(missing="mean"))


def test_columns_are_left_out_as_told(tmp_path: Path) -> None:
    found = table(tmp_path, ROWS, drop=("colour", "on"))
    assert found.columns == ("a",) and "left out as told: colour, on" in found.notes
    assert table(tmp_path, ROWS, drop=("y",), label="on").label_column == "on"
    with pytest.raises(BadInput, match="has no column 'b'; its columns are a, colour, on, y$"):
        table(tmp_path, ROWS, drop=("b",))
    with pytest.raises(BadInput, match="has no feature beside the label 'y'$"):
        table(tmp_path, ROWS, drop=("a", "colour", "on"))
    with pytest.raises(BadInput, match="--drop leaves no column"):
        table(tmp_path, ROWS, drop=("a", "colour", "on", "y"))


def test_a_label_by_number(tmp_path: Path) -> None:
    for label in ("2", "-3"):
        assert table(tmp_path, ROWS, label=label).label_column == "colour"
    assert table(tmp_path, "1.5,x,2\n2.5,z,3\n3.5,x,2\n4.5,x,2\n", label="2").labels.tolist() == [
        "x", "z", "x", "x"]
    with pytest.raises(BadInput, match="has no column '5'; its columns are a, colour, on, y"):
        table(tmp_path, ROWS, label="5")


def test_another_file_is_read_as_the_one_of_the_training(tmp_path: Path) -> None:
    layout = table(tmp_path, ROWS).layout
    assert layout is not None
    other = written(tmp_path, "id;y;on;a;colour\n7;x;False;1,5;red\n8;z;True;2,5;pink\n", "o.csv")
    found = read_csv(other, layout=layout)
    assert found.values.tolist() == [[1.5, 0, 0, 1, 0], [2.5, 0, 0, 0, 1]]
    assert found.labels.tolist() == ["x", "z"] and found.label_reason == "as in training"
    assert "columns the model does not use: id" in found.notes
    assert "columns are in another order than in training; they go by their names" in found.notes
    assert found.warnings == (
        "column 'colour' has values unknown from training in 1 rows, as 'pink'",)
    assert read_features(other, layout=layout).values.tolist() == found.values.tolist()
    with pytest.raises(BadInput, match="column 'on': 'maybe' is neither True nor False"):
        read_features(written(tmp_path, "a,colour,on\n1,red,maybe\n"), layout=layout)
    with pytest.raises(BadInput, match="lacks the column 'on'; needed are a, colour, on$"):
        read_features(written(tmp_path, "a,colour\n1,red\n"), layout=layout)


def test_files_without_a_header_go_by_place(tmp_path: Path) -> None:
    layout = table(tmp_path, "a,b,y\n1,2,x\n3,4,z\n").layout
    for text, rows in (("5,6,x\n7,8,x\n9,1,z\n", 3), ("5,6\n7,8\n6,7\n", 3)):
        found = read_features(written(tmp_path, text), layout=layout, reading=Reading(header="no"))
        assert found.values[0].tolist() == [5, 6] and len(found.values) == rows
    with pytest.raises(BadInput, match="has 4 columns and no names to tell them by; the training"):
        read_features(written(tmp_path, "1,2,3,4\n"), layout=layout, reading=Reading(header="no"))
    bare = table(tmp_path, "1.5,x\n2.5,z\n1.75,x\n2.25,z\n").layout
    assert bare is not None and not bare.header and bare.order == ("x1", "x2")
    found = read_features(written(tmp_path, "length,kind\n1,x\n2,z\n"), layout=bare)
    assert found.values.tolist() == [[1], [2]]


def test_numbers_that_float64_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    low = 2**62
    text = "a,y\n" + "".join(f"{low + i},{'xz'[i % 2]}\n" for i in range(20))
    with pytest.raises(BadInput, match=r"column 'a': numbers as large as 4\.61.*subtract"):
        table(tmp_path, text)
    nanoseconds = "a,y\n" + "".join(f"{low + i * 10**9},{'xz'[i % 2]}\n" for i in range(20))
    assert len(np.unique(table(tmp_path, nanoseconds).values)) == 20


def test_what_only_counts_rows_is_told(tmp_path: Path) -> None:
    text = "id,a,y\n" + "".join(f"{i},{i * 7 % 5},{'xz'[i % 2]}\n" for i in range(20))
    assert table(tmp_path, text).warnings == (
        "column 'id' only counts the rows; --drop id leaves it out",)
    text = "a,id,b,y\n" + "".join(f"{i * 7 % 5},{i},{i * 3 % 4},{'xz'[i % 2]}\n" for i in range(20))
    assert table(tmp_path, text).warnings == (
        "column 'id' only counts the rows; --drop id leaves it out",)
    assert Column("c", "category", ("u", "v")).inputs == ["c=u", "c=v"]
