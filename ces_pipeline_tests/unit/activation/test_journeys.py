"""Protects journeys as a file: the events that are sent, in both formats. One rename replaces the file."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ces_pipeline.activation.journeys import months, write_file
from ces_pipeline.errors import RegistryError
from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.lake_days import DAY, SmallHome, response, small_home, ticket

ANN, BOB = ("ab" * 32, "cd" * 32)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    small = small_home(tmp_path_factory.mktemp("home"))
    small.clean(
        "survey",
        [
            response("r1", respondent_key=ANN, ticket_id="T-1", comment="never to leave"),
            response("r2", respondent_key=BOB, ease=None, nps=9),
            response("r3"),
        ],
    )
    opened = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
    small.clean("tickets", [ticket("T-1", requester_key=BOB, created_at=opened, category="login")])
    small.publish()
    return small


def written(small: SmallHome, path: Path, since: date | None = None) -> tuple[int, int]:
    with open_published(small.home.published) as connection:
        return write_file(connection, path, since)


def test_json_lines_hold_the_known_properties_of_each_event(small: SmallHome, tmp_path: Path) -> None:
    path = tmp_path / "journeys.jsonl"
    assert written(small, path) == (3, 1)
    events = [json.loads(line) for line in path.read_text().splitlines()]
    opened, *answers = events
    assert opened == {
        "insert_id": opened["insert_id"],
        "event": "CES Ticket Opened",
        "person_key": ANN,
        "occurred_at": "2026-01-31T23:59:59+00:00",
        "properties": {"channel": "unknown", "product": "unknown", "category": "login"},
    }
    assert {event["person_key"]: event["properties"].get("nps") for event in answers} == {ANN: None, BOB: 9}
    assert all(len(event["insert_id"]) == 36 for event in events)
    assert len({event["insert_id"] for event in events}) == 3
    assert "never to leave" not in path.read_text()


def test_parquet_holds_the_same_rows_over_all_months(small: SmallHome, tmp_path: Path) -> None:
    written(small, tmp_path / "a.jsonl")
    assert written(small, tmp_path / "a.parquet") == (3, 1)
    rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [row["insert_id"] for row in rows] == [event["insert_id"] for event in lines]
    assert "content" not in rows[0]
    assert rows[0]["occurred_at"] == datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)


def test_a_file_is_rewritten_byte_for_byte_and_no_other_file_is_left(
    small: SmallHome, tmp_path: Path
) -> None:
    for name in ("a.jsonl", "a.parquet"):
        written(small, tmp_path / name)
        first = (tmp_path / name).read_bytes()
        written(small, tmp_path / name)
        assert (tmp_path / name).read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "a.parquet"]


def test_earlier_days_are_skipped_and_no_event_gives_an_empty_file(small: SmallHome, tmp_path: Path) -> None:
    assert written(small, tmp_path / "a.jsonl", DAY) == (2, 1)
    for name in ("none.jsonl", "none.parquet"):
        assert written(small, tmp_path / name, date(2027, 1, 1)) == (0, 0)
    assert (tmp_path / "none.jsonl").read_bytes() == b""
    assert pq.read_table(tmp_path / "none.parquet").num_rows == 0


@pytest.mark.parametrize("name", ["a.csv", "a", "none/a.jsonl"])
def test_a_path_that_cannot_be_written_is_an_error(small: SmallHome, tmp_path: Path, name: str) -> None:
    with pytest.raises(RegistryError, match=r"Name (a file that ends in .parquet or .jsonl|another file)"):
        written(small, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_the_months_cover_every_instant(small: SmallHome) -> None:
    with open_published(small.home.published) as connection:
        spans = [(month["since"], month["until"]) for month in months(connection, None)]
    assert [since for since, _ in spans[1:]] == [until for _, until in spans[:-1]]
    assert spans[0][0] == datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
    assert len(spans) == 3
