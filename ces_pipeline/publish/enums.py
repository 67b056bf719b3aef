"""Enumerated types that marts pivot on (rows to columns). They exist only while marts are filled."""

from ces_pipeline.rules.catalog import REASON_NAMES

ENUMS: dict[str, tuple[str, ...]] = {"rule_reasons": REASON_NAMES}
"""Type, as in `pivot ... on reason in rule_reasons` -> its values, in the order of the columns."""
