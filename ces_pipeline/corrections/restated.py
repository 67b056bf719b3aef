"""The published days that the last publish changed, with their figures before and now."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ces_pipeline.home import Home
from ces_pipeline.storage.duck import open_published

_RESTATED = """
    SELECT day, table_name, rows_before, rows_after,
        ease_sum_before / nullif(rows_before, 0), ease_sum_after / nullif(rows_after, 0)
    FROM audit.restatements SEMI JOIN audit.publication USING (run_id)
    WHERE rows_before <> rows_after OR ease_sum_before IS DISTINCT FROM ease_sum_after
    ORDER BY day, table_name
"""


@dataclass(frozen=True)
class RestatedDay:
    """A published day of a table that changed. Means are of `ease_0_100`; None: the day has no scores."""

    day: date
    table: str
    rows_before: int
    rows_now: int
    mean_ease_before: float | None
    mean_ease_now: float | None

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "day": self.day.isoformat()}


def restated_by_last_publish(home: Home) -> list[RestatedDay]:
    """The days that the last publish restated. Raises CesError if the published file cannot be opened."""
    with open_published(home.published) as connection:
        return [RestatedDay(*row) for row in connection.execute(_RESTATED).fetchall()]
