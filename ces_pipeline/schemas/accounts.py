"""Accounts: every delivered version, the timeline that decides personas, and the rejected rows."""

from ces_pipeline.schemas.rejected import rejected_table
from ces_pipeline.schemas.table import DAY, INSTANT, TEXT, Table, column

_PERSON = (
    "Keyed hash of who: equals the respondent_key of their answers and the requester_key of their tickets."
)
_ACCOUNT = "Keyed hash of the account that the person belongs to; null: not said."
_ATTRIBUTES = "The export's other columns as a JSON object of texts; null: none has a value."

ACCOUNT_VERSIONS = Table(
    "core.account_versions",
    "One row per feed, person and version of their account, as delivered.",
    ("source_id", "person_key", "valid_from", "delivery_id"),
    {
        "source_id": column(TEXT, "The feed it came by."),
        "person_key": column(TEXT, _PERSON),
        "account_key": column(TEXT, _ACCOUNT, nullable=True),
        "attributes": column(TEXT, _ATTRIBUTES, nullable=True),
        "valid_from": column(
            INSTANT, "When it began to hold, UTC; of an export that does not say, when it was received."
        ),
        "valid_to": column(
            INSTANT, "First moment at which it no longer held, UTC; null: not said.", nullable=True
        ),
        "as_of": column(INSTANT, "Newest time in its delivery: of two with one valid_from the later counts."),
        "delivery_id": column(TEXT, "The earliest delivery that holds this content."),
        "day": column(
            DAY,
            "Partition: business-zone date of valid_from, where it lies in the calendar, else of receipt.",
        ),
    },
    sort=("source_id", "person_key", "valid_from", "delivery_id"),
)

ACCOUNTS = Table(
    "core.accounts",
    "One row per person and span of days on which one version of their account decides.",
    ("person_key", "from_day"),
    {
        "person_key": column(TEXT, _PERSON),
        "account_key": column(TEXT, _ACCOUNT, nullable=True),
        "attributes": column(TEXT, _ATTRIBUTES, nullable=True),
        "source_id": column(TEXT, "The feed it came by."),
        "valid_from": column(INSTANT, "When the version began to hold, UTC."),
        "valid_to": column(
            INSTANT,
            "When it ended, by its own word or by the next version, UTC; null: it holds.",
            nullable=True,
        ),
        "from_day": column(
            DAY,
            "First day on which it decides, business zone; of a person's first version 0001-01-01, "
            "since it stands for the days before it too.",
        ),
        "until_day": column(
            DAY, "First day on which it no longer decides; null: it still does.", nullable=True
        ),
    },
    sort=("person_key", "from_day"),
)

REJECTED_ACCOUNTS = rejected_table(
    "core.rejected_accounts",
    "account",
    {
        "version_key": column(TEXT, "Hash of source and person; of rows without one, of source and content."),
        "source_id": column(TEXT, "The feed it came by."),
        "person_key": column(TEXT, "Keyed hash of who; null: the row names nobody.", nullable=True),
    },
    "valid_from",
    "When it began to hold",
)
