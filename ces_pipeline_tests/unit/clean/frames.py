"""Frames of raw rows as cleaning receives them, a registry to judge them by, and the verdicts by response id."""

from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from ces_pipeline.clean.context import DayContext, SpeedLimit
from ces_pipeline.clean.outcomes import CleanedDays
from ces_pipeline.clean.responses import clean_responses
from ces_pipeline.proof.raw_rows import RECEIVED_AT
from ces_pipeline.proof.raw_rows import raw_rows as made_up_rows
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.registry.scales import Scale
from ces_pipeline.registry.segments import Segment
from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.sources import Source
from ces_pipeline.registry.surveys import Survey

NOW = RECEIVED_AT
RULE_VERSION = "1"

SURVEY: dict[str, Any] = {"id": "after_chat", "scale": "ease_1_5"}


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
    return made_up_rows(kind, [{**_own(number, kind), **row} for number, row in enumerate(rows)])


def _own(number: int, kind: str) -> dict[str, Any]:
    if kind != "survey":
        return {"ticket_id": f"t{number}"}
    return {"response_id": f"r{number}", "survey": "after_chat", "respondent_key": f"p{number}"}


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
