"""Cleans days of ticket versions: judge, normalise, split into accepted and rejected rows. Frames in, frames out."""

import numpy as np
import pandas as pd

from ces_pipeline.clean.answers import read_answer
from ces_pipeline.clean.columns import texts_where
from ces_pipeline.clean.facts import Facts
from ces_pipeline.clean.outcomes import CleanedDays
from ces_pipeline.clean.products import products_of
from ces_pipeline.clean.records import split_records
from ces_pipeline.clean.ticket_ids import ticket_ids_of
from ces_pipeline.clean.unknown_words import (
    UNKNOWN_VALUE,
    UnknownWords,
    Words,
    is_in,
    unknown_flags,
    unknown_words,
)
from ces_pipeline.clean.versions import newest, resolve_versions
from ces_pipeline.formats.flags import DELETED, read_word
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.sources import Source

_CLOSED: Words = {"is_deleted": is_in(DELETED)}
_MOST_STARS = 10


def clean_tickets(rows: pd.DataFrame, registry: Registry, rule_version: str) -> CleanedDays:
    """Clean some days of ticket rows (raw rows; `ticket_key` identifies the ticket, `update_key` the update).

    Of several versions of one update the greatest `version` counts, then the newest delivery. The others are
    superseded.
    """
    ordered = rows.assign(version_number=pd.to_numeric(rows["version"], errors="coerce").fillna(-1.0))
    resolved = resolve_versions(ordered, "update_key", order=("version_number",))
    current = newest(resolved)
    facts = Facts(current, registry)
    csat = _satisfaction(current, registry)
    accepted = _accepted(current, registry, csat)
    return split_records("tickets", resolved, facts, accepted, rule_version, _unknown(current, csat))


def _unknown(rows: pd.DataFrame, csat: pd.Series) -> UnknownWords:
    """The unknown words of tickets; a rating is one if it was given and could not be read."""
    found = unknown_words(rows, _CLOSED)
    unread = rows[rows["csat"].notna() & csat.isna()]
    for key, of_field in unknown_words(unread, {"csat": lambda _: False}).items():
        found.setdefault(key, {}).update(of_field)
    return found


def _accepted(rows: pd.DataFrame, registry: Registry, csat: pd.Series) -> pd.DataFrame:
    status = rows["status"].str.lower()
    deleted = _deleted(rows["is_deleted"]).mask((status == "deleted").fillna(False).astype(bool), True)
    is_unknown = unknown_flags(rows, _CLOSED).any(axis=1) | (rows["csat"].notna() & csat.isna()).to_numpy()
    solved = rows["solved_at"].fillna(rows["closed_at"])
    columns = {
        "ticket_key": rows["ticket_key"],
        "source_id": rows["source_id"].astype("str"),
        "ticket_id": ticket_ids_of(rows["ticket_id"]),
        "external_id": rows["external_id"],
        "external_key": rows["external_id_key"],
        "status": status.mask(deleted.fillna(False).astype(bool), "deleted"),
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
        "csat_0_100": csat,
        "is_deleted": deleted,
        "flags": texts_where(is_unknown[:, np.newaxis], (UNKNOWN_VALUE,), rows.index),
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


def _deleted(texts: pd.Series) -> pd.Series:
    """Whether the system deleted the ticket; False if it says nothing, null for a word that no list knows."""
    codes, distinct = pd.factorize(texts)
    meanings = {"true": True, "false": False}
    read = [meanings.get(read_word(str(text), DELETED) or "") for text in distinct]
    flags = np.array(
        [
            *(
                None if str(text).strip() and value is None else bool(value)
                for text, value in zip(distinct, read, strict=True)
            ),
            False,
        ],
        dtype=object,
    )
    return pd.Series(flags[codes], index=texts.index).astype("boolean")


def _satisfaction(rows: pd.DataFrame, registry: Registry) -> pd.Series:
    """0 to 100, read on the scale that the source names; null for what is not on it.

    Without a scale: `good` or `bad`, `80 %`, and a number from 0 to 100. A number from 1 to 10 counts only if the
    source's `values` or connector translates ratings to percentages, because it may be stars or a grade.
    """
    result = pd.Series(np.nan, index=rows.index, dtype="Float64")
    for source_id in rows["source_id"].unique():
        source = registry.sources.get(str(source_id))
        chosen = (rows["source_id"] == source_id).to_numpy(dtype=bool)
        codes, distinct = pd.factorize(rows["csat"][chosen])
        read = [_rating(str(text), source, registry) for text in distinct]
        result[chosen] = np.array([*read, np.nan])[codes]
    return result


def _rating(text: str, source: Source | None, registry: Registry) -> float:
    if source is not None and source.csat_scale is not None:
        scale = registry.scales[source.csat_scale]
        value, _ = read_answer(text, scale)
        return np.nan if value is None else scale.ease_0_100(value)
    good_or_bad = registry.scales["csat_good_bad"].by_label.get(text.strip().casefold())
    if good_or_bad is not None:
        return 100.0 * good_or_bad
    number = float(pd.to_numeric(text.strip().removesuffix("%"), errors="coerce"))
    may_be_stars = 0 < number <= _MOST_STARS and "%" not in text
    if may_be_stars and not (source is not None and source.csat_is_percentage):
        return np.nan
    return number if 0 <= number <= 100 else np.nan
