"""Protects the commands that correct what has landed: what leaves, what comes back, books that balance, no trace left."""

import hashlib
import hmac
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ces_pipeline.cli.main import main
from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.builders import DESK, SURVEYS, WEB, InboxHome, answer, inbox_home

pytestmark = pytest.mark.slow

GONE = "ann.example@example.org"
_NAMED = {**WEB, "columns": {**WEB["columns"], "ticket_id": "ticket"}}


def call(home: InboxHome, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--home", str(home.home.root)])


def answers(home: InboxHome) -> list[str]:
    return [row[0] for row in ask(home, "SELECT response_id FROM core.responses ORDER BY response_id")]


def ask(home: InboxHome, query: str) -> list[tuple[Any, ...]]:
    with open_published(home.home.published) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> InboxHome:
    """Two cumulative exports of answers and one of tickets, published; `GONE` is in all of them."""
    home = inbox_home(tmp_path_factory.mktemp("published") / "home", _NAMED, DESK)
    first = [
        answer(1, ticket="7", agent_email=GONE),
        answer(2, email=GONE, ticket="8", comment="reach me at home"),
        answer(3, email=GONE, score="no score", ticket=""),
    ]
    home.drop("a.csv", first)
    home.drop(
        "t.csv",
        [
            {"number": "7", "state": "open", "email": "bob@example.org", "updated": "2026-03-02T08:00:00Z"},
            {"number": "8", "state": "open", "email": GONE.upper(), "updated": "2026-03-02T08:00:00Z"},
        ],
        "desk",
    )
    assert call(home, "run").exit_code == 0
    home.drop(
        "b.csv",
        [*first, answer(4, ticket=""), answer(5, email=GONE, recorded="2026-03-05T12:00:00Z", ticket="")],
    )
    assert call(home, "run").exit_code == 0
    return home


@pytest.fixture
def home(published: InboxHome, tmp_path: Path) -> InboxHome:
    """A copy of `published`: a home may move."""
    return published.copied(tmp_path / "home")


def books(home: InboxHome) -> tuple[int, ...]:
    (row,) = ask(
        home,
        "SELECT sum(landed), sum(redelivered), sum(superseded), sum(accepted), sum(rejected), sum(unlanded), "
        "sum(erased) FROM audit.load_audit WHERE is_current",
    )
    return tuple(map(int, row))


def traces(home: InboxHome, person: str) -> list[str]:
    """The files of the home, but the inbox, that hold the person's address or keyed hash in any form."""
    key = (home.home.root / "pseudonym.key").read_bytes().strip()
    digest = hmac.new(key, person.lower().encode(), hashlib.sha256)
    needles = [person.lower().encode(), digest.hexdigest().encode(), digest.digest()]
    found = [path for path, _ in home.find(person, digest.hexdigest(), repr(digest.digest())[2:-1])]
    for path in sorted(home.home.root.rglob("*")):
        if path.is_file() and home.home.inbox not in path.parents:
            data = path.read_bytes()
            found += [str(path) for needle in needles if needle in data or needle in data.lower()]
    return found


def test_a_delivery_that_is_taken_back_leaves_every_table_and_the_later_export_keeps_its_rows(
    home: InboxHome,
) -> None:
    assert answers(home) == ["r1", "r2", "r4", "r5"]
    before = home.home.published.read_bytes()
    assert call(home, "unland", "a.csv", "--dry-run").exit_code == 0
    assert home.home.published.read_bytes() == before
    done = call(home, "unland", "a.csv", "--why", "the wrong export", "--json")
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert (said["rows"], said["rows_returned_by_file"]) == (3, {"b.csv": 3})
    assert answers(home) == ["r1", "r2", "r4", "r5"]
    assert call(home, "unland", "b.csv").exit_code == 0
    assert answers(home) == []
    landed, *parts = books(home)
    assert (landed, landed - sum(parts)) == (10, 0)
    assert ask(home, "SELECT command, why, rows_touched FROM audit.corrections ORDER BY made_at") == [
        ("unland", "the wrong export", 3),
        ("unland", None, 5),
    ]
    assert call(home, "run").exit_code == 0
    assert answers(home) == []
    assert call(home, "unland", "b.csv", "--undo").exit_code == 0
    assert call(home, "run").exit_code == 0
    assert answers(home) == ["r1", "r2", "r4", "r5"]


@pytest.mark.parametrize("named", ["c.csv", "abcdef123456"])
def test_a_name_that_no_delivery_has_changes_nothing(home: InboxHome, named: str) -> None:
    before = home.home.published.read_bytes()
    done = call(home, "unland", named)
    assert (done.exit_code, named in done.output, home.home.published.read_bytes() == before) == (
        1,
        True,
        True,
    )


def test_a_person_is_listed_and_erased_without_a_trace_and_cannot_come_back(home: InboxHome) -> None:
    listed = json.loads(call(home, "person", GONE, "--json").stdout)
    assert [(found["source_id"], found["rows"]) for found in listed["rows"]] == [("desk", 1), ("web", 4)]
    assert sorted(listed["inbox_files"]) == ["desk/t.csv", "web/a.csv", "web/b.csv"]
    assert traces(home, GONE) != []
    done = call(home, "forget", GONE, "--why", "a letter of the 3rd of March")
    assert done.exit_code == 0
    assert traces(home, GONE) == []
    assert answers(home) == ["r4"]
    assert ask(home, "SELECT count(*) FROM core.rejected_responses") == [(0,)]
    assert ask(home, "SELECT ticket_id FROM core.tickets") == [("7",)]
    landed, *parts = books(home)
    assert (landed, sum(parts), parts[-1]) == (10, 10, 5)
    home.drop(
        "c.csv",
        [
            answer(1, ticket=""),
            answer(4, ticket=""),
            answer(6, email=f" {GONE} ", ticket=""),
            answer(7, ticket=""),
        ],
    )
    assert call(home, "run").exit_code == 0
    assert answers(home) == ["r1", "r4", "r7"]
    assert traces(home, GONE) == []
    assert json.loads(call(home, "person", GONE, "--json").stdout)["rows"] == []


def test_an_erased_row_does_not_come_back_with_a_later_export_when_a_delivery_is_taken_back(
    home: InboxHome,
) -> None:
    assert call(home, "forget", GONE).exit_code == 0
    assert call(home, "unland", "a.csv").exit_code == 0
    assert answers(home) == ["r4"]
    landed, *parts = books(home)
    assert landed == sum(parts)


def test_a_dry_run_of_erasing_changes_nothing(home: InboxHome) -> None:
    before = dict(home.everything_written())
    assert call(home, "forget", GONE, "--dry-run").exit_code == 0
    after = dict(home.everything_written())
    assert {
        path for path in after if after[path] != before.get(path) and path.startswith(("lake", "ware"))
    } == set()


def test_a_lost_ledger_publishes_nothing_less_until_a_command_gives_the_rows_up(home: InboxHome) -> None:
    before = home.home.published.read_bytes()
    for path in (home.home.inbox / "web").iterdir():
        path.unlink()
    for folder in ("ledger", "index", "raw"):
        shutil.rmtree(home.home.lake / folder / "web")
    done = call(home, "run")
    assert (done.exit_code, home.home.published.read_bytes() == before) == (1, True)
    for _ in range(2):
        (named,) = re.findall(r"ces unland ([0-9a-f]{12})", call(home, "run").output)[:1]
        assert call(home, "unland", named).exit_code in (0, 1)
    assert call(home, "run").exit_code == 0
    assert answers(home) == []


def test_a_changed_rule_is_replayed_and_each_row_moves_once(home: InboxHome) -> None:
    rejected = "SELECT response_id, reasons FROM core.rejected_responses ORDER BY response_id"
    (before,) = ask(home, rejected)
    off = dict.fromkeys(before[1], "suspect")
    home.write_registry(_NAMED, DESK, surveys=[{**SURVEYS[0], "rules": {"severities": off}}])
    dry = json.loads(call(home, "replay", "--reason", before[1][0], "--dry-run", "--json").stdout)
    assert (dry["responses_that_move"], dry["changed"]) == (1, False)
    assert ask(home, rejected) == [before]
    done = json.loads(call(home, "replay", "--why", "the rule was too strict", "--json").stdout)
    assert (done["responses_that_move"], done["publication"]) == (1, "published")
    assert ask(home, rejected) == []
    changes = "SELECT verdict_before, reasons_before, verdict_now FROM audit.verdict_changes"
    assert ask(home, changes) == [("rejected", before[1], "suspect")]
    assert json.loads(call(home, "replay", "--json").stdout)["responses_that_move"] == 0
    assert len(ask(home, changes)) == 1
    assert call(home, "forget", GONE).exit_code == 0
    assert ask(home, changes) == []


def test_restating_unchanged_days_changes_no_figure_and_is_recorded(home: InboxHome) -> None:
    rows = ask(home, "SELECT * FROM core.responses ORDER BY response_key")
    done = json.loads(call(home, "restate", "--from", "2026-03-02", "--to", "2026-03-05", "--json").stdout)
    assert (done["responses_that_move"], done["restated_days"], done["failures"]) == (0, [], [])
    assert ask(home, "SELECT * FROM core.responses ORDER BY response_key") == rows
    assert ask(home, "SELECT command, rows_touched FROM audit.corrections") == [("restate", 7)]
