"""Compares a published file with the known answers of a sample. It only reads, and runs no step of the pipeline."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from ces_pipeline.demo.known import COUNTS, RECEIVED, KnownAnswers
from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.rules.catalog import REASON_NAMES
from ces_pipeline.storage.duck import open_published

_TICKET_DAYS = """
WITH landed AS (
    SELECT source_id, day, sum(rows_landed + rows_redelivered) AS landed
    FROM audit.delivery_days WHERE kind = 'tickets' GROUP BY ALL
),
accepted AS (SELECT source_id, day, count(*) AS accepted FROM core.ticket_versions GROUP BY ALL),
rejected AS (SELECT source_id, day, count(*) AS rejected FROM core.rejected_tickets GROUP BY ALL),
superseded AS (
    SELECT source_id, day, sum(superseded) AS superseded
    FROM audit.load_audit WHERE kind = 'tickets' AND is_current GROUP BY ALL
)
SELECT source_id, day, landed, landed - superseded - accepted - rejected AS redelivered, superseded, accepted,
    rejected, 0 AS suspect
FROM (
    SELECT source_id, day, landed, coalesce(accepted, 0) AS accepted, coalesce(rejected, 0) AS rejected,
        coalesce(superseded, 0) AS superseded
    FROM landed
    LEFT JOIN accepted USING (source_id, day)
    LEFT JOIN rejected USING (source_id, day)
    LEFT JOIN superseded USING (source_id, day)
)
"""
_SURVEYS = """
SELECT survey_id, count(*) AS n, avg(ease_0_100) AS mean_ease_0_100,
    count(*) FILTER (effort_band = 'easy') AS easy, count(*) FILTER (effort_band = 'neutral') AS neutral,
    count(*) FILTER (effort_band = 'difficult') AS difficult
FROM core.responses WHERE score IS NOT NULL GROUP BY survey_id
"""
_TICKETS = """
SELECT source_id, count(*) AS "unique", count(*) FILTER (is_deleted) AS deleted
FROM core.tickets GROUP BY source_id
"""
_LINKS = "SELECT method, count(*) AS responses FROM core.response_tickets GROUP BY method"
# Published scores are rounded to six decimals; counts differ by one or more.
_TOLERANCE = 1e-5
_UNREDACTED = "SELECT count(*) AS comments FROM core.responses WHERE contains(comment, '@')"


def compare(home: Home, known: Path, counts: tuple[str, ...] = COUNTS) -> list[str]:
    """All differences between the home's published file and the known answers at `known`; empty if there are none.

    counts: the COUNTS to compare day by day. Raises CesError if no published file can be opened.
    """
    answers = KnownAnswers.read(known)
    if not home.published.is_file():
        raise CesError(f"nothing is published at {home.published}. Run `ces run` first")
    with open_published(home.published) as connection:
        differences = _compare_days(
            answers,
            answers.survey_days,
            _rows(connection, "SELECT * FROM mart.quality_daily"),
            (*counts, *REASON_NAMES),
        )
        differences += _compare_days(answers, answers.ticket_days, _rows(connection, _TICKET_DAYS), counts)
        entries: tuple[tuple[str, str, dict[str, Any], str], ...] = (
            ("survey", "survey_id", answers.surveys, _SURVEYS),
            ("tickets of", "source_id", answers.tickets, _TICKETS),
        )
        for what, key_column, known_entries, sql in entries:
            found = {row.pop(key_column): row for row in _rows(connection, sql)}
            for key in sorted({*known_entries, *found}):
                expected, published = known_entries.get(key, {}), found.get(key, {})
                differences += _compare(f"{what} {key}", {**expected, **published}, expected, published)
        links = {row["method"]: row["responses"] for row in _rows(connection, _LINKS)}
        differences += _compare("links", {**answers.links, **links}, answers.links, links)
        unredacted = _rows(connection, _UNREDACTED)[0]
        differences += _compare("with an e-mail address", unredacted, {"comments": 0}, unredacted)
    return differences


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    result = connection.execute(sql)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _compare_days(
    answers: KnownAnswers, known: list[dict[str, Any]], found: list[dict[str, Any]], names: tuple[str, ...]
) -> list[str]:
    """Differences by source and day. Days after the sample's last day are days of receipt."""
    last_day = date.fromisoformat(answers.last_day)
    totals: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in found:
        day = RECEIVED if row["day"] > last_day else row["day"].isoformat()
        for name in names:
            totals[row["source_id"], day][name] += int(row[name] or 0)
    expected = {
        (day["source_id"], day["day"]): {**{name: day[name] for name in COUNTS}, **day.get("reasons", {})}
        for day in known
    }
    differences = []
    for key in sorted({*expected, *totals}):
        differences += _compare(" ".join(key), names, expected.get(key, {}), totals.get(key, {}))
    return differences


def _compare(
    what: str, names: Mapping[str, Any] | tuple[str, ...], known: Mapping[str, Any], found: Mapping[str, Any]
) -> list[str]:
    """One line per name whose numbers differ. A missing number counts as 0."""
    return [
        f"{what}: {name} is {found.get(name) or 0}, expected {known.get(name) or 0}"
        for name in names
        if abs((found.get(name) or 0) - (known.get(name) or 0)) > _TOLERANCE
    ]
