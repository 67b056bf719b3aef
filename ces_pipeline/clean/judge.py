"""Judging responses: every rule is a named Pandera check on one column of evidence; all reasons of a row are kept.

A rule's severity is the registry's (per survey): reject keeps the row out, suspect keeps it in and marks it, info
only counts it. Changing a rule or its evidence changes RULE_VERSION, which makes published days stale.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pandera.pandas as pa

from ces_pipeline.clean.evidence import Evidence
from ces_pipeline.clean.reasons import REASON_NAMES
from ces_pipeline.registry.surveys import DEFAULT_SEVERITIES

RULE_VERSION = "1"
# Clocks of two systems may differ a little; a response recorded later than this after its receipt is not skew.
CLOCK_SKEW_SECONDS = 300.0
_ON = ("reject", "suspect", "info")


def rule(reason: str, check: pa.Check) -> pa.Check:
    """The check under the name of the reason that it stands for."""
    check.name = reason
    check.error = reason
    return check


ROW_RULES = pa.DataFrameSchema(
    {
        "is_readable": pa.Column(bool, rule("unreadable_row", pa.Check.eq(True))),
        "is_registered": pa.Column(bool, rule("unregistered_survey", pa.Check.eq(True))),
        "is_test": pa.Column(bool, rule("test_response", pa.Check.eq(False))),
        "required_answers_blank": pa.Column("int64", rule("incomplete", pa.Check.eq(0))),
        "answers_off_scale": pa.Column("int64", rule("score_off_scale", pa.Check.eq(0))),
        "answers_unknown": pa.Column("int64", rule("unknown_answer", pa.Check.eq(0))),
        "unexpected_answers": pa.Column("int64", rule("failed_attention_check", pa.Check.eq(0))),
        "seconds_above_floor": pa.Column(float, rule("too_fast", pa.Check.ge(0)), nullable=True),
        "has_usable_time": pa.Column(bool, rule("missing_time", pa.Check.eq(True))),
        "seconds_from_start_to_submit": pa.Column(float, rule("time_order", pa.Check.ge(0)), nullable=True),
        "seconds_before_receipt": pa.Column(
            float, rule("in_the_future", pa.Check.ge(-CLOCK_SKEW_SECONDS)), nullable=True
        ),
        "is_partial": pa.Column(bool, rule("partial", pa.Check.eq(False))),
        "seconds_above_usual": pa.Column(float, rule("fast_for_survey", pa.Check.ge(0)), nullable=True),
        "is_contradicted": pa.Column(bool, rule("comment_contradicts", pa.Check.eq(False))),
        "people_above_limit_on_device": pa.Column(float, rule("shared_device", pa.Check.le(0))),
        "seconds_below_ceiling": pa.Column(float, rule("slow", pa.Check.ge(0)), nullable=True),
    },
    strict=True,
)
"""The rules that need one row only (its evidence). Missing evidence, such as no duration, never fails."""

BETWEEN_ROWS_RULES = pa.DataFrameSchema(
    {"is_repeat": pa.Column(bool, rule("duplicate", pa.Check.eq(False)))}, strict=True
)
"""The rules that compare rows: they come second, since a rejected answer is nobody's original."""


@dataclass(frozen=True)
class Verdicts:
    """broken: rows x reasons (order of REASON_NAMES), True where the rule is broken and not switched off."""

    broken: np.ndarray
    rejects: np.ndarray
    suspects: np.ndarray

    @property
    def rejected(self) -> np.ndarray:
        return (self.broken & self.rejects).any(axis=1)

    @property
    def suspect(self) -> np.ndarray:
        return (self.broken & self.suspects).any(axis=1)


def judge(rows: pd.DataFrame, evidence: Evidence) -> Verdicts:
    """The verdict on every row: the row rules first, then the comparison with other rows.

    rows: response_key, response_id, respondent_key, device_key, ticket_id, external_id, answers, event_at.
    """
    is_on, rejects, suspects = (_where_severity(evidence, *one) for one in (_ON, ("reject",), ("suspect",)))
    broken = broken_rules(ROW_RULES, evidence.frame, REASON_NAMES) & is_on
    # How crowded a device is depends on which other rows are at hand, so it decides nothing about other rows.
    own_faults = broken & rejects
    own_faults[:, REASON_NAMES.index("shared_device")] = False
    eligible = ~own_faults.any(axis=1)
    repeats = pd.DataFrame({"is_repeat": _repeats(rows, evidence, eligible)}, index=evidence.frame.index)
    broken |= broken_rules(BETWEEN_ROWS_RULES, repeats, REASON_NAMES) & is_on
    return Verdicts(broken, rejects, suspects)


def broken_rules(rules: pa.DataFrameSchema, evidence: pd.DataFrame, reasons: tuple[str, ...]) -> np.ndarray:
    """Rows x reasons: True where Pandera finds the rule of that name broken; missing evidence breaks none.

    Each check is called on its column by itself: its answer is a flag per row, where `validate` would list every
    broken rule of every row as an object (ten times as slow on dirty days, and as large as the day).
    """
    told = {name: str(dtype) for name, dtype in evidence.dtypes.items()}
    wanted = {name: str(column.dtype) for name, column in rules.columns.items()}
    if told != wanted:
        raise AssertionError(f"evidence does not fit its schema: {sorted(told.items() ^ wanted.items())}")
    table = np.zeros((len(evidence), len(reasons)), dtype=bool)
    for name, column in rules.columns.items():
        values = evidence[name].reset_index(drop=True)
        if values.hasnans and not column.nullable:
            raise AssertionError(f"evidence does not fit its schema: {name} is missing on some rows")
        for check in column.checks:
            holds = check(values).check_output
            table[holds.index.to_numpy()[~holds.to_numpy(dtype=bool)], reasons.index(check.name)] = True
    return table


def _where_severity(evidence: Evidence, *severities: str) -> np.ndarray:
    """Rows x reasons: whether the reason has one of these severities; the default where no survey is registered."""
    defaults = [DEFAULT_SEVERITIES[name] in severities for name in REASON_NAMES]
    table = [
        [survey.rules.severity(name) in severities for name in REASON_NAMES] for survey in evidence.surveys
    ]
    return np.array([*table, defaults])[evidence.which]


def _repeats(rows: pd.DataFrame, evidence: Evidence, eligible: np.ndarray) -> np.ndarray:
    """Rows with an earlier eligible one of the same respondent, survey and ticket within the window; double submits."""
    survey = pd.Series(evidence.which, index=rows.index)
    interaction = rows["ticket_id"].fillna(rows["external_id"]).fillna("")
    window = _per_row(evidence, [one.rules.duplicate_window_hours * 3600 for one in evidence.surveys])
    again = _within(rows, [rows["respondent_key"], survey, interaction], window, eligible)
    instantly = _per_row(evidence, [one.rules.double_submit_seconds for one in evidence.surveys])
    return again | _within(rows, [rows["device_key"], survey, rows["answers"]], instantly, eligible)


def _per_row(evidence: Evidence, values: list[float]) -> np.ndarray:
    return np.array([*values, 0.0])[evidence.which]


def _within(
    rows: pd.DataFrame, key: list[pd.Series], seconds: np.ndarray, eligible: np.ndarray
) -> np.ndarray:
    """True where the latest eligible row before this one with the same key lies within so many seconds.

    Rows whose first key part is null are nobody's repeat. Ties in time go by response id, then by response key: two
    feeds may use the same ids.
    """
    repeat = np.zeros(len(rows), dtype=bool)
    known = (key[0].notna() & rows["event_at"].notna()).to_numpy()
    if not known.any():
        return repeat
    # Most come once, whatever the rest of the key says.
    positions = np.flatnonzero(known)
    group = pd.factorize(key[0].iloc[positions])[0].astype(np.int64)
    crowded = np.bincount(group)[group] > 1
    for part in key[1:]:
        positions, group = positions[crowded], group[crowded]
        codes = pd.factorize(part.iloc[positions])[0].astype(np.int64)
        group = pd.factorize(group * (len(codes) + 1) + codes + 1)[0].astype(np.int64)
        crowded = np.bincount(group)[group] > 1 if len(group) else np.zeros(0, dtype=bool)
    if not crowded.any():
        return repeat
    positions = positions[crowded]
    at = rows["event_at"].to_numpy(dtype="datetime64[us]")[positions]
    ids, keys = (
        pd.factorize(rows[name].iloc[positions], sort=True)[0] for name in ("response_id", "response_key")
    )
    order = np.lexsort((keys, ids, at, group[crowded]))
    positions, at, group = positions[order], at[order].astype("int64"), group[crowded][order]
    # The place of the latest eligible row before each one, and whether it is of the same group.
    places = np.where(eligible[positions], np.arange(len(positions)), -1)
    before = np.concatenate([[-1], np.maximum.accumulate(places)[:-1]])
    same = (before >= 0) & (group[before] == group)
    repeat[positions] = same & (at - at[before] <= seconds[positions] * 1e6)
    return repeat
