"""Days of account versions: judge, normalise, split into accepted and rejected. Pure frames in and out.

Which version decides on which day is said in `sql/core/accounts.sql`.
"""

from functools import cached_property

import pandas as pd

from ces_pipeline.clean.facts import Facts
from ces_pipeline.clean.outcomes import CleanedDays
from ces_pipeline.clean.records import split_records
from ces_pipeline.clean.versions import newest, resolve_versions
from ces_pipeline.registry.registry import Registry


class AccountFacts(Facts):
    """What is known of account rows besides."""

    @cached_property
    def began(self) -> pd.Series:
        """When the version began; its receipt where it does not say."""
        return self.rows["valid_from"].fillna(self.rows["received_at"])


def clean_accounts(rows: pd.DataFrame, registry: Registry, rule_version: str) -> CleanedDays:
    """Clean some days of account rows (raw rows; `update_key` names the person and the moment of the version).

    A version may begin before the calendar or in the future. One that does not say when it began holds from its
    receipt; a time that was written and cannot be read is `missing_time`.
    """
    resolved = resolve_versions(rows, "update_key")
    current = newest(resolved)
    facts = AccountFacts(current, registry)
    accepted = pd.DataFrame(
        {
            "source_id": current["source_id"].astype("str"),
            "person_key": current["person_key"],
            "account_key": current["account_key"],
            "attributes": current["extra"],
            "valid_from": facts.began,
            "valid_to": current["valid_to"],
            "as_of": current["as_of"],
            "delivery_id": current["delivery_id"].astype("str"),
            "day": current["day"],
        },
        index=current.index,
    )
    return split_records("accounts", resolved, facts, accepted, rule_version)
