"""The rejected rows of the published file: by reason, by source and day, and examples without people."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from ces_pipeline.home import Home
from ces_pipeline.reports.answers import published
from ces_pipeline.schemas.kinds import KINDS

_OF_PEOPLE = ("_key", "comment", "extra", "person", "respondent", "problem")
"""Parts of the names of landed values that an example leaves out, though they are hashed or redacted."""
_EXAMPLES = 3


@dataclass(frozen=True)
class Quarantine:
    """Rejected rows that fit the filter; a row with two reasons counts in both.

    rows: distinct rows. reasons: kind, source_id, reason, means, rows, share of the source's rejected rows, first_day,
    last_day. days: source_id, day, reason, rows. examples: of each reason, some rows with the newest day first.
    """

    rows: int
    reasons: tuple[dict[str, Any], ...]
    days: tuple[dict[str, Any], ...]
    examples: tuple[dict[str, Any], ...]


def quarantine(
    home: Home,
    *,
    source: str | None = None,
    first: date | None = None,
    last: date | None = None,
    reason: str | None = None,
) -> Quarantine:
    """The quarantine of the published file. Raises CesError if there is no published file or it cannot be read."""
    rejected = " UNION ALL ".join(
        f"SELECT '{kind.name}' AS kind, source_id, day, delivery_id, row_number, "
        f"{_id_column(kind.own_id)} AS id, landed, reasons FROM {kind.rejected}"
        for kind in KINDS.values()
    )
    chosen = (
        f"WITH chosen AS (SELECT * FROM ({rejected}) WHERE ($source IS NULL OR source_id = $source) "
        "AND ($first IS NULL OR day >= $first) AND ($last IS NULL OR day <= $last) "
        "AND ($reason IS NULL OR list_contains(reasons, $reason))), "
        "broken AS (SELECT * EXCLUDE (reasons), unnest(reasons) AS reason FROM chosen), "
        "wanted AS (SELECT * FROM broken WHERE $reason IS NULL OR reason = $reason) "
    )
    values = {"source": source, "first": first, "last": last, "reason": reason}
    with published(home) as connection:

        def ask(query: str) -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = (
                connection.sql(chosen + query, params=values).to_arrow_table().to_pylist()
            )
            return rows

        (total,) = ask("SELECT count(*) AS n FROM chosen")
        reasons = ask(
            "SELECT kind, source_id, wanted.reason, any_value(reasons.means) AS means, count(*) AS rows, "
            "min(day) AS first_day, max(day) AS last_day FROM wanted "
            "LEFT JOIN reference.reasons AS reasons ON wanted.reason = reasons.reason "
            "GROUP BY ALL ORDER BY rows DESC, source_id, wanted.reason"
        )
        days = ask(
            "SELECT source_id, day, reason, count(*) AS rows FROM wanted GROUP BY ALL "
            "ORDER BY day DESC, source_id, rows DESC, reason"
        )
        examples = ask(
            "SELECT wanted.reason, wanted.source_id, wanted.id, wanted.day, deliveries.file_name, wanted.row_number, "
            "wanted.delivery_id, wanted.landed FROM wanted LEFT JOIN audit.deliveries AS deliveries "
            "USING (source_id, delivery_id) QUALIFY row_number() OVER (PARTITION BY wanted.source_id, wanted.reason "
            f"ORDER BY day DESC, row_number) <= {_EXAMPLES} ORDER BY wanted.reason, source_id, day DESC, row_number"
        )
    return Quarantine(
        rows=total["n"],
        reasons=tuple(reasons),
        days=tuple(days),
        examples=tuple({**row, "landed": without_people(row["landed"])} for row in examples),
    )


def without_people(landed: str | None) -> dict[str, str]:
    """The landed values of a rejected row, without keys of people and texts that they wrote."""
    try:
        values = json.loads(landed or "{}")
    except ValueError:
        return {}
    return {
        name: str(value) for name, value in values.items() if not any(part in name for part in _OF_PEOPLE)
    }


def _id_column(own_id: str) -> str:
    """The own id of a kind, if it is no person."""
    return "NULL" if own_id == "person" else own_id
