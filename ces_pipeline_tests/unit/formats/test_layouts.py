"""Tables whose layout is not plain: every record is a row, or is set aside with its number, or the file is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.errors import RegistryError, UnreadableFileError
from ces_pipeline.formats import delimited
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline_tests.unit.vendors.reading import delivered, read, source_for

HEAD = "id,at,score,comment,tag\n"


def scores(tmp_path: Path, text: str | bytes, **options: object) -> list[str | None]:
    return [row["score"] for row in read("csv", delivered(tmp_path, text), source_for("csv", **options))[1]]


def test_a_row_without_its_last_empty_cells_is_filled_up(tmp_path: Path) -> None:
    text = HEAD + "1,2026-03-01,6,ok,a\n2,2026-03-01,2\n3,2026-03-02,7,,\n4,2026-03-02,5\n"
    export, rows = read("csv", delivered(tmp_path, text))
    assert [(row["row_number"], row["score"], row["comment"]) for row in rows] == [
        (2, "6", "ok"), (3, "2", None), (4, "7", None), (5, "5", None)
    ]  # fmt: skip
    assert export.unreadable == []
    assert export.repairs == {"short": 2}


def test_a_short_row_whose_cells_do_not_fit_their_columns_is_set_aside(tmp_path: Path) -> None:
    text = HEAD + "1,2026-03-01,6,ok,a\n2,6,fine\nsecond line,b\n3,2026-03-01,7,ok,a\n"
    export, rows = read("csv", delivered(tmp_path, text))
    assert [row["id"] for row in rows] == ["1", "3"]
    assert [bad.row_number for bad in export.unreadable] == [3, 4]


def test_a_last_row_that_was_cut_off_is_no_short_row(tmp_path: Path) -> None:
    text = HEAD + "1,2026-03-01,6,ok,a\n2,2026-03-01,1"
    export, rows = read("csv", delivered(tmp_path, text))
    assert [row["id"] for row in rows] == ["1"]
    assert [bad.row_number for bad in export.unreadable] == [3]


def test_a_delimiter_at_the_end_of_each_row_makes_no_cell(tmp_path: Path) -> None:
    assert scores(tmp_path, "id,at,score\n1,2026-03-01,6,\n2,2026-03-01,2,\n") == ["6", "2"]


def test_row_names_without_a_name_in_the_header(tmp_path: Path) -> None:
    text = '"id","at","score"\n"1",11,"2026-03-01",6\n"2",12,"2026-03-01",2\n'
    export, rows = read("csv", delivered(tmp_path, text))
    assert [(row["row_name"], row["id"], row["score"]) for row in rows] == [
        ("1", "11", "6"),
        ("2", "12", "2"),
    ]
    assert export.options_found == {"row_names": True}


def test_a_cell_more_in_each_row_is_asked_about(tmp_path: Path) -> None:
    text = "id,score,at\n1,6,5,2026-03-01\n2,2,5,2026-03-01\n"
    with pytest.raises(UnreadableFileError, match=r"options\.row_names"):
        scores(tmp_path, text)
    assert scores(tmp_path, text, row_names=True) == ["5", "5"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_line_that_names_the_delimiter_is_no_header(tmp_path: Path, mark: str) -> None:
    text = mark + 'sep=;\r\nid;at;score;comment\r\n1;01.03.2026;6;"gut; schnell"\r\n2;01.03.2026;2;\r\n'
    assert scores(tmp_path, text) == ["6", "2"]
    assert scores(tmp_path, "sep=^\nid^score\n1^6\n") == ["6"]


def test_title_lines_above_the_header(tmp_path: Path) -> None:
    text = "Report: effort\nMade 2026-03-05\n\nid,at,score,comment\n1,2026-03-01,6,ok\n2,2026-03-01,2,\nTotal,,4.0,\n"
    export, rows = read("csv", delivered(tmp_path, text))
    assert [(row["row_number"], row["id"], row["score"]) for row in rows] == [
        (5, "1", "6"), (6, "2", "2"), (7, "Total", "4.0")
    ]  # fmt: skip
    assert export.options_found == {"header_row": 4}
    assert scores(tmp_path, text, header_row=4) == ["6", "2", "4.0"]
    with pytest.raises(UnreadableFileError, match=r"options\.header_row"):
        scores(tmp_path, text, header_row=3)
    with pytest.raises(RegistryError, match=r"entry export: options\.header_row"):
        scores(tmp_path, text, header_row="first")


def test_title_lines_filled_up_to_the_width_of_the_table(tmp_path: Path) -> None:
    text = "Report,,,,\n,,,,\n" + HEAD + "1,2026-03-01,6,ok,a\n"
    assert scores(tmp_path, text) == ["6"]


@pytest.mark.parametrize(
    "below",
    [
        "id,Submitted,How easy was it?,Why?,\n",
        ",,How easy was it for you?,Why is that?,\n",
        'id,Submitted,How easy was it?,Why?,\n"{""ImportId"":""a""}","{""ImportId"":""b""}","{""ImportId"":""c""}",,\n',
    ],
    ids=["repeats the id's name", "question texts", "and import ids"],
)
def test_further_header_rows_are_no_answers(tmp_path: Path, below: str) -> None:
    export, rows = read(
        "csv", delivered(tmp_path, HEAD + below + "1,2026-03-01,6,ok,a\n2,2026-03-02,5,ok,a\n")
    )
    assert [row["id"] for row in rows] == ["1", "2"]
    assert export.questions["score"].startswith("How easy was it")


@pytest.mark.parametrize(
    "row", ["R_x,,,no time and no score,", "R_y,,N/A,asked by phone,", "R_z,2026-03-01,comment,comment,tag"]
)
def test_an_odd_first_answer_is_no_header_row(tmp_path: Path, row: str) -> None:
    text = HEAD + f"{row}\nR_1,2026-03-01,6,ok,a\nR_2,2026-03-02,5,ok,a\n"
    assert [row["id"] for row in read("csv", delivered(tmp_path, text))[1]] == [row[:3], "R_1", "R_2"]


def test_quotes_inside_quoted_cells(tmp_path: Path) -> None:
    text = (
        "id,at,score,comment\n"
        '1,2026-03-01,6,"He said "hello" to me"\n2,2026-03-01,2,"Backslash \\"quoted\\" text, with comma"\n'
        '3,2026-03-01,7,5" screen was fine\n4,2026-03-01,5,"ok"\n'
    )
    export, rows = read("csv", delivered(tmp_path, text))
    assert [(row["row_number"], row["score"]) for row in rows] == [(2, "6"), (3, "2"), (4, "7"), (5, "5")]
    assert rows[1]["comment"] == 'Backslash "quoted" text, with comma'
    assert export.unreadable == []


def test_rows_inside_a_cell_are_rows(tmp_path: Path) -> None:
    text = (
        'id,at,score,comment\n1,2026-03-01,5,"ok"\n2,2026-03-01,3,"Starts quote and never\n3,2026-03-01,3,fine\n'
        '4,2026-03-01,3,"good"\n5,2026-03-01,3,x\nnot,enough\n6,2026-03-01,1,"two\nlines"\n'
    )
    export, rows = read("csv", delivered(tmp_path, text))
    assert [(row["id"], row["row_number"]) for row in rows] == [
        (f"{n}", n + 1 + (n == 6)) for n in range(1, 7)
    ]
    assert rows[-1]["comment"] == "two\nlines"
    assert [bad.row_number for bad in export.unreadable] == [7]
    assert export.repairs == {"swallowed": 1}


def test_a_quote_in_the_header_that_swallows_rows_is_refused(tmp_path: Path) -> None:
    text = 'id,at,score,"comment\n1,2026-03-01,5,"ok"\n2,2026-03-01,5,ok\n3,2026-03-01,5,ok\n'
    with pytest.raises(UnreadableFileError, match="quote in the header"):
        scores(tmp_path, text)


def test_cells_that_are_never_quoted(tmp_path: Path) -> None:
    text = 'id\tscore\tcomment\n1\t6\t"open\n2\t5\t"also\n'
    export, rows = read("csv", delivered(tmp_path, text), source_for("csv", quote="none"))
    assert [row["comment"] for row in rows] == ['"open', '"also']
    assert export.unreadable == []


def test_a_parser_that_loses_a_record_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = delimited._Rows._reader

    class Losing:
        def __init__(self, reader: object):
            self._reader = reader

        def __enter__(self) -> object:
            return (batch.slice(1) for batch in self._reader)  # type: ignore[attr-defined]

        def __exit__(self, *_: object) -> None:
            """Nothing is held."""

    monkeypatch.setattr(delimited._Rows, "_reader", lambda rows, stream: Losing(real(rows, stream)))
    with pytest.raises(UnreadableFileError, match="2 records were read, but the file holds 3"):
        scores(tmp_path, "id,score\n1,5\n2,6\n")


CELLS = st.text(st.sampled_from('ab ,;"\n\r\\é1'), max_size=6)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_well_formed_tables_are_never_taken_apart(rows: list[tuple[str, str]], line_break: str) -> None:
    quoted = [[f"r{n}", *row] for n, row in enumerate(rows)]
    text = line_break.join(
        ",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [["id", "a", "b"], *quoted]
    )
    export, found = read("csv", DeliveredFile.in_memory("export.csv", text.encode()))
    assert export.unreadable == []
    assert [[row["id"], row["a"] or "", row["b"] or ""] for row in found] == quoted
