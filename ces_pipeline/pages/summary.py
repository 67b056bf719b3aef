"""The figures of the report in a few lines of text, for the terminal: the same rows of the same queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ces_pipeline.pages.facts import Report, Row, Touchpoint
from ces_pipeline.pages.words import Words

LINE_PERIODS = 12
"""Periods in the line of a survey."""
_LEAST_SPAN = 20
"""Points that the height of the line spans at least, so that noise looks flat."""
_BLOCKS = "▁▂▃▄▅▆▇█"
_NONE = "·"
_DROPPED = (6, 5, 4)
"""Columns that are left out of a narrow table, in this order: the line, the difficult share, the change."""
_GAP = 2


@dataclass(frozen=True)
class Summary:
    """A table of texts, with a title above it and lines below it."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]
    lines: tuple[tuple[str, str], ...]

    def fitted(self, width: int | None) -> "Summary":
        """The table without the columns for which a terminal is too narrow. None: no limit."""
        if width is None:
            return self
        kept = list(range(len(self.headings)))
        for dropped in _DROPPED:
            if self._width(kept) <= width:
                break
            kept.remove(dropped)
        return Summary(
            self.title,
            tuple(self.headings[place] for place in kept),
            tuple(tuple(row[place] for place in kept) for row in self.rows),
            tuple(self.right[place] for place in kept),
            self.lines,
        )

    def _width(self, kept: Sequence[int]) -> int:
        columns = list(zip(self.headings, *self.rows, strict=True))
        return sum(max(map(len, columns[place])) + _GAP for place in kept)


def summary(report: Report) -> Summary:
    """The newest complete period of each survey, or the newest one if none is complete."""
    words, ask = Words("en"), report.ask
    if report.start is None:
        landed, rejected = report.publication.rows_landed, report.publication.rows_rejected
        text = words("nothing_yet", landed=words.number(landed), rejected=words.number(rejected))
        return Summary(text, (), (), (), _lines(report, words))
    period = words.period(ask.period, report.start)
    title = words("summary_title", period=period[0].lower() + period[1:] if ask.period == "week" else period)
    if not report.is_whole:
        title += f", {words('partial')}"
    headings = (
        words("survey").lower(),
        words("n_short"),
        words("ease").lower(),
        words("interval"),
        words("summary_change", period=words(ask.period)),
        words("summary_difficult"),
        words("summary_line", n=min(ask.periods, LINE_PERIODS), periods=words(f"{ask.period}s")),
    )
    rows = tuple(_row(found, report, words) for found in report.touchpoints)
    return Summary(
        title, headings, rows, (False, True, True, True, False, True, False), _lines(report, words)
    )


def as_json(report: Report) -> dict[str, Any]:
    """The figures as they are in the published file."""
    return {
        "period": report.ask.period,
        "period_start": report.start,
        "is_whole": report.is_whole,
        "published_at": report.publication.published_at,
        "minimum_n": report.publication.minimum_n,
        "first_day": report.publication.first_day,
        "last_day": report.publication.last_day,
        "surveys": [
            {"survey_id": found.survey_id, **({} if found.now is None else _figures(found.now))}
            for found in report.touchpoints
        ],
        "failed_checks": [row["check_name"] for row in report.rows.get("checks", ())],
    }


def _figures(row: Row) -> Mapping[str, Any]:
    return {name: value for name, value in row.items() if name not in ("survey_id", "period_start")}


def _row(found: Touchpoint, report: Report, words: Words) -> tuple[str, ...]:
    now = found.now
    line = _line([row["mean_ease_0_100"] for row in found.periods[-LINE_PERIODS:]])
    if now is None or now["n"] == 0:
        return (found.survey_id, "0", words("no_answers"), "", "", "", line)
    n = words.number(now["n"])
    if now["is_suppressed"]:
        few = words("fewer_than", n=words.number(report.publication.minimum_n))
        return (found.survey_id, n, words("suppressed"), few, "", "", line)
    return (
        found.survey_id,
        n,
        words.points(now["mean_ease_0_100"]),
        words.between(words.points(now["ease_low_0_100"]), words.points(now["ease_high_0_100"])),
        _change(now, report, words),
        words.percent(now["difficult_share"]).replace("\N{NO-BREAK SPACE}", " "),
        line,
    )


def _change(row: Row, report: Report, words: Words) -> str:
    if row["verdict"] is None:
        return f"not compared: {words.why(row['why_null'], report.ask.period)}"
    ends = words.between(words.signed(row["change_low_0_100"]), words.signed(row["change_high_0_100"]))
    return f"{words(row['verdict'])} ({words.signed(row['change_ease_0_100'])}, {ends})"


def _line(values: Sequence[float | None]) -> str:
    """A letter per period, as high as its ease; a dot where there is no figure."""
    known = [value for value in values if value is not None]
    if not known:
        return _NONE * len(values)
    span = max(max(known) - min(known), _LEAST_SPAN)
    least = (max(known) + min(known) - span) / 2
    top = len(_BLOCKS) - 1
    return "".join(
        _NONE if value is None else _BLOCKS[round((value - least) / span * top)] for value in values
    )


def _lines(report: Report, words: Words) -> tuple[tuple[str, str], ...]:
    lines = [("check failed", row["check_name"]) for row in report.rows.get("checks", ())]
    hardest = next(
        (
            row
            for row in report.rows.get("categories", ())
            if row["excess_low_0_100"] is not None and row["excess_low_0_100"] > 0
        ),
        None,
    )
    if hardest:
        low, high = words.points(hardest["excess_low_0_100"]), words.points(hardest["excess_high_0_100"])
        days = (hardest["last_day"] - hardest["first_day"]).days + 1
        lines.append(
            (
                "look at",
                f"{hardest['category']}: {words.points(hardest['excess_effort_0_100'])} points harder than comparable "
                f"answers ({low} to {high}), {words.number(hardest['tickets'])} tickets in {days} days",
            )
        )
    return tuple(lines)
