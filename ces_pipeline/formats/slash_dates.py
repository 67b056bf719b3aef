"""Whether dates such as 02/11/2026 and 02-11-2026 begin with the day or the month, shown by numbers above 12."""

import re
from collections.abc import Iterable
from typing import Literal

from ces_pipeline.formats.times import DateOrder

Shown = Literal["day", "month", "either", "both"]
"""`either`: no date shows it. `both`: dates of both orders."""

START = r"\d{1,2}(/\d{1,2}/(\d{4}|\d{2})|-\d{1,2}-\d{4})(\D|$)"
"""Pattern of the beginning of such a date."""
_DATE = re.compile(r"(\d{1,2})(?:/(\d{1,2})/(?:\d{4}|\d{2})|-(\d{1,2})-\d{4})(?!\d)")
_DAYS, _MONTHS = "(1[3-9]|2[0-9]|3[01])", "(0?[1-9]|1[0-2])"


def first_in_dates(texts: Iterable[str]) -> Shown | None:
    """What comes first in the dates of the texts; None if there are no such dates."""
    found = [(int(match[1]), int(match[2] or match[3])) for match in map(_DATE.match, texts) if match]
    day_first = any(12 < first <= 31 and second <= 12 for first, second in found)
    month_first = any(12 < second <= 31 and first <= 12 for first, second in found)
    if day_first and month_first:
        return "both"
    if not day_first and not month_first:
        return "either" if found else None
    return "day" if day_first else "month"


def both(shown: Iterable[Shown | None]) -> Shown | None:
    """What several columns, or several parts of a file, show together."""
    found = {each for each in shown if each is not None}
    if "both" in found or {"day", "month"} <= found:
        return "both"
    return found.pop() if len(found) == 1 else next((each for each in found if each != "either"), None)


def contradicts(order: DateOrder | None) -> str:
    """Pattern of a date that can only be read in the other order; with None, of any such date."""
    if order is None:
        return START
    first, second = (_DAYS, _MONTHS) if order == "month" else (_MONTHS, _DAYS)
    return rf"{first}[-/]{second}[-/]\d\d"


def order_of_formats(formats: Iterable[str]) -> DateOrder | None:
    """The order in which strptime formats read dates with slashes or hyphens; None if none or both are among them."""
    found: set[DateOrder] = set()
    for pattern in formats:
        if re.search(r"%d[-/]%m[-/]%[yY]", pattern):
            found.add("day")
        if re.search(r"%m[-/]%d[-/]%[yY]", pattern):
            found.add("month")
    return found.pop() if len(found) == 1 else None
