"""Rows keep the number that a spreadsheet shows; hopeless text is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.errors import RegistryError, UnreadableFileError
from ces_pipeline.formats import delimited
from ces_pipeline.formats.delimited import unique_names
from ces_pipeline_tests.unit.vendors.reading import delivered, read, source_for


def test_row_numbers_step_over_blank_and_unfit_rows(tmp_path: Path) -> None:
    file = delivered(tmp_path, 'a,b\n1,2\n\n3,"x\ny"\n5\n6,7,8\n9,10\n')
    export, rows = read("csv", file)
    assert [(row["row_number"], row["a"]) for row in rows] == [(2, "1"), (4, "3"), (7, "9")]
    assert [(bad.row_number, bad.problem) for bad in export.unreadable] == [
        (5, "1 cells where the header has 2"),
        (6, "3 cells where the header has 2"),
    ]
    assert export.unreadable[1].text == "6,7,8"


def test_row_numbers_hold_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_BLOCK", 400)
    lines = ["n,text"] + ["odd" if n % 7 == 0 else "" if n % 11 == 0 else f"{n},x" for n in range(2, 400)]
    export, rows = read("csv", delivered(tmp_path, "\n".join(lines)))
    assert all(row["row_number"] == int(row["n"]) for row in rows)
    assert [bad.row_number for bad in export.unreadable] == list(range(7, 400, 7))


def test_blank_lines_above_the_header_are_passed_over(tmp_path: Path) -> None:
    _, rows = read("csv", delivered(tmp_path, "\n\na,b\n1,2\n"))
    assert rows == [{"a": "1", "b": "2", "row_number": 4}]


def test_none_and_na_stay_text_and_blank_is_null(tmp_path: Path) -> None:
    _, rows = read("csv", delivered(tmp_path, 'a,b,c,d\nNone,NA,"",\n'))
    assert rows == [{"a": "None", "b": "NA", "c": None, "d": None, "row_number": 2}]


def test_repeated_and_blank_names_become_unique() -> None:
    assert unique_names(["Other", "", "Other", "row_number", " Two\nlines ", "Other_2"]) == (
        "Other",
        "column_2",
        "Other_2",
        "row_number_2",
        "Two lines",
        "Other_2_2",
    )


@given(st.lists(st.sampled_from(["a", "a_2", "", "row_number", " a "])))
def test_names_are_always_unique(names: list[str]) -> None:
    made = unique_names(names)
    assert len(set(made)) == len(names)
    assert "row_number" not in made


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_although_cells_hold_others(tmp_path: Path, delimiter: str) -> None:
    lines = [["id", '"How, exactly; was it|here"', "x"], ["1", '"a,b,c,d;e"', "y"], ["2", "z", "w"]]
    export, rows = read("csv", delivered(tmp_path, "\n".join(delimiter.join(line) for line in lines)))
    assert len(export.columns) == 3
    assert rows[0]["x"] == "y"


def test_a_wrong_delimiter_option_names_the_one_that_fits(tmp_path: Path) -> None:
    file = delivered(tmp_path, "a,b\n1,2\n")
    with pytest.raises(
        UnreadableFileError, match=r"split at semicolon the header is one cell, but at comma it has 2"
    ):
        read("csv", file, source_for("csv", delimiter=";"))


def test_an_unusual_delimiter_can_be_named(tmp_path: Path) -> None:
    assert read("csv", delivered(tmp_path, "a^b\n1^2\n"), source_for("csv", delimiter="^"))[1][0]["b"] == "2"
    assert (
        read("csv", delivered(tmp_path, "a,x\tb\n1\t2\n"), source_for("csv", delimiter="tab"))[1][0]["b"]
        == "2"
    )


def test_a_delimiter_of_two_characters_is_a_registry_error(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"entry export: options.delimiter"):
        read("csv", delivered(tmp_path, "a,b\n"), source_for("csv", delimiter="||"))


def test_text_without_any_delimiter_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="no table"):
        read("csv", delivered(tmp_path, "just\nsome\nwords\n"))


def test_header_only_is_no_error(tmp_path: Path) -> None:
    export, rows = read("csv", delivered(tmp_path, "a,b\r\n"))
    assert rows == []
    assert export.notes == ["only a header: no rows"]


def test_a_huge_line_fails_before_all_of_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_BLOCK", 1 << 16)
    file = delivered(tmp_path, "a,b\n1,2\n" + "x" * (1 << 20) + ",y\n")
    with pytest.raises(
        UnreadableFileError, match=r"(?s)no longer readable .*a quote left open, or a line longer"
    ):
        read("csv", file)


def test_mostly_unfit_rows_end_in_an_error_not_in_a_heap_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "_UNREADABLE_LIMIT", 50)
    file = delivered(tmp_path, "a,b\n" + "1,2\n" * 3 + "1,2,3\n" * 500)
    with pytest.raises(UnreadableFileError, match="more than 50 rows do not have the header's 2 cells"):
        read("csv", file)
