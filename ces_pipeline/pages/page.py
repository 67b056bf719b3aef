"""A report page: one self-contained HTML text from the facts, without JavaScript and without any request."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ces_pipeline.errors import CesError
from ces_pipeline.pages.basis_part import BasisPart
from ces_pipeline.pages.facts import Report
from ces_pipeline.pages.hard_part import HardPart
from ces_pipeline.pages.own_figures import OwnFigures
from ces_pipeline.pages.parts import Part
from ces_pipeline.pages.survey_section import SurveySection
from ces_pipeline.pages.words import Words

MOST_BYTES = 2_000_000
"""A larger page is refused: no mail takes it, and no one reads it."""


class PageTooLargeError(CesError):
    """The page would be larger than MOST_BYTES."""


def render(report: Report, words: Words) -> str:
    """The page. The same facts give the same text. Raises PageTooLargeError."""
    page = _Page(report, words).render()
    if len(page.encode()) > MOST_BYTES:
        raise PageTooLargeError(
            f"the page would have {len(page.encode()):,} bytes, and {MOST_BYTES:,} is the most. Show fewer periods "
            "(--weeks), fewer comments (--comments), or one survey or owner (--survey, --owner)"
        )
    return page


def render_index(links: Sequence[tuple[str, str]], latest: str | None, words: Words) -> str:
    """The list of pages. links: file name and title, newest first."""
    return str(_template("index.html.j2").render(words=words, links=links, latest=latest, css=_css()))


def _template(name: str) -> Any:
    environment = Environment(
        loader=PackageLoader("ces_pipeline.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _css() -> Markup:
    source = PackageLoader("ces_pipeline.pages").get_source(Environment(autoescape=True), "report.css")[0]
    # Written by the package, without any value of the data.
    return Markup("\n".join(line.strip() for line in source.splitlines() if line.strip()))  # noqa: S704


@dataclass(frozen=True)
class _Page(Part):
    """Puts the facts into words and figures."""

    def render(self) -> str:
        report, words = self.report, self.words
        start = report.start
        heading = words.period(report.ask.period, start) if start else words("nothing_yet_title")
        of = " · ".join((*report.ask.owners, *report.ask.surveys))
        survey = SurveySection(report, words)
        sections = [survey.section(found, number) for number, found in enumerate(report.touchpoints, start=1)]
        return str(
            _template("report.html.j2").render(
                words=words,
                css=_css(),
                heading=heading,
                of=of,
                report=report,
                published_at=report.publication.published_at,
                selection=json.dumps({"owners": report.ask.owners, "surveys": report.ask.surveys}),
                opening=self._opening(),
                health=self._health(),
                sections=sections,
                hard=HardPart(report, words).figures() if start else (),
                rest=BasisPart(report, words).figures(),
                own=[OwnFigures(report, words).figure(found) for found in report.own],
            )
        )

    def _opening(self) -> list[str]:
        found, words = self.report.publication, self.words
        lines = [words("header_minimum", n=words.number(found.minimum_n), suppressed=self.suppressed)]
        if found.first_day and found.last_day:
            lines.append(
                words(
                    "header_days",
                    zone=found.business_time_zone,
                    first=words.day(found.first_day),
                    last=words.day(found.last_day),
                )
            )
        if found.published_at:
            at = words.instant(found.published_at, found.business_time_zone)
            lines.append(words("header_published", at=f"{at} ({found.business_time_zone})"))
        if self.report.start and not self.report.is_whole:
            lines.append(words("not_complete_note", period=self.period_name))
        return lines

    def _health(self) -> list[str]:
        found, words, number = self.report.publication, self.words, self.words.number
        failed = [row["check_name"] for row in self.report.rows.get("checks", ())]
        lines = [words("health_failed", names=", ".join(failed)) if failed else words("health_good")]
        if found.days_waiting:
            lines.append(words("health_waiting", n=number(found.days_waiting)))
        if found.rows_rejected:
            lines.append(
                words("health_rejected", n=number(found.rows_rejected), landed=number(found.rows_landed))
            )
        if restated := self.report.rows.get("restated_days", ()):
            days = ", ".join(words.day(row["day"]) for row in restated)
            lines.append(words("health_restated", period=self.period_name, days=days))
        return lines
