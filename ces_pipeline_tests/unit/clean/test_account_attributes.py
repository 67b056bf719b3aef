"""Protects effective-dated personas: the version of the day decides, in any order of deliveries, and moves no other."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.clean.account_attributes import account_names
from ces_pipeline.clean.inputs import read_commit_markers
from ces_pipeline.errors import RegistryError
from ces_pipeline.registry import load_registry
from ces_pipeline_tests.builders import WEB, InboxHome, answer, inbox_home
from ces_pipeline_tests.drills.homes import clean, damage, run, stale
from ces_pipeline_tests.lake_days import days_from

CRM: dict[str, Any] = {
    "id": "crm",
    "kind": "accounts",
    "reader": "csv",
    "columns": {"person": "email", "valid_from": "since", "valid_to": "until"},
}
RULES = [
    {"id": "big", "value": "enterprise", "when": {"account.plan": ["Enterprise", "Corporate"]}},
    {"id": "small", "value": "smb", "when": {"account.plan": "SMB"}},
]
FIRST = date(2026, 2, 20)


def version(who: str, since: str, plan: str, until: str = "") -> dict[str, Any]:
    return {"email": f"{who}@example.org", "since": since, "until": until, "plan": plan, "note": "x"}


def said(who: str, day: date) -> dict[str, Any]:
    """An answer at noon, a minute later each day: more than the duplicate window apart."""
    recorded = f"{day}T12:{(day - FIRST).days:02}:00Z"
    return answer(f"{who}{day:%d%m}", email=f"{who}@example.org", recorded=recorded)


@pytest.fixture
def crm_home(tmp_path: Path) -> InboxHome:
    """Ann answers on days 1 to 10 of the fixture, bob on day 3."""
    small = inbox_home(tmp_path, WEB, CRM, segments=RULES)
    rows = [said("ann", day) for day in days_from(FIRST, 10)]
    small.drop("answers.csv", [*rows, said("bob", date(2026, 2, 22))])
    return small


def personas(small: InboxHome, who: str = "ann") -> list[str]:
    """Persona of each answer in order of days, from the lake."""
    found = []
    for path in sorted((small.home.lake / "core/responses").rglob("*.parquet")):
        rows = small.lake.read_table(str(path.relative_to(small.home.lake))).to_pylist()
        found += [row["persona"] for row in rows if row["response_id"].startswith(f"r{who}")]
    return found


def prepare(small: InboxHome) -> None:
    for source_id in ("web", "crm"):
        assert small.land(source_id).failures == ()
    results = [*clean(small.home, kind="accounts"), *clean(small.home)]
    assert [result.problems for result in results if result.problems] == []


def test_an_upgrade_does_not_rewrite_history(crm_home: InboxHome) -> None:
    crm_home.drop(
        "a.csv", [version("ann", "2026-02-20", "SMB"), version("ann", "2026-02-25", "Enterprise")], "crm"
    )
    prepare(crm_home)
    assert personas(crm_home) == ["smb"] * 5 + ["enterprise"] * 5
    assert personas(crm_home, "bob") == ["unassigned"]


def test_the_first_version_stands_for_the_days_before_it_and_an_ended_one_for_none(
    crm_home: InboxHome,
) -> None:
    ended = version("ann", "2026-02-22", "SMB", until="2026-02-24T00:00:00Z")
    crm_home.drop("a.csv", [ended, version("ann", "2026-02-27", "corporate ")], "crm")
    prepare(crm_home)
    assert personas(crm_home) == ["smb"] * 4 + ["unassigned"] * 3 + ["enterprise"] * 3


def test_an_overlap_is_settled_by_the_later_version(crm_home: InboxHome) -> None:
    over = version("ann", "2026-02-20", "SMB", until="2027-01-01")
    crm_home.drop("a.csv", [over, version("ann", "2026-02-23", "Enterprise")], "crm")
    prepare(crm_home)
    assert personas(crm_home) == ["smb"] * 3 + ["enterprise"] * 7


def test_a_version_makes_only_its_persons_days_from_then_on_stale(crm_home: InboxHome) -> None:
    crm_home.drop("a.csv", [version("ann", "2026-02-20", "SMB"), version("bob", "2026-02-20", "SMB")], "crm")
    prepare(crm_home)
    assert stale(crm_home.home) == []
    crm_home.drop(
        "b.csv", [version("ann", "2026-02-27", "Enterprise"), version("bob", "2026-02-25", "X")], "crm"
    )
    crm_home.land("crm")
    clean(crm_home.home, kind="accounts")
    assert stale(crm_home.home) == ["2026-02-27", "2026-02-28", "2026-03-01"]


def test_an_attribute_that_no_rule_asks_for_makes_no_day_stale(crm_home: InboxHome) -> None:
    crm_home.drop("a.csv", [version("ann", "2026-02-20", "SMB")], "crm")
    prepare(crm_home)
    crm_home.drop("b.csv", [{**version("ann", "2026-02-22", "SMB"), "note": "other"}], "crm")
    crm_home.land("crm")
    clean(crm_home.home, kind="accounts")
    assert stale(crm_home.home) == []


def test_no_order_of_deliveries_changes_a_persona(tmp_path: Path) -> None:
    deliveries = [
        [version("ann", "2026-02-20", "SMB")],
        [version("ann", "2026-02-25", "Enterprise")],
        [version("ann", "2026-02-25", "Corporate"), version("ann", "2026-02-26", "other")],
    ]
    seen = set()
    for number, order in enumerate(((0, 1, 2), (2, 1, 0))):
        small = inbox_home(tmp_path / str(number), WEB, CRM, segments=RULES)
        small.drop("answers.csv", [said("ann", day) for day in days_from(FIRST, 8)])
        small.land()
        for place in order:
            small.drop(f"{place}.csv", deliveries[place], "crm")
            small.land("crm")
            clean(small.home, kind="accounts")
            clean(small.home)
        seen.add(tuple(personas(small)))
    assert seen == {("smb",) * 5 + ("enterprise",) + ("unassigned",) * 2}


@pytest.mark.slow
def test_a_restatement_moves_its_days_and_is_recorded(crm_home: InboxHome) -> None:
    crm_home.drop(
        "a.csv", [version("ann", "2026-02-20", "SMB"), version("ann", "2026-02-25", "Enterprise")], "crm"
    )
    run(crm_home.home)
    entry = {"id": "upgrade", "first_day": date(2026, 2, 21), "last_day": date(2026, 2, 23)}
    crm_home.write_registry(WEB, CRM, segments=RULES, restatements=[{**entry, "as_of": date(2026, 2, 26)}])
    assert stale(crm_home.home) == ["2026-02-21", "2026-02-22", "2026-02-23"]
    run(crm_home.home)
    assert personas(crm_home) == ["smb"] + ["enterprise"] * 3 + ["smb"] + ["enterprise"] * 5
    restated = crm_home.lake.list("audit/restatements")
    rows = [row for info in restated for row in crm_home.lake.read_table(info.path).to_pylist()]
    assert [(row["table_name"], row["day"].day) for row in rows] == [
        ("core.responses", day) for day in (21, 22, 23)
    ]


def test_rejected_versions_are_kept_with_their_reasons(crm_home: InboxHome) -> None:
    rows = [
        version("ann", "2026-02-20", "SMB"),
        {**version("ann", "2026-02-20", "SMB"), "email": ""},
        version("bob", "someday", "SMB"),
        version("cat", "2026-02-20", "SMB", until="2026-02-19"),
    ]
    crm_home.drop("a.csv", rows, "crm")
    result = run(crm_home.home)
    assert (result.rows["core.account_versions"], result.rows["core.rejected_accounts"]) == (1, 3)
    kept = [
        row
        for path in (crm_home.home.lake / "core/rejected_accounts").rglob("*.parquet")
        for row in crm_home.lake.read_table(str(path.relative_to(crm_home.home.lake))).to_pylist()
    ]
    assert sorted(row["reasons"] for row in kept) == [["missing_person"], ["missing_time"], ["time_order"]]
    assert crm_home.find("ann@example.org", "cat@example.org") == []


def test_a_version_without_a_time_holds_from_its_receipt_and_before_the_calendar_from_its_own_time(
    crm_home: InboxHome,
) -> None:
    crm_home.drop("a.csv", [version("ann", "1999-01-01", "SMB"), version("ann", "", "Enterprise")], "crm")
    prepare(crm_home)
    assert set(personas(crm_home)) == {"smb"}


@pytest.mark.parametrize("how", ["truncated", "deleted"])
def test_a_damaged_day_of_accounts_is_cleaned_again_and_until_then_nothing_is_written(
    crm_home: InboxHome, how: str
) -> None:
    crm_home.drop("a.csv", [version("ann", "2026-02-20", "SMB")], "crm")
    prepare(crm_home)
    (path,) = (crm_home.home.lake / "core/account_versions").rglob("*.parquet")
    damage(path, how)
    assert stale(crm_home.home, "accounts") == ["2026-02-20"]
    problems = {result.day: result.problems for result in clean(crm_home.home, days_from(FIRST, 2))}
    file = str(path.relative_to(crm_home.home.lake))
    for (problem,) in problems.values():
        assert file in problem
        assert "ces run" in problem
    clean(crm_home.home, kind="accounts")
    assert stale(crm_home.home) == []
    assert set(personas(crm_home)) == {"smb"}


def test_a_damaged_day_of_answers_does_not_stop_the_others(crm_home: InboxHome) -> None:
    crm_home.drop("a.csv", [version("ann", "2026-02-20", "SMB")], "crm")
    prepare(crm_home)
    (path,) = (crm_home.home.lake / "raw/web/day=2026-02-22").rglob("*.parquet")
    damage(path, "truncated")
    crm_home.drop("b.csv", [version("ann", "2026-02-27", "Enterprise")], "crm")
    crm_home.land("crm")
    clean(crm_home.home, kind="accounts")
    failed = [result.day.day for result in clean(crm_home.home) if result.problems]
    assert failed == [22]
    assert personas(crm_home) == ["smb"] * 7 + ["enterprise"] * 3


def test_days_that_ask_for_no_account_depend_on_none(tmp_path: Path) -> None:
    small = inbox_home(tmp_path, WEB, CRM)
    small.drop("answers.csv", [said("ann", FIRST)])
    prepare(small)
    before = {day: mark.inputs for day, mark in read_commit_markers(small.lake, "survey").items()}
    small.drop("a.csv", [version("ann", "2026-02-20", "SMB")], "crm")
    small.land("crm")
    clean(small.home, kind="accounts")
    assert stale(small.home) == []
    assert {day: mark.inputs for day, mark in read_commit_markers(small.lake, "survey").items()} == before


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"sources": [WEB]}, r"segments.yaml, line \d+: entry big: when: .*sources.yaml .*accounts"),
        ({"segments": RULES[:0]}, r"restatements.yaml, line \d+: entry one: no rule of segments.yaml"),
        ({}, r"restatements.yaml, line \d+: entry two: first_day: entry one .*2026-02-03"),
    ],
)
def test_what_could_never_work_is_an_error(tmp_path: Path, files: dict[str, Any], message: str) -> None:
    spans = [("one", "2026-02-01", "2026-02-03"), ("two", "2026-02-03", "2026-02-05")]
    restatements = [
        {"id": name, "first_day": a, "last_day": b, "as_of": "2026-03-01"} for name, a, b in spans
    ]
    small = inbox_home(tmp_path, WEB, CRM, **{"segments": RULES, "restatements": restatements, **files})
    with pytest.raises(RegistryError, match=message):
        load_registry(small.home.registry)


def test_account_names_are_those_with_the_prefix() -> None:
    assert account_names(("account.plan", "accountant", "plan")) == ("account.plan",)
