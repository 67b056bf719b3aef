"""Protects the evidence of `mart.anomalies_daily`: which rows of the snapshot are the figures that are watched."""

import math

import pytest

from ces_pipeline.proof.checks import empty_snapshot
from ces_pipeline.storage.sql_files import derived_files, sql_files

EVIDENCE = next(file for file in derived_files() if file.table == "mart.anomalies_daily").query


def test_the_way_of_an_answer_is_watched_by_source_without_what_is_history_when_it_comes() -> None:
    with empty_snapshot() as connection:
        for macro in sql_files("macros"):
            connection.execute(macro.text)
        connection.execute(
            "INSERT INTO reference.settings (business_time_zone, minimum_n) VALUES ('UTC', 1);"
            "INSERT INTO mart.quality_daily (source_id, day, landed, redelivered, accepted, rejected)"
            " VALUES ('web', '2026-03-02', 4, 0, 4, 0);"
            "INSERT INTO audit.delivery_days (kind, source_id, day) VALUES ('survey', 'web', '2026-03-04');"
            "INSERT INTO audit.deliveries (source_id, delivery_id, received_at) VALUES"
            " ('web', 'night', '2026-03-03 02:00:00+00'), ('web', 'archive', '2026-03-12 02:00:00+00');"
            "INSERT INTO core.responses (response_key, source_id, delivery_id, day, recorded_at) VALUES"
            " ('a', 'web', 'night', '2026-03-02', '2026-03-02 22:00:00+00'),"
            " ('b', 'web', 'night', '2026-03-02', '2026-03-02 10:00:00+00'),"
            " ('at once', 'web', 'night', '2026-03-02', '2026-03-03 02:00:00+00'),"
            " ('old', 'web', 'archive', '2026-03-02', '2026-03-02 22:00:00+00')"
        )
        found = connection.execute(
            f"SELECT day::text, segment, n, total, square_total FROM ({EVIDENCE}) WHERE series_kind = 'arrival_minutes'"
        ).fetchall()
    # 240 minutes, 960 minutes, and less than one, which counts as one.
    logs = [math.log(240), math.log(960), 0.0]
    day, source, n, total, square_total = found[0]
    assert (len(found), day, source, n) == (1, "2026-03-02", "web", 3)
    assert (total, square_total) == pytest.approx((sum(logs), sum(log * log for log in logs)), abs=1e-4)
