"""Responses: accepted rows, rejected rows, and the links to tickets."""

import pandera.pandas as pa

from ces_pipeline.schemas.table import DAY, FLAG, INSTANT, INTEGER, NUMBER, TEXT, TEXTS, Table, column

_PERCENT = pa.Check.in_range(0, 100)

RESPONSES = Table(
    "core.responses",
    "One row per accepted response.",
    ("response_key",),
    {
        "response_key": column(TEXT, "Hash of source and response id; its key in every table."),
        "source_id": column(TEXT, "The source that delivered it."),
        "survey_id": column(TEXT, "The registered survey."),
        "response_id": column(
            TEXT, "The platform's id; for exports without ids `row-` and a hash of the row."
        ),
        "respondent_key": column(TEXT, "Keyed hash of the respondent; null: not known.", nullable=True),
        "ticket_id": column(TEXT, "Ticket id in the response; null: none.", nullable=True),
        "external_id": column(
            TEXT,
            "Keyed hash of another reference shared with the ticket system, since many are a person's: a contact's id "
            "or address; null: none.",
            nullable=True,
        ),
        "channel": column(
            TEXT, "Channel of the interaction; `unknown` if neither export nor registry has it."
        ),
        "persona": column(
            TEXT, "Persona, from the first matching rule of the registry; `unassigned` if none matches."
        ),
        "product": column(
            TEXT,
            "Product or service: id of a registered product, else the value of the export; `unknown` if not given.",
        ),
        "device": column(TEXT, "Kind of device; `unknown` if not given."),
        "journey_stage": column(TEXT, "Stage of the customer journey; `unknown` if not given."),
        "process": column(TEXT, "Support, renewal, expansion ...; `unknown` if not given."),
        "language": column(TEXT, "Language of the answer, lower case; `unknown` if not given."),
        "scale_id": column(
            TEXT, "Registered scale of the score; null: the survey has no CES question.", nullable=True
        ),
        "score": column(
            NUMBER,
            "The answer on its own scale, an integer unless the scale is a slider; null: not asked, or not given in a "
            "partial answer.",
            nullable=True,
        ),
        "effort_0_100": column(
            NUMBER,
            "Effort, 0 (none) to 100 (most), higher is harder; null: no score.",
            nullable=True,
            checks=_PERCENT,
        ),
        "ease_0_100": column(
            NUMBER,
            "100 - effort_0_100, higher is easier; null: no score.",
            nullable=True,
            checks=_PERCENT,
        ),
        "effort_band": column(
            TEXT,
            "`easy`, `neutral` or `difficult`, by the boxes of the scale; null: no score.",
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
        "recorded_at": column(INSTANT, "When the platform recorded it, else when it was submitted, UTC."),
        "duration_seconds": column(
            NUMBER,
            "Seconds from first view to submit, as reported, else computed from the times; null: not known.",
            nullable=True,
        ),
        "is_suspect": column(
            FLAG,
            "True if a suspect rule marked it. It stays in; sensitivity figures show the result without it.",
        ),
        "flags": column(
            TEXTS, "Suspect and info rules that marked it, in the order of the rules; empty: none."
        ),
        "revision": column(
            INTEGER, "1 for the first content seen, 2 for the next, ... (the newest is kept)."
        ),
        "delivery_id": column(TEXT, "The earliest delivery with this content."),
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
        "source_id": column(TEXT, "The source that delivered it."),
        "survey_id": column(TEXT, "The registered survey; null: unregistered.", nullable=True),
        "response_id": column(TEXT, "The platform's id; for rows without one `row-` and a hash of the row."),
        "landed": column(TEXT, "The landed values as JSON: people as keyed hashes, texts redacted."),
        "reasons": column(TEXTS, "Every reason that applies, in the order of the rules; never empty."),
        "recorded_at": column(
            INSTANT, "When the platform recorded it, UTC; null: no usable time.", nullable=True
        ),
        "rule_version": column(TEXT, "Version of the rules that judged it."),
        "delivery_id": column(TEXT, "The earliest delivery with this content."),
        "row_number": column(INTEGER, "Row number in the file of that delivery, as a spreadsheet shows it."),
        "day": column(
            DAY, "Partition: business-zone date of recorded_at, else of the receipt of the delivery."
        ),
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
            "The ticket; null: no source has delivered the named ticket, or several tickets match.",
            nullable=True,
        ),
        "method": column(
            TEXT,
            "`ticket_id`, `external_id`, `requester_window`; if unlinked, `named_not_found` or `ambiguous`.",
        ),
        "confidence": column(
            NUMBER,
            "1 for an id that both sides share, less for a match by person and time; 0: unlinked.",
            checks=pa.Check.in_range(0, 1),
        ),
        "day": column(DAY, "The response's day."),
    },
    sort=("response_key",),
)
