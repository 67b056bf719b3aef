"""Cleaning steps that all kinds except survey share: their rows are judged one by one."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ces_pipeline.clean.columns import texts_where
from ces_pipeline.clean.facts import Facts
from ces_pipeline.clean.judge import broken_rules
from ces_pipeline.clean.outcomes import CleanedDays, count_outcomes, count_reasons
from ces_pipeline.clean.quarantine import landed_json
from ces_pipeline.clean.unknown_words import UnknownWords
from ces_pipeline.rules.catalog import rules_of
from ces_pipeline.schemas.fields import field_table
from ces_pipeline.schemas.kinds import KINDS


def split_records(
    kind: str,
    resolved: pd.DataFrame,
    facts: Facts,
    accepted: pd.DataFrame,
    rule_version: str,
    unknown: UnknownWords | None = None,
) -> CleanedDays:
    """Split rows into accepted and rejected, and count them: a row that breaks any rule of its kind is rejected.

    resolved: every row with its outcome. facts: facts of the newest rows. accepted: the columns of the accepted table
    for all newest rows. unknown: the unknown words of closed vocabularies in them.
    """
    rules = rules_of(kind)
    reasons = tuple(rule.name for rule in rules)
    broken = broken_rules(kind, facts, rules)
    rejected = np.asarray(broken.any(axis=1))
    verdicts = {"accepted": ~rejected, "rejected": rejected, "suspect": np.zeros(len(rejected), dtype=bool)}
    quarantined = facts.rows[rejected]
    return CleanedDays(
        accepted[~rejected],
        _quarantine(
            kind, quarantined, texts_where(broken[rejected], reasons, quarantined.index), rule_version
        ),
        count_outcomes(resolved, verdicts),
        count_reasons(facts.rows["day"], broken, reasons),
        unknown or {},
    )


def _quarantine(kind: str, rows: pd.DataFrame, reasons: pd.Series, rule_version: str) -> pd.DataFrame:
    of_kind = KINDS[kind]
    fields = [field.stored_as for field in field_table(kind)]
    own_id = next(field.stored_as for field in field_table(kind) if field.name == of_kind.own_id)
    return pd.DataFrame(
        {
            of_kind.key: rows[of_kind.key],
            "source_id": rows["source_id"].astype("str"),
            own_id: rows[own_id],
            "landed": landed_json(rows, [*fields, "times_as_written", "extra", "problem"]),
            "reasons": reasons,
            of_kind.times[0]: rows["event_at"],
            "rule_version": pd.Series(rule_version, index=rows.index, dtype="str"),
            "delivery_id": rows["delivery_id"].astype("str"),
            "row_number": rows["row_number"].astype("Int64"),
            "day": rows["day"],
        },
        index=rows.index,
    )


def code_of(text: str, words: Mapping[str, str]) -> str | None:
    """What a text means by a closed list of words in lower case with `_`; None for a text that is not in it."""
    return words.get(text.strip().casefold().replace("-", "_").replace(" ", "_"))


def codes_of(texts: pd.Series, words: Mapping[str, str], otherwise: str) -> pd.Series:
    """Each text as one of a closed list of words; `otherwise` for an unknown text; null stays null."""
    codes, distinct = pd.factorize(texts)
    known = [code_of(str(text), words) or otherwise for text in distinct]
    return pd.Series(np.array([*known, None], dtype=object)[codes], index=texts.index).astype("str")
