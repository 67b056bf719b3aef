"""The id that a ticket's name means: `#1234`, `1234.0`, `1,234` and the address of ticket 1234 all mean 1234."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd

_ODD = r"[#,./:\s]"
_GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.0+)?")
_WHOLE = re.compile(r"([0-9]+)\.0+")
_WORD = re.compile(r"(?:ticket|case|request|issue)?\s*+(?:no\.?|nr\.?)?\s*+#\s*+(\S+)", re.IGNORECASE)
_QUERY = ("id", "ticket", "ticket_id", "ticketid", "number")


def ticket_ids_of(texts: pd.Series) -> pd.Series:
    """Each text as the id that it means. Leading zeros count: 00777 is another ticket than 777. Null stays null."""
    odd = texts.str.contains(_ODD, regex=True).fillna(False).to_numpy(dtype=bool)
    if not odd.any():
        return texts
    codes, distinct = pd.factorize(texts[odd])
    meant = pd.Series([ticket_id_of(str(text)) for text in distinct], dtype="str").to_numpy()
    result = texts.copy()
    result[odd] = meant[codes]
    return result


def ticket_id_of(text: str) -> str:
    """The id that one text means; the text itself if it has none of the known forms."""
    name = text.strip()
    if "://" in name:
        name = _of_address(name) or name
    if match := _WORD.fullmatch(name):
        name = match[1]
    if _GROUPED.fullmatch(name):
        name = name.replace(",", "")
    if match := _WHOLE.fullmatch(name):
        name = match[1]
    return name


def _of_address(address: str) -> str | None:
    """The id in a ticket's address: of its query, else of the last part of its path (or of the part after `#`)."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    query = {name.lower(): values for name, values in parse_qs(parts.query).items()}
    for name in _QUERY:
        if name in query:
            return query[name][0]
    steps = [unquote(step) for step in (parts.path + "/" + parts.fragment).split("/") if step]
    # Some addresses end with a page of the ticket, such as /tickets/1235/events.
    numbered = [step for step in steps if any(letter.isdigit() for letter in step)]
    named = numbered or steps
    return named[-1] if named else None
