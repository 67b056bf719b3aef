"""Folding: the form in which labels, answers and names are compared."""

import hashlib
import unicodedata


def fold(text: str) -> str:
    """The text in NFKC, case-folded, with single blanks and no white space at its ends."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


def folded_hash(text: str) -> str:
    """16 hex digits of the folded text's hash: to compare names without storing them, since one may be a person's."""
    return hashlib.sha256(fold(text).encode()).hexdigest()[:16]
