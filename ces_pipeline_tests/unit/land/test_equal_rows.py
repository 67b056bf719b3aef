"""Protects that equal rows without ids are as many answers as there are, and that no second export adds them again."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ces_pipeline.land.landing_sql import CONTENTS
from ces_pipeline.land.ledger import commit
from ces_pipeline_tests.builders import NOW, WEB, InboxHome, answer, csv_text, inbox_home, without

ANONYMOUS = without(WEB, "response_id", "respondent")


def vote(score: int, recorded: str = "2026-03-02") -> dict[str, Any]:
    return {"score": score, "comment": None, "recorded": recorded}


@pytest.fixture
def home(tmp_path: Path) -> InboxHome:
    return inbox_home(tmp_path / "home", ANONYMOUS)


def test_five_equal_answers_are_five_and_a_cumulative_export_adds_the_new_ones(home: InboxHome) -> None:
    home.drop("a.csv", [vote(5)] * 5 + [vote(1)])
    assert home.land().rows_landed == 6
    home.drop("b.csv", [vote(5)] * 3 + [vote(1)] * 2 + [vote(5)] * 4)
    outcome = home.land()
    assert (outcome.rows_landed, outcome.rows_redelivered) == (3, 6)
    assert len({row["response_id"] for row in home.rows()}) == 9
    assert len({(row["key_hi"], row["key_lo"]) for row in home.rows()}) == 9


def test_equal_rows_with_an_id_are_one_answer(tmp_path: Path) -> None:
    home = inbox_home(tmp_path)
    home.drop("a.csv", [answer(1)] * 3 + [{**answer(2), "id": None}] * 2)
    assert home.land().rows_landed == 3


@settings(deadline=None, max_examples=15, database=None)
@given(files=st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=6), min_size=1, max_size=4))
def test_a_source_holds_each_answer_as_often_as_the_file_with_most_of_them(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[int]]
) -> None:
    home = inbox_home(tmp_path_factory.mktemp("home"), ANONYMOUS)
    for number, scores in enumerate(files):
        home.drop(f"{number}.csv", [vote(score) for score in scores])
        home.land()
    for score in (1, 2, 3):
        landed = sum(row["score"] == str(score) for row in home.rows())
        assert landed == max(scores.count(score) for scores in files)


def test_a_workbook_of_the_same_answers_adds_none(home: InboxHome) -> None:
    text = "recorded,score,comment,seen,pages\n" + "".join(
        f"2026-03-02 {clock},{score},fine,{seen},{pages}\n"
        for clock, score, seen, pages in (
            ("09:15:23", "5", "TRUE", "3"),
            ("09:15:23", "5", "TRUE", "3"),
            ("9:16:24 PM", "4.0", "FALSE", "4.0"),
        )
    )
    home.drop("a.csv", text)
    assert home.land().rows_landed == 3
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["recorded", "score", "comment", "seen", "pages"],
        [datetime(2026, 3, 2, 9, 15, 23, 412_000), 5, "fine", True, 3],
        [datetime(2026, 3, 2, 9, 15, 22, 700_000), "5", "fine", True, "3"],
        [datetime(2026, 3, 2, 21, 16, 24), 4, "fine", False, 4],
    ):
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    home.drop("b.xlsx", content.getvalue())
    outcome = home.land()
    assert (outcome.rows_landed, outcome.rows_redelivered) == (0, 3)


def test_a_source_with_deliveries_of_an_earlier_release_knows_their_rows_again(home: InboxHome) -> None:
    """Their files are gone, and the fingerprints of their rows were made from texts: so are all new ones."""
    from dataclasses import replace

    from ces_pipeline.land import landing_sql, step

    home.drop("a.csv", csv_text([vote(5, "2026-03-02T09:15:00Z")]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "CONTENTS", CONTENTS - 1)
        home.land()
    (old,) = home.deliveries()
    assert old.contents == landing_sql.CONTENTS - 1
    commit(home.lake, replace(old, received_order=0))
    home.drop("a.csv", csv_text([vote(5, "2026-03-02T09:15:00Z"), vote(5, "2026-03-02T09:16:00Z")]))
    outcome = home.land()
    assert (outcome.rows_landed, outcome.rows_redelivered) == (1, 1)
    assert [delivery.contents for delivery in home.deliveries()] == [old.contents] * 2


def test_the_order_of_receipt_is_kept_when_everything_lands_again(home: InboxHome) -> None:
    for number, score in enumerate((1, 2, 3)):
        home.drop(f"{9 - number}.csv", [vote(score)])
        home.land(now=NOW)
    before = {delivery.delivery_id: delivery.rank for delivery in home.deliveries()}
    assert sorted(order for order, _, _ in before.values()) == [1, 2, 3]
    home.write_registry({**ANONYMOUS, "ignore": ["nothing"]})
    home.land(now=datetime(2027, 1, 1, tzinfo=UTC))
    assert {delivery.delivery_id: delivery.rank for delivery in home.deliveries()} == before
    home.drop("next.csv", [vote(4)])
    home.land(now=NOW)
    assert max(delivery.received_order for delivery in home.deliveries()) == 4


def test_a_row_older_than_what_has_landed_is_reported(tmp_path: Path) -> None:
    feed = {**WEB, "columns": {**WEB["columns"], "modified_at": "changed"}}
    home = inbox_home(tmp_path, feed)
    home.drop("a.csv", [answer(1, score=5, changed="2026-03-05"), answer(2, changed="2026-03-02")])
    home.land()
    home.drop("b.csv", [answer(1, score=1, changed="2026-03-03"), answer(2, score=1, changed="2026-03-06")])
    (note,) = home.land().notes
    assert "b.csv" in note
    assert "1 row" in note
    assert {row["day"].isoformat() for row in home.rows()} == {"2026-03-02"}
