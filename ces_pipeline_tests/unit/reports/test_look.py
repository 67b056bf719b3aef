"""Protects `ces deliveries`, `ces quarantine` and `ces why`: what has landed, what was rejected, and why."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ces_pipeline.cli.main import main
from ces_pipeline.home import Home
from ces_pipeline_tests.builders import NOW
from ces_pipeline_tests.drills.homes import run
from ces_pipeline_tests.lake_days import registry

SOURCES = """\
- id: web
  kind: survey
  reader: csv
  survey: after_chat
  columns: {response_id: id, recorded_at: when, score: score, respondent: mail, ticket_id: ticket, comment: words}
- id: shop
  kind: survey
  reader: csv
  survey: after_chat
  columns: {response_id: id, recorded_at: when, score: score, respondent: mail, ticket_id: ticket, comment: words}
- id: desk
  kind: tickets
  reader: csv
  columns: {ticket_id: ticket, created_at: opened, updated_at: changed, status: status}
"""
HEAD = "id,when,score,mail,ticket,words\n"
FIRST = HEAD + (
    "r1,2026-03-02T10:00:00Z,2,ann@example.org,T1,it was hard\n"
    "r2,2026-03-02T11:00:00Z,9,bob@example.org,,\n"
    "r3,2026-03-03T10:00:00Z,,cleo@example.org,,\n"
)
SECOND = HEAD + (
    # The same r1 a day later with another score: a revision; r2 once more: a redelivery.
    "r1,2026-03-03T09:00:00Z,4,ann@example.org,T1,it was hard\nr2,2026-03-02T11:00:00Z,9,bob@example.org,,\n"
)
SHOP = HEAD + "r1,2026-03-04T10:00:00Z,3,dora@example.org,,\n"
TICKETS = "ticket,opened,changed,status\nT1,2026-03-01T10:00:00Z,2026-03-02T09:00:00Z,solved\n"


def ces(home: Home, *words: object) -> Result:
    return CliRunner().invoke(main, [*map(str, words), "--home", str(home.root)])


def said(home: Home, *words: object) -> dict[str, Any]:
    result = ces(home, *words, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("look") / "home").make()
    registry(home.registry, minimum_n=2)
    (home.registry / "sources.yaml").write_text(SOURCES)
    for source, name, text in (
        ("web", "first.csv", FIRST),
        ("shop", "shop.csv", SHOP),
        ("desk", "t.csv", TICKETS),
    ):
        (home.inbox / source).mkdir()
        (home.inbox / source / name).write_text(text)
    run(home)
    (home.inbox / "web" / "second.csv").write_text(SECOND)
    run(home, NOW + timedelta(hours=1))
    return home


def test_deliveries_are_listed_newest_first_with_their_rows_and_days(home: Home) -> None:
    rows = said(home, "deliveries", "--source", "web")["deliveries"]
    counts = ("file_name", "rows_read", "rows_landed", "rows_redelivered", "first_day", "last_day", "state")
    assert [tuple(row[name] for name in counts) for row in rows] == [
        ("second.csv", 2, 1, 1, "2026-03-02", "2026-03-03", "counts"),
        ("first.csv", 3, 3, 0, "2026-03-02", "2026-03-03", "counts"),
    ]
    printed = ces(home, "deliveries").stdout
    assert rows[0]["delivery_id"][:12] in printed
    assert {"web", "shop", "desk"} <= set(printed.split())


def test_a_source_that_delivered_nothing_is_no_error(home: Home) -> None:
    result = ces(home, "deliveries", "--source", "phone")
    assert result.exit_code == 0
    assert "phone" in result.stdout


def test_the_quarantine_counts_by_reason_and_day_and_shows_rows_without_people(home: Home) -> None:
    found = said(home, "quarantine")
    assert found["rows"] == 2
    assert [(row["source_id"], row["reason"], row["rows"]) for row in found["reasons"]] == [
        ("web", "incomplete", 1),
        ("web", "score_off_scale", 1),
    ]
    assert {(row["day"], row["reason"], row["rows"]) for row in found["days"]} == {
        ("2026-03-02", "score_off_scale", 1),
        ("2026-03-03", "incomplete", 1),
    }
    example = next(row for row in found["examples"] if row["reason"] == "score_off_scale")
    assert (example["id"], example["file_name"], example["landed"]["score"]) == ("r2", "first.csv", "9")
    assert not [name for name in example["landed"] if name.endswith("_key") or name == "comment"]


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        (("--source", "shop"), 0),
        (("--reason", "incomplete"), 1),
        (("--from", "2026-03-03"), 1),
        (("--to", "2026-03-02"), 1),
        (("--from", "2026-03-02", "--to", "2026-03-03"), 2),
    ],
)
def test_the_quarantine_is_filtered(home: Home, words: tuple[str, ...], rows: int) -> None:
    assert said(home, "quarantine", *words)["rows"] == rows
    printed = ces(home, "quarantine", *words)
    assert printed.exit_code == 0
    assert ("no rejected row" in printed.stdout) == (rows == 0)


@pytest.mark.parametrize(("option", "near"), [("--source", "web"), ("--reason", "incomplete")])
def test_an_unknown_source_or_reason_names_the_nearest(home: Home, option: str, near: str) -> None:
    result = ces(home, "quarantine", option, near[:-1])
    assert result.exit_code == 2
    assert near in result.stderr


def test_why_shows_every_source_that_has_the_id(home: Home) -> None:
    found = said(home, "why", "r1")["found"]
    assert [(entry["kind"], entry["source_id"]) for entry in found] == [("survey", "shop"), ("survey", "web")]


def test_why_shows_revisions_days_and_the_link(home: Home) -> None:
    web = next(entry for entry in said(home, "why", "r1")["found"] if entry["source_id"] == "web")
    rows = [
        (
            row["day"],
            row["file_name"],
            row["row_number"],
            row["landed"]["score"],
            row["outcome"],
            row["revision"],
        )
        for row in web["rows"]
    ]
    first, second = rows
    assert (first[0], first[1], first[3], first[4], first[5]) == (
        "2026-03-02",
        "first.csv",
        "2",
        "superseded",
        1,
    )
    assert (second[0], second[1], second[3], second[4], second[5]) == (
        "2026-03-03",
        "second.csv",
        "4",
        "newest",
        2,
    )
    assert web["days"] == ["2026-03-02", "2026-03-03"]
    (stored,) = web["stored"]
    assert (stored["state"], stored["day"]) == ("accepted", "2026-03-03")
    (link,) = web["links"]
    assert (link["id"], link["source_id"], link["method"]) == ("T1", "desk", "ticket_id")
    assert link["confidence"] > 0
    assert not [verdict for verdict in web["verdicts"] if verdict["is_broken"]]


def test_why_gives_every_rules_evidence_verdict_and_setting(home: Home) -> None:
    (entry,) = said(home, "why", "r2")["found"]
    verdicts = {verdict["rule"]: verdict for verdict in entry["verdicts"]}
    assert [rule for rule, verdict in verdicts.items() if verdict["is_broken"]] == ["score_off_scale"]
    assert verdicts["score_off_scale"]["evidence"] == 1
    assert verdicts["score_off_scale"]["severity"] == "reject"
    # No duration: the evidence is missing, and a missing one breaks no rule.
    assert verdicts["too_fast"]["evidence"] is None
    assert "min_duration_seconds" in verdicts["too_fast"]["settings"]
    (stored,) = entry["stored"]
    assert (stored["state"], stored["reasons"]) == ("rejected", ["score_off_scale"])
    printed = ces(home, "why", "r2").stdout
    assert "score_off_scale" in printed
    assert "first.csv" in printed


def test_why_of_a_ticket_shows_its_versions_and_answers(home: Home) -> None:
    (entry,) = said(home, "why", "T1")["found"]
    assert (entry["kind"], entry["source_id"], entry["stored"][0]["state"]) == ("tickets", "desk", "accepted")
    assert [(link["id"], link["source_id"]) for link in entry["links"]] == [("r1", "web")]


def test_why_of_an_id_that_never_landed_says_so(home: Home) -> None:
    result = ces(home, "why", "r99")
    assert result.exit_code == 1
    assert "r99" in result.stderr
    assert "web" in result.stderr


@pytest.mark.parametrize("words", [("why", "r1"), ("quarantine",), ("deliveries",)])
def test_no_person_is_shown(home: Home, words: tuple[str, ...]) -> None:
    for more in ((), ("--json",)):
        shown = ces(home, *words, *more).output
        for person in ("ann", "bob", "cleo", "dora", "it was hard"):
            assert person not in shown.lower().replace("many", "").replace("scanned", "")


def test_why_goes_on_without_a_published_file_or_with_a_lost_raw_file(home: Home, tmp_path: Path) -> None:
    damaged = Home(Path(shutil.copytree(home.root, tmp_path / "home")))
    damaged.published.unlink()
    next((damaged.lake / "raw" / "web").glob("*/*.parquet")).unlink()
    found = said(damaged, "why", "r1")["found"]
    assert any(entry["links"] is None for entry in found)
    assert any(note for entry in found for note in entry["notes"])


def test_a_day_that_waits_is_noted(home: Home, tmp_path: Path) -> None:
    waiting = Home(Path(shutil.copytree(home.root, tmp_path / "home")))
    next((waiting.lake / "audit/load_audit/kind=survey/day=2026-03-04").glob("*.parquet")).unlink()
    shop = next(entry for entry in said(waiting, "why", "r1")["found"] if entry["source_id"] == "shop")
    assert any("2026-03-04" in note and "ces run" in note for note in shop["notes"])
