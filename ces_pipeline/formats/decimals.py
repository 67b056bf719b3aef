"""Numbers with a decimal comma, as a spreadsheet writes them in German or French settings: 40,5.

A comma before exactly three digits may separate thousands (1,234), so such a text stays no number.
"""

import re

_COMMA = r"^(-?\d+),(\d{1,2}|\d{4,})$"
_PATTERN = re.compile(_COMMA)


def with_point(text: str) -> str:
    """The text with a decimal point in place of its decimal comma; any other text as it is."""
    return _PATTERN.sub(r"\1.\2", text)


def as_double(text: str) -> str:
    """SQL for the VARCHAR expression `text` as DOUBLE; null if it is no number."""
    pointed = f"regexp_replace({text}, '{_COMMA}', '\\1.\\2')"
    return f"try_cast(CASE WHEN contains({text}, ',') THEN {pointed} ELSE {text} END AS DOUBLE)"
