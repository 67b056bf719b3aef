"""What a run did, and what a person came for: rows by reason, failures, the newest day's figures, where to look."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ces_pipeline.clean.day import DayResult
from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.land.stray_files import StrayFile
from ces_pipeline.registry.registry import Registry
from ces_pipeline.reports.answers import NothingPublishedError, published, state
from ces_pipeline.reports.incidents import incident_lines, incidents_as_json, sent_line
from ces_pipeline.reports.newest_day import Ease, NewestDay, newest_days
from ces_pipeline.reports.rejected import rejected_reasons
from ces_pipeline.storage.lake import Lake
from ces_pipeline.watch.step import Alerting

Published = Literal["published", "unchanged", "blocked", "failed"]
_NAMED = 5
_TOO_FEW = "too few answers"
_WORDS = {
    "published": "the published file was updated",
    "unchanged": "nothing new to publish; the published file is up to date",
    "blocked": "not published: a blocking check failed. The old published file, if there is one, is unchanged",
    "failed": "not published: the step failed. The old published file, if there is one, is unchanged",
}
_COUNTS = ("landed", "redelivered", "superseded", "accepted", "rejected", "suspect")


@dataclass
class RunReport:
    """The result of one run.

    days: the cleaned days. reasons: kind -> reason -> rows of these days that it rejected; a row may have several.
    failures: lines about what was not done. strays: files of the inbox that no source takes.
    newest: the newest day of each survey in the published file. alerting: open incidents and messages on them.
    """

    home: Home
    sources: int = 0
    files_new: int = 0
    rows_landed: int = 0
    rows_redelivered: int = 0
    rows_unreadable: int = 0
    days: list[DayResult] = field(default_factory=list)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    strays: list[StrayFile] = field(default_factory=list)
    publication: Published = "failed"
    newest: list[NewestDay] = field(default_factory=list)
    alerting: Alerting = field(default_factory=Alerting)
    minimum_n: int | None = None

    @property
    def is_well(self) -> bool:
        """Whether no source, day or blocking check failed."""
        return not self.failures and self.publication in ("published", "unchanged")

    def read_newest_days(self) -> None:
        """Read the newest day of each survey from the published file; a file that cannot be read is a failure."""
        try:
            with published(self.home) as connection:
                _, _, self.minimum_n = state(connection)
                self.newest = newest_days(connection)
        except NothingPublishedError:
            return
        except CesError as problem:
            self.failures.append(str(problem))

    def read_reasons(self, registry: Registry) -> None:
        """Read the reasons of the cleaned days' rejected rows."""
        lake = Lake(self.home.lake)
        for kind in {result.kind for result in self.days}:
            days = {result.day for result in self.days if result.kind == kind}
            self.reasons[kind] = rejected_reasons(lake, registry, kind, days)

    def kinds(self) -> Iterator[tuple[str, dict[str, int]]]:
        """Of each kind with cleaned days: its row counts, with `days`."""
        for kind in sorted({result.kind for result in self.days}):
            of_kind = [result for result in self.days if result.kind == kind]
            counts = {"days": len({result.day for result in of_kind})}
            counts |= {name: sum(getattr(result, name) for result in of_kind) for name in _COUNTS}
            yield kind, counts

    def facts(self) -> list[tuple[str, str]]:
        """The run in labelled lines, without its problems and the newest days."""
        lines = [("home", str(self.home.root)), ("landed", self._landed())]
        for kind, counts in self.kinds():
            lines.append(
                (
                    kind,
                    f"{_days(counts['days'])} cleaned: {counts['accepted']:,} accepted, {counts['rejected']:,} "
                    f"rejected, {counts['redelivered']:,} redelivered, {counts['superseded']:,} superseded"
                    + (f"; {counts['suspect']:,} of the accepted are suspect" if counts["suspect"] else ""),
                )
            )
            if reasons := self.reasons.get(kind):
                listed = ", ".join(f"{reason} {rows:,}" for reason, rows in reasons.most_common())
                lines.append(("", f"rejected for (a row may have several reasons): {listed}"))
        if not self.days:
            lines.append(("cleaned", "no day was stale"))
        lines.append(("published", _WORDS[self.publication]))
        lines += incident_lines(self.alerting)
        if self.alerting.sent:
            lines.append(("alerts", sent_line(self.alerting)))
        lines += [("note", text) for text in self.notes]
        lines += [("no source", f"inbox/{stray.name}: {stray.advice}") for stray in self.strays[:_NAMED]]
        if len(self.strays) > _NAMED:
            lines.append(("", f"and {len(self.strays) - _NAMED} more; `ces doctor` lists all"))
        return lines

    def problems(self) -> list[str]:
        """A line for each warning and each failure."""
        return [
            *(f"warning: {text}" for text in self.warnings),
            *(f"FAILED: {text}" for text in self.failures),
        ]

    def _landed(self) -> str:
        if not self.sources:
            return "no source is registered. `ces inspect FILE --write` adds one from an export"
        files = "no new file" if not self.files_new else _plural(self.files_new, "new file")
        text = (
            f"{files} of {_plural(self.sources, 'source')}: {_plural(self.rows_landed, 'new or changed row')}"
        )
        if self.rows_redelivered:
            text += f", {self.rows_redelivered:,} redelivered"
        if self.rows_unreadable:
            text += f", {self.rows_unreadable:,} unreadable"
        return text

    def as_json(self) -> dict[str, Any]:
        return {
            "home": str(self.home.root),
            "is_well": self.is_well,
            "landed": {
                "sources": self.sources,
                "files_new": self.files_new,
                "rows_landed": self.rows_landed,
                "rows_redelivered": self.rows_redelivered,
                "rows_unreadable": self.rows_unreadable,
            },
            "cleaned": [
                {"kind": kind, **counts, "reasons": dict(self.reasons.get(kind, Counter()).most_common())}
                for kind, counts in self.kinds()
            ],
            "published": self.publication,
            "published_file": str(self.home.published),
            "failures": self.failures,
            "warnings": self.warnings,
            "notes": self.notes,
            "files_of_no_source": [{"file": stray.name, "advice": stray.advice} for stray in self.strays],
            "minimum_n": self.minimum_n,
            "newest_days": [newest.as_json() for newest in self.newest],
            **incidents_as_json(self.alerting),
        }


@dataclass(frozen=True)
class NewestTable:
    """The newest days as texts. Days that all surveys share are in the title; else they are columns."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]


def newest_table(newest: Sequence[NewestDay]) -> NewestTable:
    """Ease runs from 0 to 100, higher is easier."""
    ease = "mean ease (95 %)"
    figures = [
        (f"{found.ease.n:,}", _ease(found.ease), f"{found.week_ease.n:,}", _ease(found.week_ease))
        for found in newest
    ]
    if len({found.day for found in newest}) == 1:
        return NewestTable(
            f"Ease on {newest[0].day}, and in the week from {newest[0].week} (0 to 100, higher is easier)",
            ("survey", "n", ease, "n of week", ease),
            tuple((found.survey_id, *row) for found, row in zip(newest, figures, strict=True)),
            (False, True, True, True, True),
        )
    return NewestTable(
        "Ease on each survey's newest day, and in the week before (0 to 100, higher is easier)",
        ("survey", "day", "n", ease, "week from", "n of week", ease),
        tuple(
            (found.survey_id, found.day.isoformat(), *row[:2], found.week.isoformat(), *row[2:])
            for found, row in zip(newest, figures, strict=True)
        ),
        (False, False, True, True, False, True, True),
    )


def _ease(ease: Ease) -> str:
    if ease.n == 0:
        return "no answers"
    if ease.mean_0_100 is None:
        return _TOO_FEW
    if ease.low_0_100 is None or ease.high_0_100 is None:
        return f"{ease.mean_0_100:.1f} (no interval)"
    return f"{ease.mean_0_100:.1f} ({ease.low_0_100:.1f} to {ease.high_0_100:.1f})"


def _days(number: int) -> str:
    return _plural(number, "day")


def _plural(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
