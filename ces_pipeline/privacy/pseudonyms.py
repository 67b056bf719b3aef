"""The keyed hash that stands for a person, for code that must start quickly: standard library alone.

Where the key comes from is in `privacy.py`.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

KEY_VARIABLE = "CES_PSEUDONYM_KEY"


@dataclass(frozen=True)
class Pseudonyms:
    """What the installation's key makes of people."""

    key: bytes = field(repr=False)

    def of(self, value: str) -> str:
        """The pseudonym of one value: hex HMAC-SHA256 of it, trimmed and in lower case."""
        return self.of_all([value])[0]

    def of_all(self, values: Iterable[str]) -> list[str]:
        """The pseudonym of each value. (HMAC's two blocks of the key are hashed once for all of them.)"""
        block = (hashlib.sha256(self.key).digest() if len(self.key) > 64 else self.key).ljust(64, b"\0")
        new_inner, new_outer = (
            hashlib.sha256(bytes(byte ^ pad for byte in block)).copy for pad in (0x36, 0x5C)
        )
        pseudonyms = []
        for value in values:
            inner, outer = new_inner(), new_outer()
            inner.update(value.strip().lower().encode())
            outer.update(inner.digest())
            pseudonyms.append(outer.hexdigest())
        return pseudonyms
