"""Cleans days of follow-ups: judge, normalise, split into accepted and rejected rows. Frames in, frames out.

`sql/core/response_follow_ups.sql` links a follow-up to its response.
"""

import pandas as pd

from ces_pipeline.clean.facts import Facts
from ces_pipeline.clean.outcomes import CleanedDays
from ces_pipeline.clean.records import code_of, codes_of, split_records
from ces_pipeline.clean.ticket_ids import ticket_ids_of
from ces_pipeline.clean.unknown_words import Words, unknown_flags, unknown_words
from ces_pipeline.clean.versions import newest, resolve_versions
from ces_pipeline.registry.registry import Registry
from ces_pipeline.schemas.vocabularies import FOLLOW_UP_STATES

_WORDS = {
    **{name: name for name in FOLLOW_UP_STATES},
    "open": "assigned", "opened": "assigned", "new": "assigned", "created": "assigned", "accepted": "assigned",
    "claimed": "assigned", "in_progress": "assigned",
    "called": "contacted", "called_back": "contacted", "emailed": "contacted", "reached": "contacted",
    "replied": "contacted", "answered": "contacted",
    "closed": "resolved", "done": "resolved", "solved": "resolved", "completed": "resolved", "complete": "resolved",
    "finished": "resolved",
}  # fmt: skip
_CLOSED: Words = {"state": lambda text: code_of(text, _WORDS) is not None}


def clean_follow_ups(rows: pd.DataFrame, registry: Registry, rule_version: str) -> CleanedDays:
    """Clean some days of follow-up rows (raw rows; `update_key` identifies the follow-up and the time of the step).

    Of several states at the same time, the later state in STATES counts, then the newest delivery. An unknown word
    becomes `unknown`; `values` of the source's entry translates it.
    """
    state = codes_of(rows["state"], _WORDS, "unknown").fillna("unknown")
    place = state.map({name: number for number, name in enumerate(FOLLOW_UP_STATES)}).astype("float64")
    resolved = resolve_versions(
        rows.assign(state_word=state, state_place=place), "update_key", order=("state_place",)
    )
    current = newest(resolved)
    facts = Facts(current, registry)
    accepted = pd.DataFrame(
        {
            "follow_up_key": current["follow_up_key"],
            "source_id": current["source_id"].astype("str"),
            "follow_up_id": current["follow_up_id"],
            "response_id": current["response_id"],
            "ticket_id": ticket_ids_of(current["ticket_id"]),
            "agent_key": current["agent_key"],
            "state": current["state_word"],
            "changed_at": current["event_at"],
            "delivery_id": current["delivery_id"].astype("str"),
            "day": current["day"],
        },
        index=current.index,
    )
    unknown = unknown_words(current, _CLOSED, unknown_flags(current, _CLOSED))
    return split_records("follow_ups", resolved, facts, accepted, rule_version, unknown)
