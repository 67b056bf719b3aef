"""Protects the check of changed exports: changed columns and values are reported; every row is kept."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.land.delivery_columns import newest_changes, note_columns
from ces_pipeline.land.pull import pull
from ces_pipeline.pipeline import clean, publish, stale_days
from ces_pipeline.schemas.audit import SCHEMA_CHANGES
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.journal import rows_of
from ces_pipeline.vendors.generic.fake_server import FakeSurveyTool
from ces_pipeline_tests.api_sources import API_SOURCES
from ces_pipeline_tests.builders import WEB, InboxHome, answer, inbox_home

FIRST = datetime(2026, 3, 18, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def warning(home: InboxHome) -> str | None:
    """What the check says of the published file, which holds every row."""
    registry = home.registry
    list(clean(home.home, registry, "survey", stale_days(home.home, registry, "survey"), run_id="test"))
    result = publish(home.home, registry, run_id="test")
    assert result.published
    (found,) = [check for check in result.checks if check.check.name == "schema_change"]
    return found.detail.removesuffix(f". {found.check.remedy}") if found.detail else None


def rows(first: int, **changed: Any) -> list[dict[str, Any]]:
    """Forty answers. A column of `changed` that is None is not there."""
    columns = [
        answer(n, recorded=f"2026-03-0{2 + n % 5}T10:00:00Z", **{"seen": n, **changed})
        for n in range(first, first + 40)
    ]
    return [{name: value for name, value in row.items() if value is not None} for row in columns]


class TestFiles:
    def land(self, home: InboxHome, name: str, content: list[dict[str, Any]], at: datetime) -> None:
        home.drop(name, content)
        assert home.land(now=at).failures == ()
        note_columns(home.lake, "web")

    @pytest.mark.slow
    def test_gone_added_and_retyped_are_reported_and_the_rows_are_kept(self, tmp_path: Path) -> None:
        home = inbox_home(tmp_path)
        self.land(home, "1.csv", rows(0), FIRST)
        assert warning(home) is None
        self.land(home, "2.csv", rows(100, comment=None, seen="often", browser="x"), FIRST + DAY)
        assert warning(home) == (
            "source_id web, column_name browser, field not mapped, change added, text; "
            "source_id web, column_name comment, field comment, change gone, was text; "
            "source_id web, column_name seen, field not mapped, change was number, is text"
        )
        with open_published(home.home.published) as published:
            assert published.execute("SELECT count(*) FROM core.responses").fetchall() == [(80,)]
        # The next day, the change is the new normal.
        self.land(home, "3.csv", rows(200, comment=None, seen="often", browser="x"), FIRST + 2 * DAY)
        assert warning(home) is None

    def test_a_renamed_column_and_a_new_channel_are_named(self, tmp_path: Path) -> None:
        columns = {**WEB["columns"], "channel": "way"}
        home = inbox_home(tmp_path, {**WEB, "columns": columns})

        def with_ways(first: int, *ways: str, **named: Any) -> list[dict[str, Any]]:
            return [{**row, "way": ways[n % len(ways)], **named} for n, row in enumerate(rows(first))]

        for day in range(3):
            content = with_ways(100 * day, "chat", "mail", area="web shop")
            self.land(home, f"{day}.csv", content, FIRST + day * DAY)
        renamed = [
            {name: value for name, value in {**row, "product": row["area"]}.items() if name != "area"}
            for row in with_ways(300, "chat", "mail", "fax", area="web shop")
        ]
        self.land(home, "3.csv", renamed, FIRST + 3 * DAY)
        assert warning(home) == (
            "source_id web, column_name product, field not mapped, change was named area; "
            "source_id web, column_name way, field channel, change new value fax"
        )
        assert {row["item"] for row in newest_changes(home.lake, "web", "UTC")} == {"product", "fax"}
        # Compared again from the summaries, all deliveries give the same rows.
        before = rows_of(home.lake, SCHEMA_CHANGES, "web")
        for path in (home.home.lake / "audit" / "schema_changes" / "web").iterdir():
            path.unlink()
        note_columns(home.lake, "web")
        assert rows_of(home.lake, SCHEMA_CHANGES, "web") == before

    def test_a_few_rows_say_nothing(self, tmp_path: Path) -> None:
        home = inbox_home(tmp_path)
        self.land(home, "1.csv", rows(0), FIRST)
        self.land(home, "2.csv", rows(100, comment=None)[:29], FIRST + DAY)
        assert warning(home) is None

    def test_what_is_seldom_filled_may_be_away(self, tmp_path: Path) -> None:
        home = inbox_home(tmp_path)
        changed = [{**row, "note": "x" if n < 7 else ""} for n, row in enumerate(rows(0))]
        self.land(home, "1.csv", changed, FIRST)
        self.land(home, "2.csv", rows(100), FIRST + DAY)
        assert warning(home) is None

    def test_no_value_of_a_person_is_noted(self, tmp_path: Path) -> None:
        home = inbox_home(tmp_path)
        self.land(home, "1.csv", [{**row, "ann@example.org": "1"} for row in rows(0)], FIRST)
        # As a name of a column it is in the ledger and the raw rows, where a mapping needs it.
        assert [path for path, _ in home.find("@example.org") if "delivery_columns" in path] == []


class TestApis:
    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"score": "often"}, "column_name score, field score, change was number, is text"),
            ({"extra": True}, "column_name extra, field not mapped, change added, flag"),
            ({"score": None}, "column_name score, field score, change gone, was number"),
        ],
    )
    def test_the_same_of_what_is_pulled(self, tmp_path: Path, change: dict[str, Any], expected: str) -> None:
        feed = API_SOURCES["rest"]
        start = datetime(2026, 3, 2, tzinfo=UTC)

        def records(first: int, **more: Any) -> list[dict[str, Any]]:
            listed = (
                {
                    "id": f"r{n}",
                    "changed": (start + timedelta(hours=n)).isoformat(),
                    "score": 1 + n % 5,
                    **more,
                }
                for n in range(first, first + 40)
            )
            return [{name: value for name, value in record.items() if value is not None} for record in listed]

        with FakeSurveyTool(records(0), "cursor") as vendor:
            home = inbox_home(tmp_path, feed.entry(vendor.url))
            for added in ([], records(100, **change)):
                vendor.records += json.loads(json.dumps(added))
                registry = home.registry
                outcome = pull(
                    home.home,
                    registry,
                    registry.sources["rest"],
                    clock=vendor.clock,
                    environment=feed.environment,
                )
                assert (outcome.failures, outcome.rows_landed) == ((), 40)
                note_columns(home.lake, "rest")
                vendor.clock.sleep(DAY.total_seconds())
        assert warning(home) == f"source_id rest, {expected}"
