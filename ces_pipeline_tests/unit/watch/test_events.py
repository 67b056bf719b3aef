"""Events that a webhook channel sends: which page is the report that is ready, and how it is named."""

from pathlib import Path

from ces_pipeline.home import Home
from ces_pipeline.watch.events import report_event


def test_a_report_is_ready_once_for_each_period(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert report_event(home) is None
    home.reports.mkdir()
    for name in ("index.html", "latest.html", "no-answers.html", "week-2026-11-16.html"):
        (home.reports / name).write_text("old")
    first = report_event(home)
    assert first is not None
    assert first.facts == {
        "period": "week",
        "first_day": "2026-11-16",
        "file": "reports/week-2026-11-16.html",
    }
    (home.reports / "week-2026-11-16.html").write_text("with changed days")
    (home.reports / "week-2026-11-23-owner-support.html").write_text("a page for one owner")
    again = report_event(home)
    assert again is not None
    assert again.event_id == first.event_id
    (home.reports / "week-2026-11-23.html").write_text("new")
    newer = report_event(home)
    assert newer is not None
    assert newer.event_id != first.event_id
