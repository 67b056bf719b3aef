"""Accounts: every delivered version, the timeline that decides personas, and the rejected rows."""

from ces_pipeline.schemas.rejected import rejected_table
from ces_pipeline.schemas.table import DAY, INSTANT, TEXT, Table, column

_PERSON = "Keyed hash of the person: equals the respondent_key of their answers and the requester_key of their tickets."
_ACCOUNT = "Keyed hash of the account that the person belongs to; null: not given."
_ATTRIBUTES = "Other columns of the export as a JSON object of texts; null: all are empty."

ACCOUNT_VERSIONS = Table(
    "core.account_versions",
    "One row per source, person and delivered version of their account.",
    ("source_id", "person_key", "valid_from", "delivery_id"),
    {
        "source_id": column(TEXT, "The source that delivered it."),
        "person_key": column(TEXT, _PERSON),
        "account_key": column(TEXT, _ACCOUNT, nullable=True),
        "attributes": column(TEXT, _ATTRIBUTES, nullable=True),
        "valid_from": column(
            INSTANT,
            "When the version became valid, UTC; if the export has no such time, when it was received.",
        ),
        "valid_to": column(
            INSTANT, "First moment at which it was no longer valid, UTC; null: not given.", nullable=True
        ),
        "as_of": column(
            INSTANT,
            "Newest time in its delivery.",
        ),
        "delivery_id": column(TEXT, "The earliest delivery with this content."),
        "day": column(
            DAY,
            "Partition: business-zone date of valid_from; if that is outside the calendar, date of receipt.",
        ),
    },
    sort=("source_id", "person_key", "valid_from", "delivery_id"),
)

ACCOUNTS = Table(
    "core.accounts",
    "One row per person and span of days on which one version of their account is used.",
    ("person_key", "from_day"),
    {
        "person_key": column(TEXT, _PERSON),
        "account_key": column(TEXT, _ACCOUNT, nullable=True),
        "attributes": column(TEXT, _ATTRIBUTES, nullable=True),
        "source_id": column(TEXT, "The source that delivered it."),
        "valid_from": column(INSTANT, "When the version became valid, UTC."),
        "valid_to": column(
            INSTANT,
            "When it ended (its valid_to, or the next version), UTC; null: still valid.",
            nullable=True,
        ),
        "from_day": column(
            DAY,
            "First day on which it is used, business zone; 0001-01-01 for a person's first version, which is "
            "also used for the days before it.",
        ),
        "until_day": column(DAY, "First day on which it is no longer used; null: still used.", nullable=True),
    },
    sort=("person_key", "from_day"),
)

REJECTED_ACCOUNTS = rejected_table(
    "core.rejected_accounts",
    "account",
    {
        "version_key": column(
            TEXT, "Hash of source and person; for rows without a person, of source and content."
        ),
        "source_id": column(TEXT, "The source that delivered it."),
        "person_key": column(TEXT, "Keyed hash of the person; null: the row names no person.", nullable=True),
    },
    "valid_from",
    "When the version became valid",
)
