"""The newest day's ease of each survey, and that of the week before, as the marts have them. Computes no figure."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

_NEWEST = """
with newest as (
    select segment as survey_id, max(period_start) as day
    from mart.ces_segments
    where period = 'day' and dimension = 'survey' and n > 0
    group by segment
),

recent as (
    select survey_id, day, date_trunc('week', day)::date - 7 as week
    from newest
    where day > (select max(day) from newest) - 28
)

select
    recent.survey_id,
    recent.day,
    today.n,
    today.mean_ease_0_100,
    today.ease_low_0_100,
    today.ease_high_0_100,
    recent.week,
    coalesce(before.n, 0) as n_week,
    before.mean_ease_0_100 as mean_ease_week_0_100,
    before.ease_low_0_100 as ease_low_week_0_100,
    before.ease_high_0_100 as ease_high_week_0_100
from recent
inner join mart.ces_segments as today
    on today.period = 'day' and today.dimension = 'survey'
    and today.segment = recent.survey_id and today.period_start = recent.day
left join mart.ces_segments as before
    on before.period = 'week' and before.dimension = 'survey'
    and before.segment = recent.survey_id and before.period_start = recent.week
order by recent.survey_id
"""


@dataclass(frozen=True)
class Ease:
    """Mean ease of n answers (0 to 100, higher is easier) with its 95 % interval; None: n is below the minimum n."""

    n: int
    mean_0_100: float | None
    low_0_100: float | None
    high_0_100: float | None


@dataclass(frozen=True)
class NewestDay:
    """A survey's newest day, and the calendar week before the week of that day. week: its Monday."""

    survey_id: str
    day: date
    ease: Ease
    week: date
    week_ease: Ease

    @property
    def is_suppressed(self) -> bool:
        """Whether the day or the week has too few answers for a figure."""
        return any(ease.n > 0 and ease.mean_0_100 is None for ease in (self.ease, self.week_ease))

    def as_json(self) -> dict[str, Any]:
        return {
            "survey_id": self.survey_id,
            "day": self.day.isoformat(),
            **_as_json(self.ease),
            "week_before": {"monday": self.week.isoformat(), **_as_json(self.week_ease)},
        }


def newest_days(connection: duckdb.DuckDBPyConnection) -> list[NewestDay]:
    """Every survey with an answer in the last four weeks of the data, by id."""
    return [
        NewestDay(
            row["survey_id"],
            row["day"],
            Ease(row["n"], row["mean_ease_0_100"], row["ease_low_0_100"], row["ease_high_0_100"]),
            row["week"],
            Ease(
                row["n_week"],
                row["mean_ease_week_0_100"],
                row["ease_low_week_0_100"],
                row["ease_high_week_0_100"],
            ),
        )
        for row in connection.sql(_NEWEST).to_arrow_table().to_pylist()
    ]


def _as_json(ease: Ease) -> dict[str, Any]:
    return {
        "n": ease.n,
        "mean_ease_0_100": ease.mean_0_100,
        "ease_low_0_100": ease.low_0_100,
        "ease_high_0_100": ease.high_0_100,
        "too_few_answers": ease.mean_0_100 is None,
    }
