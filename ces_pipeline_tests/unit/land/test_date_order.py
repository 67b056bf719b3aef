"""Protects that day or month first is decided once for a source, kept, and never guessed for a file."""

from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.formats.slash_dates import Shown, first_in_dates, order_of_formats
from ces_pipeline_tests.builders import NOW, WEB, InboxHome, answer, inbox_home


def rows(*dates: str) -> list[dict[str, Any]]:
    return [answer(f"{number}-{date}", recorded=date) for number, date in enumerate(dates)]


def days(home: InboxHome) -> set[str]:
    return {row["day"].isoformat() for row in home.rows()}


@pytest.mark.parametrize(
    ("dates", "shown"),
    [
        (["02/03/2026", "13/02/2026"], "day"),
        (["02/03/2026 09:00", "02-13-2026"], "month"),
        (["2/3/26", "soon"], "either"),
        (["13/02/2026", "02/13/2026"], "both"),
        (["2026-02-13", "13.02.2026", "13-02-26", "45/50/2026", "1/2"], None),
        (["45/50/2026", "02/03/2026"], "either"),
    ],
)
def test_numbers_above_12_show_the_order(dates: list[str], shown: Shown | None) -> None:
    assert first_in_dates([date for date in dates if date != "45/50/2026" or shown]) == shown


def test_formats_show_the_order_unless_they_have_both() -> None:
    assert order_of_formats(["%d/%m/%Y %H:%M", "%Y-%m-%d"]) == "day"
    assert order_of_formats(["%m-%d-%Y"]) == "month"
    assert order_of_formats(["%d/%m/%Y", "%m/%d/%y"]) is None
    assert order_of_formats(["%d.%m.%Y"]) is None


def test_an_order_that_one_delivery_shows_is_kept_for_the_next(tmp_path: Path) -> None:
    home = inbox_home(tmp_path)
    home.drop("later.csv", rows("02/03/2026 09:15", "13/03/2026 09:15"))
    home.drop("early.csv", rows("03/03/2026 09:15"))
    assert home.land().failures == ()
    assert days(home) == {"2026-03-02", "2026-03-03", "2026-03-13"}
    home.drop("next.csv", rows("04/03/2026 09:15"))
    home.land()
    assert days(home) == {"2026-03-02", "2026-03-03", "2026-03-04", "2026-03-13"}


def test_an_ambiguous_file_waits_until_the_order_is_known(tmp_path: Path) -> None:
    home = inbox_home(tmp_path)
    home.drop("early.csv", rows("02/03/2026 09:15"))
    (failure,) = home.land().failures
    assert "date_order" in failure
    assert "early.csv" in failure
    assert home.deliveries() == []
    home.drop("later.csv", rows("13/03/2026 09:15"))
    assert home.land().failures == ()
    assert days(home) == {"2026-03-02", "2026-03-13"}


@pytest.mark.parametrize("key", [{"date_order": "month"}, {"time_formats": ["%m/%d/%Y %H:%M"]}])
def test_the_entry_decides(tmp_path: Path, key: dict[str, Any]) -> None:
    home = inbox_home(tmp_path, {**WEB, **key})
    home.drop("early.csv", rows("03/02/2026 09:15", "3/2/26 9:15 AM"))
    assert home.land().failures == ()
    assert days(home) == {"2026-03-02"}


def test_a_file_that_contradicts_the_order_is_refused_and_lands_nothing(tmp_path: Path) -> None:
    home = inbox_home(tmp_path)
    home.drop("a.csv", rows("13/03/2026"))
    home.land()
    home.drop("b.csv", rows("03/02/2026", "03/14/2026"))
    (failure,) = home.land().failures
    assert "b.csv" in failure
    assert "row 3" in failure
    assert "date_order" in failure
    assert days(home) == {"2026-03-13"}
    home.drop("c.csv", rows("2026-03-14", "99/99/2026"))
    assert len(home.land().failures) == 1
    assert "2026-03-14" in days(home)


def test_a_file_with_both_orders_is_refused(tmp_path: Path) -> None:
    home = inbox_home(tmp_path)
    home.drop("a.csv", rows("13/03/2026", "03/14/2026"))
    assert len(home.land().failures) == 1


def test_dates_after_the_first_rows_are_seen_too(tmp_path: Path) -> None:
    home = inbox_home(tmp_path)
    home.drop("a.csv", rows(*["2026-03-02"] * 70_000, "03/02/2026"))
    (failure,) = home.land().failures
    assert "date_order" in failure


def test_a_delivery_that_is_landed_again_keeps_its_rows_though_its_order_is_not_known(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, {**WEB, "date_order": "day"})
    home.drop("a.csv", rows("02/03/2026"))
    home.land()
    home.write_registry(WEB)
    (failure,) = home.land(now=NOW).failures
    assert "kept" in failure
    assert days(home) == {"2026-03-02"}
