"""Protects the comparison: it finds every wrong number of a published file, and none in a correct file."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from ces_pipeline.demo.check import compare
from ces_pipeline.demo.known import COUNTS, KnownAnswers
from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.rules.catalog import REASON_NAMES

KNOWN = KnownAnswers(
    responses=6,
    seed=1,
    first_day="2026-10-30",
    last_day="2026-10-31",
    survey_days=[
        {"source_id": "chat", "day": "2026-10-31", "landed": 5, "redelivered": 1, "superseded": 0,
         "accepted": 3, "rejected": 1, "suspect": 1, "reasons": {"duplicate": 1, "partial": 1}},
        {"source_id": "chat", "day": "received", "landed": 2, "redelivered": 0, "superseded": 0,
         "accepted": 0, "rejected": 2, "suspect": 0, "reasons": {"missing_time": 1, "in_the_future": 1}},
    ],
    ticket_days=[
        {"source_id": "desk", "day": "2026-10-30", "landed": 3, "redelivered": 1, "superseded": 0,
         "accepted": 2, "rejected": 0, "suspect": 0},
    ],
    surveys={"effort": {"n": 3, "mean_ease_0_100": 200 / 3, "easy": 2, "neutral": 0, "difficult": 1}},
    tickets={"desk": {"unique": 2, "deleted": 1}},
    links={"ticket_id": 2},
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A published file with the figures of KNOWN. Rows without a day have two different days of receipt."""
    home = Home(tmp_path).make()
    zeros = dict.fromkeys((*COUNTS, *REASON_NAMES), 0)
    days = [
        {**zeros, "day": date(2026, 10, 31), "landed": 5, "redelivered": 1, "accepted": 3, "rejected": 1,
         "suspect": 1, "duplicate": 1, "partial": 1},
        {**zeros, "day": date(2026, 11, 3), "landed": 1, "rejected": 1, "missing_time": 1},
        {**zeros, "day": date(2026, 11, 4), "landed": 1, "rejected": 1, "in_the_future": 1},
    ]  # fmt: skip
    names = ["source_id", *days[0]]
    with duckdb.connect(str(home.published)) as connection:
        connection.execute("CREATE SCHEMA core; CREATE SCHEMA mart; CREATE SCHEMA audit")
        typed = ", ".join(
            f"{n} {'VARCHAR' if n == 'source_id' else 'DATE' if n == 'day' else 'BIGINT'}" for n in names
        )
        connection.execute(f"CREATE TABLE mart.quality_daily ({typed})")
        for day in days:
            row = [{"source_id": "chat", **day}[name] for name in names]
            connection.execute(f"INSERT INTO mart.quality_daily VALUES ({', '.join('?' * len(names))})", row)
        connection.execute("""
            CREATE TABLE core.responses AS
            SELECT 'effort' AS survey_id, score, ease AS ease_0_100, effort_band, comment
            FROM (VALUES (7, 100.0, 'easy', 'ask [email]'), (7, 100.0, 'easy', NULL),
                (1, 0.0, 'difficult', NULL), (NULL, NULL, NULL, NULL)) v(score, ease, effort_band, comment);
            CREATE TABLE core.tickets AS SELECT 'desk' AS source_id, deleted AS is_deleted
            FROM (VALUES (true), (false)) v(deleted);
            CREATE TABLE core.response_tickets AS SELECT 'ticket_id' AS method FROM range(2);
            CREATE TABLE core.ticket_versions AS
            SELECT 'desk' AS source_id, DATE '2026-10-30' AS day FROM range(2);
            CREATE TABLE core.rejected_tickets (source_id VARCHAR, day DATE);
            CREATE TABLE audit.load_audit AS
            SELECT 'desk' AS source_id, 'tickets' AS kind, DATE '2026-10-30' AS day, 0 AS superseded,
                true AS is_current;
            CREATE TABLE audit.delivery_days AS SELECT 'desk' AS source_id, 'tickets' AS kind,
                DATE '2026-10-30' AS day, 2 AS rows_landed, 1 AS rows_redelivered;
        """)
    return home


@pytest.fixture
def known(tmp_path: Path) -> Path:
    KNOWN.write(tmp_path / "known_answers.json")
    return tmp_path / "known_answers.json"


def test_a_correct_file_has_no_differences(home: Home, known: Path) -> None:
    assert compare(home, known) == []


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("UPDATE mart.quality_daily SET duplicate = 2 WHERE landed = 5", "chat 2026-10-31: duplicate is 2"),
        ("UPDATE mart.quality_daily SET too_fast = 1 WHERE duplicate = 1", "chat 2026-10-31: too_fast is 1"),
        ("DELETE FROM mart.quality_daily WHERE in_the_future = 1", "chat received: landed is 1, expected 2"),
        ("UPDATE core.responses SET ease_0_100 = 90 WHERE score = 1", "survey effort: mean_ease_0_100 is 96"),
        ("UPDATE core.responses SET survey_id = 'other'", "survey other: n is 3, expected 0"),
        ("UPDATE core.responses SET comment = 'a@b.example'", "with an e-mail address: comments is 4"),
        ("UPDATE core.tickets SET is_deleted = false", "tickets of desk: deleted is 0, expected 1"),
        ("UPDATE core.response_tickets SET method = 'ambiguous'", "links: ambiguous is 2, expected 0"),
        ("DELETE FROM core.ticket_versions", "desk 2026-10-30: accepted is 0, expected 2"),
        ("DELETE FROM audit.delivery_days", "desk 2026-10-30: landed is 0, expected 3"),
    ],
)  # fmt: skip
def test_each_kind_of_damage_is_reported(home: Home, known: Path, damage: str, expected: str) -> None:
    with duckdb.connect(str(home.published)) as connection:
        connection.execute(damage)
    differences = compare(home, known)
    assert any(line.startswith(expected) for line in differences), differences


def test_a_missing_published_file_is_an_error_with_a_remedy(tmp_path: Path, known: Path) -> None:
    with pytest.raises(CesError, match="ces run"):
        compare(Home(tmp_path / "elsewhere"), known)
