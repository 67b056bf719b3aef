"""Measures the rebuild of every mart over years of answers and tickets, and the core queries on the result.

`python -m ces_pipeline_tests.benchmarks.marts [--years 3] [--responses 1000] [--tickets 3000]` (a day). Prints each
mart's seconds, the seconds of a bare GROUP BY over the same rows, and each query of `sql/queries/` in milliseconds.
Exits 1 if a limit is exceeded. DuckDB generates the rows, without landing or cleaning. Marts over tables that are not in
`_FILLED` are measured without rows.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import duckdb
import yaml

from ces_pipeline.home import Home
from ces_pipeline.publish.derived import fill_derived
from ces_pipeline.publish.layout import STORAGE_VERSION, create_tables
from ces_pipeline.publish.reference import reference_tables
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.storage.duck import open_published, session
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.sql_files import derived_files, sql_files

REBUILD_LIMIT_SECONDS = 20
QUESTION_LIMIT_MS = 100
_SURVEYS = 8
_FIRST = date(2024, 1, 1)
_FILLED = {
    "core.responses": """
        WITH rows AS (
            SELECT
                i, md5('r' || i) AS response_key, i // $responses AS d,
                (hash(i, 1) % 7)::BIGINT AS easy, (hash(i, 2) >> 2)::BIGINT AS a, (hash(i, 3) >> 2)::BIGINT AS b, (hash(i, 4) >> 2)::BIGINT AS c
            FROM range($responses * $days) AS numbers(i)
        )
        SELECT
            response_key, 'source_' || a % 4 AS source_id, 'survey_' || a % $surveys AS survey_id,
            i::VARCHAR AS response_id, md5('p' || b % 200000) AS respondent_key,
            CASE WHEN c % 2 = 0 THEN (d * $tickets + b % $tickets)::VARCHAR END AS ticket_id,
            ['email', 'chat', 'phone', 'web'][a % 4 + 1] AS channel, 'persona_' || b % 3 AS persona,
            'product_' || b % 5 AS product, 'device_' || c % 3 AS device, 'stage_' || a % 4 AS journey_stage,
            'process_' || a % 2 AS process, ['en', 'de', 'fr'][c % 3 + 1] AS language,
            'ces2_agreement_1_7' AS scale_id, easy + 1 AS score, round(100 - easy * 100 / 6, 6) AS effort_0_100,
            100 - effort_0_100 AS ease_0_100,
            CASE WHEN easy >= 4 THEN 'easy' WHEN easy = 3 THEN 'neutral' ELSE 'difficult' END AS effort_band,
            CASE WHEN c % 10 = 0 THEN 'It took ages' END AS comment,
            make_timestamptz((($first::DATE + d::INTEGER) - DATE '1970-01-01') * 86400000000 + b % 86400000000)
                AS recorded_at, recorded_at AS submitted_at,
            20.0 + a % 300 AS duration_seconds, c % 50 = 0 AS is_suspect, []::VARCHAR[] AS flags, 1 AS revision,
            'delivery' AS delivery_id, $first::DATE + d::INTEGER AS day
        FROM rows
    """,
    "core.ticket_versions": """
        WITH rows AS (
            SELECT
                i, i // $tickets AS d, (hash(i, 5) >> 2)::BIGINT AS a, (hash(i, 6) >> 2)::BIGINT AS b, (hash(i, 7) >> 2)::BIGINT AS c,
                ((($first::DATE + d::INTEGER) - DATE '1970-01-01') * 86400 + a % 86400) * 1000000 AS created_us,
                (-ln((b % 100000 + 1) / 100001) * 90000)::BIGINT * 1000000 AS resolution_us
            FROM range($tickets * $days) AS numbers(i)
        )
        SELECT
            md5('t' || i) AS ticket_key, 'desk' AS source_id, i::VARCHAR AS ticket_id, 'solved' AS status, 'solved' AS state,
            ['low', 'normal', 'high'][c % 3 + 1] AS priority,
            CASE WHEN a % 20 > 0 THEN 'category_' || a % 20 END AS category,
            ['email', 'chat', 'phone', 'web'][b % 4 + 1] AS channel, 'product_' || c % 5 AS product,
            md5('p' || c % 200000) AS requester_key, 'group_' || b % 6 AS group_name,
            make_timestamptz(created_us) AS created_at,
            make_timestamptz(created_us + resolution_us // 4) AS first_reply_at,
            make_timestamptz(created_us + resolution_us) AS solved_at, solved_at AS resolved_at, solved_at AS updated_at,
            resolution_us / 24e7 AS first_reply_minutes, resolution_us / 6e7 AS resolution_minutes,
            (b % 11 = 0)::BIGINT AS reopens, c % 3 AS handoffs, a % 6 AS replies, false AS is_deleted,
            'delivery' AS delivery_id, solved_at::DATE AS day
        FROM rows
    """,
    "core.follow_ups": """
        WITH rows AS (
            SELECT i, i // $responses AS d, unnest([1, 2, 3]) AS step
            FROM range($responses * $days) AS numbers(i)
            WHERE hash(i, 8) % 8 = 0
        )
        SELECT
            md5('f' || i) AS follow_up_key, 'calls' AS source_id, i::VARCHAR AS follow_up_id,
            CASE WHEN i % 2 = 0 THEN i::VARCHAR END AS response_id,
            CASE WHEN i % 2 = 1 THEN (d * $tickets + i % $tickets)::VARCHAR END AS ticket_id,
            ['assigned', 'contacted', 'resolved'][step] AS state,
            make_timestamptz(((($first::DATE + d::INTEGER) - DATE '1970-01-01') * 24 + 24 * step) * 3600000000)
                AS changed_at,
            'delivery' AS delivery_id, changed_at::DATE AS day
        FROM rows
    """,
}
_FLOOR = """
    SELECT count(*) FROM (
        SELECT day, survey_id, channel, persona, product, journey_stage, count(*), sum(ease_0_100)
        FROM core.responses GROUP BY ALL
        UNION ALL BY NAME
        SELECT day, category, priority, channel, product, count(*), sum(resolution_minutes)
        FROM core.tickets GROUP BY ALL
    )
"""


def make_registry(folder: Path) -> Registry:
    """The registry of the generated rows."""
    folder.mkdir(parents=True, exist_ok=True)
    surveys = [
        {"id": f"survey_{n}", "scale": "ces2_agreement_1_7", "owner": f"team_{n % 3}"}
        for n in range(_SURVEYS)
    ]
    months = [_FIRST + timedelta(days=90 + 30 * n) for n in range(20)]
    fixes = [
        {"id": f"fix_{n}", "title": f"Fix {n}", "live_on": day, "categories": [f"category_{n + 1}"]}
        for n, day in enumerate(months[:10])
    ]
    releases = [{"id": f"release_{n}", "title": f"Release {n}", "day": day} for n, day in enumerate(months)]
    costs = {f"category_{n}": n for n in range(1, 15)}
    handling = [
        {"id": "bot", "assigns": "handling", "value": "automated", "when": {"channel": "chat", "replies": 0}},
        {"id": "people", "assigns": "handling", "value": "human", "when": {"replies": [1, 2, 3, 4, 5]}},
    ]
    for name, entries in (
        ("segments", handling),
        ("fixes", fixes),
        ("releases", releases),
        ("priorities", {"value_weights": {"unassigned": 1}, "category_costs": costs}),
        ("surveys", surveys),
        ("sources", []),
        ("settings", {"first_day": _FIRST, "business_time_zone": "Europe/Berlin"}),
    ):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    return load_registry(folder)


def fill(connection: duckdb.DuckDBPyConnection, registry: Registry, values: dict[str, object]) -> None:
    """Create every table of the snapshot, and fill those of `_FILLED` and of the registry."""
    create_tables(connection)
    for name, rows in reference_tables(registry).items():
        connection.register("rows", rows)
        connection.execute(f"INSERT INTO {name} SELECT * FROM rows")
        connection.unregister("rows")
    for name, query in _FILLED.items():
        used = {key: value for key, value in values.items() if f"${key}" in query}
        connection.execute(f"INSERT INTO {name} BY NAME {query}", used)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def rebuild(
    path: Path, work: Path, registry: Registry, values: dict[str, object]
) -> tuple[dict[str, float], float]:
    """Seconds of each derived table, and of the bare GROUP BY."""
    with session(work) as connection:
        connection.execute(f"ATTACH {quote_text(str(path))} AS ces (STORAGE_VERSION '{STORAGE_VERSION}')")
        connection.execute("USE ces")
        fill(connection, registry, values)
        connection.execute("CHECKPOINT ces")
        taken: dict[str, float] = {}
        for file in derived_files():
            connection.execute("BEGIN")
            taken[file.table] = seconds(lambda file=file: fill_derived(connection, [file]))  # type: ignore[misc]
            connection.execute("COMMIT")
        floor = seconds(lambda: connection.execute(_FLOOR).fetchall())
        connection.execute("USE memory")
        connection.execute("DETACH ces")
    return taken, floor


def ask(path: Path) -> dict[str, float]:
    """Milliseconds of each cookbook query on the published file. Each is the median of five."""
    with open_published(path) as connection:
        return {
            file.name: 1000
            * median(seconds(lambda file=file: connection.execute(file.query).fetchall()) for _ in range(5))  # type: ignore[misc]
            for file in sql_files("queries")
        }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Rebuild of the marts against a bare GROUP BY.")
    parser.add_argument("--years", type=float, default=3)
    parser.add_argument("--responses", type=int, default=1_000)
    parser.add_argument("--tickets", type=int, default=3_000)
    given = parser.parse_args(arguments)
    days = round(given.years * 365)
    values: dict[str, object] = {
        "responses": given.responses,
        "tickets": given.tickets,
        "days": days,
        "surveys": _SURVEYS,
        "first": _FIRST,
    }
    with tempfile.TemporaryDirectory(prefix="ces-marts-") as folder:
        home = Home(Path(folder)).make()
        taken, floor = rebuild(home.published, Path(folder), make_registry(home.registry), values)
        asked = ask(home.published)
    last = _FIRST + timedelta(days=days - 1)
    print(f"{given.responses * days:,} responses and {given.tickets * days:,} tickets, {_FIRST} to {last}")
    for name, took in sorted(taken.items(), key=lambda entry: -entry[1]):
        print(f"{name:<36}{took:>9.2f} s")
    marts = sum(took for name, took in taken.items() if name.startswith("mart."))
    print(f"{'all marts':<36}{marts:>9.2f} s (limit {REBUILD_LIMIT_SECONDS}); bare GROUP BY {floor:.2f} s")
    for name, took in asked.items():
        print(f"{name:<36}{took:>9.1f} ms (limit {QUESTION_LIMIT_MS})")
    return 0 if marts <= REBUILD_LIMIT_SECONDS and max(asked.values()) <= QUESTION_LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
