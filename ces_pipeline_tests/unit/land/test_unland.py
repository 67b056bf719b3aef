"""Protects taking a delivery back: its rows leave the lake, rows that later deliveries repeated count, nothing else moves."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ces_pipeline.land.change_set import finish_change
from ces_pipeline.land.unland import plan_unlanding, unland
from ces_pipeline.storage.lake import Lake
from ces_pipeline_tests.builders import DESK, NOW, WEB, InboxHome, answer, inbox_home


def take_back(home: InboxHome, name: str, source_id: str = "web") -> None:
    landed = home.deliveries(source_id)
    (delivery,) = (found for found in landed if found.file_name == name)
    unland(home.lake, plan_unlanding(home.lake, delivery, landed), landed, home.registry.settings, NOW)


def counted(home: InboxHome) -> list[tuple[Any, ...]]:
    """What cleaning reads of the landed rows, without the names of the deliveries' rows of receipt."""
    return sorted(
        (row["response_id"], row["score"], row["day"], row["delivery_id"], row["row_number"])
        for row in home.rows()
    )


def land_nights(folder: Path, nights: Mapping[str, list[dict[str, Any]]]) -> InboxHome:
    home = inbox_home(folder)
    for hours, (name, rows) in enumerate(nights.items()):
        home.drop(name, rows)
        home.land(now=NOW + timedelta(hours=hours))
    return home


def test_the_rows_of_a_delivery_leave_and_its_file_never_lands_again(tmp_path: Path) -> None:
    home = land_nights(tmp_path, {"a.csv": [answer(1), answer(2)], "b.csv": [answer(3)]})
    take_back(home, "a.csv")
    assert [row["response_id"] for row in home.rows()] == ["r3"]
    again = home.land()
    assert (again.files_new, again.rows_landed) == (0, 0)
    first = next(found for found in home.deliveries() if found.file_name == "a.csv")
    assert (first.rows_landed, first.unlanded, first.unlanded_at) == (0, {date(2026, 3, 2): 2}, NOW)


def test_rows_that_a_later_delivery_repeated_count_as_its_own(tmp_path: Path) -> None:
    nights = {"a.csv": [answer(1), answer(2)], "b.csv": [answer(2), answer(3)]}
    home = land_nights(tmp_path / "both", nights)
    (home.home.inbox / "web" / "b.csv").unlink()
    take_back(home, "a.csv")
    alone = inbox_home(tmp_path / "alone")
    (tmp_path / "alone" / "pseudonym.key").write_bytes((tmp_path / "both" / "pseudonym.key").read_bytes())
    (tmp_path / "alone" / "pseudonym.key").chmod(0o600)
    alone.drop("b.csv", nights["b.csv"])
    alone.land(now=NOW + timedelta(hours=1))
    assert counted(home) == counted(alone)
    (second,) = (found for found in home.deliveries() if found.file_name == "b.csv")
    assert (second.rows_landed, second.rows_redelivered) == (2, 0)


def test_a_row_that_two_later_deliveries_repeated_counts_once_and_goes_on_to_the_second(
    tmp_path: Path,
) -> None:
    rows = [answer(1), answer(2)]
    home = land_nights(tmp_path, {"a.csv": rows, "b.csv": [*rows, answer(3)], "c.csv": [*rows, answer(4)]})
    take_back(home, "a.csv")
    assert sorted(row["response_id"] for row in home.rows()) == ["r1", "r2", "r3", "r4"]
    take_back(home, "b.csv")
    assert sorted(row["response_id"] for row in home.rows()) == ["r1", "r2", "r4"]
    take_back(home, "c.csv")
    assert home.rows() == []


def test_a_row_without_a_time_lies_on_the_day_on_which_the_later_delivery_was_received(
    tmp_path: Path,
) -> None:
    home = inbox_home(tmp_path)
    for days, name in enumerate(("a.csv", "b.csv")):
        home.drop(name, [answer(1, recorded="", score=2), *([answer(2)] if days else [])])
        home.land(now=NOW + timedelta(days=days))
    take_back(home, "a.csv")
    assert [(row["response_id"], row["day"]) for row in home.rows()] == [
        ("r2", date(2026, 3, 2)),
        ("r1", date(2026, 3, 21)),
    ]


def test_a_killed_command_takes_back_nothing_or_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = {"a.csv": [answer(1), answer(2)], "b.csv": [answer(2), answer(3)]}
    outcomes = set()
    for step in range(40):
        home = land_nights(tmp_path / str(step), nights)
        before = counted(home)
        killed = _killed_at(monkeypatch, step)
        with suppress(KeyboardInterrupt):
            take_back(home, "a.csv")
        monkeypatch.undo()
        finish_change(home.lake)
        after = [row[0] for row in counted(home)]
        assert after == ["r2", "r3"] or counted(home) == before
        assert home.lake.list(".change") == []
        by_ledger = sum(found.rows_landed for found in home.deliveries())
        assert by_ledger == len(after)
        outcomes.add(len(after))
        if not killed():
            break
    assert outcomes == {2, 3}


def _killed_at(monkeypatch: pytest.MonkeyPatch, step: int) -> Any:
    """Interrupt the `step`-th write or delete of the lake from now on. Returns whether it happened."""
    calls = 0
    was_killed = False

    def counting(original: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls, was_killed
            calls += 1
            if calls == step + 1:
                was_killed = True
                raise KeyboardInterrupt
            return original(*args, **kwargs)

        return call

    for name in ("write_bytes", "delete"):
        monkeypatch.setattr(Lake, name, counting(getattr(Lake, name)))
    return lambda: was_killed


def test_an_update_of_a_ticket_counts_once_whoever_delivered_it(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, WEB, DESK)
    update = {
        "number": "7",
        "state": "open",
        "email": "person1@example.org",
        "updated": "2026-03-02T08:00:00Z",
    }
    for hours, (name, rows) in enumerate(
        {"a.csv": [update], "b.csv": [update, {**update, "updated": "2026-03-03T08:00:00Z"}]}.items()
    ):
        home.drop(name, rows, "desk")
        home.land("desk", now=NOW + timedelta(hours=hours))
    take_back(home, "a.csv", "desk")
    assert [(row["ticket_id"], row["day"].day) for row in home.rows("desk")] == [("7", 2), ("7", 3)]


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=4),
        min_size=2,
        max_size=4,
    ),
    st.data(),
)
def test_what_remains_counts_as_if_the_delivery_had_never_come(
    tmp_path_factory: pytest.TempPathFactory, nights: list[list[tuple[int, int]]], data: st.DataObject
) -> None:
    gone = data.draw(st.integers(0, len(nights) - 1))
    files = {
        f"{place}.csv": [answer(number, score=score) for number, score in rows]
        for place, rows in enumerate(nights)
    }
    contents = [tuple(map(str, rows)) for rows in files.values()]
    if len(set(contents)) < len(contents):
        return
    folder = tmp_path_factory.mktemp("homes")
    home = land_nights(folder / "all", files)
    take_back(home, f"{gone}.csv")
    alone = inbox_home(folder / "alone")
    alone.home.root.mkdir(exist_ok=True)
    (alone.home.root / "pseudonym.key").write_bytes((home.home.root / "pseudonym.key").read_bytes())
    (alone.home.root / "pseudonym.key").chmod(0o600)
    for place, (name, rows) in enumerate(files.items()):
        if place != gone:
            alone.drop(name, rows)
            alone.land(now=NOW + timedelta(hours=place))
    assert newest(home) == newest(alone)


def newest(home: InboxHome) -> dict[str, str]:
    """The score of each response that counts: the last received content of equal times."""
    ranks = {found.delivery_id: found.rank for found in home.deliveries()}
    rows = sorted(home.rows(), key=lambda row: (ranks[row["delivery_id"]], row["row_number"]))
    return {row["response_id"]: row["score"] for row in rows}
