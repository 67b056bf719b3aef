"""Protects the history of verdicts: a row per response that is judged otherwise, once, and nothing for revisions."""

from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.clean import day as day_module
from ces_pipeline.schemas.audit import VERDICT_CHANGES
from ces_pipeline_tests.builders import SURVEYS, WEB, InboxHome, answer, inbox_home
from ces_pipeline_tests.drills.homes import clean


@pytest.fixture
def home(tmp_path: Path) -> InboxHome:
    """Two answers of one person within a day, one off the scale, one good: judged once."""
    home = inbox_home(tmp_path / "home")
    home.drop(
        "a.csv",
        [
            answer(1, email="ann@example.org"),
            answer(2, email="ann@example.org", recorded="2026-03-02T13:00:00Z"),
            answer(3, score=9),
            answer(4),
        ],
    )
    home.land()
    clean(home.home)
    return home


def history(home: InboxHome) -> list[tuple[Any, ...]]:
    path = home.home.lake / "audit" / "verdict_changes"
    rows = [
        row
        for file in sorted(path.rglob("*.parquet"))
        for row in home.lake.read_table(str(file.relative_to(home.home.lake))).to_pylist()
    ]
    keys = {row["response_key"]: row["response_id"] for row in judged(home)}
    return sorted(
        (
            keys[row["response_key"]],
            row["verdict_before"],
            row["reasons_before"],
            row["verdict_now"],
            row["reasons_now"],
        )
        for row in rows
    )


def judged(home: InboxHome) -> list[dict[str, Any]]:
    return [
        row
        for table in ("responses", "rejected_responses")
        for file in sorted((home.home.lake / "core" / table).rglob("*.parquet"))
        for row in home.lake.read_table(str(file.relative_to(home.home.lake))).to_pylist()
    ]


def rules(home: InboxHome, **severities: str) -> None:
    home.write_registry(WEB, surveys=[{**SURVEYS[0], "rules": {"severities": severities}}])
    clean(home.home)


def test_a_first_judgement_and_the_same_one_again_are_no_change(home: InboxHome) -> None:
    clean(home.home, [row["day"] for row in home.rows()][:1])
    assert history(home) == []


def test_each_change_of_a_rule_adds_the_responses_that_it_moves(home: InboxHome) -> None:
    rules(home, duplicate="suspect")
    first = [("r2", "rejected", ["duplicate"], "suspect", ["duplicate"])]
    assert history(home) == first
    rules(home, duplicate="off")
    second = ("r2", "suspect", ["duplicate"], "accepted", [])
    assert history(home) == sorted([*first, second])
    rules(home, duplicate="off")
    assert len(history(home)) == 2


def test_a_revision_is_another_content_and_no_change_of_a_verdict(home: InboxHome) -> None:
    home.drop("b.csv", [answer(3, score=4, recorded="2026-03-02T12:30:00Z")])
    home.land()
    clean(home.home)
    assert [row["response_id"] for row in judged(home) if "reasons" in row] == ["r2"]
    assert history(home) == []


def test_answers_of_a_survey_that_is_registered_later_are_in_the_history(tmp_path: Path) -> None:
    by_form = {name: value for name, value in WEB.items() if name != "survey"} | {"survey_column": "form"}
    home = inbox_home(tmp_path / "home", by_form)
    home.drop("a.csv", [answer(1, form="Kiosk"), answer(2, form="after_chat")])
    home.land()
    clean(home.home)
    home.write_registry(by_form, surveys=[{**SURVEYS[0], "also_known_as": ["Kiosk"]}])
    clean(home.home)
    ((_, before, reasons, now, _),) = history(home)
    assert (before, now) == ("rejected", "accepted")
    assert reasons == ["unregistered_survey"]


def test_a_killed_cleaning_leaves_no_change_twice(home: InboxHome, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write_registry(WEB, surveys=[{**SURVEYS[0], "rules": {"severities": {"duplicate": "suspect"}}}])

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(day_module, "_write_commit_marker", killed)
    with pytest.raises(KeyboardInterrupt):
        clean(home.home)
    monkeypatch.undo()
    clean(home.home)
    assert len(history(home)) == 1


def test_the_history_has_the_columns_of_its_table(home: InboxHome) -> None:
    rules(home, duplicate="suspect")
    (file,) = (home.home.lake / "audit" / "verdict_changes").rglob("*.parquet")
    assert home.lake.read_table(str(file.relative_to(home.home.lake))).schema.names == list(
        VERDICT_CHANGES.columns
    )
