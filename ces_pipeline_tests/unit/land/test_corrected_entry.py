"""Protects a corrected mapping where the export is gone: it holds where raw rows allow it, else the run names the days."""

from pathlib import Path
from typing import Any

import pytest

from ces_pipeline import pipeline
from ces_pipeline.land.corrected_entry import corrected
from ces_pipeline_tests.builders import WEB, InboxHome, answer, inbox_home, without

ROWS = [
    answer(1, ticket="T-1", other="X-9", chan="web", ref="+1 415 555 0132", phone="1"),
    answer(2, ticket="T-2", other="X-8", chan="app", ref="none", phone="2", recorded="2026-03-03T12:00:00Z"),
]


def web(**columns: Any) -> dict[str, Any]:
    return {**WEB, "columns": {**WEB["columns"], **columns}}


def landed(tmp_path: Path, entry: dict[str, Any]) -> InboxHome:
    """A home whose export landed by this entry, was cleaned, and left the inbox."""
    home = inbox_home(tmp_path / "home", entry)
    path = home.drop("a.csv", ROWS)
    run(home)
    path.unlink()
    return home


def run(home: InboxHome) -> tuple[dict[str, dict[str, Any]], str, int]:
    """Lands and cleans. Returns the accepted answers by id, the notes, and how many days were cleaned."""
    (landing,) = pipeline.land(home.home, home.registry)
    days = pipeline.stale_days(home.home, home.registry, "survey")
    for result in pipeline.clean(home.home, home.registry, "survey", days, run_id="test"):
        assert result.problems == ()
    found = {
        row["response_id"]: row
        for day in home.lake.days("core.responses")
        if home.lake.exists(home.lake.day_file("core.responses", day))
        for row in home.lake.read_table(home.lake.day_file("core.responses", day)).to_pylist()
    }
    return found, "\n".join(landing.notes), len(days)


@pytest.mark.parametrize("wrong", [{"ticket_id": "other"}, {}], ids=["another column", "not mapped"])
def test_a_text_field_is_read_from_the_column_that_the_entry_names_now(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    home = landed(tmp_path, web(**wrong))
    home.write_registry(web(ticket_id="ticket"))
    rows, notes, days = run(home)
    assert {name: row["ticket_id"] for name, row in rows.items()} == {"r1": "T-1", "r2": "T-2"}
    assert ("ticket_id" in notes, days) == (False, 2)
    assert run(home)[2] == 0


def test_swapped_columns_are_both_read_anew(tmp_path: Path) -> None:
    home = landed(tmp_path, web(ticket_id="other", channel="ticket"))
    home.write_registry(web(ticket_id="ticket", channel="chan"))
    rows, _, _ = run(home)
    assert (rows["r1"]["ticket_id"], rows["r1"]["channel"]) == ("T-1", "web")


def test_a_corrected_score_is_judged_again(tmp_path: Path) -> None:
    home = inbox_home(tmp_path / "home", web(score="guess"))
    path = home.drop("a.csv", [answer(1, score=2, guess=5), answer(2, score=3, guess="n/a")])
    run(home)
    path.unlink()
    home.write_registry(WEB)
    rows, _, _ = run(home)
    assert {name: row["score"] for name, row in rows.items()} == {"r1": 2.0, "r2": 3.0}


def test_a_rule_still_finds_the_column_by_its_own_name(tmp_path: Path) -> None:
    surveys = [{"id": "after_chat", "scale": "ease_1_5", "expect": {"other": "X-9"}}]
    home = landed(tmp_path, web(ticket_id="other"))
    home.write_registry(web(ticket_id="ticket"), surveys=surveys)
    rows, _, _ = run(home)
    assert {name: row["ticket_id"] for name, row in rows.items()} == {"r1": "T-1"}


def test_a_value_that_was_redacted_is_unknown_not_wrong(tmp_path: Path) -> None:
    home = landed(tmp_path, web(ticket_id="other"))
    home.write_registry(web(ticket_id="ref"))
    rows, notes, _ = run(home)
    for _ in range(2):
        assert "1 values of columns.ticket_id" in notes
        assert "a.csv" in notes
        _, notes, _ = run(home)
    assert {name: row["ticket_id"] for name, row in rows.items()} == {"r1": None, "r2": "none"}


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        (web(recorded_at="ticket"), "columns.recorded_at"),
        (web(response_id="ticket"), "columns.response_id"),
        (web(respondent="ticket"), "columns.respondent"),
        (web(comment="other"), "columns.comment"),
        (web(ticket_id="phone"), "columns.ticket_id"),
        (without(WEB, "comment"), "columns.comment"),
        ({**WEB, "time_zone": "Europe/London"}, "time_zone"),
        ({**WEB, "missing": ["none"]}, "missing"),
        ({**WEB, "values": {"channel": {"web": "chat"}}}, "values"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_raw_rows_do_not_hold_is_named_with_file_and_days(
    tmp_path: Path, changed: dict[str, Any], key: str
) -> None:
    home = landed(tmp_path, WEB)
    home.write_registry(changed)
    rows, notes, _ = run(home)
    assert sorted(rows) == ["r1", "r2"]
    for fact in (key, "a.csv", "2026-03-02", "2026-03-03"):
        assert fact in notes


def test_a_file_that_is_back_lands_again_and_nothing_is_said(tmp_path: Path) -> None:
    home = landed(tmp_path, WEB)
    home.write_registry({**WEB, "time_zone": "Europe/London"})
    home.drop("a.csv", ROWS)
    _, notes, _ = run(home)
    assert "time_zone" not in notes


def test_an_entry_that_reads_the_same_says_nothing(tmp_path: Path) -> None:
    home = landed(tmp_path, WEB)
    home.write_registry({**WEB, "inbox": "*.csv"})
    _, notes, days = run(home)
    assert (notes, days) == ("", 0)


def test_a_column_whose_name_was_redacted_is_still_the_one_that_is_mapped(tmp_path: Path) -> None:
    entry = web(ticket_id="Case of Ann Harper")
    home = inbox_home(tmp_path / "home", {**entry, "people": ["agent"]})
    home.drop("a.csv", [answer(1, agent="Ann Harper") | {"Case of Ann Harper": "T-1"}])
    home.land()
    (delivery,) = home.deliveries()
    assert corrected(home.registry.sources["web"], delivery).reread == {}
