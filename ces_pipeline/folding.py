"""The form in which labels, answers and names are compared."""

import hashlib
import unicodedata


def fold(text: str) -> str:
    """NFKC, white space folded, case-folded."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


def folded_hash(text: str) -> str:
    """16 hex digits that equal texts share: where a name is compared but may be a person's, so that it is not kept."""
    return hashlib.sha256(fold(text).encode()).hexdigest()[:16]
