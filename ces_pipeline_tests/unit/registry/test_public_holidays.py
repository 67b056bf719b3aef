"""Protects the days without business hours: public holidays of countries and regions, next to those of the settings."""

from datetime import date

import pytest
from pydantic import ValidationError

from ces_pipeline.publish.reference import reference_tables
from ces_pipeline.registry import public_holidays as module
from ces_pipeline.registry.public_holidays import public_holidays
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.settings import Settings


def published(**settings: object) -> dict[date, str | None]:
    here = Registry(
        sources={}, surveys={}, scales={}, segments=(), settings=Settings.model_validate(settings)
    )
    rows = reference_tables(here)["reference.holidays"].to_pylist()
    return {row["day"]: row["name"] for row in rows}


def test_holidays_of_calendars_and_of_the_settings_are_published_with_their_names() -> None:
    found = published(first_day="2026-01-01", holidays=["2026-12-24"], holiday_calendars=["DE-BY"])
    # Corpus Christi is a holiday of Bavaria, 60 days after Easter (5 April 2026).
    assert found[date(2026, 6, 4)] == "Corpus Christi"
    assert found[date(2026, 12, 25)] == "Christmas Day"
    assert found[date(2026, 12, 24)] is None
    assert date(2025, 12, 25) not in found


def test_a_day_of_two_calendars_is_one_row() -> None:
    found = public_holidays(["DE-BE", "AT"], range(2026, 2027))
    assert found[date(2026, 5, 1)] == "Labor Day"
    # A regional holiday of Berlin only, and a national day of Austria only.
    assert date(2026, 3, 8) in found
    assert date(2026, 10, 26) in found


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("XX", "XX: no country with public holidays has this code"),
        ("de", "de: no country with public holidays"),
        ("DE-ZZ", "DE-ZZ: this region is not known. DE has BB, BE, BW"),
    ],
)
def test_an_unknown_calendar_is_refused_with_what_there_is(code: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Settings.model_validate({"holiday_calendars": [code]})


def test_without_the_library_the_key_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    with pytest.raises(ValidationError, match=r"pip install 'ces-pipeline\[holidays\]'"):
        Settings.model_validate({"holiday_calendars": ["DE"]})
    assert Settings.model_validate({}).holiday_calendars == ()
