"""Frames of raw rows as cleaning receives them, a registry to judge them by, and the verdicts by response id."""

import hashlib
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from ces_pipeline.clean.context import DayContext, SpeedLimit
from ces_pipeline.clean.outcomes import CleanedDays
from ces_pipeline.clean.responses import clean_responses
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.registry.scales import Scale
from ces_pipeline.registry.segments import Segment
from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.sources import Source
from ces_pipeline.registry.surveys import Survey
from ces_pipeline.schemas.fields import field_table
from ces_pipeline.schemas.table import DAY as DAY_TYPE
from ces_pipeline.schemas.table import INSTANT

DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
"""When every delivery of these frames is received."""
RULE_VERSION = "1"

SURVEY: dict[str, Any] = {"id": "after_chat", "scale": "ease_1_5"}
_INSTANTS = ("received_at", "as_of", "event_at", "version_at")


def at(text: str) -> datetime:
    """`12:30` is that time of 2 March 2026, UTC; `04T12:30` of the 4th; anything longer is ISO 8601 in UTC."""
    full = text if "T" in text else f"02T{text}"
    full = f"2026-03-{full}" if full[2] == "T" else full
    return datetime.fromisoformat(full).replace(tzinfo=UTC)


@cache
def shipped_scales() -> dict[str, Scale]:
    with TemporaryDirectory() as empty:
        return load_registry(Path(empty)).scales


def registry(
    survey: dict[str, Any] | None = None,
    *more: dict[str, Any],
    segments: tuple[Segment, ...] = (),
    **rules: Any,
) -> Registry:
    """Surveys that the source `web` names in a column; `rules` are those of the first."""
    entries = [Survey.model_validate({**SURVEY, **(survey or {}), "rules": rules})]
    entries += [Survey.model_validate(entry) for entry in more]
    sources = [
        Source.model_validate({"id": name, "kind": "survey", "reader": "csv", "survey_column": "survey"})
        for name in ("web", "app")
    ]
    return Registry(
        sources={source.id: source for source in sources},
        surveys={survey.id: survey for survey in entries},
        scales=shipped_scales(),
        segments=segments,
        settings=Settings.model_validate({"first_day": date(2020, 1, 1)}),
    )


def raw_rows(*rows: dict[str, Any], kind: str = "survey") -> pd.DataFrame:
    """Raw rows of one kind; what a row leaves out is unremarkable: a good answer of someone of their own."""
    made = [_raw_row(number, row, kind) for number, row in enumerate(rows)]
    frame = pd.DataFrame(made)
    times = [field.stored_as for field in field_table(kind) if field.treatment == "time"]
    for name in frame.columns:
        if name in times or name in _INSTANTS:
            frame[name] = pd.to_datetime(frame[name], utc=True).astype(INSTANT)
        elif name not in ("row_number", "content", "is_lookback", "day", "received_order"):
            frame[name] = frame[name].astype("str")
    return frame.astype({"day": DAY_TYPE})


def _raw_row(number: int, given: dict[str, Any], kind: str) -> dict[str, Any]:
    fields: dict[str, Any] = {name: None for field in field_table(kind) for name in field.raw_types}
    if kind == "survey":
        fields |= {
            "response_id": f"r{number}",
            "survey": "after_chat",
            "score": "4",
            "respondent_key": f"p{number}",
        }
    else:
        fields |= {"ticket_id": f"t{number}"}
    row = {
        **fields,
        "event_at": at("12:00"),
        "extra": None,
        "problem": None,
        "times_as_written": None,
        **given,
    }
    moment = row["event_at"]
    usable = moment is not None and datetime(2020, 1, 1, tzinfo=UTC) <= moment <= NOW
    identifier = row["response_id" if kind == "survey" else "ticket_id"]
    source = row.setdefault("source_id", "web")
    content = repr(sorted((name, str(value)) for name, value in row.items()))
    defaults = {
        "delivery_id": "d1",
        "received_at": NOW,
        "received_order": 1,
        "as_of": NOW,
        "version_at": row.get("modified_at") or moment,
        "day": moment.date() if usable else NOW.date(),
        "row_number": number + 2,
        "content": int(hashlib.sha256(content.encode()).hexdigest()[:12], 16),
        "is_lookback": False,
    }
    key = f"{source}/{identifier}"
    if kind == "survey":
        defaults |= {"response_key": key, "answers": None}
    else:
        defaults |= {"ticket_key": key, "update_key": f"{key}@{moment}"}
    return {**defaults, **row}


def clean(
    judged_by: Registry,
    *rows: dict[str, Any],
    limits: dict[str, SpeedLimit] | None = None,
    moves: pd.DataFrame | None = None,
    asked: tuple[str, ...] = (),
) -> CleanedDays:
    """`clean_responses` on these rows; `limits` hold on every day."""
    frame = raw_rows(*rows)
    days = {day: limits or {} for day in frame["day"].unique()}
    return clean_responses(
        frame, pd.DataFrame() if moves is None else moves, DayContext(judged_by, days, RULE_VERSION, asked)
    )


def reasons(cleaned: CleanedDays) -> dict[str, tuple[str, ...]]:
    """Response id -> every reason on it, of the accepted (their flags) and the rejected alike."""
    found = dict(zip(cleaned.accepted["response_id"], cleaned.accepted["flags"], strict=True))
    found |= dict(zip(cleaned.rejected["response_id"], cleaned.rejected["reasons"], strict=True))
    return {name: tuple(named) for name, named in found.items()}


def verdict(cleaned: CleanedDays, response_id: str) -> str:
    """`rejected`, `suspect` or `accepted`."""
    if response_id in set(cleaned.rejected["response_id"]):
        return "rejected"
    (row,) = cleaned.accepted[cleaned.accepted["response_id"] == response_id].to_dict("records")
    return "suspect" if row["is_suspect"] else "accepted"


def accepted(cleaned: CleanedDays, response_id: str = "r0") -> dict[str, Any]:
    """The accepted row, nulls as None."""
    (row,) = cleaned.accepted[cleaned.accepted["response_id"] == response_id].to_dict("records")
    return {
        str(name): None if not isinstance(value, list) and pd.isna(value) else value
        for name, value in row.items()
    }
