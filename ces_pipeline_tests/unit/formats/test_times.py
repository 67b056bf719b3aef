"""A text always becomes the same instant, and a text that is not a time becomes null."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

import duckdb
import pytest

from ces_pipeline.formats.times import plausible, unusual, usual


@cache
def session() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def read(text: str, zone: str = "UTC", formats: Sequence[str] = ()) -> datetime | None:
    """The instant of one text in a source of this zone, in UTC."""
    query = f"""
        SELECT epoch_us({plausible("seen")})
        FROM (SELECT coalesce({usual("written", formats)}, {unusual("written", formats)}) AS seen FROM (SELECT $1::VARCHAR AS written))
    """
    session().execute(f"SET TimeZone='{zone}'")
    (microseconds,) = session().execute(query, [text]).fetchone() or (None,)
    return None if microseconds is None else datetime.fromtimestamp(microseconds / 1e6, UTC)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T09:30:00Z",
        "2026-03-02T10:30:00+01:00",
        "2026-03-02 04:30:00-05",
        "2026-03-02T15:00:00.000+05:30",
    ],
)
def test_an_offset_in_the_text_wins_over_the_zone_of_the_source(text: str) -> None:
    assert read(text, "Asia/Tokyo") == utc(2026, 3, 2, 9, 30)


@pytest.mark.parametrize(
    "text", ["2026-03-02 09:30:00", "2026-03-02T09:30:00", "2026-03-02 09:30", "2026-03-02 09:30:00.000"]
)
def test_a_time_without_offset_is_read_in_the_zone_of_the_source(text: str) -> None:
    assert read(text, "Europe/Berlin") == utc(2026, 3, 2, 8, 30)
    assert read(text, "America/Chicago") == utc(2026, 3, 2, 15, 30)


def test_a_date_alone_is_its_midnight_in_the_zone_of_the_source() -> None:
    assert read("2026-07-02", "Europe/Berlin") == utc(2026, 7, 1, 22)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1772443800", 0.0), ("1772443800.5", 0.5), ("1772443800250", 0.25)],
)
def test_seconds_and_milliseconds_since_1970_are_distinguished_and_have_no_zone(
    text: str, seconds: float
) -> None:
    for zone in ("UTC", "America/New_York"):
        assert read(text, zone) == utc(2026, 3, 2, 9, 30).replace(microsecond=int(seconds * 1e6))


@pytest.mark.parametrize("text", ["12", "20260", "99999", "177244380", "17724438001", "177244380012"])
def test_other_runs_of_digits_are_no_time(text: str) -> None:
    assert read(text) is None


def test_the_formats_of_the_source_are_tried_first_in_their_order() -> None:
    day_first = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y")
    assert read("02/03/2026 09:30:00", formats=day_first) == utc(2026, 3, 2, 9, 30)
    assert read("2/3/2026", formats=day_first) == utc(2026, 3, 2)
    assert read("3/2/26 9:30", formats=("%m/%d/%y %H:%M",)) == utc(2026, 3, 2, 9, 30)


def test_a_format_of_the_source_is_read_in_its_zone_and_iso_still_works_too() -> None:
    formats = ("%d/%m/%Y %H:%M",)
    assert read("02/07/2026 09:30", "Europe/London", formats) == utc(2026, 7, 2, 8, 30)
    assert read("2026-07-02T09:30:00Z", "Europe/London", formats) == utc(2026, 7, 2, 9, 30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020/06/05 11:34:01 AM EST", utc(2020, 6, 5, 16, 34, 1)),
        ("2020/06/05 11:34:01 PM EST", utc(2020, 6, 6, 4, 34, 1)),
        ("2020/06/05 12:34 AM EST", utc(2020, 6, 5, 5, 34)),
        ("2026-07-02 09:30:00 BST", utc(2026, 7, 2, 8, 30)),
        ("2026-07-02 09:30:00 PST", utc(2026, 7, 2, 17, 30)),
        ("2026-03-02 09:30:00 UTC", utc(2026, 3, 2, 9, 30)),
        ("2026-03-02 09:30:00 GMT", utc(2026, 3, 2, 9, 30)),
        ("2026-07-02 09:30:00 CEST", utc(2026, 7, 2, 7, 30)),
        ("03/02/2026 09:30:00 AM PDT", utc(2026, 3, 2, 16, 30)),
    ],
)
def test_a_zone_abbreviation_is_taken_literally_even_in_summer(text: str, expected: datetime) -> None:
    assert read(text, "Asia/Tokyo") == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30 10:00:00", "2025-02-29", "2026-13-01", "2026-04-31T10:00:00Z", "2026-03-02 25:00:00",
        "yesterday", "infinity", "-infinity", "epoch", "today", "0001-01-01T00:00:00Z", "9999-12-31 23:59:59",
        "2026-03-02 09:30:00 XYZ", "person@example.org", "-", "",
    ],
)  # fmt: skip
def test_what_is_no_time_of_these_centuries_is_null(text: str) -> None:
    assert read(text) is None


def test_a_date_that_does_not_exist_is_null_in_the_formats_of_the_source_too() -> None:
    assert read("31/02/2026", formats=("%d/%m/%Y",)) is None
    assert read("30/02/26 10:00", formats=("%d/%m/%y %H:%M",)) is None


def test_of_an_hour_that_a_clock_change_repeats_the_second_is_taken() -> None:
    assert read("2026-10-25 02:30:00", "Europe/Berlin") == utc(2026, 10, 25, 1, 30)
    assert read("2026-11-01 01:30:00", "America/New_York") == utc(2026, 11, 1, 6, 30)


def test_an_hour_that_a_clock_change_skips_is_read_as_the_hour_after() -> None:
    assert read("2026-03-29 02:30:00", "Europe/Berlin") == utc(2026, 3, 29, 1, 30)
    assert read("2026-03-08 02:30:00", "America/New_York") == utc(2026, 3, 8, 7, 30)
