"""Frames of made-up raw rows, as `clean.raw_rows.read_rows` reads real ones from the lake."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from ces_pipeline.schemas.fields import field_table, fields_of
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.schemas.table import DAY as DAY_TYPE
from ces_pipeline.schemas.table import INSTANT

FIRST_DAY = date(2020, 1, 1)
DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""When a row happened that says nothing else."""
RECEIVED_AT = datetime(2026, 3, 20, 12, tzinfo=UTC)
"""When every made-up delivery is received."""

_INSTANTS = ("received_at", "as_of", "event_at", "version_at")
_NO_TEXT = ("row_number", "content", "is_lookback", "day", "received_order")
_GOOD: dict[str, dict[str, Any]] = {
    "survey": {"score": "4"},
    "tickets": {},
    "accounts": {"account_key": "account", "valid_from": NOON},
    "invitations": {"status": "sent"},
    "events": {"event_type": "order"},
    "follow_ups": {"response_id": "answer", "state": "contacted"},
}


def raw_rows(kind: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Raw rows of one kind, each given as its difference from a good row of its own person, of the source `web`.

    A row happened at `NOON` of `DAY` and was received at `RECEIVED_AT`, unless it says otherwise.
    """
    frame = pd.DataFrame([_raw_row(kind, number, row) for number, row in enumerate(rows)])
    times = [field.stored_as for field in field_table(kind) if field.treatment == "time"]
    for name in frame.columns:
        if name in times or name in _INSTANTS:
            frame[name] = pd.to_datetime(frame[name], utc=True).astype(INSTANT)
        elif name not in _NO_TEXT:
            frame[name] = frame[name].astype("str")
    return frame.astype({"day": DAY_TYPE})


def _raw_row(kind: str, number: int, given: Mapping[str, Any]) -> dict[str, Any]:
    own_id = fields_of(kind)[KINDS[kind].own_id].stored_as
    row: dict[str, Any] = {
        **{name: None for field in field_table(kind) for name in field.raw_types},
        own_id: f"{kind}{number}",
        **_GOOD[kind],
        "source_id": "web",
        "event_at": NOON,
        "extra": None,
        "problem": None,
        "times_as_written": None,
        **given,
    }
    moment = row["event_at"]
    is_usable = moment is not None and moment.date() >= FIRST_DAY and moment <= RECEIVED_AT
    day = moment.date() if is_usable else RECEIVED_AT.date()
    # A row without an id is known by its place.
    key = f"{row['source_id']}/{row[own_id] or number}"
    content = repr(sorted((name, str(value)) for name, value in row.items()))
    return {
        "delivery_id": "d1",
        "received_at": RECEIVED_AT,
        "received_order": 1,
        "as_of": RECEIVED_AT,
        "version_at": row.get("modified_at") or moment,
        "day": day,
        "row_number": number + 2,
        "content": int(hashlib.sha256(content.encode()).hexdigest()[:12], 16),
        "is_lookback": False,
        KINDS[kind].key: key,
        **({"update_key": f"{key}@{moment}"} if KINDS[kind].is_versioned else {}),
        **({"answers": None} if kind == "survey" else {}),
        **row,
    }
