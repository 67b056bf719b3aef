"""Cleans days of ticket versions: judge, normalise, split into accepted and rejected rows. Frames in, frames out."""

import numpy as np
import pandas as pd

from ces_pipeline.clean.facts import Facts
from ces_pipeline.clean.outcomes import CleanedDays
from ces_pipeline.clean.products import products_of
from ces_pipeline.clean.records import split_records
from ces_pipeline.clean.versions import newest, resolve_versions
from ces_pipeline.formats.flags import DELETED, read_word
from ces_pipeline.registry.registry import Registry


def clean_tickets(rows: pd.DataFrame, registry: Registry, rule_version: str) -> CleanedDays:
    """Clean some days of ticket rows (raw rows; `ticket_key` identifies the ticket, `update_key` the update).

    Of several versions of one update the greatest `version` counts, then the newest delivery. The others are
    superseded.
    """
    ordered = rows.assign(version_number=pd.to_numeric(rows["version"], errors="coerce").fillna(-1.0))
    resolved = resolve_versions(ordered, "update_key", order=("version_number",))
    current = newest(resolved)
    facts = Facts(current, registry)
    return split_records("tickets", resolved, facts, _accepted(current, registry), rule_version)


def _accepted(rows: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    status = rows["status"].str.lower()
    codes, distinct = pd.factorize(rows["is_deleted"])
    flagged = np.array([*(read_word(str(text), DELETED) == "true" for text in distinct), False])[codes]
    deleted = pd.Series(flagged, index=rows.index) | (status == "deleted").fillna(False).astype(bool)
    solved = rows["solved_at"].fillna(rows["closed_at"])
    columns = {
        "ticket_key": rows["ticket_key"],
        "source_id": rows["source_id"].astype("str"),
        "ticket_id": rows["ticket_id"],
        "external_id": rows["external_id"],
        "status": status.mask(deleted, "deleted"),
        "priority": rows["priority"].str.lower(),
        "category": rows["category"],
        "channel": rows["channel"].str.lower().fillna("unknown"),
        "product": products_of(rows["product"], registry).fillna("unknown"),
        "requester_key": rows["requester_key"],
        "group_name": rows["group_name"],
        "created_at": rows["created_at"],
        "first_reply_at": rows["first_reply_at"],
        "solved_at": rows["solved_at"],
        "closed_at": rows["closed_at"],
        "updated_at": rows["event_at"],
        "first_reply_minutes": _minutes(
            rows["first_reply_minutes"], rows["created_at"], rows["first_reply_at"]
        ),
        "resolution_minutes": _minutes(rows["resolution_minutes"], rows["created_at"], solved),
        "reopens": _count(rows["reopens"]),
        "handoffs": _count(rows["handoffs"]),
        "replies": _count(rows["replies"]),
        "csat_0_100": _satisfaction(rows["csat"], registry),
        "is_deleted": deleted,
        "delivery_id": rows["delivery_id"].astype("str"),
        "day": rows["day"],
    }
    return pd.DataFrame(columns, index=rows.index)


def _minutes(reported: pd.Series, start: pd.Series, end: pd.Series) -> pd.Series:
    """Calendar minutes as reported, else from start to end; null if neither is known or the value is negative."""
    given = pd.to_numeric(reported, errors="coerce").astype("Float64")
    given = given.where(given.between(0, np.inf, inclusive="left"))
    measured = ((end - start).dt.total_seconds() / 60).round(4).astype("Float64")
    return given.fillna(measured.mask(measured < 0))


def _count(texts: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(texts, errors="coerce")
    return numbers.where((numbers >= 0) & (numbers % 1 == 0)).astype("Int64")


def _satisfaction(texts: pd.Series, registry: Registry) -> pd.Series:
    """0 to 100, from `good`/`bad` or from a number that is already a percentage; null for other texts."""
    scale = registry.scales["csat_good_bad"]
    codes, distinct = pd.factorize(texts)
    read: list[float] = []
    for text in distinct:
        value = scale.by_label.get(str(text).strip().casefold())
        number = pd.to_numeric(text, errors="coerce")
        read.append(100.0 * value if value is not None else float(number) if 0 <= number <= 100 else np.nan)
    return pd.Series(np.array([*read, np.nan])[codes], index=texts.index, dtype="Float64")
