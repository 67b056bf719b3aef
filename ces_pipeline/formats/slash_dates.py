"""Whether dates with slashes begin with the day or the month. One date that shows it decides for the full file."""

import re
from collections.abc import Iterable
from typing import Literal

ROWS_TO_SCAN = 2_000
"""How many rows a reader looks at, if the head of the file holds as many."""
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/\d{2,4}\b")


def first_in_dates(texts: Iterable[str]) -> Literal["day", "month", "either"] | None:
    """What comes first, shown by numbers above 12; `either` if none shows it, None if there are no such dates."""
    found = [(int(match[1]), int(match[2])) for match in map(_SLASHES.match, texts) if match]
    day_first = any(first > 12 for first, _ in found)
    month_first = any(second > 12 for _, second in found)
    if day_first == month_first:
        return "either" if found else None
    return "day" if day_first else "month"
