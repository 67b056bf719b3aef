"""The regions whose phone numbers are written without a country code: those of the settings, else of the time zone."""

from functools import cache
from importlib import resources


def phone_regions(given: tuple[str, ...], time_zone: str) -> tuple[str, ...]:
    """ISO codes of the regions: `given`, else the country of the IANA zone; none for a zone such as UTC.

    The country of a zone is in the zone database (`zone.tab`), under the zone's present name.
    """
    if given:
        return given
    country = _countries().get(time_zone) or _countries().get(_present_names().get(time_zone, ""))
    return (country,) if country else ()


@cache
def _countries() -> dict[str, str]:
    lines = _lines("zone.tab")
    return {zone: country for country, _, zone, *_ in (line.split("\t") for line in lines)}


@cache
def _present_names() -> dict[str, str]:
    """Older name of a zone -> its present name."""
    links = (line.split() for line in _lines("tzdata.zi") if line.startswith("L "))
    return {older: present for _, present, older in links}


def _lines(name: str) -> list[str]:
    text = (resources.files("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
