"""Enumerated types over which the SQL of marts turns rows into columns. They exist while marts are filled."""

from ces_pipeline.rules.catalog import REASON_NAMES

ENUMS: dict[str, tuple[str, ...]] = {"rule_reasons": REASON_NAMES}
"""Type, as in `pivot ... on reason in rule_reasons` -> its names, in the order of the columns."""
