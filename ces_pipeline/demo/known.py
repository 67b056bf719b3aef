"""The known answers of a sample: their fields, their counting, and their JSON file.

`responses.py` and `tickets.py` decide what is planted.
"""

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ces_pipeline.rules.catalog import REASON_NAMES

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FILE_NAME = "known_answers.json"
RECEIVED = "received"
"""Day of rows without a usable time. Their day is the day on which they are landed."""

SECONDS_A_DAY = 86_400
_EPOCH = date(1970, 1, 1)
COUNTS = ("landed", "redelivered", "superseded", "accepted", "rejected", "suspect")


def reason_bit(reason: str) -> int:
    """The bit of a reason in a mask of reasons."""
    return 1 << REASON_NAMES.index(reason)


@dataclass(frozen=True)
class KnownAnswers:
    """The figures that a published file of the sample must have.

    survey_days, ticket_days: one entry per source and UTC day (ISO, or RECEIVED) with the COUNTS. Survey days also
    have `reasons`: reason -> count of its rows.
    surveys: survey id -> `n`, `mean_ease_0_100`, `easy`, `neutral`, `difficult` of its accepted scores.
    tickets: source id -> `unique` and `deleted` tickets. links: method -> accepted responses.
    """

    responses: int
    seed: int
    first_day: str
    last_day: str
    survey_days: list[dict[str, Any]]
    ticket_days: list[dict[str, Any]]
    surveys: dict[str, dict[str, float]]
    tickets: dict[str, dict[str, int]]
    links: dict[str, int]

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "KnownAnswers":
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def total(self, count: str, source_id: str | None = None) -> int:
        """Sum of a count over the survey days, of one source or of all sources."""
        return sum(
            day[count] for day in self.survey_days if source_id is None or day["source_id"] == source_id
        )

    def reasons(self) -> dict[str, int]:
        """Reason -> count of its survey rows, over all sources and days."""
        found: dict[str, int] = defaultdict(int)
        for day in self.survey_days:
            for reason, rows in day["reasons"].items():
                found[reason] += rows
        return dict(found)


class Tally:
    """Counts the planted rows, chunk by chunk."""

    def __init__(self, last_day: date):
        self._after = (last_day - _EPOCH).days + 1
        self._days: dict[str, dict[tuple[str, int], dict[str, int]]] = {"survey": {}, "tickets": {}}
        self._scores: dict[str, dict[str, float]] = {}
        self._tickets: dict[str, dict[str, int]] = {}
        self._links: dict[str, int] = defaultdict(int)

    def rows(
        self,
        kind: str,
        source_id: str,
        seconds: Ints,
        counts: dict[str, Bools | Ints],
        reasons: Ints | None = None,
    ) -> None:
        """Count rows by the UTC day of `seconds` (since 1970). Days after the sample's last day count as RECEIVED.

        counts: name of a count -> how often each row counts. reasons: mask of reason bits of each row.
        """
        days, position = np.unique(np.minimum(seconds // SECONDS_A_DAY, self._after), return_inverse=True)
        by_day: dict[str, npt.NDArray[Any]] = {
            name: np.bincount(position, weights=weights, minlength=len(days))
            for name, weights in counts.items()
        }
        if reasons is not None:
            for reason in REASON_NAMES:
                has = (reasons & reason_bit(reason)) > 0
                by_day[reason] = np.bincount(position, weights=has, minlength=len(days))
        for at, day in enumerate(days.tolist()):
            entry = self._days[kind].setdefault((source_id, day), defaultdict(int))
            for name, totals in by_day.items():
                entry[name] += int(totals[at])

    def scores(self, survey_id: str, ease_0_100: npt.NDArray[np.float64], bands: Ints) -> None:
        """Count accepted scores. bands: 1 easy, 0 neutral, -1 difficult."""
        entry = self._scores.setdefault(survey_id, defaultdict(float))
        entry["n"] += len(ease_0_100)
        entry["sum"] += float(ease_0_100.sum())
        for name, band in (("easy", 1), ("neutral", 0), ("difficult", -1)):
            entry[name] += int((bands == band).sum())

    def tickets(self, source_id: str, *, unique: int, deleted: int) -> None:
        entry = self._tickets.setdefault(source_id, {"unique": 0, "deleted": 0})
        entry["unique"] += unique
        entry["deleted"] += deleted

    def links(self, method: str, responses: int) -> None:
        self._links[method] += responses

    def known(self, *, responses: int, seed: int, first_day: date, last_day: date) -> KnownAnswers:
        """The known answers, after all chunks are counted."""
        return KnownAnswers(
            responses=responses,
            seed=seed,
            first_day=first_day.isoformat(),
            last_day=last_day.isoformat(),
            survey_days=self._listed("survey"),
            ticket_days=self._listed("tickets"),
            surveys={
                survey_id: {
                    "n": int(entry["n"]),
                    "mean_ease_0_100": entry["sum"] / entry["n"],
                    **{band: int(entry[band]) for band in ("easy", "neutral", "difficult")},
                }
                for survey_id, entry in sorted(self._scores.items())
                if entry["n"]
            },
            tickets=dict(sorted(self._tickets.items())),
            links={method: count for method, count in sorted(self._links.items()) if count},
        )

    def _listed(self, kind: str) -> list[dict[str, Any]]:
        listed = []
        for (source_id, day), entry in sorted(self._days[kind].items()):
            if not entry["landed"]:
                continue
            name = RECEIVED if day == self._after else (_EPOCH + timedelta(days=day)).isoformat()
            counted: dict[str, Any] = {"source_id": source_id, "day": name}
            counted |= {count: entry.get(count, 0) for count in COUNTS}
            if kind == "survey":
                counted["reasons"] = {reason: entry[reason] for reason in REASON_NAMES if entry[reason]}
            listed.append(counted)
        return listed
