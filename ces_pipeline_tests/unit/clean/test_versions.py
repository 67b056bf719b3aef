"""Protects which of several contents of one response counts, in whatever batches its deliveries land."""

from datetime import date
from itertools import permutations
from random import Random
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ces_pipeline.clean.versions import newest, resolve_versions
from ces_pipeline_tests.unit.clean.frames import at, raw_rows

NEWEST, SUPERSEDED, AGAIN = "newest", "superseded", "landed_again"


def row(content: int, when: str = "12:00", received: int = 1, **values: Any) -> dict[str, Any]:
    """A content of the one response `r`. received: place of its delivery in the order of receipt."""
    return {
        "response_id": "r",
        "content": content,
        "event_at": at(when),
        "received_order": received,
        "delivery_id": f"d{received}",
        **values,
    }


def outcomes(*rows: dict[str, Any], cross_day_revisions: pd.DataFrame | None = None) -> list[tuple[str, int]]:
    """(outcome, revision) of each row."""
    found = resolve_versions(raw_rows(*rows), "response_key", cross_day_revisions)
    return list(zip(found["outcome"], found["revision"].astype(int), strict=True))


def test_one_content_is_the_newest_and_the_first_revision() -> None:
    assert outcomes(row(1)) == [(NEWEST, 1)]


def test_the_content_of_the_later_time_counts_and_revisions_are_numbered_by_time() -> None:
    rows = [row(1, "12:00"), row(2, "13:00"), row(3, "11:00")]
    assert outcomes(*rows) == [(SUPERSEDED, 2), (NEWEST, 3), (SUPERSEDED, 1)]


def test_among_equal_times_the_later_receipt_counts_then_the_later_row_and_never_a_hash() -> None:
    for earlier, later in (("a", "b"), ("b", "a")):
        rows = [row(1, received=2, delivery_id=later), row(2, received=1, delivery_id=earlier)]
        assert outcomes(*rows) == [(NEWEST, 2), (SUPERSEDED, 1)]
        for rows in ([row(8), row(9)], [row(9), row(8)]):
            assert outcomes(*rows) == [(SUPERSEDED, 1), (NEWEST, 2)]


def test_deliveries_of_earlier_releases_go_by_their_time_of_receipt() -> None:
    rows = [
        row(1, received=0, received_at=at("11T00:00"), delivery_id="a"),
        row(2, received=0, received_at=at("10T00:00"), delivery_id="b"),
        row(3, received=1, received_at=at("09T00:00"), delivery_id="c"),
    ]
    assert outcomes(*rows) == [(SUPERSEDED, 2), (SUPERSEDED, 1), (NEWEST, 3)]


def test_the_time_of_the_last_change_decides_before_the_order_of_receipt() -> None:
    edited = row(1, received=1, modified_at=at("05T09:00"))
    older_export_received_later = row(2, received=2, modified_at=at("03T09:00"))
    without = row(3, received=3)
    assert outcomes(edited, older_export_received_later, without) == [
        (NEWEST, 3),
        (SUPERSEDED, 2),
        (SUPERSEDED, 1),
    ]


def test_a_content_that_comes_back_after_another_is_the_newest_again() -> None:
    rows = [row(1, received=1), row(2, received=2), row(1, received=3), row(1, received=4)]
    assert outcomes(*rows) == [(SUPERSEDED, 1), (SUPERSEDED, 2), (NEWEST, 3), (AGAIN, 1)]


def test_a_time_beats_none() -> None:
    assert outcomes(row(1), {**row(2, received=9), "event_at": None, "day": date(2026, 3, 2)})[0] == (
        NEWEST,
        2,
    )


def test_the_same_content_twice_belongs_to_the_oldest_delivery() -> None:
    rows = [row(1, received=3), row(1, received=2)]
    assert outcomes(*rows) == [(AGAIN, 1), (NEWEST, 1)]
    rows += [row(2, "13:00", received=2)]
    assert outcomes(*rows) == [(AGAIN, 1), (SUPERSEDED, 1), (NEWEST, 2)]


def test_responses_do_not_mix_nor_do_sources() -> None:
    rows = [row(1), {**row(2), "response_id": "s"}, {**row(3), "source_id": "app"}]
    assert outcomes(*rows) == [(NEWEST, 1)] * 3


def test_only_the_newest_go_on() -> None:
    resolved = resolve_versions(
        raw_rows(row(1), row(2, "13:00"), {**row(3), "response_id": "s"}), "response_key"
    )
    assert newest(resolved)["content"].to_list() == [2, 3]
    assert newest(resolved).index.to_list() == [0, 1]


def cross_day(*rows: dict[str, Any]) -> pd.DataFrame:
    """The moves that landing these rows notes."""
    columns = ["response_key", "content", "day", "version_at", "received_order", "received_at", "delivery_id"]
    return raw_rows(*rows)[columns]


MOVED = [row(1, "02T12:00"), row(2, "03T12:00", 2), row(3, "05T12:00", 3)]


@pytest.mark.parametrize(
    ("place", "outcome"), list(enumerate([(SUPERSEDED, 1), (SUPERSEDED, 2), (NEWEST, 3)]))
)
def test_each_day_of_a_moved_response_knows_the_others(place: int, outcome: tuple[str, int]) -> None:
    assert outcomes(MOVED[place], cross_day_revisions=cross_day(*MOVED)) == [outcome]


def test_days_together_agree_with_days_alone() -> None:
    alone = [outcomes(version, cross_day_revisions=cross_day(*MOVED))[0] for version in MOVED]
    for order in permutations(range(3)):
        assert outcomes(*(MOVED[place] for place in order), cross_day_revisions=cross_day(*MOVED)) == [
            alone[place] for place in order
        ]


def test_a_content_without_cross_day_revisions_counts_too() -> None:
    extra = row(4, "02T13:00")
    assert outcomes(MOVED[0], extra, cross_day_revisions=cross_day(*MOVED)) == [
        (SUPERSEDED, 1),
        (SUPERSEDED, 2),
    ]
    late = row(4, "02T12:00:01")
    assert outcomes(MOVED[0], late, cross_day_revisions=cross_day(MOVED[0], row(9, "01T12:00"))) == [
        (SUPERSEDED, 2),
        (NEWEST, 3),
    ]


def test_rows_of_one_export_at_one_time_go_by_row_number_in_a_moved_response_too() -> None:
    earlier = row(7, "01T12:00")
    for high, low in ((8, 9), (9, 8)):
        rows = [row(high, row_number=5), row(low, row_number=6)]
        assert outcomes(*rows, cross_day_revisions=cross_day(earlier, *rows)) == [
            (SUPERSEDED, 2),
            (NEWEST, 3),
        ]


def test_a_row_without_a_time_that_two_receipts_put_on_two_days_is_one_row() -> None:
    first = {
        **row(1),
        "event_at": None,
        "day": date(2026, 3, 8),
    }
    second = {**first, "day": date(2026, 3, 9), "received_order": 2, "delivery_id": "d2"}
    cross_day_revisions = cross_day(first, second)
    assert outcomes(first, cross_day_revisions=cross_day_revisions) == [(NEWEST, 1)]
    assert outcomes(second, cross_day_revisions=cross_day_revisions) == [(AGAIN, 1)]
    assert outcomes(second, first, cross_day_revisions=cross_day_revisions) == [(AGAIN, 1), (NEWEST, 1)]


VERSIONS = st.lists(
    st.tuples(
        st.sampled_from(["r", "s"]), st.integers(1, 3), st.integers(0, 2), st.sampled_from(["d1", "d2", "d3"])
    ),
    min_size=1,
    max_size=9,
    unique_by=lambda version: (version[0], version[1], version[3]),
)


@settings(deadline=None, max_examples=50)
@given(versions=VERSIONS, seed=st.integers(0, 99))
def test_the_order_of_rows_plays_no_part(versions: list[tuple[str, int, int, str]], seed: int) -> None:
    rows = [
        {
            "response_id": name,
            "content": content,
            "event_at": at(f"1{content if name == 's' else hour}:00"),
            "delivery_id": delivery,
            "received_order": int(delivery[1]),
            "row_number": number,
        }
        for number, (name, content, hour, delivery) in enumerate(versions)
    ]
    shuffled = list(enumerate(rows))
    Random(seed).shuffle(shuffled)
    straight = outcomes(*rows)
    found = outcomes(*(version for _, version in shuffled))
    assert found == [straight[place] for place, _ in shuffled]
    for name in {version[0] for version in versions}:
        mine = [
            outcome for version, (outcome, _) in zip(versions, straight, strict=True) if version[0] == name
        ]
        assert mine.count(NEWEST) == 1
        kept = {
            version[1]
            for version, (outcome, _) in zip(versions, straight, strict=True)
            if version[0] == name and outcome != AGAIN
        }
        assert kept == {version[1] for version in versions if version[0] == name}
