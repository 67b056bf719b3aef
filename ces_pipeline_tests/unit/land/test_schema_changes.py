"""Protects contract drift: each kind of change is found once, at the delivery that shows it, and rare things are none."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.land.schema_changes import Contract

Cells = Mapping[str, tuple[str, int] | tuple[str, int, Mapping[str, int]]]


def delivery(number: int, looked_at: int, columns: Cells) -> list[dict[str, Any]]:
    """Rows of `audit.delivery_columns`. columns: name -> kind, filled rows, and of listed fields the values' rows."""
    return [
        {
            "delivery_id": f"d{number}",
            "column_name": name,
            "field": name if len(of) > 2 else None,
            "kind": of[0],
            "filled": of[1],
            "looked_at": looked_at,
            "value_counts": json.dumps(of[2]) if len(of) > 2 else None,
        }
        for name, of in columns.items()
    ]


def changes(*deliveries: list[dict[str, Any]], same: bool | None = None) -> list[list[str]]:
    """The changes of each delivery: `change column: was -> is`."""
    contract, found = Contract(), []
    for rows in deliveries:
        contract = Contract.from_json(contract.to_json())
        found.append(
            [
                f"{row['change']} {row['column_name']}: {row['was']} -> {row['is_now']}"
                for row in contract.add(rows, lambda *_: same)
            ]
        )
    return found


def test_a_column_that_is_added_or_gone_is_a_change_once() -> None:
    first = delivery(1, 40, {"id": ("text", 40), "score": ("number", 40)})
    more = {"id": ("text", 40), "browser": ("text", 3)}
    assert changes(first, delivery(2, 40, more), delivery(3, 40, more)) == [
        [],
        ["column_added browser: None -> text", "column_gone score: number -> None"],
        [],
    ]


def test_a_column_is_gone_when_enough_rows_of_small_deliveries_lack_it() -> None:
    first = delivery(1, 40, {"id": ("text", 40), "score": ("number", 40)})
    small = [delivery(number, 12, {"id": ("text", 12)}) for number in range(2, 6)]
    assert [len(found) for found in changes(first, *small)] == [0, 0, 0, 1, 0]


def test_a_column_that_comes_back_is_added_again() -> None:
    rows = {"id": ("text", 40), "score": ("number", 40)}
    found = changes(delivery(1, 40, rows), delivery(2, 40, {"id": ("text", 40)}), delivery(3, 40, rows))
    assert found[2] == ["column_added score: None -> number"]


def test_deliveries_that_landed_together_are_one_and_what_comes_in_blocks_is_not_gone() -> None:
    contract, same = Contract(), lambda *_: None
    pages = [
        delivery(n, 40, {"id": ("text", 40), **({"order": ("text", 40)} if n < 2 else {})}) for n in range(3)
    ]
    assert contract.add([row for page in pages for row in page], same) == []
    assert contract.add([*pages[2], *pages[0]], same) == []
    # 80 rows in a row were without it before: only 160 say that it is gone.
    found = [
        [row["change"] for row in contract.add(delivery(n, 40, {"id": ("text", 40)}), same)]
        for n in range(3, 8)
    ]
    assert found == [[], [], [], ["column_gone"], []]
    (change,) = contract.add(
        [*delivery(8, 9, {"id": ("text", 9)}), *delivery(9, 9, {"new": ("text", 9)})], same
    )
    assert (change["change"], change["delivery_id"]) == ("column_added", "d9")


def test_what_is_seldom_filled_may_be_away() -> None:
    first = delivery(1, 400, {"id": ("text", 400), "note": ("text", 79)})
    assert changes(first, delivery(2, 400, {"id": ("text", 400)})) == [[], []]


def test_a_column_under_another_name_is_renamed_if_the_values_are_the_same() -> None:
    first = delivery(1, 40, {"id": ("text", 40), "way": ("text", 40), "area": ("text", 40)})
    second = delivery(2, 40, {"id": ("text", 40), "channel": ("text", 40), "area": ("text", 40)})
    for same in (True, None):
        assert changes(first, second, same=same) == [[], ["column_renamed channel: way -> channel"]]
    assert changes(first, second, same=False)[1] == [
        "column_added channel: None -> text",
        "column_gone way: text -> None",
    ]


def test_of_two_columns_that_could_be_renamed_none_is_guessed() -> None:
    first = delivery(1, 40, {"id": ("text", 40), "a": ("text", 40), "b": ("text", 40)})
    second = delivery(2, 40, {"id": ("text", 40), "c": ("text", 40), "d": ("text", 40)})
    assert [line.split()[0] for line in changes(first, second)[1]] == 2 * ["column_added"] + 2 * [
        "column_gone"
    ]
    other_kind = delivery(2, 40, {"id": ("text", 40), "c": ("number", 40), "b": ("text", 40)})
    assert changes(first, other_kind, same=True)[1] == [
        "column_added c: None -> number",
        "column_gone a: text -> None",
    ]


def test_a_column_is_retyped_when_a_value_breaks_its_kind_or_all_its_newest_values_have_a_narrower_one() -> (
    None
):
    def seen(number: int, kind: str, rows: int) -> list[dict[str, Any]]:
        return delivery(number, rows, {"seen": (kind, rows)})

    assert changes(seen(1, "number", 40), seen(2, "text", 1))[1] == ["column_retyped seen: number -> text"]
    # A few texts that look like numbers are still texts.
    assert changes(
        seen(1, "text", 40), seen(2, "number", 20), seen(3, "text", 20), seen(4, "number", 20)
    ) == 4 * [[]]
    assert changes(seen(1, "text", 40), seen(2, "number", 20), seen(3, "number", 20))[2] == [
        "column_retyped seen: text -> number"
    ]
    # Too few values had shown the first kind.
    assert changes(seen(1, "number", 5), seen(2, "text", 40))[1] == []


def listed(number: int, **counts: int) -> list[dict[str, Any]]:
    rows = sum(counts.values())
    return delivery(number, rows, {"channel": ("text", rows, counts)})


def test_new_gone_and_renamed_values_of_a_listed_column_are_changes_once() -> None:
    assert changes(listed(1, chat=60, mail=60), listed(2, chat=50, mail=49, fax=1)) == [
        [],
        ["value_added channel: None -> fax"],
    ]
    assert changes(listed(1, chat=60, mail=60), listed(2, chat=40), listed(3, chat=40)) == [
        [],
        ["value_gone channel: mail -> None"],
        [],
    ]
    assert changes(listed(1, chat=60, mail=60), listed(2, chat=20, email=20), listed(3, chat=9, email=9)) == [
        [],
        ["value_renamed channel: mail -> email"],
        [],
    ]


def test_values_are_new_only_after_enough_others_and_gone_only_beyond_chance() -> None:
    assert changes(listed(1, chat=50, mail=49), listed(2, chat=40, mail=39, fax=1)) == [[], []]
    assert changes(listed(1, chat=190, mail=10), listed(2, chat=100)) == [[], []]


def test_another_mapping_of_the_entry_is_no_change_of_the_export() -> None:
    first = listed(1, chat=60, mail=60)
    second = [{**row, "field": None, "value_counts": None} for row in listed(2, other=40)]
    assert changes(first, second) == [[], []]


@given(st.lists(st.integers(1, 60), min_size=2, max_size=8))
def test_deliveries_like_those_before_change_nothing(sizes: list[int]) -> None:
    columns = [
        delivery(
            number,
            rows,
            {"id": ("text", rows), "score": ("number", rows, {"1": rows - rows // 2, "2": rows // 2})},
        )
        for number, rows in enumerate(sizes)
    ]
    assert [line for found in changes(*columns) for line in found if "value_" not in line] == []
