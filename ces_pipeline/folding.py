"""The form in which labels, answers and names are compared."""

import unicodedata


def fold(text: str) -> str:
    """NFKC, white space folded, case-folded."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()
