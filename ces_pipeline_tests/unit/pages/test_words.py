"""Protects the words of the report: every language has every word, and numbers and dates are those of the language."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from ces_pipeline import pages
from ces_pipeline.pages.periods import PERIODS, PeriodName, first_day, last_day, steps_back
from ces_pipeline.pages.words import Words, catalogue
from ces_pipeline.schemas.mart import MARTS

PAGES = Path(pages.__file__).parent
EN, DE = Words("en"), Words("de")


def test_every_language_has_the_same_keys_and_values() -> None:
    english, german = catalogue("en"), catalogue("de")
    assert list(english) == list(german)
    for key, text in german.items():
        # German says "Zeitraum" for each kind of period.
        assert set(re.findall(r"{(\w+)}", text)) | {"period"} == set(re.findall(r"{(\w+)}", english[key])) | {
            "period"
        }


def test_every_word_that_is_used_is_in_the_catalogue() -> None:
    sources = [path for path in PAGES.rglob("*") if path.suffix in (".py", ".j2")]
    used = {
        key
        for path in sources
        for key in re.findall(r"""words\(\s*["']([\w ]+)["']""", path.read_text(encoding="utf-8"))
    }
    assert len(used) > 80
    assert used <= set(catalogue("en"))


@pytest.mark.parametrize("period", PERIODS)
def test_every_reason_for_no_change_has_words(period: PeriodName) -> None:
    (table,) = (table for table in MARTS if table.name == f"mart.{period}_changes")
    reasons = re.findall(r"`([^`]+)`", str(table.columns["why_null"].description))
    assert len(reasons) == 9
    for words in (EN, DE):
        assert len({words.why(reason, period) for reason in reasons}) == 9


def test_numbers_are_written_as_in_the_language() -> None:
    assert (EN.number(1234.56, 1), DE.number(1234.56, 1)) == ("1,234.6", "1.234,6")
    assert (EN.percent(0.094), DE.percent(0.094)) == ("9.4\N{NO-BREAK SPACE}%", "9,4\N{NO-BREAK SPACE}%")
    assert (EN.signed(2.0), EN.signed(-2.0), EN.signed(-0.04)) == ("+2.0", "\N{MINUS SIGN}2.0", "0.0")


def test_dates_are_written_as_in_the_language() -> None:
    day = date(2026, 10, 19)
    assert (EN.day(day), DE.day(day)) == ("19 Oct 2026", "19. Okt. 2026")
    assert (EN.period("week", day), DE.period("week", day)) == (
        "Week of 19 Oct 2026",
        "Woche ab 19. Okt. 2026",
    )
    assert (EN.period("month", day), DE.period("month", date(2026, 3, 1))) == ("October 2026", "März 2026")
    assert (EN.period("quarter", day), DE.period("quarter", day)) == ("Quarter 4 of 2026", "4. Quartal 2026")


@pytest.mark.parametrize("period", PERIODS)
def test_periods_follow_one_another_without_a_gap(period: PeriodName) -> None:
    day = first_day(period, date(2024, 2, 29))
    for steps in range(30):
        earlier = steps_back(period, day, steps)
        assert first_day(period, earlier) == earlier == first_day(period, last_day(period, earlier))
        assert last_day(period, earlier) + timedelta(days=1) == steps_back(period, day, steps - 1)
