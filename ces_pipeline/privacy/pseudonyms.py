"""The keyed hash that replaces a person. Standard library only, for code that must start fast (event handlers).

Where the key comes from is in `key.py`.

The HMAC is written by hand on `hashlib.sha256`, since every person of every row passes through it: on 200,000 values
`hmac.new().copy()` takes 1.8 to 5.2 times as long and `hmac.digest` 2.3 to 6.6 times (three rounds). A property test
holds it to the standard library's HMAC (`unit/privacy/test_pseudonyms.py`).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

KEY_VARIABLE = "CES_PSEUDONYM_KEY"


@dataclass(frozen=True)
class Pseudonyms:
    """Turns people into pseudonyms, with the installation's key."""

    key: bytes = field(repr=False)

    def of(self, value: str) -> str:
        """The pseudonym of one value: hex HMAC-SHA256 of it, trimmed and in lower case."""
        return self.of_all([value])[0]

    def of_all(self, values: Iterable[str]) -> list[str]:
        """The pseudonym of each value. The key's two HMAC blocks are hashed once for all values."""
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
