"""SQL that turns a time's text into an instant. Landing and inspection read times by this SQL alone.

The session's TimeZone is the zone of times without one (the zone that the file states, else the source's). If a clock
change repeats an hour, the second one is taken; an hour that it skips is read as the hour after. Both are fixed rules
of the ICU calendar in DuckDB, so the same text always gives the same instant. A year before 1900 or after 2199 (a
typing error, a year of two digits) is no time.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from ces_pipeline.formats.time_words import AFTERNOON, MONTHS, MORNING, ZONES
from ces_pipeline.storage.quote import quote_text

DateOrder = Literal["day", "month"]
"""What comes first in dates such as 02/11/2026 and 02-11-2026."""

_FIRST_SERIAL, _LAST_SERIAL = 30_000, 80_000
"""Spreadsheets count days since 30 December 1899: these are February 1982 to January 2119."""

_EPOCH_DAYS = "TIMESTAMP '1899-12-30'"
# The year first, with and without signs; numbers, the year last; the day, then the month's name; the name first.
# Texts are in lower case here. DuckDB compiles patterns for every query, and `\p{L}` takes ten times as long.
_LETTER = r"[a-z\x{80}-\x{10ffff}]"
_NO_LETTER = r"[\x00-\x60\x7b-\x{bf}\x{2000}-\x{303f}\x{ff00}-\x{ff20}]"
_DATE = (
    r"(?P<y1>\d{4})[-/.年] ?(?P<m1>\d{1,2})[-/.月] ?(?P<d1>\d{1,2})[.日]?"
    r"|(?P<y2>(?:19|20)\d\d)(?P<m2>\d\d)(?P<d2>\d\d)"
    r"|(?P<n1>\d{1,2})(?P<sign>[-/.]) ?(?P<n2>\d{1,2})[-/.] ?(?P<y3>\d{4}|\d\d)"
    rf"|(?P<d4>\d{{1,2}})(?:st|nd|rd|th|er|\.)?[-/ ]+(?:de )?(?P<m4>{_LETTER}{{3,}})[.,]?[-/ ]+(?:de )?"
    r"(?P<y4>\d{4}|\d\d)"
    rf"|(?P<m5>{_LETTER}{{3,}})[. ]+"
    r"(?P<d5>\d{1,2})(?:st|nd|rd|th)?,? +(?P<y5>\d{4})"
)
_CLOCK = (
    r"(?P<h1>\d{1,2})(?:[:.h時] ?(?P<i1>\d\d?)(?:[:.分] ?(?P<e1>\d\d?)(?:[.,](?P<fraction>\d{1,9}))?秒?)?[分]?)?"
    r"|(?P<h2>\d\d)(?P<i2>\d\d)(?P<e2>\d\d)?"
)
_ZONE = (
    rf"(?P<zone>{'|'.join(ZONES)})|(?:utc|gmt)?(?P<side>[+-])(?P<zh>\d\d?)(?::?(?P<zm>\d\d))?(?: ?\(.*\))?"
)
_WEEKDAY = rf"(?:{_LETTER}{{2,}}\.?,? +)??"


def _grouped(pattern: str) -> tuple[str, list[str]]:
    """A pattern with named groups as DuckDB takes it: plain groups, and their names in order."""
    first, *parts = pattern.split("(?P<")
    named = [part.split(">", 1) for part in parts]
    return first + "".join("(" + rest for _, rest in named), [name for name, _ in named]


_PATTERN, _GROUPS = _grouped(
    rf"^{_WEEKDAY}(?:{_DATE})(?:(?:t|,? +|,? at |,? um |,)(?:{_CLOCK}))? ?(?:{_ZONE})?$"
)
_BLANKS = r"[\s\x{a0}\x{202f}\x{2009}]+"
_HALVES = [rf"(^|{_NO_LETTER})(?:{'|'.join(words)})({_NO_LETTER}|$)" for words in (MORNING, AFTERNOON)]
_HALF = rf"(^|{_NO_LETTER})(?:{'|'.join((*MORNING, *AFTERNOON))})({_NO_LETTER}|$)"


def read_time(text: str, formats: Sequence[str], order: DateOrder | None) -> str:
    """SQL that reads the VARCHAR expression `text` as TIMESTAMPTZ; null if it is no time.

    formats: the strptime formats of the source and of its reader, tried first. order: of dates in numbers; with None
    such dates are no time, unless a format reads them.
    """
    read = _named(usual(text, formats, order), plausible("moment"), "moment")
    return f"coalesce({read}, {unusual(f'[{text}]', order)}[1])"


def usual(text: str, formats: Sequence[str], order: DateOrder | None) -> str:
    """SQL for the fast part of `read_time`: the given formats, ISO 8601, dates with slashes. May be implausible."""
    # DuckDB reads BST as Bangladesh's and PST as Los Angeles' time: `unusual` reads the abbreviations.
    readings = [
        f"CASE WHEN {text}[1] BETWEEN '0' AND '9' AND length({text}) >= 10 AND {text}[-1] NOT BETWEEN 'A' AND 'Y' "
        f"THEN try_cast({text} AS TIMESTAMPTZ) END"
    ]
    if formats:
        # `%Y` reads 26 as the year 26, while `%y` does not read 2026.
        readings.insert(0, _strptime(text, sorted(formats, key=lambda pattern: "%Y" in pattern)))
    if order:
        readings.append(f"CASE WHEN {text}[2:3] LIKE '%/%' THEN {_strptime(text, _SLASHES[order])} END")
    return f"coalesce({', '.join(readings)})" if len(readings) > 1 else readings[0]


def unusual(texts: str, order: DateOrder | None) -> str:
    """SQL for the slow part of `read_time`, for a list of texts that `usual` does not read: a list of instants.

    Seconds or milliseconds since 1970, a spreadsheet's days since 1899, RFC 2822, names of months, 12-hour clocks in
    several languages, zone abbreviations, and a blank before the offset. Dates with dots have the day first.
    """
    groups = "[" + ", ".join(map(quote_text, _GROUPS)) + "]"
    bare = (
        f"trim(regexp_replace(regexp_replace(cell.spaced, {quote_text(_HALF)}, '\\1 \\2'), ' +', ' ', 'g'))"
    )
    morning, afternoon = (f"regexp_matches(cell.spaced, {quote_text(half)})" for half in _HALVES)
    steps = {
        "text": f"{{'text': text, 'spaced': regexp_replace(lower(text), '{_BLANKS}', ' ', 'g')}}",
        "cell": f"{{'text': cell.text, 'part': regexp_extract({bare}, {quote_text(_PATTERN)}, {groups}), "
        f"'half': CASE WHEN {morning} THEN 0 WHEN {afternoon} THEN 12 END}}",
        "seen": _joined(order),
        "time": f"coalesce({_from_number('time.text')}, CASE WHEN time.is_known THEN {_ASSEMBLED} END)",
        "moment": plausible("moment"),
    }
    # One list after the other: DuckDB binds a lambda inside a lambda several times.
    for name, expression in steps.items():
        texts = f"list_transform({texts}, lambda {name}: {expression})"
    return texts


def _from_number(text: str) -> str:
    """SQL for the instant of a number: seconds or milliseconds since 1970, days since 1899."""
    number = f"try_cast({text} AS DOUBLE)"
    return (
        f"CASE WHEN regexp_full_match({text}, '\\d{{10}}(\\.\\d+)?') THEN to_timestamp({number}) "
        f"WHEN regexp_full_match({text}, '\\d{{13}}(\\.\\d+)?') THEN to_timestamp({number} / 1000.0) "
        f"WHEN regexp_full_match({text}, '\\d{{5}}(\\.\\d+)?') THEN "
        f"CASE WHEN {number} BETWEEN {_FIRST_SERIAL} AND {_LAST_SERIAL} THEN "
        # A fraction of a day is exact to about a millionth of a second: full milliseconds are what was meant.
        f"({_EPOCH_DAYS} + to_milliseconds(round({number} * 86400000)::BIGINT))::TIMESTAMPTZ END END"
    )


def plausible(moment: str) -> str:
    """SQL that keeps an instant of the years 1900 to 2199; any other (a typing error, `infinity`) becomes null."""
    first, end = (f"TIMESTAMPTZ '{year}-01-01 00:00:00Z'" for year in (1900, 2200))
    return f"CASE WHEN {moment} >= {first} AND {moment} < {end} THEN {moment} END"


def _slashes(date: str) -> list[str]:
    clocks = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "")
    return [f"{date}/{year} {clock}".rstrip() for clock in clocks for year in ("%y", "%Y")]


_SLASHES: dict[DateOrder, list[str]] = {"day": _slashes("%d/%m"), "month": _slashes("%m/%d")}


def _joined(order: DateOrder | None) -> str:
    """SQL for what _ASSEMBLED needs of `seen`: the parts of _PATTERN, the half of the day, the text."""
    part = "seen.part."
    groups = {
        "year": "y1 y2 y3 y4 y5",
        "month": "m4 m5",
        "number": "m1 m2",
        "day": "d1 d2 d4 d5",
        "hour": "h1 h2",
        "minute": "i1 i2",
        "second": "e1 e2",
    }
    joined = {
        name: f"concat({', '.join(part + group for group in of.split())})" for name, of in groups.items()
    }
    is_day = "true" if order == "day" else f"{part}sign = '.' OR {part}n1 = ''"
    zone = (
        f"CASE WHEN {part}zone <> '' THEN {_looked_up(f'{part}zone', _OFFSETS)} WHEN {part}side <> '' THEN "
        f"{part}side || lpad({part}zh, 2, '0') || ':' || coalesce(nullif({part}zm, ''), '00') ELSE '' END"
    )
    joined |= {
        "text": "seen.text",
        "half": "seen.half",
        "first": f"{part}n1",
        "second_number": f"{part}n2",
        "is_day": is_day,
        "is_known": f"{part}sign <> '-' OR length({part}y3) = 4" if order else is_day,
        "rest": f"'.' || coalesce(nullif({part}fraction, ''), '0') || {zone}",
    }
    return "{" + ", ".join(f"'{name}': {expression}" for name, expression in joined.items()) + "}"


def _looked_up(word: str, table: Mapping[str, str]) -> str:
    """SQL for the text that the table has for a word; null if it has none. (A MAP of constants is slow to bind.)"""
    words, texts = (quote_text(" ".join(parts)) for parts in (table, table.values()))
    return f"string_split({texts}, ' ')[list_position(string_split({words}, ' '), {word})]"


_MONTHS = {word: str(number) for word, number in MONTHS.items()}
_OFFSETS = {name: f"{hours:+03}:00" for name, hours in ZONES.items()}
_YEAR, _HOUR = "try_cast(time.year AS INTEGER)", "try_cast(time.hour AS INTEGER)"
_FIELDS = (
    f"CASE WHEN length(time.year) = 4 THEN 0 WHEN {_YEAR} < 70 THEN 2000 ELSE 1900 END + {_YEAR}",
    "'-'",
    f"CASE WHEN time.month <> '' THEN coalesce({_looked_up('left(time.month, 4)', _MONTHS)}, "
    f"{_looked_up('left(time.month, 3)', _MONTHS)}) "
    "ELSE time.number || CASE WHEN time.is_day THEN time.second_number ELSE time.first END END",
    "'-'",
    "time.day || CASE WHEN time.is_day THEN time.first ELSE time.second_number END",
    "' '",
    f"CASE WHEN time.hour = '' THEN 0 WHEN time.half = 0 AND {_HOUR} > 12 THEN 99 "
    f"WHEN time.half IS NOT NULL AND {_HOUR} <= 12 THEN {_HOUR} % 12 + time.half ELSE {_HOUR} END",
    "':'",
    "CASE WHEN time.minute <> '' THEN time.minute WHEN time.hour = '' OR time.half IS NOT NULL THEN '00' END",
    "':'",
    "coalesce(nullif(time.second, ''), '00')",
    "time.rest",
)
_ASSEMBLED = f"try_cast({' || '.join(_FIELDS)} AS TIMESTAMPTZ)"
"""SQL for the instant of `time`, the joined parts."""


def _named(value: str, expression: str, name: str) -> str:
    """SQL for `expression`, in which `name` is the value: SQL would else repeat the value at every use."""
    return f"list_transform([{value}], lambda {name}: {expression})[1]"


def _strptime(text: str, formats: Sequence[str]) -> str:
    listed = ", ".join(quote_text(pattern) for pattern in formats)
    return f"CAST(try_strptime({text}, [{listed}]) AS TIMESTAMPTZ)"
