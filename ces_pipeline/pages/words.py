"""The words of the report in every language (`languages/`), and numbers and dates as they are written there.

Names that come from the data or the registry (surveys, categories, releases, metrics) stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Literal
from zoneinfo import ZoneInfo

import yaml

from ces_pipeline.pages.periods import PeriodName

Language = Literal["en", "de"]

_EN_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EN_LONG = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_DE_MONTHS = ("Jan.", "Feb.", "März", "April", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez.")
_DE_LONG = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli"),
    *("August", "September", "Oktober", "November", "Dezember"),
)

_WHY = {
    "reworded": "why_reworded",
    "suppressed": "why_suppressed",
    "other scale": "why_other_scale",
    "too few days": "why_too_few_days",
    "no variance": "why_no_variance",
}


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Key -> text of one language."""
    text = (files("ces_pipeline.pages") / "languages" / f"{language}.yaml").read_text(encoding="utf-8")
    found: dict[str, str] = yaml.safe_load(text)
    return found


@dataclass(frozen=True)
class Words:
    """One language: its texts, and how it writes numbers and dates."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, with its values. Raises KeyError for a key that the language lacks."""
        return catalogue(self.language)[key].format(**values)

    def number(self, value: float, digits: int = 0) -> str:
        """`1,234.5` or `1.234,5`; a value that rounds to zero has no sign."""
        text = f"{value:,.{digits}f}"
        if float(text.replace(",", "")) == 0:
            text = text.lstrip("-")
        text = text.replace("-", "\N{MINUS SIGN}")
        return text.translate(str.maketrans(",.", ".,")) if self.language == "de" else text

    def percent(self, share: float) -> str:
        """A share of 0 to 1 in per cent, with one decimal."""
        return f"{self.number(100 * share, 1)}\N{NO-BREAK SPACE}%"

    def points(self, value: float) -> str:
        """Points with one decimal; a change has its sign with `signed`."""
        return self.number(value, 1)

    def signed(self, value: float) -> str:
        """Points with one decimal and a sign."""
        text = self.number(value, 1)
        return text if text[0] == "\N{MINUS SIGN}" or float(f"{value:.1f}") == 0 else f"+{text}"

    def between(self, low: str, high: str) -> str:
        """An interval of two texts."""
        return f"{low} {self('to')} {high}"

    def day(self, day: date) -> str:
        """`19 Oct 2026` or `19. Okt. 2026`."""
        if self.language == "de":
            return f"{day.day}. {_DE_MONTHS[day.month - 1]} {day.year}"
        return f"{day.day} {_EN_MONTHS[day.month - 1]} {day.year}"

    def short_day(self, day: date) -> str:
        """A day without its year, for axes."""
        if self.language == "de":
            return f"{day.day}.{day.month}."
        return f"{day.day} {_EN_MONTHS[day.month - 1]}"

    def month(self, day: date) -> str:
        """The month of a day, with its year."""
        return f"{(_DE_LONG if self.language == 'de' else _EN_LONG)[day.month - 1]} {day.year}"

    def instant(self, at: datetime, zone: str) -> str:
        """A moment in a time zone."""
        local = at.astimezone(ZoneInfo(zone))
        return f"{self.day(local.date())}, {local:%H:%M}"

    def period(self, period: PeriodName, start: date) -> str:
        """The name of a period: `Week of 19 Oct 2026`, `October 2026`, `Quarter 4 of 2026`."""
        if period == "week":
            return self("week_of", day=self.day(start))
        if period == "month":
            return self.month(start)
        return self("quarter_of", quarter=(start.month + 2) // 3, year=start.year)

    def axis(self, period: PeriodName, start: date) -> str:
        """The name of a period below an axis."""
        if period == "week":
            return self.short_day(start)
        if period == "month":
            return f"{(_DE_MONTHS if self.language == 'de' else _EN_MONTHS)[start.month - 1]}"
        return f"{(start.month + 2) // 3}/{start.year % 100:02}"

    def duration(self, minutes: float) -> str:
        """Minutes in their sensible unit."""
        days = {"en": "days", "de": "Tage"}[self.language]
        if abs(minutes) < 90:
            return f"{self.number(minutes, 0)} min"
        if abs(minutes) < 48 * 60:
            return f"{self.number(minutes / 60, 1)} h"
        return f"{self.number(minutes / 1440, 1)} {days}"

    def why(self, why_null: str, period: PeriodName) -> str:
        """The reason for no change, as `mart.week_changes` has it, in words."""
        if key := _WHY.get(why_null):
            return self(key)
        name = why_null.replace(period, "").split()
        key = {
            ("not", "complete"): "why_not_complete",
            ("no", "before"): "why_no_before",
            ("before", "not", "complete"): "why_before_not_complete",
            ("before", "suppressed"): "why_before_suppressed",
        }[tuple(name)]
        return self(key, period=self(period))
