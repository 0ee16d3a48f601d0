import re

import pytest

from tritgrad.errors import BadInput
from tritgrad.host.data.labels import choose_label, match_labels, near_spellings, suspicion


@pytest.mark.parametrize("names, chosen, why", [
    (["label", "p0", "p1"], "label", "by its name"), (["p", "Class", "q"], "Class", "by its name"),
    (["y", "a", "date"], "y", "by its name"), (["x", "y", "z", "activity"], "activity", "the last"),
    (["a", "b", "kind"], "kind", "the last column"), (["a", "target"], "target", "by its name"),
])
def test_the_label_goes_by_its_name_or_is_last(names: list[str], chosen: str, why: str) -> None:
    place, reason = choose_label("d.csv", names, None)
    assert names[place] == chosen and reason.startswith(why)
    assert choose_label("d.csv", names, names[0]) == (0, "as told")


def test_two_names_that_say_label_are_refused() -> None:
    with pytest.raises(BadInput, match="has 2 columns that may be the label by their names: class, "
                                       "target; give --label"):
        choose_label("d.csv", ["class", "a", "target"], None)


@pytest.mark.parametrize("labels, why", [
    ([f"{i}.5" for i in range(5)] * 20, r"measured numbers \(0\.5\)"),
    ([str(i * 37) for i in range(88)], "88 different values, 88 of them in one or two rows"),
    ([str(300 + 7 * (i % 121)) for i in range(178)], "121 different values"),
    ([f"id{i}" for i in range(30)], "30 different values"),
    (["0"] * 967 + [str(17 + i) for i in range(14)], "numbers, 14 of 15 in a single row each"),
    ([str(100 + 5 * (i % 25)) for i in range(500)], "25 different numbers that do not count"),
    ([f"2024-01-{i % 3 + 1:02}" for i in range(90)], r"dates or times \(2024-01-01\)"),
    ([f"{i % 3 + 1:02}.01.2024" for i in range(90)], "dates or times"),
    ([f"10:{i % 4}0" for i in range(90)], "dates or times"),
    ([f"2024-01-0{i % 3 + 1} 10:00:00" for i in range(90)], "dates or times"),
])
def test_values_that_are_no_classes(labels: list[str], why: str) -> None:
    found = suspicion(labels)
    assert found is not None and re.match(why, found)


@pytest.mark.parametrize("labels", [
    [str(i % 10) for i in range(100)], [f"{i % 3}.0" for i in range(9)], ["a", "b", "c"],
    [chr(65 + i % 26) for i in range(200)], [str(i % 47) for i in range(400)],
    [str(1 + i % 26) for i in range(400)], ["1", "2", "3", "4", "5", "6"],
    ["-1", "1"] * 9, ["0"] * 95 + ["1"],
])
def test_values_that_are_classes(labels: list[str]) -> None:
    assert suspicion(labels) is None


@pytest.mark.parametrize("found, known, matched", [
    (["0.0", "1.0"], ["0", "1"], {"0.0": "0", "1.0": "1"}),
    (["01", "+2", "3e0"], ["1", "2", "3"], {"01": "1", "+2": "2", "3e0": "3"}),
    (["ABC", "Def"], ["abc", "def"], {"ABC": "abc", "Def": "def"}),
    (["<=50K.", ">50K."], ["<=50K", ">50K"], {"<=50K.": "<=50K", ">50K.": ">50K"}),
    (["True", "FALSE"], ["0", "1"], {"True": "1", "FALSE": "0"}),
    (["0", "1.0"], ["False", "True"], {"0": "False", "1.0": "True"}),
    (["true"], ["True", "False"], {"true": "True"}),
    (["Iris-setosa", "iris_setosa", "'IRIS  SETOSA'"], ["iris setosa"],
     {"Iris-setosa": "iris setosa", "iris_setosa": "iris setosa",
      "'IRIS  SETOSA'": "iris setosa"}),
    (["größe"], ["gro\u0308ße"], {"größe": "gro\u0308ße"}),
    (["-1"], ["1", "2"], {}), (["2"], ["1", "12"], {}), (["z"], ["x", "y"], {}),
    (["A"], ["a", "a."], {}),  # two that fit
    (["x", "X"], ["x", "y"], {"X": "x"}),
    (["True"], ["1", "2", "0"], {"True": "1"}),
])
def test_spellings_of_one_class(found: list[str], known: list[str],
                                matched: dict[str, str]) -> None:
    assert match_labels(found, known) == matched


def test_classes_that_differ_in_spelling_only_are_told() -> None:
    assert near_spellings(["a", "A", "b"]) == [["a", "A"]]
    assert near_spellings(["1", "1.0", "2"]) == [["1", "1.0"]]
    assert near_spellings(["1", "2", "x"]) == []
