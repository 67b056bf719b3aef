"""Protects what an audit says of a day: changed verdicts in words, changed values by column, and nothing of equal rows."""

from typing import Any

import pyarrow as pa

from ces_pipeline.clean.day_changes import day_changes
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline_tests.lake_days import rejected, response, ticket

Rows = list[dict[str, Any]]


def changes(before: tuple[Rows, Rows], now: tuple[Rows, Rows], kind: str = "survey") -> dict[str, int]:
    def tables(rows: tuple[Rows, Rows]) -> tuple[pa.Table, pa.Table]:
        accepted, refused = (
            pa.Table.from_pylist(part, schema=TABLES[name].arrow)
            for part, name in zip(rows, KINDS[kind].tables, strict=True)
        )
        return accepted, refused

    return day_changes(kind, tables(before), tables(now))


def test_equal_rows_change_nothing_whatever_code_rejected_them() -> None:
    before = [response("a")], [rejected("b", rule_version="1")]
    assert changes(before, ([response("a")], [rejected("b", rule_version="2")])) == {}
    assert changes(([], []), ([], [])) == {}


def test_verdicts_are_told_with_their_reasons_and_counted() -> None:
    before = [response("a"), response("b")], [rejected("c"), rejected("d", reasons=("duplicate", "slow"))]
    now = (
        [response("a", is_suspect=True, flags=["slow"]), response("c"), response("d")],
        [rejected("b", reasons=("too_fast",))],
    )
    assert changes(before, now) == {
        "accepted -> suspect (slow)": 1,
        "accepted -> rejected (too_fast)": 1,
        "rejected (too_fast) -> accepted": 1,
        "rejected (duplicate, slow) -> accepted": 1,
    }


def test_other_values_name_their_columns_also_where_one_is_null() -> None:
    before = [response("a"), response("b", comment=None), response("c")], []
    now = [response("a", ease=0.0), response("b", comment="now"), response("c")], []
    assert changes(before, now) == {
        "other values of ease_0_100, effort_0_100, effort_band, score": 1,
        "other values of comment": 1,
    }


def test_rows_that_come_and_go_and_rejected_rows_of_one_key_are_told_apart() -> None:
    before: tuple[Rows, Rows] = [response("a")], [rejected("x", row_number=2), rejected("x", row_number=3)]
    now: tuple[Rows, Rows] = [response("b")], [rejected("x", row_number=2)]
    assert changes(before, now) == {
        "accepted -> no row": 1,
        "no row -> accepted": 1,
        "rejected (too_fast) -> no row": 1,
    }


def test_tickets_are_compared_in_the_same_way() -> None:
    assert changes(([ticket("t", replies=1)], []), ([ticket("t", replies=2)], []), "tickets") == {
        "other values of replies": 1
    }
