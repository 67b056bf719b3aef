"""Cleans days of invitations: judge, normalise, split into accepted and rejected rows. Frames in, frames out."""

import pandas as pd

from ces_pipeline.clean.channels import channels_of
from ces_pipeline.clean.columns import texts_by_code
from ces_pipeline.clean.facts import Facts
from ces_pipeline.clean.outcomes import CleanedDays
from ces_pipeline.clean.records import code_of, codes_of, split_records
from ces_pipeline.clean.ticket_ids import ticket_ids_of
from ces_pipeline.clean.unknown_words import Words, unknown_flags, unknown_words
from ces_pipeline.clean.versions import newest, resolve_versions
from ces_pipeline.registry.registry import Registry
from ces_pipeline.schemas.vocabularies import INVITATION_STATUSES

_WORDS = {
    **{name: name for name in INVITATION_STATUSES},
    "queued": "unknown", "pending": "unknown", "scheduled": "unknown",
    "success": "sent", "email_sent": "sent", "sms_sent": "sent", "invited": "sent", "reminded": "sent",
    "read": "opened", "viewed": "opened",
    "clicked": "started", "survey_started": "started", "partial": "started", "in_progress": "started",
    "finished": "completed", "answered": "completed", "responded": "completed", "complete": "completed",
    "survey_finished": "completed",
    "hard_bounce": "bounced", "soft_bounce": "bounced", "undeliverable": "bounced", "undelivered": "bounced",
    "failure": "failed", "error": "failed", "spam": "failed", "blocked": "failed",
    "opted_out": "refused", "opt_out": "refused", "unsubscribed": "refused", "declined": "refused",
    "complaint": "refused",
    "skipped": "out_of_scope", "duplicate": "out_of_scope", "excluded": "out_of_scope", "test": "out_of_scope",
    "not_eligible": "out_of_scope", "ineligible": "out_of_scope", "over_limit": "out_of_scope",
    "cancelled": "out_of_scope", "canceled": "out_of_scope",
}  # fmt: skip
_CLOSED: Words = {"status": lambda text: code_of(text, _WORDS) is not None}


def clean_invitations(
    rows: pd.DataFrame, cross_day_revisions: pd.DataFrame, registry: Registry, rule_version: str
) -> CleanedDays:
    """Clean some days of invitation rows (raw rows). cross_day_revisions: see `resolve_versions`.

    Of several versions of an invitation, the last one sent counts, then the later status in STATUSES, then the newest
    delivery. An unknown word becomes `unknown`; `values` of the source's entry translates it.
    """
    status = codes_of(rows["status"], _WORDS, "unknown").fillna("unknown")
    place = status.map({name: number for number, name in enumerate(INVITATION_STATUSES)}).astype("float64")
    placed = rows.assign(status_word=status, status_place=place)
    resolved = resolve_versions(
        placed, "invitation_key", cross_day_revisions, order=("event_at", "status_place")
    )
    current = newest(resolved)
    facts = Facts(current, registry)
    accepted = pd.DataFrame(
        {
            "invitation_key": current["invitation_key"],
            "source_id": current["source_id"].astype("str"),
            "survey_id": texts_by_code(facts.which, [survey.id for survey in facts.surveys], current.index),
            "invitation_id": current["invitation_id"],
            "person_key": current["person_key"],
            "response_id": current["response_id"],
            "ticket_id": ticket_ids_of(current["ticket_id"]),
            "event_id": current["event_id"],
            "channel": channels_of(current["channel"]).fillna("unknown"),
            "status": current["status_word"],
            "sent_at": current["event_at"],
            "revision": current["revision"].astype("Int64"),
            "delivery_id": current["delivery_id"].astype("str"),
            "day": current["day"],
        },
        index=current.index,
    )
    unknown = unknown_words(current, _CLOSED, unknown_flags(current, _CLOSED))
    return split_records("invitations", resolved, facts, accepted, rule_version, unknown)
