"""Redaction of free text: e-mail addresses, card and phone numbers become marks before a text is written.

People in columns of their own become keyed hashes instead (`hashing.py`).
"""

from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.scratch import scratch

# (Pattern, mark). A phone number needs a shape that dates, ids and versions do not have: an international prefix,
# brackets, a leading zero, or the groups of a North American number.
_EMAIL = (r"[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)+", "[email]")
_CARD = (
    r"\b([2-6]\d{3}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}([ -]?\d{1,3})?|3[47]\d{2}[ -]?\d{6}[ -]?\d{5})\b",
    "[card]",
)
_PHONE = (
    r"(\+\d[\d ()./-]{6,17}\d|\(\d{2,5}\) ?\d[\d ./-]{4,12}\d|\b0\d{2,4}[ ./-]?\d{3,4}[ ./-]?\d{3,4}\b"
    r"|\b\d{3}[ .-]\d{3}[ .-]\d{4}\b)",
    "[phone]",
)
# A bare run of digits in a sentence is a phone, order or account number; in a table cell it may be anything.
_NUMBER = (r"\b\d{9,15}\b", "[number]")


def redacted(text: str, *, sentence: bool) -> str:
    """SQL for the VARCHAR expression `text` without e-mail addresses, card numbers and phone numbers.

    sentence: also without bare runs of 9 to 15 digits, which in prose are account, order or phone numbers.
    """
    replaced = text
    for pattern, mark in _patterns(sentence):
        replaced = f"regexp_replace({replaced}, {quote_text(pattern)}, '{mark}', 'g')"
    return f"CASE WHEN {may_name_people(text, sentence=sentence)} THEN {replaced} ELSE {text} END"


def may_name_people(text: str, *, sentence: bool) -> str:
    """SQL for whether `redacted` may change the text: one pass over all patterns, since most texts hold none."""
    any_pattern = "|".join(["@", *(pattern for pattern, _ in _patterns(sentence)[1:])])
    return f"regexp_matches({text}, {quote_text(any_pattern)})"


def _patterns(sentence: bool) -> list[tuple[str, str]]:
    return [_EMAIL, _CARD, _PHONE] + ([_NUMBER] if sentence else [])


def redact_text(text: str) -> str:
    """One text redacted as a sentence, without a query of the caller (file names, messages of vendors)."""
    with scratch() as connection:
        [(shown,)] = connection.execute(
            f"SELECT {redacted('$text', sentence=True)}", {"text": text}
        ).fetchall()
    return str(shown)
