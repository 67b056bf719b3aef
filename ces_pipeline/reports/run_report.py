"""What a run did, and what a person came for: rows by reason, failures, the figures of the report, where to look."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from ces_pipeline.clean.day import DayResult
from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.land.stray_files import StrayFile
from ces_pipeline.pages.facts import Ask, Report, read_summary
from ces_pipeline.pages.summary import LINE_PERIODS, as_json
from ces_pipeline.registry.registry import Registry
from ces_pipeline.reports.answers import NothingPublishedError, published
from ces_pipeline.reports.incidents import incident_lines, incidents_as_json, sent_line
from ces_pipeline.reports.rejected import rejected_reasons
from ces_pipeline.storage.lake import Lake
from ces_pipeline.watch.step import Alerting

Published = Literal["published", "unchanged", "blocked", "failed"]
_NAMED = 5
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
    figures: what `ces show` shows of the published file. alerting: open incidents and messages on them.
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
    figures: Report | None = None
    alerting: Alerting = field(default_factory=Alerting)

    @property
    def is_well(self) -> bool:
        """Whether no source, day or blocking check failed."""
        return not self.failures and self.publication in ("published", "unchanged")

    def read_summary(self) -> None:
        """Read the figures of the report from the published file; a file that cannot be read is a failure."""
        try:
            with published(self.home) as connection:
                self.figures = read_summary(connection, Ask(periods=LINE_PERIODS))
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
        """The run in labelled lines, without its problems and figures."""
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
            "figures": as_json(self.figures) if self.figures else None,
            **incidents_as_json(self.alerting),
        }


def _days(number: int) -> str:
    return _plural(number, "day")


def _plural(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
