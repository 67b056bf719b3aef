"""Columns of the tables about incidents and the messages on them, and the form of the log that both follow from."""

import pandera.pandas as pa

from ces_pipeline.schemas.table import DAY, FLAG, INSTANT, INTEGER, NUMBER, TEXT, TEXTS, Table, column
from ces_pipeline.schemas.vocabularies import EVENT_KINDS

_SUBJECT = {
    "rule_id": column(TEXT, "The rule of alerts.yaml."),
    "rule_kind": column(
        TEXT, "What the rule watches: `threshold`, `anomaly`, `checks`, `sources` or `runs`."
    ),
    "severity": column(
        TEXT, "Severity of the rule at that time.", checks=pa.Check.isin(["warning", "critical"])
    ),
    "owner": column(TEXT, "Who looks after it, by the rule."),
    "series_kind": column(
        TEXT, "The figure or metric; `check`, `source` or `run` of an incident that is about no figure."
    ),
    "dimension": column(TEXT, "What the figure is split by; `all`: no split."),
    "segment": column(TEXT, "Value of the dimension; the check, the source or the step."),
}
_FIGURES = {
    "observed": column(NUMBER, "The figure on that day; null: it is about no figure.", nullable=True),
    "expected": column(
        NUMBER,
        "The threshold, or what earlier days led to expect; null: it is about no figure.",
        nullable=True,
    ),
    "low": column(
        NUMBER,
        "Lower end of the 95 % interval of `observed`; of an anomaly, of what was expected; null: it is about no "
        "figure, or the figure counts all there is.",
        nullable=True,
    ),
    "high": column(NUMBER, "Upper end of that interval; null likewise.", nullable=True),
    "n": column(INTEGER, "Rows behind the figure; null: it has no n.", nullable=True),
    "direction": column(
        TEXT, "`harder`, `fewer`, `above the threshold` ...; null: it is about no figure.", nullable=True
    ),
    "detail": column(TEXT, "What failed, in words; never a person's value; null: a figure.", nullable=True),
}

INCIDENT_EVENTS = Table(
    "audit.incident_events",
    "One row per event of an incident, as it was logged.",
    ("event_id",),
    {
        "event_id": column(TEXT, "The event: made from its incident, its kind and its day or moment."),
        "incident_id": column(TEXT, "The incident."),
        "kind": column(
            TEXT,
            "`opened`, `continued` (another affected day), `repeated` (again after a recovery), `recovered`, "
            "`closed` or `acknowledged`.",
            checks=pa.Check.isin(["opened", "continued", "repeated", "recovered", "closed", "acknowledged"]),
        ),
        "logged_at": column(INSTANT, "When it was logged."),
        "logged_by": column(
            TEXT,
            "`publish` (from the figures that it publishes), `run` (from the steps of a run) or `ack` (a person).",
            checks=pa.Check.isin(["publish", "run", "ack"]),
        ),
        "run_id": column(TEXT, "The run; null: a person logged it.", nullable=True),
        **_SUBJECT,
        "day": column(DAY, "The affected day, or the day of the recovery."),
        "first_affected_day": column(DAY, "The first affected day."),
        "detected_day": column(DAY, "The day whose figures fulfilled the rule."),
        "first_response_at": column(
            INSTANT,
            "First response of the first affected day and its segment; null: not about answers.",
            nullable=True,
        ),
        **_FIGURES,
        "was_over": column(FLAG, "True if the incident was over before it was noticed: no message is sent."),
        "made_by": column(TEXT, "Who acknowledged it; null: not an acknowledgement.", nullable=True),
        "note": column(TEXT, "Note of that person, redacted; null: none.", nullable=True),
    },
    sort=("logged_at", "incident_id", "day", "kind"),
)

INCIDENTS = Table(
    "audit.incidents",
    "One row per incident: what happened, since when, who knows about it, and whether it is over.",
    ("incident_id",),
    {
        "incident_id": column(TEXT, "The incident: made from its rule, its series and its first day."),
        **_SUBJECT,
        "state": column(
            TEXT,
            "`open`, `acknowledged` (open, and somebody looks after it), `recovered`, or `closed` (recovered, and not "
            "repeated within the cooldown).",
            checks=pa.Check.isin(["open", "acknowledged", "recovered", "closed"]),
        ),
        "opened_at": column(INSTANT, "When it was noticed."),
        "first_affected_day": column(DAY, "The first affected day."),
        "detected_day": column(DAY, "The first day whose figures fulfilled the rule."),
        "first_response_at": column(
            INSTANT,
            "First response of the first affected day and its segment; null: not about answers.",
            nullable=True,
        ),
        "last_day": column(DAY, "The last affected day so far."),
        **_FIGURES,
        "repeats": column(INTEGER, "Times that it came back within the cooldown after a recovery."),
        "was_over": column(FLAG, "True if it was over before it was noticed: no message is sent."),
        "acknowledged_at": column(
            INSTANT, "When somebody first took it over; null: it is not acknowledged.", nullable=True
        ),
        "acknowledged_by": column(TEXT, "Who did; null: it is not acknowledged.", nullable=True),
        "note": column(TEXT, "Newest note of an acknowledgement, redacted; null: none.", nullable=True),
        "recovered_at": column(INSTANT, "When the recovery was noticed; null: it is open.", nullable=True),
        "closed_at": column(INSTANT, "When it was closed; null: it may come back.", nullable=True),
        "nearby_changes": column(
            TEXTS, "Releases and fixes of the registry in the week up to the first affected day, by title."
        ),
    },
    sort=("first_affected_day", "incident_id"),
)

ALERT_DELIVERIES = Table(
    "audit.alert_deliveries",
    "One row per message and channel.",
    ("message_id", "channel_id"),
    {
        "message_id": column(TEXT, "The message; a repeat after a killed run has the same id."),
        "channel_id": column(TEXT, "The channel of alerts.yaml."),
        "kind": column(
            TEXT,
            "`opened`, `recovered` (of one incident, or of several at once), `digest` (the warnings of a day), or "
            "`published` (no incident: new figures are published).",
            checks=pa.Check.isin(["opened", "recovered", "digest", *EVENT_KINDS]),
        ),
        "event_ids": column(TEXTS, "The events that it reports."),
        "incident_count": column(INTEGER, "Incidents that it reports."),
        "attempts": column(INTEGER, "Times that sending it was begun, each with its retries."),
        "status": column(
            TEXT,
            "`sent`; `failed`: the next run tries again; `sending`: a killed run may or may not have sent it, and the "
            "next one sends it again.",
            checks=pa.Check.isin(["sending", "sent", "failed"]),
        ),
        "detail": column(TEXT, "Why it failed; null: it did not.", nullable=True),
        "created_at": column(INSTANT, "When it was first recorded, before the first attempt."),
        "sent_at": column(INSTANT, "When the channel took it; null: it did not.", nullable=True),
    },
    sort=("created_at", "message_id", "channel_id"),
)
