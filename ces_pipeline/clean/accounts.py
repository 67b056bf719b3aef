"""Cleans days of account versions: judge, normalise, split into accepted and rejected rows. Frames in, frames out.

`sql/core/accounts.sql` decides which version is valid on a day.
"""

from functools import cached_property

import pandas as pd

from ces_pipeline.clean.facts import Facts
from ces_pipeline.clean.outcomes import CleanedDays
from ces_pipeline.clean.records import split_records
from ces_pipeline.clean.versions import newest, resolve_versions
from ces_pipeline.registry.registry import Registry


class AccountFacts(Facts):
    """Facts about account rows."""

    @cached_property
    def began(self) -> pd.Series:
        """When the version began; its time of receipt if the row states no time."""
        return self.rows["valid_from"].fillna(self.rows["received_at"])


def clean_accounts(rows: pd.DataFrame, registry: Registry, rule_version: str) -> CleanedDays:
    """Clean some days of account rows (raw rows; `update_key` identifies the person and the version's start).

    A version may start before the first day or in the future. A version without a start is valid from its receipt. A
    start that cannot be read gets reason `missing_time`.
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
