"""A text always becomes the same instant, and a text that is not a time becomes null."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

import duckdb
import pytest

from ces_pipeline.formats.times import DateOrder, read_time


@cache
def session() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def read(
    text: str, zone: str = "UTC", formats: Sequence[str] = (), order: DateOrder | None = None
) -> datetime | None:
    """The instant of one text in a source of this zone, in UTC."""
    query = f"SELECT epoch_us({read_time('written', formats, order)}) FROM (SELECT $1::VARCHAR AS written)"
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
    [("1772443800", 0.0), ("1772443800.5", 0.5), ("1772443800250", 0.25), ("1772443800250.0", 0.25)],
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
    assert read(text, "Asia/Tokyo", order="month") == expected


NINE_FIFTEEN = utc(2026, 11, 2, 9, 15)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-02 09:15:00 +0000", "2026-11-02 10:15 +0100", "2026-11-02 10:15:00 +01:00", "2026-11-02 09:15:00 Z",
        "2026-11-02 9:15:00 AM", "2026-11-02 9:15 a. m.", "2026-11-02 9:15 a.m.", "2026-11-02 9:15\u202fAM",
        "2026. 11. 2 오전 9:15:00", "2026/11/02 午前9:15", "2026年11月2日 上午 9:15", "2026年11月2日 9時15分",
        "Mon, 02 Nov 2026 10:15:00 +0100", "Mon, 2 Nov 2026 09:15:00 GMT", "2 Nov 2026 09:15", "Nov 2, 2026 9:15 AM",
        "Monday, November 2, 2026 at 9:15 AM", "2. November 2026 9:15", "2 de noviembre de 2026 9:15",
        "lun. 2 nov. 2026 09:15", "02-Nov-26 09:15", "02.11.2026 09:15", "2.11.26 9:15", "20261102T091500Z",
        "Mon Nov 02 2026 10:15:00 GMT+0100 (Central European Standard Time)", "46328.38541666666", "1793610900",
        "1793610900.000",
    ],
)  # fmt: skip
def test_a_spelling_that_has_one_meaning_needs_no_format(text: str) -> None:
    assert read(text) == NINE_FIFTEEN


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-11-02 09:15:00 PM", 21), ("2026-11-02 12:15 AM", 0), ("2026-11-02 12:15 p.m.", 12),
        ("2026. 11. 2 오후 9:15:00", 21), ("2026/11/02 午後0:15", 12), ("Nov 2, 2026 9:15 p. m.", 21),
        ("2026-11-02 21:15 PM", 21),
    ],
)  # fmt: skip
def test_a_12_hour_clock_needs_its_half_of_the_day(text: str, hour: int) -> None:
    assert read(text) == utc(2026, 11, 2, hour, 15)


@pytest.mark.parametrize(
    ("text", "day_first", "month_first"),
    [
        ("08/09/2026 18:01", utc(2026, 9, 8, 18, 1), utc(2026, 8, 9, 18, 1)),
        ("8/9/26 18:01", utc(2026, 9, 8, 18, 1), utc(2026, 8, 9, 18, 1)),
        ("08-09-2026", utc(2026, 9, 8), utc(2026, 8, 9)),
        ("8/9/2026, 6:01:00 p. m.", utc(2026, 9, 8, 18, 1), utc(2026, 8, 9, 18, 1)),
        ("8/9/2026 18:01 +0200", utc(2026, 9, 8, 16, 1), utc(2026, 8, 9, 16, 1)),
        ("20/9/2026", utc(2026, 9, 20), None),
        ("9/20/2026", None, utc(2026, 9, 20)),
    ],
)
def test_a_date_in_numbers_is_read_in_the_order_of_its_source_alone(
    text: str, day_first: datetime | None, month_first: datetime | None
) -> None:
    assert (read(text, order="day"), read(text, order="month"), read(text)) == (day_first, month_first, None)


def test_a_format_that_reads_an_implausible_year_does_not_keep_others_from_reading_the_text() -> None:
    formats = ("%m/%d/%Y %H:%M",)
    assert read("8/9/26 18:01", formats=formats) is None
    assert read("8/9/26 18:01", formats=formats, order="month") == utc(2026, 8, 9, 18, 1)
    assert read("8/9/26 18:01", formats=(*formats, "%m/%d/%y %H:%M")) == utc(2026, 8, 9, 18, 1)


def test_a_serial_number_is_a_local_time_and_no_other_five_digits_are() -> None:
    assert read("46328", "Europe/Berlin") == utc(2026, 11, 1, 23)
    assert read("29999.5") is None
    assert read("80001") is None
    assert read("46328.5.1") is None


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30 10:00:00", "2025-02-29", "2026-13-01", "2026-04-31T10:00:00Z", "2026-03-02 25:00:00",
        "yesterday", "infinity", "-infinity", "epoch", "today", "0001-01-01T00:00:00Z", "9999-12-31 23:59:59",
        "2026-03-02 09:30:00 XYZ", "person@example.org", "-", "", "1.79361E+09", "26-11-02 09:15", "2026-11-02T09",
        "2026-11-02 13:15 AM", "30.02.2026", "Smarch 3, 2026", "0026-11-02 09:15",
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
