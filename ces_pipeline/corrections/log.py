"""The log of corrections, `audit.corrections`: who changed what has landed, when, why, and how many rows.

A correction is recorded before it changes anything, so a killed command leaves its record. No person's value is stored.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal
from uuid import uuid4

from ces_pipeline.privacy.redaction import redact_text
from ces_pipeline.schemas.audit import CORRECTIONS
from ces_pipeline.storage.journal import ALL_SOURCES, add_rows
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.user import user_name

Command = Literal["unland", "replay", "restate", "forget", "rename"]


@dataclass(frozen=True)
class Correction:
    """One correction: its command, what it concerns (None: all), and the rows that it changes.

    why: the reason that its author gave. detail: what happened, in words.
    """

    command: Command
    rows_touched: int
    why: str | None = None
    source_id: str | None = None
    delivery_id: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    detail: str | None = None


def record(lake: Lake, correction: Correction, *, now: datetime | None = None) -> str:
    """Add a correction to the log; returns its id. Texts are redacted, because a reason may name a person."""
    at = now or datetime.now(UTC)
    row = {
        **vars(correction),
        "correction_id": f"{at:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}",
        "made_by": user_name(),
        "made_at": at,
        "why": redact_text(correction.why) if correction.why else None,
        "detail": redact_text(correction.detail) if correction.detail else None,
    }
    add_rows(lake, CORRECTIONS, correction.source_id or ALL_SOURCES, at, [row])
    return str(row["correction_id"])
