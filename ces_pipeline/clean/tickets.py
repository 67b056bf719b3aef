"""Cleans days of ticket versions: judge, normalise, split into accepted and rejected rows. Frames in, frames out."""

import re
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from ces_pipeline.clean.answers import read_answer
from ces_pipeline.clean.columns import texts_where
from ces_pipeline.clean.facts import Facts
from ces_pipeline.clean.outcomes import CleanedDays
from ces_pipeline.clean.products import products_of
from ces_pipeline.clean.records import split_records
from ces_pipeline.clean.ticket_ids import ticket_ids_of
from ces_pipeline.clean.unknown_words import UNKNOWN_VALUE, Words, unknown_flags, unknown_words
from ces_pipeline.clean.versions import newest, resolve_versions
from ces_pipeline.formats.flags import DELETED, FLAG, read_word
from ces_pipeline.formats.ticket_states import NO_CASE, RESOLVED, ticket_state
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.sources import Source

_TIME = re.compile(r"\d{4}-\d\d-\d\d|\d{10}(\d{3})?$")
_MERGED_TAG = re.compile(r"\bclosed_by_merge\b")
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_MOST_STARS = 10


def _flag(words: Mapping[str, str], own: str) -> Callable[[str], bool | None]:
    """A reader of a flag: what its word means, None for a word that is not known.

    A time means that it happened then (`trashed_datetime`). own: the state that the flag is about.
    """

    def read(text: str) -> bool | None:
        if _TIME.match(text.strip()) or ticket_state(text) == own:
            return True
        meaning = read_word(text, words)
        return None if meaning is None else meaning == "true"

    return read


def _is_known(read: Callable[[str], bool | None]) -> Callable[[str], bool]:
    return lambda text: read(text) is not None


_FLAGS: dict[str, Callable[[str], bool | None]] = {
    "is_deleted": _flag(DELETED, "deleted"),
    "is_spam": _flag(FLAG, "spam"),
    "is_merged": _flag(FLAG, "merged"),
}
_CLOSED: Words = {
    "status": lambda text: ticket_state(text) is not None,
    **{name: _is_known(read) for name, read in _FLAGS.items()},
}


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
    # A rating is unknown if it was given and could not be read.
    unread = (current["csat"].notna() & csat.isna()).to_numpy()
    flags = np.column_stack([unknown_flags(current, _CLOSED), unread])
    accepted = _accepted(current, registry, csat, np.asarray(flags.any(axis=1)))
    unknown = unknown_words(current, (*_CLOSED, "csat"), flags)
    return split_records("tickets", resolved, facts, accepted, rule_version, unknown)


def _accepted(
    rows: pd.DataFrame, registry: Registry, csat: pd.Series, is_unknown: np.ndarray
) -> pd.DataFrame:
    state, is_no_case = _states(rows)
    is_resolved = (state.isna() | state.isin(RESOLVED)).to_numpy(dtype=bool)
    status = rows["status"].str.lower().mask((state == "deleted").fillna(False).astype(bool), "deleted")
    reported = _reported(rows, "resolution").where(is_resolved)
    resolved_at = rows["solved_at"].fillna(rows["closed_at"]).where(is_resolved)
    if (untimed := (resolved_at.isna() & reported.notna())).any():
        # A system without times of solving may report how long it took.
        took = pd.to_timedelta(reported.astype("float64") * 60, unit="s").dt.round("us")
        resolved_at = resolved_at.where(~untimed, (rows["created_at"] + took).astype(resolved_at.dtype))
    columns = {
        "ticket_key": rows["ticket_key"],
        "source_id": rows["source_id"].astype("str"),
        "ticket_id": ticket_ids_of(rows["ticket_id"]),
        "external_id": rows["external_id"],
        "external_key": rows["external_id_key"],
        "status": status,
        "state": state,
        "priority": rows["priority"].str.lower(),
        "category": rows["category"].str.strip().replace("", None),
        "channel": rows["channel"].str.lower().fillna("unknown"),
        "product": products_of(rows["product"], registry).fillna("unknown"),
        "requester_key": rows["requester_key"],
        "group_name": rows["group_name"],
        "created_at": rows["created_at"],
        "first_reply_at": rows["first_reply_at"],
        "solved_at": rows["solved_at"],
        "closed_at": rows["closed_at"],
        "resolved_at": resolved_at,
        "updated_at": rows["event_at"],
        "first_reply_minutes": _minutes(
            _reported(rows, "first_reply"), rows["created_at"], rows["first_reply_at"]
        ),
        "resolution_minutes": _minutes(reported, rows["created_at"], resolved_at),
        "reopens": _count(rows["reopens"]),
        "handoffs": _count(rows["handoffs"]),
        "replies": _count(rows["replies"]),
        "csat_0_100": csat,
        "is_deleted": is_no_case,
        "merged_into": ticket_ids_of(rows["merged_into"]),
        "flags": texts_where(is_unknown[:, np.newaxis], (UNKNOWN_VALUE,), rows.index),
        "delivery_id": rows["delivery_id"].astype("str"),
        "day": rows["day"],
    }
    return pd.DataFrame(columns, index=rows.index)


def _reported(rows: pd.DataFrame, what: str) -> pd.Series:
    """Calendar minutes as the system reports them; null for none, and for a value that is no length of time."""
    found = _lengths(rows[f"{what}_minutes"], 1.0)
    for unit, minutes in (("hours", 60.0), ("seconds", 1 / 60)):
        if (more := rows[f"{what}_{unit}"]).notna().any():
            found = found.fillna(_lengths(more, minutes))
    return found


def _lengths(texts: pd.Series, unit: float) -> pd.Series:
    """Minutes of texts such as `90`, in units of so many minutes, or `1:30:00`, which needs no unit."""
    codes, distinct = pd.factorize(texts)
    read = pd.to_numeric(pd.Series(distinct, dtype="object"), errors="coerce").to_numpy(dtype=float) * unit
    for place, text in enumerate(distinct):
        if clock := _CLOCK.fullmatch(str(text).strip()):
            hours, minutes, seconds = (float(part) for part in clock.groups())
            read[place] = hours * 60 + minutes + seconds / 60
    found = pd.Series(np.array([*read, np.nan])[codes], index=texts.index)
    return found.where(found.between(0, np.inf, inclusive="left")).round(4).astype("Float64")


def _minutes(reported: pd.Series, start: pd.Series, end: pd.Series) -> pd.Series:
    """Calendar minutes as reported, else from start to end; null if neither is known or the value is negative."""
    measured = ((end - start).dt.total_seconds() / 60).round(4).astype("Float64")
    return reported.fillna(measured.mask(measured < 0))


def _count(texts: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(texts, errors="coerce")
    return numbers.where((numbers >= 0) & (numbers % 1 == 0)).astype("Int64")


def _states(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """(What each status means, null without one; whether the ticket is no case of its own, null if not known.)

    A flag that says that a ticket was deleted, is spam or was merged goes before its status.
    """
    codes, distinct = pd.factorize(rows["status"])
    read = [ticket_state(str(text)) or ("unknown" if str(text).strip() else None) for text in distinct]
    state = pd.Series(np.array([*read, None], dtype=object)[codes], index=rows.index).astype("str")
    flags = {name: _flagged(rows[name], read_flag) for name, read_flag in _FLAGS.items()}
    merged = flags["is_merged"].fillna(False).astype(bool) | rows["merged_into"].notna()
    merged |= rows["tags"].str.contains(_MERGED_TAG).fillna(False).astype(bool)
    flags["is_merged"] = flags["is_merged"].mask(merged, True)
    for name, of_flag in (("is_merged", "merged"), ("is_spam", "spam"), ("is_deleted", "deleted")):
        state = state.mask(flags[name].fillna(False).astype(bool), of_flag)
    # `|` of True and null is True, of False and null is null.
    is_no_case = flags["is_deleted"] | flags["is_spam"] | flags["is_merged"]
    return state, is_no_case.mask(state.isin(NO_CASE).to_numpy(dtype=bool), True)


def _flagged(texts: pd.Series, read: Callable[[str], bool | None]) -> pd.Series:
    """What a flag says; False if the system says nothing, null for a word that no list knows."""
    codes, distinct = pd.factorize(texts)
    values = [read(str(text)) if str(text).strip() else False for text in distinct]
    return pd.Series(np.array([*values, False], dtype=object)[codes], index=texts.index).astype("boolean")


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
