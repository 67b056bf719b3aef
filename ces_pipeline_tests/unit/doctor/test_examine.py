"""Protects `ces doctor`: well on a home that is well, and each fault is found, named and has advice that can help."""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.cli import runs
from ces_pipeline.doctor import Finding, examine
from ces_pipeline.doctor.key import BACKUP_MARKER
from ces_pipeline.home import Home
from ces_pipeline.land.ledger import Ledger
from ces_pipeline.storage.lake import Lake
from ces_pipeline_tests.lake_days import registry

SOURCES = """\
- id: web
  kind: survey
  reader: csv
  survey: after_chat
  columns: {response_id: answer_id, recorded_at: when, score: how_easy}
"""
HEAD = "answer_id,when,how_easy\n"
EXPORT = HEAD + "".join(
    f"r{number},2026-03-0{2 + number % 2}T10:{number:02}:00Z,{1 + number % 5}\n" for number in range(8)
)


@pytest.fixture(scope="module")
def as_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two days of four answers each, landed, cleaned and published; its key is backed up."""
    home = Home(tmp_path_factory.mktemp("doctor") / "home").make()
    registry(home.registry, minimum_n=2)
    (home.registry / "sources.yaml").write_text(SOURCES)
    (home.inbox / "web").mkdir()
    (home.inbox / "web" / "export.csv").write_text(EXPORT)
    assert runs.run(home)
    (home.root / BACKUP_MARKER).touch()
    return home.root


@pytest.fixture
def home(as_run: Path, tmp_path: Path) -> Home:
    return Home(Path(shutil.copytree(as_run, tmp_path / "home")))


def failures(home: Home) -> list[str]:
    return [finding.text for finding in examine(home) if not finding.is_well]


def found(home: Home, subject: str) -> list[Finding]:
    return [finding for finding in examine(home) if finding.text.startswith(subject)]


def only(folder: Path, pattern: str) -> Path:
    (path,) = sorted(folder.glob(pattern))[:1]
    return path


def test_a_home_that_has_run_is_well(home: Home) -> None:
    assert failures(home) == []
    subjects = {finding.text.partition(":")[0] for finding in examine(home)}
    assert subjects >= {
        "registry",
        "home",
        "permissions",
        "disk space",
        "pseudonym key",
        "run history",
        "daemon",
        "ledger",
        "landed files",
        "clock",
        "inbox",
        "last run",
        "day files",
        "days",
        "published file",
    }


def is_kept(path: Path) -> bool:
    """Not a lock, and not what SQLite keeps next to a database that is open."""
    return path.is_file() and path.suffix != ".lock" and not path.name.endswith(("-wal", "-shm"))


def test_a_doctors_look_changes_nothing(home: Home) -> None:
    before = {path: path.read_bytes() for path in home.root.rglob("*") if is_kept(path)}
    list(examine(home))
    after = {path: path.read_bytes() for path in home.root.rglob("*") if is_kept(path)}
    assert {path.relative_to(home.root) for path in before.keys() ^ after.keys()} == set()
    assert [path for path in before if before[path] != after[path]] == []


def cut(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder)


def _cut_all(home: Home, pattern: str) -> None:
    for path in home.root.glob(pattern):
        cut(path)


DAMAGE: dict[str, tuple[Callable[[Home], object], tuple[str, ...]]] = {
    "raw file gone": (
        lambda home: only(home.lake, "raw/web/*/*.parquet").unlink(),
        ("raw/web/day=", "missing"),
    ),
    "raw file cut": (
        lambda home: cut(only(home.lake, "raw/web/*/*.parquet")),
        ("raw/web/day=", "bytes instead of"),
    ),
    "raw file a folder": (
        lambda home: as_folder(only(home.lake, "raw/web/*/*.parquet")),
        ("raw/web/day=", "folder"),
    ),
    "all raw gone": (
        lambda home: shutil.rmtree(home.lake / "raw"),
        ("raw/web/day=2026-03-02", "more of this delivery"),
    ),
    "ledger gone": (
        lambda home: _remove(home.lake / "ledger", home.lake / "index"),
        ("published deliveries", "lake/ledger"),
    ),
    "ledger entry cut": (lambda home: cut(only(home.lake, "ledger/web/*.json")), ("ledger/web/", "ces run")),
    "keys gone": (
        lambda home: only(home.lake, "index/web/*.parquet").unlink(),
        ("index/web/",),
    ),
    "cache cut": (lambda home: cut(home.lake / "ledger/web/.seen"), ("ledger/web/.seen", "cache")),
    "marks cut": (lambda home: _cut_all(home, "lake/audit/load_audit/*/*/*.parquet"), ("audit/load_audit",)),
    "day file gone": (
        lambda home: only(home.lake, "core/responses/*/*.parquet").unlink(),
        ("core.responses of 2026-03-02",),
    ),
    "day file cut": (
        lambda home: cut(only(home.lake, "core/responses/*/*.parquet")),
        ("core.responses of 2026-03-02",),
    ),
    "key proof cut": (lambda home: cut(home.lake / "ledger/key_proof"), ("key_proof",)),
    "key gone": (lambda home: (home.root / "pseudonym.key").unlink(), ("pseudonym.key", "backup")),
    "key open": (lambda home: (home.root / "pseudonym.key").chmod(0o644), ("chmod 600",)),
    "history cut": (
        lambda home: cut(home.dagster / "history/runs.db"),
        ("history/runs.db", "history of runs only"),
    ),
    "published gone": (lambda home: home.published.unlink(), ("published file", "ces run")),
    "published no database": (lambda home: home.published.write_bytes(b"not a database"), ("ces.duckdb",)),
    "published a folder": (lambda home: as_folder(home.published), ("ces.duckdb",)),
    "results cut": (
        lambda home: Lake(home.lake).write_bytes("results/publish.json", b'{"at'),
        ("results/publish.json", "delete it"),
    ),
    "results no folder": (
        lambda home: (home.lake / "results").write_text("x"),
        ("lake folder results", "delete it"),
    ),
    "registry cut": (
        lambda home: (home.registry / "sources.yaml").write_text("- id: [web\n"),
        ("sources.yaml",),
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_and_named_and_never_an_error_of_the_doctor(home: Home, name: str) -> None:
    damage, words = DAMAGE[name]
    damage(home)
    said = failures(home)
    for word in words:
        assert any(word in text for text in said), (word, said)


@pytest.mark.parametrize(
    "pattern",
    [
        "warehouse/ces.duckdb",
        "lake/raw/web/*/*.parquet",
        "lake/index/web/*.parquet",
        "lake/core/responses/*/*.parquet",
    ],
)
def test_a_flipped_bit_is_found(home: Home, pattern: str) -> None:
    path = only(home.root, pattern)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert failures(home) != []


def test_raw_files_that_a_stopped_landing_left_are_no_fault(home: Home) -> None:
    path = only(home.lake, "raw/web/*/*.parquet")
    shutil.copy(path, path.with_name("0" * 64 + ".parquet"))
    assert failures(home) == []
    assert any(finding.is_warning and "0" * 64 in finding.text for finding in examine(home))


def test_a_file_that_failed_stays_a_failure_until_it_lands_or_goes(home: Home) -> None:
    wrong = home.inbox / "web" / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    assert not runs.run(home)
    said = failures(home)
    assert any(text.startswith("last run") and "wrong.csv" in text for text in said)
    assert not any("wrong.csv" in text and text.startswith("inbox") and "ces run" in text for text in said)
    wrong.unlink()
    assert runs.run(home)
    assert failures(home) == []


def test_a_day_that_could_not_be_cleaned_is_not_told_to_run_again(home: Home) -> None:
    only(home.lake, "raw/web/day=2026-03-02/*.parquet").unlink()
    (home.inbox / "web" / "export.csv").unlink()
    assert not runs.run(home, datetime(2026, 3, 2).date(), datetime(2026, 3, 2).date())
    said = failures(home)
    assert any(text.startswith("last run") and "export.csv" in text for text in said)
    assert not [
        text for text in said if text.startswith("days") and "2026-03-02" in text and "Run `ces run`" in text
    ]


def test_days_that_wait_say_why(home: Home) -> None:
    only(home.lake, "audit/load_audit/kind=survey/day=2026-03-02/*.parquet").unlink()
    only(home.lake, "core/responses/day=2026-03-03/*.parquet").unlink()
    said = [text for text in failures(home) if text.startswith("days")]
    assert len(said) == 2
    assert any("2026-03-02" in text and "not cleaned yet" in text for text in said)
    assert any("2026-03-03" in text and "not as they were cleaned" in text for text in said)


def test_a_setting_that_changed_makes_the_published_file_old(home: Home) -> None:
    settings = home.registry / "settings.yaml"
    settings.write_text(settings.read_text().replace("minimum_n: 2", "minimum_n: 3"))
    assert [text for text in failures(home) if text.startswith("published file") and "newer" in text]


@pytest.mark.parametrize(
    ("place", "word"),
    [("stray.csv", "inbox/SOURCE"), ("forms/effort.csv", "ces inspect"), ("web/effort.txt", "inbox: ")],
)
def test_a_file_of_no_source_is_named(home: Home, place: str, word: str) -> None:
    path = home.inbox / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(HEAD)
    sources = home.registry / "sources.yaml"
    sources.write_text(sources.read_text() + "  inbox: '*.csv'\n")
    (text,) = [text for text in failures(home) if place in text]
    assert word in text


def test_an_unfinished_copy_is_no_fault(home: Home) -> None:
    (home.inbox / "web" / "more.csv.part").write_text(HEAD)
    assert failures(home) == []


def test_an_empty_inbox_is_no_fault_once_its_exports_have_landed(home: Home) -> None:
    (home.inbox / "web" / "export.csv").unlink()
    assert failures(home) == []
    with (home.registry / "sources.yaml").open("a") as file:
        file.write(SOURCES.replace("id: web", "id: shop"))
    assert any("source shop has no file" in text for text in failures(home))


def test_a_source_that_has_ended_needs_no_file_and_one_without_an_entry_is_named(home: Home) -> None:
    sources = home.registry / "sources.yaml"
    sources.write_text(SOURCES.replace("id: web", "id: shop") + "  ended_on: 2026-03-31\n")
    said = failures(home)
    assert not any("shop" in text and text.startswith("inbox: source shop has no file") for text in said)
    (text,) = [text for text in said if text.startswith("deliveries: source web")]
    assert "8 landed rows" in text
    assert "formerly: [web]" in text


def test_a_new_file_waits_for_the_night_and_an_old_one_was_passed_over(home: Home) -> None:
    late = home.inbox / "web" / "late.csv"
    late.write_text(HEAD + "s1,2026-03-04T10:00:00Z,1\n")
    assert failures(home) == []
    yesterday = time.time() - 2 * 86_400
    os.utime(late, (yesterday, yesterday))
    assert any("late.csv" in text and "ces run" in text for text in failures(home))


def test_a_source_that_receives_needs_its_secret_and_no_file(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = "- {id: form, kind: survey, reader: json, survey: after_chat, receive: "
    entry += "{signature: typeform, secret: FORM_SECRET}}\n"
    (home.registry / "sources.yaml").write_text(SOURCES + entry)
    assert [text for text in failures(home) if "form" in text] == [
        "webhooks: form: FORM_SECRET is not set: put the secret of the webhook into the environment (`receive` in "
        "sources.yaml names the variable)"
    ]
    monkeypatch.setenv("FORM_SECRET", "text")
    assert not any("form" in text for text in failures(home))


def test_a_clock_that_is_behind_is_found(home: Home) -> None:
    entry = only(home.lake, "ledger/web/*.json")
    (delivery,) = Ledger.read(Lake(home.lake)).deliveries
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    changed = json.loads(delivery.to_json())
    changed.pop("check")
    changed["received_at"] = tomorrow
    entry.write_text(json.dumps(changed))
    assert any(text.startswith("clock") and "export.csv" in text for text in failures(home))


def test_little_disk_space_is_found(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10**9, 10**9 - 10**6, 10**6)
    )
    assert any(text.startswith("disk space") for text in failures(home))
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10**9, 7 * 10**8, 3 * 10**8)
    )
    assert [finding.is_warning for finding in found(home, "disk space")] == [True]
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10**12, 0, 10**12))
    assert [finding.is_warning for finding in found(home, "disk space")] == [False]


def test_a_folder_that_cannot_be_written_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    access = os.access
    closed = home.lake / "raw"
    monkeypatch.setattr(
        os, "access", lambda path, mode, **more: Path(path) != closed and access(path, mode, **more)
    )
    assert any(text.startswith("permissions") and str(closed) in text for text in failures(home))


def test_the_backup_of_the_key_is_asked_for_until_it_is_confirmed(home: Home) -> None:
    assert [finding.is_warning for finding in found(home, "pseudonym key")] == [False]
    (home.root / BACKUP_MARKER).unlink()
    (finding,) = found(home, "pseudonym key")
    assert finding.is_well
    assert finding.is_warning
    assert BACKUP_MARKER in finding.text


def beat(home: Home, at: datetime) -> None:
    body = json.dumps({"__class__": "DaemonHeartbeat", "timestamp": at.timestamp()})
    with closing(sqlite3.connect(home.dagster / "history/runs.db")) as database:
        database.execute("DELETE FROM daemon_heartbeats")
        database.execute(
            "INSERT INTO daemon_heartbeats (daemon_type, daemon_id, timestamp, body) VALUES ('SENSOR', 'a', ?, ?)",
            (at.isoformat(), body),
        )
        database.commit()


def test_the_daemon_is_alive_or_said_to_be_dead(home: Home) -> None:
    now = datetime.now(UTC)
    assert [finding.is_well for finding in found(home, "daemon")] == [True]
    beat(home, now)
    assert failures(home) == []
    # A run was started by hand after the daemon's last sign of life: that is a way to work.
    beat(home, now - timedelta(days=2))
    assert [(finding.is_well, finding.is_warning) for finding in found(home, "daemon")] == [(True, True)]
    with closing(sqlite3.connect(home.dagster / "history/runs.db")) as database:
        database.execute("UPDATE runs SET create_timestamp = '2026-01-01 00:00:00.000000'")
        database.commit()
    assert any(text.startswith("daemon") and "ces ui" in text for text in failures(home))


@pytest.mark.parametrize(("status", "fails", "warns"), [("FAILURE", True, False), ("STARTED", False, True)])
def test_a_run_that_was_killed_is_known(home: Home, status: str, fails: bool, warns: bool) -> None:
    with closing(sqlite3.connect(home.dagster / "history/runs.db")) as database:
        database.execute(
            "UPDATE runs SET status = ?, create_timestamp = '2026-01-01 00:00:00.000000' "
            "WHERE id = (SELECT max(id) FROM runs WHERE pipeline_name = 'land')",
            (status,),
        )
        database.commit()
    of_runs = [finding for finding in found(home, "last run") if "job land" in finding.text]
    assert [(not finding.is_well, finding.is_warning) for finding in of_runs] == [(fails, warns)]


def test_a_check_that_breaks_is_a_finding_and_the_others_are_made(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Iterator[Finding]:
        raise KeyError("ann@example.org")

    monkeypatch.setattr("ces_pipeline.doctor.lake_files.Ledger.read", broken)
    said = failures(home)
    assert any("KeyError" in text for text in said)
    assert not any("example.org" in text for text in said)
    assert any(finding.text.startswith("published file") for finding in examine(home))


def test_a_home_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    (finding,) = examine(Home(tmp_path / "none"))
    assert not finding.is_well
    assert "ces init" in finding.text
    assert not (tmp_path / "none").exists()


def test_a_new_home_says_what_to_do_and_breaks_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    registry(home.registry, minimum_n=2)
    (home.registry / "sources.yaml").write_text("[]\n")
    assert all("ces run" in text for text in failures(home))
