"""Days of events: judge, normalise, split into accepted and rejected. Pure frames in and out."""

import numpy as np
import pandas as pd
import pandera.pandas as pa

from ces_pipeline.clean.columns import texts_by_code
from ces_pipeline.clean.evidence import survey_of
from ces_pipeline.clean.judge import broken_rules, rule
from ces_pipeline.clean.records import HAS_USABLE_TIME, IS_READABLE, split_records, time_evidence
from ces_pipeline.clean.responses import CleanedDays
from ces_pipeline.clean.versions import newest, resolve_versions
from ces_pipeline.registry.registry import Registry

EVENT_REASONS = ("unreadable_row", "missing_time", "in_the_future", "missing_type", "unreadable_value")
_RULES = pa.DataFrameSchema(
    {
        **IS_READABLE,
        **HAS_USABLE_TIME,
        "has_type": pa.Column(bool, rule("missing_type", pa.Check.eq(True))),
        "has_readable_value": pa.Column(bool, rule("unreadable_value", pa.Check.eq(True))),
    },
    strict=True,
)


def clean_events(rows: pd.DataFrame, moves: pd.DataFrame, registry: Registry) -> CleanedDays:
    """Clean some days of event rows (raw rows). moves: contents on several days (see `resolve_versions`)."""
    resolved = resolve_versions(rows, "event_key", moves)
    current = newest(resolved)
    readable = current["problem"].isna()
    number = pd.to_numeric(current["value"], errors="coerce").astype("Float64")
    number = number.where(np.isfinite(number.fillna(0.0).to_numpy(dtype=float)))
    evidence = {
        "is_readable": readable,
        **time_evidence(current, registry),
        "has_type": current["event_type"].notna() | ~readable,
        "has_readable_value": (number.notna() | current["value"].isna()),
    }
    broken = broken_rules(_RULES, pd.DataFrame(evidence), EVENT_REASONS)
    which, surveys = survey_of(current, registry)
    accepted = pd.DataFrame(
        {
            "event_key": current["event_key"],
            "source_id": current["source_id"].astype("str"),
            "event_id": current["event_id"],
            "event_type": current["event_type"].str.lower(),
            "survey_id": texts_by_code(which, [one.id for one in surveys], current.index),
            "person_key": current["person_key"],
            "ticket_id": current["ticket_id"],
            "category": current["category"],
            "value": number,
            "occurred_at": current["event_at"],
            "revision": current["revision"].astype("Int64"),
            "delivery_id": current["delivery_id"].astype("str"),
            "day": current["day"],
        },
        index=current.index,
    )
    return split_records("events", resolved, current, accepted, broken, EVENT_REASONS)
