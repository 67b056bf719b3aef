"""Names that come from outside, as they may be written or printed: of files, columns, sheets and members of JSON.

They have no e-mail address and no number of a person, and no character that moves a terminal's cursor or hides text.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from ces_pipeline.privacy.redaction import redact_text

_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


@lru_cache(maxsize=20_000)
def shown_name(name: str) -> str:
    r"""The name without people; a control character is written as its escape (`\x1b`)."""
    return _INVISIBLE.sub(_escape, redact_text(name, sentence=False))


def shown_columns(columns: Iterable[str], without_names: Callable[[str], str] = str) -> dict[str, str]:
    """Column -> its name as it is written; names that become equal are numbered (`[email]`, `[email]_2`).

    without_names: what is done to each name besides, such as to mark the names of the delivery's people.
    """
    columns = tuple(columns)
    as_is = {column for column in columns if without_names(shown_name(column)) == column}
    taken, found = set(as_is), {column: column for column in as_is}
    for column in columns:
        if column in as_is:
            continue
        base = name = without_names(shown_name(column))
        number = 2
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        found[column] = name
    return {column: found[column] for column in columns}


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
