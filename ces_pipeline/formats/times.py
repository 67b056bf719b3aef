"""SQL that turns a time's text into an instant: the usual notations, then the unusual ones. Only landing uses it.

The session's TimeZone is the zone of times without one (the zone that the file states, else the source's). If a clock
change repeats an hour, the second one is taken; an hour that it skips is read as the hour after. Both are fixed rules
of the ICU calendar in DuckDB, so the same text always gives the same instant.
"""

from collections.abc import Sequence

from ces_pipeline.storage.quote import quote_text

# Zone abbreviations that exports append, read literally: EST is UTC-5 in June too, since that is what the file says.
_ABBREVIATIONS = {
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "GMT": 0, "UTC": 0, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3,
}  # fmt: skip
_SUFFIX = r"\s+(" + "|".join(_ABBREVIATIONS) + r")$"


def usual(text: str, formats: Sequence[str]) -> str:
    """SQL that reads the VARCHAR expression `text` as TIMESTAMPTZ, null if it has no usual notation.

    Usual are the source's own strptime formats, then ISO 8601 with or without an offset.
    """
    # DuckDB reads BST as Bangladesh's and PST as Los Angeles' time: `unusual` reads the abbreviations.
    iso = (
        f"CASE WHEN {text}[1] BETWEEN '0' AND '9' AND length({text}) >= 10 AND {text}[-1] NOT BETWEEN 'A' AND 'Y' "
        f"THEN try_cast({text} AS TIMESTAMPTZ) END"
    )
    return f"coalesce(CAST({_strptime(text, formats)} AS TIMESTAMPTZ), {iso})" if formats else iso


def unusual(text: str, formats: Sequence[str]) -> str:
    """SQL that reads a text that `usual` does not read; null if it is not a time.

    Unusual are seconds or milliseconds since 1970, and times that end with a zone abbreviation.
    """
    hours = " ".join(f"WHEN '{name}' THEN {offset}" for name, offset in _ABBREVIATIONS.items())
    bare = f"regexp_replace({text}, '{_SUFFIX}', '')"
    suffix = f"regexp_extract({text}, '{_SUFFIX}', 1)"
    zoned = (
        f"CASE WHEN regexp_matches({text}, '{_SUFFIX}') THEN "
        f"timezone('UTC', {_naive(bare, formats)} - to_hours(CASE {suffix} {hours} END)) END"
    )
    epoch = (
        f"CASE WHEN regexp_full_match({text}, '\\d{{10}}(\\.\\d+)?') THEN to_timestamp(try_cast({text} AS DOUBLE)) "
        f"WHEN regexp_full_match({text}, '\\d{{13}}') THEN to_timestamp(try_cast({text} AS BIGINT) / 1000.0) END"
    )
    return f"coalesce({epoch}, {zoned})"


def plausible(moment: str) -> str:
    """SQL that keeps an instant of the years 1900 to 2199; any other (a typing error, `infinity`) becomes null."""
    first, end = (f"TIMESTAMPTZ '{year}-01-01 00:00:00Z'" for year in (1900, 2200))
    return f"CASE WHEN {moment} >= {first} AND {moment} < {end} THEN {moment} END"


def _strptime(text: str, formats: Sequence[str]) -> str:
    return f"try_strptime({text}, [{', '.join(quote_text(pattern) for pattern in formats)}])"


def _naive(text: str, formats: Sequence[str]) -> str:
    # A cast to TIMESTAMP ignores what follows the time: " PM" would be lost.
    cast = f"CASE WHEN NOT regexp_matches({text}, '[A-Za-z]$') THEN try_cast({text} AS TIMESTAMP) END"
    days = ("%Y/%m/%d", "%Y-%m-%d", "%m/%d/%Y")
    with_clock = _strptime(text, [f"{day} {clock}" for day in days for clock in ("%I:%M:%S %p", "%I:%M %p")])
    return (
        f"coalesce({_strptime(text, formats)}, {cast}, {with_clock})"
        if formats
        else f"coalesce({cast}, {with_clock})"
    )
