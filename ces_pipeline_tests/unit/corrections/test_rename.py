"""Protects the life of a source: a rename keeps all rows and keys, also when it is killed; a removal is refused."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline import pipeline
from ces_pipeline.corrections import rename
from ces_pipeline.errors import RegistryError
from ces_pipeline.land.ledger import Ledger
from ces_pipeline.publish.inputs import read_load_audit
from ces_pipeline.schemas.audit import CORRECTIONS, PULLS
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.journal import add_rows, rows_of
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.small_files import save_small_files
from ces_pipeline_tests.builders import NOW, WEB, InboxHome, answer, inbox_home

SITE = {**WEB, "id": "site", "formerly": ["web"]}
PORTAL = {**WEB, "id": "portal", "formerly": ["web", "site"]}


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> InboxHome:
    """Three answers on two days, landed in two deliveries and cleaned."""
    found = inbox_home(tmp_path_factory.mktemp("cleaned") / "home")
    found.drop("a.csv", [answer(1), answer(2)])
    pipeline.land(found.home, found.registry)
    found.drop("b.csv", [answer(2, score=1), answer(3, recorded="2026-03-03T12:00:00Z")])
    pipeline.land(found.home, found.registry)
    clean(found)
    return found


@pytest.fixture
def home(cleaned: InboxHome, tmp_path: Path) -> InboxHome:
    """A copy of `cleaned`."""
    return cleaned.copied(tmp_path / "home")


def clean(home: InboxHome) -> int:
    """Cleans all stale days; returns how many there were."""
    days = pipeline.stale_days(home.home, home.registry, "survey")
    for result in pipeline.clean(home.home, home.registry, "survey", days, run_id="test"):
        assert result.problems == ()
    return len(days)


def answers(home: InboxHome) -> list[tuple[Any, ...]]:
    """(Key, source, score, revision) of every accepted answer."""
    found = []
    for day in home.lake.days(KINDS["survey"].accepted):
        rows = home.lake.read_table(home.lake.day_file(KINDS["survey"].accepted, day)).to_pylist()
        found += [(row["response_key"], row["source_id"], row["score"], row["revision"]) for row in rows]
    return sorted(found)


def folders_of(home: InboxHome, source_id: str) -> list[Path]:
    return [path for path in home.home.lake.rglob(source_id) if path.is_dir()]


def test_a_rename_keeps_rows_keys_and_revisions_and_lands_nothing_again(home: InboxHome) -> None:
    before, state = answers(home), home.rows("web")
    home.write_registry(SITE)
    (landing,) = pipeline.land(home.home, home.registry)
    assert (landing.files_new, landing.files_known) == (0, 2)
    assert clean(home) == 2
    assert answers(home) == [(key, "site", score, revision) for key, _, score, revision in before]
    assert home.rows("site") == state
    assert folders_of(home, "web") == []
    (logged,) = rows_of(home.lake, CORRECTIONS, "site")
    assert (logged["command"], logged["rows_touched"]) == ("rename", 4)
    assert clean(home) == 0


def test_a_rename_is_seen_by_who_read_the_earlier_files_and_through_their_caches(home: InboxHome) -> None:
    for path in home.home.lake.rglob("*"):
        if path.is_file():
            os.utime(path, (path.stat().st_mtime - 3600,) * 2)
    before = answers(home)
    assert [delivery.source_id for delivery in Ledger.read(home.lake).deliveries] == ["web", "web"]
    assert set(read_load_audit(home.lake)["source_id"].to_pylist()) == {"web"}
    save_small_files(home.lake)
    home.write_registry(SITE)
    pipeline.follow_registry(home.home, home.registry)
    assert [delivery.source_id for delivery in Ledger.read(home.lake).deliveries] == ["site", "site"]
    assert set(read_load_audit(home.lake)["source_id"].to_pylist()) == {"site"}
    clean(home)
    save_small_files(home.lake)
    assert folders_of(home, "web") == []
    assert answers(home) == [(key, "site", score, revision) for key, _, score, revision in before]


def test_files_in_the_folder_of_the_earlier_id_still_land(home: InboxHome) -> None:
    home.write_registry(SITE)
    home.drop("c.csv", [answer(4)], "web")
    home.drop("d.csv", [answer(5)], "site")
    (landing,) = pipeline.land(home.home, home.registry)
    assert (landing.files_new, landing.rows_landed) == (2, 2)
    clean(home)
    assert {source_id for _, source_id, _, _ in answers(home)} == {"site"}


def test_the_state_and_the_log_of_pulls_go_with_the_source(home: InboxHome) -> None:
    home.lake.write_bytes("pulls/web/state.json", b"{}")
    pulled = {"pull_id": "p1", "source_id": "web", "started_at": NOW, "requests": 1, "records": 2}
    add_rows(
        home.lake, PULLS, "web", NOW, [{**pulled, "rows_landed": 2, "failure": None, "is_transient": False}]
    )
    home.write_registry(SITE)
    pipeline.follow_registry(home.home, home.registry)
    assert home.lake.read_bytes("pulls/site/state.json") == b"{}"
    assert [(row["pull_id"], row["source_id"]) for row in rows_of(home.lake, PULLS, "site")] == [
        ("p1", "site")
    ]
    assert rows_of(home.lake, PULLS, "web") == []


def test_what_an_old_process_logs_during_the_rename_follows_at_the_next_run(home: InboxHome) -> None:
    home.write_registry(SITE)
    pipeline.follow_registry(home.home, home.registry)
    home.lake.write_bytes("pulls/web/state.json", b"{}")
    notes = pipeline.follow_registry(home.home, home.registry)
    assert "web is now site" in notes[0]
    assert folders_of(home, "web") == []
    assert len(rows_of(home.lake, CORRECTIONS, "site")) == 1


def test_a_second_rename_keeps_the_keys_of_the_first_id(home: InboxHome) -> None:
    before = [key for key, *_ in answers(home)]
    for entry in (SITE, PORTAL):
        home.write_registry(entry)
        pipeline.land(home.home, home.registry)
        clean(home)
    assert [key for key, *_ in answers(home)] == before
    assert folders_of(home, "web") == folders_of(home, "site") == []


def test_both_renames_at_once_come_to_the_same(home: InboxHome) -> None:
    before = [key for key, *_ in answers(home)]
    home.write_registry(PORTAL)
    pipeline.land(home.home, home.registry)
    clean(home)
    assert [(key, source) for key, source, *_ in answers(home)] == [(key, "portal") for key in before]


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def killed_at(step: int, work: Callable[..., Any], count: list[int]) -> Callable[..., Any]:
    def wrapped(*args: Any, **how: Any) -> Any:
        count[0] += 1
        if count[0] == step:
            raise Killed
        return work(*args, **how)

    return wrapped


def test_a_rename_that_is_killed_anywhere_is_finished_by_the_next_run(
    home: InboxHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = home.home.root.with_name("template")
    shutil.copytree(home.home.root, template)
    home.write_registry(SITE)
    pipeline.follow_registry(home.home, home.registry)
    clean(home)
    wanted = home.state("site"), answers(home)
    kills = 0
    for step in range(1, 200, 4):
        shutil.rmtree(home.home.root)
        shutil.copytree(template, home.home.root)
        home.write_registry(SITE)
        with monkeypatch.context() as patched:
            count = [0]
            for name in ("_move", "commit", "_delete_folder", "record"):
                patched.setattr(rename, name, killed_at(step, getattr(rename, name), count))
            for name in ("write_table", "write_bytes", "delete"):
                patched.setattr(Lake, name, killed_at(step, getattr(Lake, name), count))
            try:
                pipeline.follow_registry(home.home, home.registry)
            except Killed:
                kills += 1
            else:
                break
        pipeline.land(home.home, home.registry)
        clean(home)
        assert (home.state("site"), answers(home)) == wanted
        assert folders_of(home, "web") == []
    assert kills > 5


STEPS: dict[str, Callable[[InboxHome], Any]] = {
    "land": lambda home: pipeline.land(home.home, home.registry),
    "clean": lambda home: list(pipeline.clean(home.home, home.registry, "survey", [], run_id="test")),
    "publish": lambda home: pipeline.publish(home.home, home.registry, run_id="test"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_missing_entry_with_landed_rows_is_refused_before_anything_changes(
    home: InboxHome, step: str
) -> None:
    home.write_registry({**WEB, "id": "other"})
    home.drop("e.csv", [answer(9)], "other")
    before = {path: path.read_bytes() for path in home.home.lake.rglob("*.parquet")}
    with pytest.raises(RegistryError, match=r"web.*4 .*ended_on.*formerly"):
        STEPS[step](home)
    assert {path: path.read_bytes() for path in home.home.lake.rglob("*.parquet")} == before


def test_an_entry_without_landed_rows_may_be_removed(tmp_path: Path) -> None:
    found = inbox_home(tmp_path / "home", WEB, {**WEB, "id": "other"})
    found.drop("a.csv", [answer(1)])
    pipeline.land(found.home, found.registry)
    found.write_registry(WEB)
    assert pipeline.follow_registry(found.home, found.registry) == []


@pytest.mark.parametrize(
    "entry",
    [
        {**WEB, "id": "site"},
        {**WEB, "id": "portal", "formerly": ["site"]},
        {**WEB, "id": "portal", "formerly": ["site", "web"]},
    ],
    ids=["removed", "first id left out", "out of order"],
)
def test_a_formerly_that_would_change_the_keys_is_refused(home: InboxHome, entry: dict[str, Any]) -> None:
    home.write_registry(SITE)
    pipeline.land(home.home, home.registry)
    home.write_registry(entry)
    with pytest.raises(RegistryError, match=r"formerly: \[web"):
        pipeline.land(home.home, home.registry)


def test_two_sources_with_rows_of_their_own_are_not_joined(home: InboxHome) -> None:
    other = {**WEB, "id": "other"}
    home.write_registry(WEB, other)
    home.drop("e.csv", [answer(9)], "other")
    pipeline.land(home.home, home.registry)
    home.write_registry({**other, "formerly": ["web"]})
    with pytest.raises(RegistryError, match=r"other has 1 landed row"):
        pipeline.land(home.home, home.registry)


@pytest.mark.parametrize(
    "entries",
    [
        [{**WEB, "formerly": ["web"]}],
        [{**WEB, "formerly": ["a", "a"]}],
        [WEB, {**WEB, "id": "site", "formerly": ["web"]}],
        [{**WEB, "formerly": ["a"]}, {**WEB, "id": "site", "formerly": ["a"]}],
    ],
    ids=["itself", "twice", "another's id", "another's earlier id"],
)
def test_an_id_belongs_to_one_source(tmp_path: Path, entries: list[dict[str, Any]]) -> None:
    with pytest.raises(RegistryError, match=r"sources\.yaml, line \d+: entry (web|site): formerly"):
        _ = inbox_home(tmp_path / "home", *entries).registry


def test_a_source_that_has_ended_is_not_read_and_names_what_waits(home: InboxHome) -> None:
    before = answers(home)
    home.drop("late.csv", [answer(7)])
    home.write_registry({**WEB, "ended_on": "2026-03-05"})
    (landing,) = pipeline.land(home.home, home.registry)
    assert landing.files_new == 0
    assert "late.csv" in "".join(landing.notes)
    assert "a.csv" not in "".join(landing.notes)
    assert clean(home) == 0
    assert answers(home) == before
    list(pipeline.clean(home.home, home.registry, "survey", home.lake.days("core.responses"), run_id="again"))
    assert answers(home) == before


def test_a_source_delivers_until_its_last_day(home: InboxHome) -> None:
    home.drop("late.csv", [answer(7)])
    home.write_registry({**WEB, "ended_on": "2999-12-31"})
    (landing,) = pipeline.land(home.home, home.registry)
    assert landing.files_new == 1
