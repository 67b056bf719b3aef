"""Every request of a pull, as rows of `audit.requests`: what was asked and how it went, never by whom or for whom."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from ces_pipeline.schemas.audit import REQUESTS
from ces_pipeline.storage.lake import Lake

_ADDRESS = re.compile(r"[^/]*(?:@|%40)[^/]*", re.IGNORECASE)


@dataclass
class RequestsLog:
    """The requests of one pull so far. One file of the lake, replaced by every `save`."""

    source_id: str
    pull_id: str
    rows: list[dict[str, Any]] = field(default_factory=list)

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
        """Add a request. path: without query; a part of it that looks like an e-mail address is not kept."""
        self.rows.append(
            {
                "pull_id": self.pull_id,
                "number": len(self.rows) + 1,
                "source_id": self.source_id,
                "method": method,
                "path": _ADDRESS.sub("[email]", path),
                "status": status,
                "outcome": outcome,
                "attempt": attempt,
                "size_bytes": size_bytes,
                "seconds": seconds,
                "requested_at": at,
            }
        )

    def save(self, lake: Lake) -> None:
        """Write the rows so far; a pull without a request leaves no file."""
        if self.rows:
            rows = pa.Table.from_pylist(self.rows, schema=REQUESTS.arrow)
            lake.write_table(f"{REQUESTS.name.replace('.', '/')}/{self.pull_id}.parquet", rows)
