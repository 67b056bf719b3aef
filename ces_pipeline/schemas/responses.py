"""Responses: accepted, rejected, and their links to tickets."""

import pandera.pandas as pa

from ces_pipeline.schemas.table import DAY, FLAG, INSTANT, INTEGER, NUMBER, TEXT, TEXTS, Table, column

_PERCENT = pa.Check.in_range(0, 100)

RESPONSES = Table(
    "core.responses",
    "One row per accepted response.",
    ("response_key",),
    {
        "response_key": column(TEXT, "Hash of source and response id; the key of a response everywhere."),
        "source_id": column(TEXT, "The feed it came by."),
        "survey_id": column(TEXT, "The registered touchpoint."),
        "response_id": column(
            TEXT, "The platform's id; for exports without ids `row-` and a hash of the row."
        ),
        "respondent_key": column(TEXT, "Keyed hash of who answered; null: not known.", nullable=True),
        "ticket_id": column(TEXT, "Ticket id that the response names; null: names none.", nullable=True),
        "external_id": column(
            TEXT, "Another reference shared with the ticket system; null: none.", nullable=True
        ),
        "channel": column(
            TEXT, "Channel of the interaction; `unknown` where neither export nor registry says."
        ),
        "persona": column(
            TEXT, "Persona by the registry's first matching rule; `unassigned` where none matches."
        ),
        "product": column(
            TEXT,
            "Product or service: the id of a registered one, else as the export says; `unknown` where not said.",
        ),
        "device": column(TEXT, "Kind of device; `unknown` where not said."),
        "journey_stage": column(TEXT, "Stage of the customer journey; `unknown` where not said."),
        "process": column(TEXT, "Support, renewal, expansion ...; `unknown` where not said."),
        "language": column(TEXT, "Language of the answer, lower case; `unknown` where not said."),
        "scale_id": column(
            TEXT, "Registered scale of the score; null: the touchpoint asks no CES.", nullable=True
        ),
        "score": column(
            INTEGER,
            "The answer on its own scale; null: not asked or, in a partial, not given.",
            nullable=True,
        ),
        "effort_0_100": column(
            NUMBER,
            "Effort, 0 none to 100 most: higher is harder; null with the score.",
            nullable=True,
            checks=_PERCENT,
        ),
        "ease_0_100": column(
            NUMBER,
            "100 - effort_0_100: higher is easier; null with the score.",
            nullable=True,
            checks=_PERCENT,
        ),
        "effort_band": column(
            TEXT,
            "`easy`, `neutral` or `difficult` by the scale's own boxes; null with the score.",
            nullable=True,
            checks=pa.Check.isin(["easy", "neutral", "difficult"]),
        ),
        "nps": column(
            INTEGER,
            "Likelihood to recommend, 0 to 10; null: not asked or not given.",
            nullable=True,
            checks=pa.Check.in_range(0, 10),
        ),
        "csat_0_100": column(
            NUMBER,
            "Satisfaction, 0 to 100, higher is better; null: not asked or not given.",
            nullable=True,
            checks=_PERCENT,
        ),
        "comment": column(
            TEXT, "Free text with e-mails, phone and card numbers redacted; null: none.", nullable=True
        ),
        "started_at": column(INSTANT, "First view, UTC; null: not recorded.", nullable=True),
        "submitted_at": column(INSTANT, "Submit, UTC; null: not recorded.", nullable=True),
        "recorded_at": column(INSTANT, "When the platform recorded it (else submitted), UTC."),
        "duration_seconds": column(
            NUMBER,
            "Seconds from first view to submit, as reported, else from the times; null: not known.",
            nullable=True,
        ),
        "is_suspect": column(
            FLAG, "True where a suspect rule marked it: kept in, shown apart in sensitivity figures."
        ),
        "flags": column(TEXTS, "Suspect and info rules that marked it, in the rules' order; empty: none."),
        "revision": column(
            INTEGER, "1 for the first content seen, 2 for the next, ... (the newest is kept)."
        ),
        "delivery_id": column(TEXT, "The earliest delivery that holds this content."),
        "day": column(DAY, "Partition: business-zone date of recorded_at."),
    },
    sort=("recorded_at", "response_key"),
)

REJECTED_RESPONSES = Table(
    "core.rejected_responses",
    "One row per rejected landed row.",
    (),
    {
        "response_key": column(TEXT, "Hash of source and response id."),
        "source_id": column(TEXT, "The feed it came by."),
        "survey_id": column(TEXT, "The registered touchpoint; null: unregistered.", nullable=True),
        "response_id": column(TEXT, "The platform's id; for rows without one `row-` and a hash of the row."),
        "landed": column(TEXT, "The landed values as JSON: people as keyed hashes, texts redacted."),
        "reasons": column(TEXTS, "Every reason that applies, in the rules' order; never empty."),
        "recorded_at": column(
            INSTANT, "When the platform recorded it, UTC; null: no usable time.", nullable=True
        ),
        "rule_version": column(TEXT, "Version of the rules that judged it."),
        "delivery_id": column(TEXT, "The earliest delivery that holds this content."),
        "row_number": column(INTEGER, "Its row in that delivery's file, as a spreadsheet shows it."),
        "day": column(DAY, "Partition: business-zone date of recorded_at, else of the delivery's receipt."),
    },
    sort=("response_key", "delivery_id", "row_number"),
)

RESPONSE_TICKETS = Table(
    "core.response_tickets",
    "One row per response that names or matches a ticket.",
    ("response_key",),
    {
        "response_key": column(TEXT, "The response."),
        "ticket_key": column(
            TEXT,
            "The ticket; null: the response names a ticket that no feed has delivered, or several fit.",
            nullable=True,
        ),
        "method": column(
            TEXT,
            "`ticket_id`, `external_id`, `requester_window`; `named_not_found` or `ambiguous` where unlinked.",
        ),
        "confidence": column(
            NUMBER,
            "1 for an id both sides share, less for a match by person and time; 0: unlinked.",
            checks=pa.Check.in_range(0, 1),
        ),
        "day": column(DAY, "The response's day."),
    },
    sort=("response_key",),
)
