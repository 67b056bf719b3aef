"""A large survey export to measure throughput: a generic CSV, of which a few per cent are dirty.

It has no known answers (the sample of `generate.py` has).
"""

from datetime import date, timedelta
from pathlib import Path

import duckdb

from ces_pipeline.storage.machine import machine
from ces_pipeline.storage.quote import quote_text

_SECONDS_A_DAY = 86_400


def write_big_csv(path: Path, rows: int, days: int, seed: int, last_day: date = date(2026, 10, 31)) -> None:
    """Write `rows` responses to a 1 to 7 question, about 140 bytes each, over `days` days up to `last_day`.

    Columns: response_id, email, ticket_id, channel, product, language, score, comment, started_at,
    submitted_at, recorded_at (UTC, no zone), duration_seconds, finished, status. A third has a comment. About
    five per cent are dirty: blank or impossible scores, test, unfinished or too fast answers, duplicates.
    The same arguments always give the same bytes.
    """
    first_day = last_day - timedelta(days=days - 1)
    sql = f"""
        WITH drawn AS (
            SELECT i, hash(i + {seed} * 1000003::UBIGINT) AS h, hash(-1 - i - {seed} * 1000003) AS g,
                i % 150 = 149 AS is_duplicate
            FROM range({rows}) t(i)
        ), answered AS (
            SELECT *, CASE WHEN is_duplicate THEN i - 1 ELSE i END AS person,
                TIMESTAMP {quote_text(f"{first_day} 00:00:01")}
                    + to_seconds(i * {days * _SECONDS_A_DAY - 120} // {rows}) AS recorded,
                CASE WHEN h % 97 = 0 THEN 1 ELSE 12 + CAST(g % 229 AS BIGINT) END AS seconds,
                1 + least(CAST(h // 64 % 7 AS BIGINT) + CAST(g // 64 % 3 AS BIGINT), 6) AS score
            FROM drawn
        )
        SELECT printf('R%09d', i) AS response_id, 'user' || person || '@example.com' AS email,
            CASE WHEN person % 5 < 3 THEN (100000 + person)::VARCHAR END AS ticket_id,
            (['email', 'chat', 'phone', 'web'])[1 + CAST(g % 4 AS BIGINT)] AS channel,
            (['Starter', 'Team', 'Enterprise'])[1 + CAST(g // 4 % 3 AS BIGINT)] AS product,
            (['en', 'en', 'en', 'de'])[1 + CAST(g // 16 % 4 AS BIGINT)] AS language,
            CASE WHEN h % 101 = 0 THEN NULL WHEN h % 103 = 0 THEN '9' ELSE score::VARCHAR END AS score,
            CASE WHEN h // 1000 % 3 = 0 THEN
                CASE WHEN score > 4 THEN 'Quick and easy, thank you'
                    WHEN score < 4 THEN 'It took too long and was difficult' ELSE 'As expected' END
            END AS comment,
            recorded - to_seconds(seconds + 1) AS started_at, recorded - INTERVAL 1 SECOND AS submitted_at,
            recorded AS recorded_at, seconds AS duration_seconds, h % 107 <> 0 AS finished,
            CASE WHEN h % 109 = 0 THEN 'test' ELSE 'normal' END AS status
        FROM answered"""
    limits = machine().duckdb_config(machine().session_mb)
    with duckdb.connect(config=limits) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"COPY ({sql}) TO {quote_text(str(path))} (FORMAT csv, HEADER)")
