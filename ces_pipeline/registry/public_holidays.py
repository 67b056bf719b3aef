"""Public holidays of countries and regions, from the library `holidays` (extra `holidays`)."""

from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib.util import find_spec

MISSING = "the package `holidays` is not installed. Install it with: pip install 'ces-pipeline[holidays]'"


def calendar_problem(code: str) -> str | None:
    """Why there is no calendar of this name; None if there is one. code: `DE`, or `DE-BY` for a region (ISO 3166)."""
    if find_spec("holidays") is None:
        return MISSING
    country, _, region = code.partition("-")
    regions = _regions_of_countries()
    if country not in regions:
        return f"{code}: no country with public holidays has this code. Write ISO 3166 codes, such as DE or DE-BY"
    if region and region not in regions[country]:
        return (
            f"{code}: this region is not known. {country} has {', '.join(regions[country]) or 'no regions'}"
        )
    return None


def public_holidays(calendars: Iterable[str], years: range) -> dict[date, str]:
    """Day -> name in English, of the public holidays of these calendars; names of two calendars are joined by `; `.

    Raises ModuleNotFoundError if calendars are given and the library is not installed.
    """
    found: dict[date, dict[str, None]] = {}
    for code in calendars:
        import holidays

        country, _, region = code.partition("-")
        days = holidays.country_holidays(country, subdiv=region or None, years=years, language="en_US")
        for day, name in days.items():
            if day.year in years:
                found.setdefault(day, {})[name] = None
    return {day: "; ".join(names) for day, names in sorted(found.items())}


@cache
def _regions_of_countries() -> dict[str, list[str]]:
    import holidays

    return dict(holidays.list_supported_countries())
