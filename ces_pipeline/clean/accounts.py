"""Days of account versions: judge, normalise, split into accepted and rejected. Pure frames in and out.

Which version decides on which day is said in `sql/core/accounts.sql`.
"""

import pandas as pd
import pandera.pandas as pa

from ces_pipeline.clean.judge import broken_rules, rule
from ces_pipeline.clean.records import IS_READABLE, split_records
from ces_pipeline.clean.responses import CleanedDays
from ces_pipeline.clean.versions import newest, resolve_versions
from ces_pipeline.registry.registry import Registry

ACCOUNT_REASONS = ("unreadable_row", "missing_person", "missing_time", "time_order")
_RULES = pa.DataFrameSchema(
    {
        **IS_READABLE,
        "has_person": pa.Column(bool, rule("missing_person", pa.Check.eq(True))),
        "has_readable_times": pa.Column(bool, rule("missing_time", pa.Check.eq(True))),
        "seconds_valid": pa.Column(float, rule("time_order", pa.Check.gt(0)), nullable=True),
    },
    strict=True,
)


def clean_accounts(rows: pd.DataFrame, _registry: Registry) -> CleanedDays:
    """Clean some days of account rows (raw rows; `update_key` names the person and the moment of the version).

    A version may begin before the calendar or in the future. One that does not say when it began holds from its
    receipt; a time that was written and cannot be read is `missing_time`.
    """
    resolved = resolve_versions(rows, "update_key")
    current = newest(resolved)
    readable = current["problem"].isna()
    began = current["valid_from"].fillna(current["received_at"])
    evidence = {
        "is_readable": readable,
        "has_person": current["person_key"].notna() | ~readable,
        "has_readable_times": current["times_as_written"].isna() | ~readable,
        "seconds_valid": (current["valid_to"] - began).dt.total_seconds(),
    }
    broken = broken_rules(_RULES, pd.DataFrame(evidence), ACCOUNT_REASONS)
    accepted = pd.DataFrame(
        {
            "source_id": current["source_id"].astype("str"),
            "person_key": current["person_key"],
            "account_key": current["account_key"],
            "attributes": current["extra"],
            "valid_from": began,
            "valid_to": current["valid_to"],
            "as_of": current["as_of"],
            "delivery_id": current["delivery_id"].astype("str"),
            "day": current["day"],
        },
        index=current.index,
    )
    return split_records("accounts", resolved, current, accepted, broken, ACCOUNT_REASONS)
