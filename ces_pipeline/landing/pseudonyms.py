"""The keyed hash that stands for a person, for code that must start quickly: standard library alone.

Where the key comes from, and the same hash in SQL, are in `privacy.py`.
"""

import hashlib
import hmac
from dataclasses import dataclass, field

KEY_VARIABLE = "CES_PSEUDONYM_KEY"


@dataclass(frozen=True)
class Pseudonyms:
    """The installation's key, as the two padded blocks of HMAC-SHA256 that SQL needs."""

    key: bytes = field(repr=False)

    @property
    def parameters(self) -> dict[str, bytes]:
        """Values of `$ces_inner` and `$ces_outer` for statements that hold `hashed` expressions."""
        block = (hashlib.sha256(self.key).digest() if len(self.key) > 64 else self.key).ljust(64, b"\0")
        return {
            "ces_inner": bytes(byte ^ 0x36 for byte in block),
            "ces_outer": bytes(byte ^ 0x5C for byte in block),
        }

    def of(self, value: str) -> str:
        """The pseudonym of one value, the same as SQL gives."""
        return hmac.new(self.key, value.strip().lower().encode(), hashlib.sha256).hexdigest()
