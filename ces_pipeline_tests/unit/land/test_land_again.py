"""Protects landing by delivery: once, in any order, nothing lost by revisions or new mappings."""

import gzip
import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ces_pipeline.errors import HomeError
from ces_pipeline.land import key_index
from ces_pipeline.land.paths import cross_day_file, index_file
from ces_pipeline.privacy.pseudonyms import KEY_VARIABLE
from ces_pipeline.storage.lake import Lake
from ces_pipeline_tests.builders import DESK, NOW, WEB, InboxHome, answer, csv_text, inbox_home

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 3, day) for day in (2, 3, 4))


def on(day: date) -> str:
    return f"{day.isoformat()}T12:00:00Z"


@pytest.fixture
def home(tmp_path: Path) -> InboxHome:
    return inbox_home(tmp_path / "home")


def test_landing_twice_adds_nothing(home: InboxHome) -> None:
    home.drop("a.csv", [answer(1), answer(2)])
    first = home.land()
    before = home.state()
    second = home.land(now=NOW + timedelta(days=1))
    assert (first.files_new, first.rows_landed, first.days) == (1, 2, (MONDAY,))
    assert (second.files_new, second.files_known, second.rows_read, second.days) == (0, 1, 0, ())
    assert home.state() == before


def test_the_same_content_under_another_name_or_packed_is_the_same_delivery(home: InboxHome) -> None:
    path = home.drop("a.csv", [answer(1)])
    home.land()
    home.drop("b.csv", path.read_bytes())
    home.drop("deeper/c.csv.gz", gzip.compress(path.read_bytes()))
    outcome = home.land()
    assert (outcome.files_new, outcome.files_known, len(home.deliveries())) == (0, 3, 1)


def test_a_file_that_grew_under_its_name_is_a_new_delivery(home: InboxHome) -> None:
    home.drop("a.csv", [answer(1)])
    home.land()
    home.drop("a.csv", [answer(1), answer(2, recorded=on(TUESDAY))])
    outcome = home.land()
    assert (outcome.rows_read, outcome.rows_landed, outcome.rows_redelivered) == (2, 1, 1)


def test_without_the_note_of_seen_files_landing_comes_to_the_same(home: InboxHome) -> None:
    home.drop("a.csv", [answer(1)])
    home.land()
    before = home.state()
    home.lake.delete("ledger/web/.seen")
    assert home.land().files_known == 1
    assert home.state() == before


@pytest.mark.parametrize("held_rows", [0, 3])
def test_landed_keys_may_be_read_again_or_held_and_files_may_come_in_one_landing_or_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held_rows: int
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "one for both homes")
    exports = [
        [answer(1), answer(2)],
        [answer(1), answer(2, score=1, recorded=on(TUESDAY)), answer(3)],
        [answer(3), answer(4, recorded=on(WEDNESDAY))],
        [answer(2), answer(4, recorded=on(WEDNESDAY)), answer(1, score=1)],
    ]
    usual, at_once, other = (inbox_home(tmp_path / name) for name in ("usual", "at_once", "other"))
    for number, rows in enumerate(exports):
        usual.drop(f"{number}.csv", rows)
        at_once.drop(f"{number}.csv", rows)
    usual.land()
    monkeypatch.setattr(key_index, "_HELD_ROWS", held_rows)
    at_once.land()
    assert at_once.state() == usual.state()
    for number, rows in enumerate(exports):
        other.drop(f"{number}.csv", rows)
        if number % 2:
            other.land()
    assert other.state() == usual.state()
    assert sum(delivery.rows_redelivered for delivery in other.deliveries()) == 4


def test_many_files_of_a_large_source_read_only_the_key_files_that_they_share_rows_with(
    home: InboxHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_index, "_HELD_ROWS", 0)
    read: list[int] = []
    scan = Lake.scan

    def counted(self: Lake, connection: Any, paths: Sequence[str], name: str) -> str:
        if name == "landed_before":
            read.append(len(paths))
        return scan(self, connection, paths, name)

    monkeypatch.setattr(Lake, "scan", counted)
    for number in range(6):
        home.drop(f"{number}.csv", [answer(number)])
    home.land()
    home.drop("6.csv", [answer(6)])
    home.drop("7.csv", [answer(7), answer(2, score=1)])
    home.drop("8.csv", [answer(8)])
    read.clear()
    assert home.land().rows_landed == 4
    # The first file reads all keys, the second all once more to hold them, and then those of the one that it shares.
    assert read == [6, 7, 1]


@pytest.mark.parametrize("held_rows", [0, 3])
def test_damaged_keys_are_reported_with_their_file_and_land_again_once_it_is_deleted(
    home: InboxHome, monkeypatch: pytest.MonkeyPatch, held_rows: int
) -> None:
    monkeypatch.setattr(key_index, "_HELD_ROWS", held_rows)
    home.drop("a.csv", [answer(1)])
    home.land()
    (first,) = home.deliveries()
    path = home.home.lake / index_file("web", first.delivery_id)
    path.write_bytes(b"\0" * path.stat().st_size)
    home.drop("b.csv", [answer(1), answer(2)])
    with pytest.raises(HomeError, match=rf"index/web/{first.delivery_id}\.parquet is damaged"):
        home.land()
    path.unlink()
    assert home.land().failures == ()
    assert [found.rows_landed for found in sorted(home.deliveries(), key=lambda found: found.rank)] == [1, 1]


def test_of_a_cumulative_export_only_the_new_and_the_changed_rows_land(home: InboxHome) -> None:
    home.drop("1.csv", [answer(1), answer(2)])
    home.land()
    home.drop("2.csv", [answer(1), answer(2, score=1), answer(3, recorded=on(TUESDAY))])
    outcome = home.land()
    assert (outcome.rows_read, outcome.rows_landed, outcome.rows_redelivered) == (3, 2, 1)
    assert outcome.days == (MONDAY, TUESDAY)
    by_day = [delivery.days for delivery in home.deliveries() if delivery.rows_read == 3]
    assert by_day == [{MONDAY: (1, 1), TUESDAY: (1, 0)}]
    assert sorted((row["response_id"], row["score"]) for row in home.rows()) == [
        ("r1", "4"), ("r2", "1"), ("r2", "4"), ("r3", "4"),
    ]  # fmt: skip


def test_a_row_that_stands_twice_in_one_file_lands_once(home: InboxHome) -> None:
    home.drop("a.csv", [answer(1), answer(2), answer(1)])
    outcome = home.land()
    assert (outcome.rows_read, outcome.rows_landed, outcome.rows_redelivered) == (3, 2, 1)
    assert [row["row_number"] for row in home.rows()] == [2, 3]


def test_a_delivery_with_nothing_new_is_counted_and_touches_no_day(home: InboxHome) -> None:
    # Of two deliveries that show the same moment, the one with the lower hash counts as the older.
    rows = [answer(1), answer(2)]
    texts = sorted(
        (csv_text(rows), csv_text(rows[::-1])),
        key=lambda delivery: hashlib.sha256(delivery.encode()).digest(),
    )
    home.drop("a.csv", texts[0])
    home.land()
    home.drop("b.csv", texts[1])
    outcome = home.land()
    assert (outcome.files_new, outcome.rows_landed, outcome.rows_redelivered, outcome.days) == (1, 0, 2, ())


def test_a_revision_on_the_same_day_keeps_both_versions_and_touches_that_day_alone(home: InboxHome) -> None:
    home.drop("a.csv", [answer(1), answer(2, recorded=on(TUESDAY))])
    home.land()
    home.drop("b.csv", [answer(1, score=2, recorded="2026-03-02T18:00:00Z")])
    assert home.land().days == (MONDAY,)
    assert [row["score"] for row in home.rows() if row["response_id"] == "r1"] in (["4", "2"], ["2", "4"])
    assert not [
        delivery
        for delivery in home.deliveries()
        if home.lake.exists(cross_day_file("web", delivery.delivery_id))
    ]


def test_a_revision_on_another_day_touches_both_days_and_stores_the_cross_day_revision(
    home: InboxHome,
) -> None:
    home.drop("a.csv", [answer(1), answer(2)])
    home.land()
    home.drop("b.csv", [answer(1, score=2, recorded=on(WEDNESDAY))])
    outcome = home.land()
    assert outcome.days == (MONDAY, WEDNESDAY)
    (moved,) = [delivery.delivery_id for delivery in home.deliveries() if delivery.rows_read == 1]
    noted = home.lake.read_table(cross_day_file("web", moved)).to_pylist()
    assert sorted(row["day"] for row in noted) == [MONDAY, WEDNESDAY]
    assert len({(row["key_hi"], row["key_lo"]) for row in noted}) == 1
    assert {row["delivery_id"] for row in noted} == {delivery.delivery_id for delivery in home.deliveries()}


def test_two_versions_on_two_days_in_one_file_are_cross_day_revisions_too(home: InboxHome) -> None:
    home.drop("a.csv", [answer(1), answer(1, score=2, recorded=on(WEDNESDAY))])
    assert home.land().days == (MONDAY, WEDNESDAY)
    (delivery,) = home.deliveries()
    assert home.lake.read_table(cross_day_file("web", delivery.delivery_id)).num_rows == 2


def test_updates_of_a_ticket_on_several_days_are_no_cross_day_revision(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, DESK)
    rows = [
        {"number": "T1", "state": state, "updated": on(day), "email": "a"}
        for state, day in (("open", MONDAY), ("solved", WEDNESDAY))
    ]
    home.drop("a.csv", rows, "desk")
    home.land("desk")
    (delivery,) = home.deliveries("desk")
    assert delivery.days == {MONDAY: (1, 0), WEDNESDAY: (1, 0)}
    assert not home.lake.exists(cross_day_file("desk", delivery.delivery_id))


def test_a_content_that_was_received_before_is_redelivered_whatever_the_times_of_its_files(
    home: InboxHome,
) -> None:
    home.drop("new.csv", [answer(1), answer(2, recorded=on(TUESDAY))])
    home.land()
    home.drop("old.csv", [answer(1)])
    outcome = home.land()
    assert (outcome.rows_landed, outcome.rows_redelivered, outcome.days) == (0, 1, ())


def test_a_content_that_comes_back_after_another_of_its_time_lands_again(home: InboxHome) -> None:
    """The later receipt counts, so the first content must be there again, once."""
    for name, score in (("a.csv", 4), ("b.csv", 5), ("c.csv", 4), ("d.csv", 4)):
        home.drop(name, [answer(1, score=score), answer(name)])
        home.land()
    assert sorted(row["score"] for row in home.rows() if row["response_id"] == "r1") == ["4", "4", "5"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_every_order_of_deliveries_lands_every_content(tmp_path: Path, order: tuple[int, ...]) -> None:
    exports = (
        [answer(1), answer(2)],
        [answer(1), answer(2, score=1), answer(3, recorded=on(TUESDAY))],
        [answer(1, recorded=on(WEDNESDAY)), answer(2, score=1), answer(3, recorded=on(TUESDAY))],
    )
    home = inbox_home(tmp_path)
    for place in order:
        home.drop(f"{place}.csv", exports[place])
        home.land()
    contents = {(row["response_id"], row["score"], row["day"]) for row in home.rows()}
    assert contents == {
        ("r1", "4", MONDAY),
        ("r1", "4", WEDNESDAY),
        ("r2", "4", MONDAY),
        ("r2", "1", MONDAY),
        ("r3", "4", TUESDAY),
    }
    assert {day for delivery in home.deliveries() for day in delivery.touches} == {MONDAY, TUESDAY, WEDNESDAY}
    for delivery in home.deliveries():
        assert delivery.rows_landed + delivery.rows_redelivered == delivery.rows_read


def test_two_sources_may_use_the_same_ids(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, WEB, {**WEB, "id": "kiosk"})
    for source_id in ("web", "kiosk"):
        home.drop("a.csv", [answer(1)], source_id)
    assert [delivery.rows_landed for delivery in home.land_all()] == [1, 1]


def test_a_changed_mapping_reads_the_inbox_again_as_if_it_had_always_been_so(tmp_path: Path) -> None:
    rows = [answer(1, ease=1), answer(2, ease=2)]
    corrected = {**WEB, "columns": {**WEB["columns"], "score": "ease"}}
    home, fresh = inbox_home(tmp_path / "home"), inbox_home(tmp_path / "fresh", corrected)
    for delivery in (home, fresh):
        delivery.drop("a.csv", rows)
        delivery.drop("b.csv", [*rows, answer(3, ease=5, recorded=on(TUESDAY))])
        delivery.land()
    home.write_registry(corrected)
    outcome = home.land(now=NOW + timedelta(days=30))
    assert (outcome.files_new, outcome.rows_landed, outcome.rows_redelivered) == (2, 3, 2)
    shown = [
        [
            (row["delivery_id"], row["row_number"], row["response_id"], row["score"], row["day"])
            for row in delivery.rows()
        ]
        for delivery in (home, fresh)
    ]
    assert shown[0] == shown[1]
    assert {delivery.received_at for delivery in home.deliveries()} == {NOW}


@pytest.mark.parametrize("change", [{"time_zone": "Asia/Tokyo"}, {"missing": ["4"]}, {"ignore": ["comment"]}])
def test_every_key_that_decides_how_rows_read_lands_them_again(
    home: InboxHome, change: dict[str, object]
) -> None:
    home.drop("a.csv", [answer(1)])
    home.land()
    home.write_registry({**WEB, **change})
    assert home.land().files_new == 1
    assert home.land().files_new == 0


def test_another_survey_for_a_source_is_a_matter_of_cleaning_and_lands_nothing(home: InboxHome) -> None:
    home.drop("a.csv", [answer(1)])
    home.land()
    surveys = [{"id": "after_chat", "scale": "ease_1_5"}, {"id": "after_call", "scale": "ease_1_5"}]
    home.write_registry({**WEB, "survey": "after_call"}, surveys=surveys)
    assert home.land().files_new == 0


def test_another_business_zone_moves_the_rows_to_its_days(home: InboxHome) -> None:
    home.drop("a.csv", [answer(1, recorded="2026-03-02T23:30:00Z")])
    assert home.land().days == (MONDAY,)
    home.write_registry(WEB, settings={"business_time_zone": "Europe/Berlin"})
    assert home.land().days == (TUESDAY,)
    assert home.row()["day"] == TUESDAY


def test_what_was_landed_from_files_that_are_gone_stays_under_its_old_mapping(home: InboxHome) -> None:
    home.drop("a.csv", [answer(1)]).unlink()
    home.drop("b.csv", [answer(2)])
    home.land()
    (home.home.inbox / "web" / "b.csv").unlink()
    before = home.state()
    home.write_registry({**WEB, "missing": ["4"]})
    assert home.land().files_new == 0
    assert home.state() == before


def test_a_slip_in_the_mapping_is_reported_and_empties_nothing(home: InboxHome) -> None:
    home.drop("a.csv", [answer(1)])
    home.land()
    before = home.state()
    home.write_registry({**WEB, "columns": {**WEB["columns"], "score": "scroe"}})
    for _ in range(2):
        (failure,) = home.land().failures
        for part in ("web: a.csv: ", "'scroe'", "entry web", "columns.score", "are kept"):
            assert part in failure
    assert home.state() == before
    home.write_registry(WEB)
    outcome = home.land()
    assert (outcome.failures, outcome.files_new) == ((), 0)


def test_a_damaged_file_does_not_keep_the_others_from_being_read_again(home: InboxHome) -> None:
    home.drop("a.csv", [answer(1)])
    home.drop("b.csv.gz", b"\x1f\x8b\x08\x00cut off")
    home.land()
    home.write_registry({**WEB, "missing": ["4"]})
    outcome = home.land()
    assert (outcome.files_new, home.row()["score"]) == (1, None)
    (failure,) = outcome.failures
    assert "b.csv.gz" in failure


def test_hidden_and_unfinished_files_are_left_alone(home: InboxHome) -> None:
    for name in (".a.csv", "b.csv.part", "c.tmp", "d.crdownload", ".gitkeep", ".DS_Store", "Thumbs.db"):
        home.drop(name, [answer(1)])
    outcome = home.land()
    assert (outcome.files_new, outcome.failures) == (0, ())


def test_the_inbox_glob_of_the_source_picks_its_files(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, {**WEB, "inbox": "done/*.csv"})
    home.drop("done/a.csv", [answer(1)])
    home.drop("draft/b.csv", [answer(2)])
    home.drop("done/readme.txt", "see wiki")
    assert (home.land().files_new, home.row()["response_id"]) == (1, "r1")


def test_the_inbox_is_never_changed(home: InboxHome) -> None:
    path = home.drop("a.csv", [answer(1)])
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    home.land()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert list(home.home.inbox.rglob("*.*")) == [path]


def test_a_home_may_move(home: InboxHome, tmp_path: Path) -> None:
    home.drop("a.csv", [answer(1)])
    home.land()
    home.home.root.rename(tmp_path / "elsewhere")
    moved = InboxHome(type(home.home)(tmp_path / "elsewhere"))
    assert (moved.land().files_known, len(moved.rows())) == (1, 1)
    assert moved.find(str(tmp_path)) == []


def test_nothing_is_left_in_the_staging_folder_and_leftovers_of_a_killed_run_go(home: InboxHome) -> None:
    left = home.home.lake / ".staging" / "99-killed" / "days" / "1.parquet"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a file")
    home.drop("a.csv", [answer(1)])
    home.land()
    assert list((home.home.lake / ".staging").glob("*")) == []


DELIVERIES = st.lists(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 3), st.sampled_from([MONDAY, TUESDAY])),
        min_size=1,
        max_size=6,
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=DELIVERIES, data=st.data())
def test_whatever_the_deliveries_and_their_order_the_rows_reconcile_and_every_content_is_there(
    tmp_path_factory: pytest.TempPathFactory,
    deliveries: list[list[tuple[int, int, date]]],
    data: st.DataObject,
) -> None:
    files = {
        f"{place}.csv": [answer(number, score=score, recorded=on(day)) for number, score, day in rows]
        for place, rows in enumerate(deliveries)
    }
    delivered = {(f"r{number}", str(score), day) for rows in deliveries for number, score, day in rows}
    distinct = {tuple(rows) for rows in deliveries}
    home = inbox_home(tmp_path_factory.mktemp("home"))
    names = list(files)
    for name in data.draw(st.permutations(names)):
        home.drop(name, files[name])
        home.land()

    presented = {day: sum(row[2] == day for rows in distinct for row in rows) for day in (MONDAY, TUESDAY)}
    booked = {
        day: sum(sum(delivery.days.get(day, (0, 0))) for delivery in home.deliveries())
        for day in (MONDAY, TUESDAY)
    }
    assert booked == presented
    held: dict[date, int] = {}
    for row in home.rows():
        held[row["day"]] = held.get(row["day"], 0) + 1
    landed = {day: sum(delivery.days.get(day, (0, 0))[0] for delivery in home.deliveries()) for day in held}
    assert held == landed
    assert {(row["response_id"], row["score"], row["day"]) for row in home.rows()} == delivered
    assert len({(row["key_hi"], row["key_lo"], row["content"]) for row in home.rows()}) == len(delivered)
    assert {day for delivery in home.deliveries() for day in delivery.touches} == set(held)


def test_a_delivery_remembers_the_newest_moment_that_it_shows(home: InboxHome) -> None:
    home.drop(
        "a.csv", [answer(1), answer(2, recorded=on(TUESDAY)), answer(3, recorded="2031-01-01T00:00:00Z")]
    )
    home.land()
    (delivery,) = home.deliveries()
    assert delivery.as_of == datetime(2026, 3, 3, 12, tzinfo=UTC)
    assert delivery.received_at == NOW
