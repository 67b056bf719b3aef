"""Judging days again, for `ces replay` and `ces restate`: which days, and what would move.

A day that is judged again gives what the present registry and code say of its landed rows. Verdicts that change are
kept in `audit.verdict_changes`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import pandas as pd
import pyarrow.compute as pc

from ces_pipeline.clean.inputs import Planner
from ces_pipeline.clean.step import changed_verdicts
from ces_pipeline.corrections.log import Correction, record
from ces_pipeline.errors import CesError, RegistryError
from ces_pipeline.home import Home
from ces_pipeline.registry import Registry
from ces_pipeline.rules.catalog import SURVEY_RULES
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.lake import UNREADABLE, Lake

Range = tuple[date, date]


@dataclass(frozen=True)
class Judging:
    """Days that are judged again, and the responses whose verdict would change (`clean.step.changed_verdicts`)."""

    days: dict[str, tuple[date, ...]]
    verdicts: pd.DataFrame
    rows: int

    @property
    def n_days(self) -> int:
        return len({day for days in self.days.values() for day in days})

    @property
    def ranges(self) -> dict[str, list[Range]]:
        """Kind -> ranges of consecutive days."""
        return {kind: list(_ranges(days)) for kind, days in self.days.items()}

    def moves(self) -> list[tuple[str, str, int]]:
        """(Verdict and reasons before, verdict and reasons now, responses), most responses first."""
        counted: dict[tuple[str, str], int] = {}
        for row in self.verdicts.to_dict("records"):
            move = tuple(_words(row[f"verdict_{when}"], row[f"reasons_{when}"]) for when in ("before", "now"))
            counted[move[0], move[1]] = counted.get((move[0], move[1]), 0) + 1
        return sorted(((*move, n) for move, n in counted.items()), key=lambda move: (-move[2], move))

    def as_json(self) -> dict[str, Any]:
        return {
            "days": {kind: [day.isoformat() for day in days] for kind, days in self.days.items()},
            "rows": self.rows,
            "responses_that_move": len(self.verdicts),
            "moves": [{"before": before, "now": now, "responses": n} for before, now, n in self.moves()],
        }


def quarantined(
    home: Home,
    registry: Registry,
    *,
    source_id: str | None = None,
    survey_id: str | None = None,
    reason: str | None = None,
    first: date | None = None,
    last: date | None = None,
) -> Judging:
    """The days with matching rows in quarantine, and what judging them again would move.

    Raises RegistryError for a source, survey or reason that does not exist, CesError if a raw file cannot be read.
    """
    known = {rule.name for rule in SURVEY_RULES}
    for word, given, names in (
        ("source", source_id, registry.sources.keys()),
        ("survey", survey_id, registry.surveys.keys()),
        ("reason", reason, known),
    ):
        if given is not None and given not in names:
            raise RegistryError(f"there is no {word} {given!r}. Known: {', '.join(sorted(names))}")
    lake = Lake(home.lake)
    wanted = {"source_id": source_id, "survey_id": survey_id}
    days: dict[str, tuple[date, ...]] = {}
    for kind in registry.kinds:
        if kind != "survey" and (survey_id or reason):
            continue
        table = KINDS[kind].rejected
        found = [
            day
            for day in lake.days(table)
            if (first is None or day >= first) and (last is None or day <= last)
            if _holds(lake, lake.day_file(table, day), wanted, reason)
        ]
        if found:
            days[kind] = tuple(found)
    return _judging(home, registry, days)


def between(home: Home, registry: Registry, first: date, last: date) -> Judging:
    """All days with landed rows from `first` to `last`. Raises CesError if a raw file cannot be read."""
    lake = Lake(home.lake)
    days = {}
    for kind in registry.kinds:
        touched = Planner(lake, registry, kind).touching
        if found := tuple(sorted(day for day in touched if first <= day <= last)):
            days[kind] = found
    return _judging(home, registry, days)


def record_judging(
    home: Home,
    command: Literal["replay", "restate"],
    judging: Judging,
    why: str | None,
    source_id: str | None = None,
) -> None:
    """Add the command to the log of corrections. Call it before the days are cleaned."""
    every = sorted({day for days in judging.days.values() for day in days})
    first, last = (every[0], every[-1]) if every else (None, None)
    touched = len(judging.verdicts) if command == "replay" else judging.rows
    detail = f"{len(judging.verdicts)} responses are judged otherwise"
    correction = Correction(
        command, touched, why=why, source_id=source_id, first_day=first, last_day=last, detail=detail
    )
    record(Lake(home.lake), correction)


def _judging(home: Home, registry: Registry, chosen: dict[str, tuple[date, ...]]) -> Judging:
    """Judging the chosen days, and the stale days: a publish needs them."""
    lake = Lake(home.lake)
    planners = {kind: Planner(lake, registry, kind) for kind in registry.kinds}
    days = {
        kind: found
        for kind, planner in planners.items()
        if (found := tuple(sorted({*chosen.get(kind, ()), *planner.stale_days()})))
    }
    try:
        verdicts = changed_verdicts(home, registry, days.get("survey", ()))
    except UNREADABLE:
        raise CesError(
            "a raw file of these days is missing or damaged, so they cannot be judged again. Run `ces run`, which "
            "names the file, and what to do"
        ) from None
    rows = sum(planners[kind].plan(day).rows for kind, found in days.items() for day in found)
    return Judging(days, verdicts, rows)


def _holds(lake: Lake, path: str, wanted: dict[str, str | None], reason: str | None) -> bool:
    """Whether a day file of a quarantine table has a matching row. A damaged file counts: its day is judged again."""
    try:
        rows = lake.read_table(path)
    except UNREADABLE:
        return True
    for name, value in wanted.items():
        if value is not None:
            rows = rows.filter(pc.equal(rows[name], value))
    if reason is not None:
        return any(reason in reasons for reasons in rows["reasons"].to_pylist())
    return bool(rows.num_rows)


def _ranges(days: Sequence[date]) -> Iterator[Range]:
    first: date | None = None
    for place, day in enumerate(days):
        first = first or day
        if place + 1 == len(days) or days[place + 1] - day > timedelta(days=1):
            yield first, day
            first = None


def _words(verdict: str, reasons: Iterable[str]) -> str:
    listed = ", ".join(reasons)
    return f"{verdict} ({listed})" if listed else verdict
