"""Protects that an id which a spreadsheet rounded is refused: different rows would become one."""

import io
from pathlib import Path

import openpyxl
import pytest

from ces_pipeline_tests.builders import DESK, WEB, answer, inbox_home


@pytest.mark.parametrize(
    "ids",
    [
        ["1.14859E+11", "1.14859E+11"],
        ["7", "1,5e+12"],
        ["7401234567890120000", "7401234567890120000"],
        ["1234567890123450", "1234567890123460", "1234567890123470"],
    ],
)
def test_a_file_with_rounded_ids_is_refused(tmp_path: Path, ids: list[str]) -> None:
    home = inbox_home(tmp_path)
    home.drop("a.csv", [answer(number, id=name) for number, name in enumerate(ids)])
    (failure,) = home.land().failures
    assert "'id'" in failure
    assert "spreadsheet" in failure
    assert home.rows() == []


@pytest.mark.parametrize(
    "ids",
    [
        ["1E5", "5e10", "12"],
        ["7401234567890123456", "7401234567890120000"],
        ["1234567890123450"],
        ["0d5cbbb0-0000-0000-0000-000000000000", "abc00000000000000000000"],
        ["114859000000", "100000000000000"],
    ],
)
def test_ids_that_only_look_so_are_ids(tmp_path: Path, ids: list[str]) -> None:
    home = inbox_home(tmp_path)
    home.drop("a.csv", [answer(number, id=name) for number, name in enumerate(ids)])
    assert home.land().failures == ()
    assert {row["response_id"] for row in home.rows()} == set(ids)


def test_a_number_that_a_workbook_cannot_hold_exactly_is_refused_as_an_id(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["id", "score", "recorded"], [7.401234567890123e18, 5, "2026-03-02"]):
        book.active.append(row)  # type: ignore[union-attr]
    content = io.BytesIO()
    book.save(content)
    home = inbox_home(
        tmp_path, {**WEB, "columns": {"response_id": "id", "score": "score", "recorded_at": "recorded"}}
    )
    home.drop("a.xlsx", content.getvalue())
    assert len(home.land().failures) == 1


def test_a_ticket_id_is_refused_too(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, DESK)
    ticket = {
        "number": "1.2E+12",
        "state": "open",
        "updated": "2026-03-05T08:00:00Z",
        "email": "ann@example.org",
    }
    home.drop("a.csv", [ticket], "desk")
    assert len(home.land("desk").failures) == 1
