"""Speed limits: the seconds below which a response is fast for its survey, from earlier responses."""

import math
from collections.abc import Sequence
from datetime import date, timedelta

from ces_pipeline.clean.context import SpeedLimit
from ces_pipeline.clean.plan import RawFile
from ces_pipeline.clean.raw_rows import scan_files
from ces_pipeline.formats.decimals import as_double
from ces_pipeline.formats.flags import FINISHED, RESPONSE_STATUS
from ces_pipeline.registry.registry import Registry
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.scratch import scratch


def speed_limits(
    lake: Lake, registry: Registry, files: Sequence[RawFile], days: Sequence[date]
) -> dict[date, dict[str, SpeedLimit]]:
    """Day -> survey id -> speed limit, computed from the responses (`files`) of the days before.

    The window ends before the day, so later responses never change a verdict. The limit is the mean of log seconds
    minus `fast_sd` standard deviations. It needs `fast_minimum_n` finished responses with a score in the window.
    """
    window = registry.settings.speed_window_days
    if not files:
        return {}
    per_day: dict[date, dict[str, list[float]]] = {}
    # One delivery never lands the same row twice; several deliveries that came out of order may.
    several = len({(file.source_id, file.day) for file in files}) < len(files)
    with scratch() as connection:
        found = connection.execute(
            f"""
            WITH timed AS (
                SELECT {"DISTINCT" if several else ""} source_id, survey, day, key_hi, key_lo, content,
                    coalesce({as_double("duration_seconds")}, epoch(submitted_at - started_at)) AS seconds
                FROM {scan_files(connection, lake, "survey", files, "timed_rows")}
                WHERE score IS NOT NULL AND lower(trim(coalesce(finished, ''))) NOT IN ({_listed(FINISHED, "false")})
                    AND lower(trim(coalesce(status, ''))) NOT IN ({_listed(RESPONSE_STATUS, "test")})
            )
            SELECT day, source_id, coalesce(survey, ''), count(*), sum(ln(seconds)), sum(ln(seconds) * ln(seconds))
            FROM timed WHERE seconds >= 1 GROUP BY ALL ORDER BY ALL
            """
        ).fetchall()
    for day, source_id, named, n, total, squares in found:
        if survey_id := registry.survey_of_source(source_id, named):
            sums = per_day.setdefault(day, {}).setdefault(survey_id, [0.0, 0.0, 0.0])
            for place, value in enumerate((n, total, squares)):
                sums[place] += value
    return {day: _limits(registry, per_day, day, window) for day in days}


def _limits(
    registry: Registry, per_day: dict[date, dict[str, list[float]]], day: date, window: int
) -> dict[str, SpeedLimit]:
    sums: dict[str, list[float]] = {}
    for step in range(1, window + 1):
        for survey_id, parts in per_day.get(day - timedelta(step), {}).items():
            sums[survey_id] = [
                a + b for a, b in zip(sums.get(survey_id, [0.0, 0.0, 0.0]), parts, strict=True)
            ]
    limits = {}
    for survey_id, (n, total, squares) in sums.items():
        rules = registry.surveys[survey_id].rules
        if n >= rules.fast_minimum_n:
            mean = total / n
            sd = math.sqrt(max(0.0, (squares - n * mean * mean) / (n - 1)))
            # Rounded to milliseconds: smaller differences are rounding errors of the sums.
            limits[survey_id] = SpeedLimit(int(n), round(math.exp(mean - rules.fast_sd * sd), 3))
    return limits


def _listed(words: dict[str, str], meaning: str) -> str:
    """The words with this meaning, as SQL texts."""
    return ", ".join(quote_text(word) for word, means in words.items() if means == meaning)
