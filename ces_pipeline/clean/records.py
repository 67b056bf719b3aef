"""What cleaning has in common for rows that are judged one by one (all kinds but answers): rules, books, quarantine."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pandera.pandas as pa

from ces_pipeline.clean.columns import texts_where
from ces_pipeline.clean.evidence import is_usable
from ces_pipeline.clean.judge import CLOCK_SKEW_SECONDS, RULE_VERSION, rule
from ces_pipeline.clean.quarantine import landed_json
from ces_pipeline.clean.responses import CleanedDays, count_outcomes, count_reasons
from ces_pipeline.registry.registry import Registry
from ces_pipeline.schemas.fields import field_table
from ces_pipeline.schemas.kinds import KINDS

IS_READABLE = {"is_readable": pa.Column(bool, rule("unreadable_row", pa.Check.eq(True)))}
HAS_USABLE_TIME = {
    "has_usable_time": pa.Column(bool, rule("missing_time", pa.Check.eq(True))),
    "seconds_before_receipt": pa.Column(
        float, rule("in_the_future", pa.Check.ge(-CLOCK_SKEW_SECONDS)), nullable=True
    ),
}


def time_evidence(current: pd.DataFrame, registry: Registry) -> dict[str, pd.Series | np.ndarray]:
    """The evidence for `HAS_USABLE_TIME`. What cannot be read is not also told to have no time."""
    moment = current["event_at"]
    return {
        "has_usable_time": is_usable(moment, registry) | current["problem"].notna(),
        "seconds_before_receipt": (current["received_at"] - moment).dt.total_seconds(),
    }


def split_records(
    kind: str,
    resolved: pd.DataFrame,
    current: pd.DataFrame,
    accepted: pd.DataFrame,
    broken: np.ndarray,
    reasons: tuple[str, ...],
) -> CleanedDays:
    """The accepted rows, the quarantine and the books of days.

    resolved: every row with its outcome; current: those that count; accepted: the table's columns for each of them.
    broken: current rows x reasons.
    """
    rejected = np.asarray(broken.any(axis=1))
    marks = {"accepted": ~rejected, "rejected": rejected, "suspect": np.zeros(len(current), dtype=bool)}
    return CleanedDays(
        accepted[~rejected],
        _quarantine(kind, current[rejected], broken[rejected], reasons),
        count_outcomes(resolved, marks),
        count_reasons(current["day"], broken, reasons),
    )


def _quarantine(kind: str, rows: pd.DataFrame, broken: np.ndarray, reasons: tuple[str, ...]) -> pd.DataFrame:
    told = KINDS[kind]
    fields = [one.stored_as for one in field_table(kind)]
    own_id = next(one.stored_as for one in field_table(kind) if one.name == told.own_id)
    return pd.DataFrame(
        {
            told.key: rows[told.key],
            "source_id": rows["source_id"].astype("str"),
            own_id: rows[own_id],
            "landed": landed_json(rows, [*fields, "times_as_written", "extra", "problem"]),
            "reasons": texts_where(broken, reasons, rows.index),
            told.times[0]: rows["event_at"],
            "rule_version": pd.Series(RULE_VERSION, index=rows.index, dtype="str"),
            "delivery_id": rows["delivery_id"].astype("str"),
            "row_number": rows["row_number"].astype("Int64"),
            "day": rows["day"],
        },
        index=rows.index,
    )


def codes_of(texts: pd.Series, words: Mapping[str, str], otherwise: str) -> pd.Series:
    """Each text as one of a closed list of words: folded and looked up; `otherwise` for one that is not known."""
    codes, distinct = pd.factorize(texts)
    known = []
    for one in distinct:
        plain = str(one).strip().casefold().replace("-", "_").replace(" ", "_")
        known.append(words.get(plain, otherwise))
    return pd.Series(np.array([*known, None], dtype=object)[codes], index=texts.index).astype("str")
