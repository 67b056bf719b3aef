"""Every request of a pull, as rows of `audit.requests`: what was requested and the outcome; never a person's value."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ces_pipeline.schemas.audit import REQUESTS
from ces_pipeline.storage.journal import add_rows
from ces_pipeline.storage.lake import Lake

_LONGEST_PATH = 500


def shown_path(path: str) -> str:
    """A path as logs and messages show it: a part that looks like an e-mail address becomes `[email]`."""
    parts = ["[email]" if "@" in part or "%40" in part else part for part in path.split("/")]
    shown = "/".join(parts)
    return shown if len(shown) <= _LONGEST_PATH else f"{shown[:_LONGEST_PATH]}..."


@dataclass
class RequestLog:
    """The requests of one pull so far; `save` adds the new ones to the source's file of the month."""

    source_id: str
    pull_id: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    _saved: int = 0

    def note(
        self,
        method: str,
        path: str,
        *,
        attempt: int,
        status: int | None,
        outcome: str,
        size_bytes: int,
        seconds: float,
        at: datetime,
    ) -> None:
        """Add a request. path: without query; a part that looks like an e-mail address becomes `[email]`."""
        self.rows.append(
            {
                "pull_id": self.pull_id,
                "number": len(self.rows) + 1,
                "source_id": self.source_id,
                "method": method,
                "path": shown_path(path),
                "status": status,
                "outcome": outcome,
                "attempt": attempt,
                "size_bytes": size_bytes,
                "seconds": seconds,
                "requested_at": at,
            }
        )

    def save(self, lake: Lake) -> None:
        """Write the rows that are not written yet; a pull without requests writes no file."""
        new, self._saved = self.rows[self._saved :], len(self.rows)
        if new:
            add_rows(lake, REQUESTS, self.source_id, new[0]["requested_at"], new)
