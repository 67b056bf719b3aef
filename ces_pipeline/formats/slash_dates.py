"""Whether dates with slashes begin with the day or the month: what one of them tells holds for the whole file."""

import re
from collections.abc import Iterable
from typing import Literal

ROWS_TO_TELL = 2_000
"""How many rows a reader looks at, as far as the head of the file goes."""
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/\d{2,4}\b")


def first_in_dates(texts: Iterable[str]) -> Literal["day", "month", "either"] | None:
    """What comes first, by numbers that can be no month; `either` where they do not tell, None without such dates."""
    found = [(int(told[1]), int(told[2])) for told in map(_SLASHES.match, texts) if told]
    day_first = any(first > 12 for first, _ in found)
    month_first = any(second > 12 for _, second in found)
    if day_first == month_first:
        return "either" if found else None
    return "day" if day_first else "month"
