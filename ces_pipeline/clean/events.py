"""Cleans days of events: judge, normalise, split into accepted and rejected rows. Frames in, frames out."""

from functools import cached_property

import numpy as np
import pandas as pd

from ces_pipeline.clean.columns import texts_by_code
from ces_pipeline.clean.facts import Facts
from ces_pipeline.clean.outcomes import CleanedDays
from ces_pipeline.clean.records import split_records
from ces_pipeline.clean.ticket_ids import ticket_ids_of
from ces_pipeline.clean.versions import newest, resolve_versions
from ces_pipeline.registry.registry import Registry


class EventFacts(Facts):
    """Facts about event rows."""

    @cached_property
    def value(self) -> pd.Series:
        """The value as a finite number; null if it is missing or not a number."""
        number = pd.to_numeric(self.rows["value"], errors="coerce").astype("Float64")
        return number.where(np.isfinite(number.fillna(0.0).to_numpy(dtype=float)))


def clean_events(
    rows: pd.DataFrame, cross_day_revisions: pd.DataFrame, registry: Registry, rule_version: str
) -> CleanedDays:
    """Clean some days of event rows (raw rows). cross_day_revisions: see `resolve_versions`."""
    resolved = resolve_versions(rows, "event_key", cross_day_revisions)
    current = newest(resolved)
    facts = EventFacts(current, registry)
    accepted = pd.DataFrame(
        {
            "event_key": current["event_key"],
            "source_id": current["source_id"].astype("str"),
            "event_id": current["event_id"],
            "event_type": current["event_type"].str.lower(),
            "survey_id": texts_by_code(facts.which, [survey.id for survey in facts.surveys], current.index),
            "person_key": current["person_key"],
            "ticket_id": ticket_ids_of(current["ticket_id"]),
            "category": current["category"],
            "value": facts.value,
            "occurred_at": current["event_at"],
            "revision": current["revision"].astype("Int64"),
            "delivery_id": current["delivery_id"].astype("str"),
            "day": current["day"],
        },
        index=current.index,
    )
    return split_records("events", resolved, facts, accepted, rule_version)
