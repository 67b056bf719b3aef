"""Workbooks: cells as the text that they show, and every vendor's table as if it had come as text."""

import io
import time
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.vendors.recognise import recognise
from ces_pipeline_tests.unit.vendors.reading import delivered, read, source_for

START, END = datetime(2026, 3, 1, 9, 58), datetime(2026, 3, 1, 10, 0, 7)
VENDORS: dict[str, list[list[Any]]] = {
    "qualtrics_csv": [
        ["StartDate", "EndDate", "Status", "Finished", "ResponseId", "Q3"],
        ["Start Date", "End Date", "Response Type", "Finished", "Response ID", "How easy\nwas it?"],
        [
            '{"ImportId":"startDate","timeZone":"America/Denver"}',
            '{"ImportId":"endDate","timeZone":"America/Denver"}',
            '{"ImportId":"status"}',
            '{"ImportId":"finished"}',
            '{"ImportId":"_recordId"}',
            '{"ImportId":"QID3"}',
        ],
        [START, END, 0, True, "R_1", 6],
    ],
    "surveymonkey_csv": [
        ["Respondent ID", "Collector ID", "Start Date", "End Date", "How easy was it?"],
        [None, None, None, None, "Response", "Other (please specify)"],
        [11400001, 24512, START, END, "Very easy", "by phone"],
    ],
    "typeform_csv": [
        ["#", "How easy was it?", "Start Date (UTC)", "Submit Date (UTC)", "Network ID"],
        ["068127e3d5e9ca5f5fac8e04fa692a9e", 6, START, END, "d3560842b2"],
    ],
    "google_forms_csv": [["Timestamp", "How easy was it?"], [END, 6]],
    "surveygizmo_csv": [
        ["Response ID", "Time Started", "Date Submitted", "Status", "How easy was it?"],
        [1, START, END, "Complete", 6],
    ],
    "servicenow": [
        ["number", "state", "opened_at", "sys_updated_on", "sys_id"],
        ["INC001", "Closed", START, END, "a" * 32],
    ],
    "xlsx": [["id", "score", "at"], ["r1", 6, END]],
}


def workbook_of(rows: Sequence[Sequence[Any]]) -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_workbook_reads_as_the_same_table_in_text(tmp_path: Path, vendor: str) -> None:
    rows = VENDORS[vendor]
    width = max(map(len, rows))
    file = delivered(tmp_path, workbook_of(rows), "export.xlsx")
    assert recognise(file)[0][0].name == vendor
    export, found = read(vendor, file)
    text = "\n".join(
        ",".join(f'"{_shown(cell)}"' for cell in (*row, *[None] * (width - len(row)))) for row in rows
    )
    as_text, wanted = read("csv" if vendor == "xlsx" else vendor, delivered(tmp_path, text, "export.csv"))
    assert found == wanted
    assert len(found) == 1
    assert (export.columns, export.mapping) == (as_text.columns, as_text.mapping)
    assert (export.time_zone, export.time_formats) == (as_text.time_zone, as_text.time_formats)
    assert export.unreadable == []


def _shown(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    return "" if cell is None else str(cell).replace('"', '""')


@pytest.fixture
def workbook(tmp_path: Path) -> DeliveredFile:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "About"
    for row in (
        [],
        ["id", "score", "at", "id"],
        [1, 7.0, datetime(2026, 1, 2, 3, 4, 5), True],
        [],
        ["b", None, "x"],
    ):
        sheet.append(row)
    sheet["F5"] = "beyond"
    book.create_sheet("Answers").append(["only", "names"])
    path = tmp_path / "e.xlsx"
    book.save(path)
    return DeliveredFile(path)


def test_the_first_sheet_is_read_as_it_shows(workbook: DeliveredFile) -> None:
    export, rows = read("xlsx", workbook)
    assert export.columns == ("id", "score", "at", "id_2")
    assert rows == [{"id": "1", "score": "7", "at": "2026-01-02 03:04:05", "id_2": "true", "row_number": 3}]
    assert [bad.row_number for bad in export.unreadable] == [5]


def test_the_sheet_can_be_named(workbook: DeliveredFile) -> None:
    export, rows = read("xlsx", workbook, source_for("xlsx", sheet="Answers"))
    assert (export.columns, rows) == (("only", "names"), [])
    assert "only a header: no rows" in export.notes
    with pytest.raises(UnreadableFileError, match=r"no sheet 'Nope' \(it has: About, Answers\)"):
        read("xlsx", workbook, source_for("xlsx", sheet="Nope"))


def test_any_reader_of_tables_takes_the_sheet_that_is_named(workbook: DeliveredFile) -> None:
    export, _ = read("csv", workbook, source_for("csv", sheet="Answers"))
    assert export.columns == ("only", "names")
    assert not any("sheets" in note for note in export.notes)
    assert any("About" in note and "Answers" in note for note in read("csv", workbook)[0].notes)


def test_a_file_with_the_name_of_a_workbook_that_is_none_is_refused(tmp_path: Path) -> None:
    content = workbook_of([["id", "score"], [1, 2]])
    for broken in (content[:200], b"id,score\n1,2\n"):
        with pytest.raises(UnreadableFileError, match="not an Excel workbook"):
            read("google_forms_csv", delivered(tmp_path, broken, "export.xlsx"))
    with pytest.raises(UnreadableFileError, match="not an Excel workbook"):
        read("xlsx", delivered(tmp_path, "id,score\n1,2\n", "export.csv"))


def test_a_sheet_of_one_column_is_a_table(tmp_path: Path) -> None:
    file = delivered(tmp_path, workbook_of([["score"], [7], [None], [5]]), "export.xlsx")
    assert [(row["score"], row["row_number"]) for row in read("xlsx", file)[1]] == [("7", 2), ("5", 4)]


def changed(content: bytes, old: bytes, new: bytes) -> bytes:
    """The workbook with other bytes in its sheet."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as book, zipfile.ZipFile(written, "w") as copy:
        for name in book.namelist():
            held = book.read(name)
            if name.endswith("sheet1.xml"):
                assert old in held
                held = held.replace(old, new)
            copy.writestr(name, held)
    return written.getvalue()


def test_the_size_that_a_sheet_claims_is_not_believed(tmp_path: Path) -> None:
    """Several tools write the dimension `A1`, also for a larger sheet."""
    book = changed(workbook_of(VENDORS["xlsx"]), b'ref="A1:C2"', b'ref="A1"')
    _, rows = read("xlsx", delivered(tmp_path, book, "export.xlsx"))
    assert rows == [{"id": "r1", "score": "6", "at": "2026-03-01 10:00:07", "row_number": 2}]


@pytest.mark.parametrize("end", ["&#13;", "&#13;&#10;", "&#10;"])
def test_a_line_break_in_a_cell_ends_no_row(tmp_path: Path, end: str) -> None:
    book = changed(workbook_of(VENDORS["xlsx"]), b"<t>r1<", f"<t>r{end}1<".encode())
    (row,) = read("xlsx", delivered(tmp_path, book, "export.xlsx"))[1]
    assert (row["id"].split(), row["score"]) == (["r", "1"], "6")


def test_a_header_that_is_too_long_is_no_table(tmp_path: Path) -> None:
    names = [f"{n} {'long ' * 1000}" for n in range(300)]
    with pytest.raises(UnreadableFileError, match="no table: the first line is too long"):
        read("xlsx", delivered(tmp_path, workbook_of([names, names]), "export.xlsx"))


def sheets_of(**sheets: Sequence[Sequence[Any]]) -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(content)
    return content.getvalue()


TABLE_ROWS = [["id", "score"], ["r1", 6], ["r2", 2]]


def test_a_first_sheet_that_is_no_table_is_passed_over(tmp_path: Path) -> None:
    file = delivered(tmp_path, sheets_of(Notes=[["Made for the review"]], Answers=TABLE_ROWS), "e.xlsx")
    export, rows = read("xlsx", file)
    assert [row["id"] for row in rows] == ["r1", "r2"]
    assert export.options_found == {"sheet": "Answers"}
    assert any("Notes" in note and "Answers" in note for note in export.notes)


def test_two_tables_behind_a_first_sheet_that_is_none_are_asked_about(tmp_path: Path) -> None:
    file = delivered(tmp_path, sheets_of(Notes=[], May=TABLE_ROWS, June=TABLE_ROWS), "e.xlsx")
    with pytest.raises(UnreadableFileError, match=r"May, June.*options\.sheet"):
        read("xlsx", file)
    assert len(read("xlsx", file, source_for("xlsx", sheet="June"))[1]) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"</sheetData>", b"</sheetDat"), (b"<v>6</v>", b"<v>six</v>")],
    ids=["broken XML", "a text in a number's cell"],
)
def test_a_workbook_that_is_broken_inside_is_refused(tmp_path: Path, old: bytes, new: bytes) -> None:
    packed, damaged = zipfile.ZipFile(io.BytesIO(sheets_of(Answers=TABLE_ROWS))), io.BytesIO()
    with zipfile.ZipFile(damaged, "w") as archive:
        for name in packed.namelist():
            content = packed.read(name)
            archive.writestr(name, content.replace(old, new) if "worksheets/" in name else content)
    with pytest.raises(UnreadableFileError, match=r"^e\.xlsx: "):
        read("xlsx", delivered(tmp_path, damaged.getvalue(), "e.xlsx"))


def with_sheet(content: bytes) -> bytes:
    """The workbook with this XML as its sheet."""
    packed, changed = zipfile.ZipFile(io.BytesIO(sheets_of(Answers=TABLE_ROWS))), io.BytesIO()
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in packed.namelist():
            archive.writestr(name, content if "worksheets/" in name else packed.read(name))
    return changed.getvalue()


def sheet_xml(rows: str) -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'.encode()


@pytest.mark.parametrize(
    "rows", ["<row/>" * 60_000, "<row>" * 30_000 + "</row>" * 30_000], ids=["blank rows", "nested rows"]
)
def test_a_sheet_of_blank_rows_is_refused_quickly(tmp_path: Path, rows: str) -> None:
    begun = time.process_time()
    with pytest.raises(UnreadableFileError, match=r"^e\.xlsx: "):
        read("xlsx", delivered(tmp_path, with_sheet(sheet_xml(rows)), "e.xlsx"))
    assert time.process_time() - begun < 10


def test_a_workbook_that_unpacks_to_far_more_than_a_table_is_refused_unread(tmp_path: Path) -> None:
    row = "<row><c t='inlineStr'><is><t>a</t></is></c></row>"
    bomb = with_sheet(sheet_xml(row * 3_000_000))
    begun = time.process_time()
    with pytest.raises(UnreadableFileError, match="MB"):
        read("xlsx", delivered(tmp_path, bomb, "e.xlsx"))
    assert time.process_time() - begun < 5
