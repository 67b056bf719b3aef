"""Protects the programme's checklist: ten items, each with evidence that it is done and evidence that it is not."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.doctor.programme import ITEMS, Evidence, checklist
from ces_pipeline.home import Home
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline_tests.lake_days import registry

SETTINGS = (
    "business_time_zone: UTC\nfirst_day: 2026-03-01\ntag_coverage_warning: 0.5\nreject_share_warning: 0.25\n"
)
FILES = {
    "settings": SETTINGS,
    "scales": "",
    "surveys": "- {id: chat, scale: ease_1_5, journey_stage: support, process: support}\n",
    "segments": "- {id: big, value: big, when: {channel: chat}}\n",
    "sources": "- {id: web, kind: survey, reader: csv, survey: chat, columns: {response_id: a, recorded_at: b, score: c}}\n"
    "- {id: desk, kind: tickets, reader: csv, columns: {ticket_id: a, created_at: b, updated_at: c}}\n",
    "alerts": "channels: [{id: chat, kind: apprise, url: CHAT_URL}]\n"
    "rules: [{id: hard, owner: me, severity: warning, channels: [chat], anomaly: {}}]\n",
    "fixes": "- {id: faster, title: Faster, lever: slow_api, live_on: 2026-03-02, categories: [billing]}\n",
}
TOUCHPOINTS, SEGMENTS, TICKETS, DASHBOARDS, TRIGGERS, PREDICTION, COMMENTS, QUALITY, JOURNEYS, FIXES = range(
    10
)


def metric(
    name: str, value: float | None, unit: str = "share", why: str | None = None
) -> list[dict[str, Any]]:
    state = "measured" if value is not None else "not measurable yet"
    row = {"metric": name, "segment": "all", "day": date(2026, 3, 2), "value": value, "unit": unit, "n": 40}
    return [{**row, "state": state, "why_null": why}]


MEASURED = {
    "responses_linked_share": metric("responses_linked_share", 0.8),
    "alerts": metric("alerts", 0.0, "alerts"),
    "model_precision_share": metric("model_precision_share", 0.6),
    "commented_share": metric("commented_share", 0.1),
    "mean_ease_0_100": metric("mean_ease_0_100", 68.8, "points 0 to 100"),
    "fix_effort_change_0_100": metric("fix_effort_change_0_100", -31.9, "points 0 to 100"),
}
GOOD = Evidence(
    metrics=MEASURED,
    counts={"core.responses": 40, "core.invitations": 80, "core.tickets": 50, "core.follow_ups": 0},
    silent=(),
    persona_share=0.9,
    rejected_share=0.05,
)


def registry_of(folder: Path, **files: str) -> Registry:
    folder.mkdir(exist_ok=True)
    for name, text in {**FILES, **files}.items():
        if text:
            (folder / f"{name}.yaml").write_text(text)
    return load_registry(folder)


def without(name: str, why: str = "nothing is known") -> Evidence:
    return replace(GOOD, metrics={**MEASURED, name: metric(name, None, why=why)})


def low(name: str, value: float) -> Evidence:
    return replace(GOOD, metrics={**MEASURED, name: metric(name, value)})


def judged(number: int, registry: Registry, evidence: Evidence) -> tuple[str, str]:
    state, text, to_do = list(ITEMS.values())[number](registry, evidence)
    assert to_do or state == "done"
    return state, text


@pytest.mark.parametrize("number", range(10))
def test_every_item_is_done_where_all_is_there(tmp_path: Path, number: int) -> None:
    assert judged(number, registry_of(tmp_path), GOOD)[0] == "done"


@pytest.mark.parametrize(
    ("number", "files", "evidence", "word"),
    [
        (TOUCHPOINTS, {}, replace(GOOD, silent=("chat",)), "chat"),
        (TOUCHPOINTS, {}, replace(GOOD, counts={**GOOD.counts, "core.responses": 0}), "no answer"),
        (SEGMENTS, {"segments": "[]\n"}, GOOD, "no persona rule"),
        (SEGMENTS, {}, replace(GOOD, persona_share=0.2), "20 %"),
        (TICKETS, {"sources": FILES["sources"].splitlines()[0] + "\n"}, GOOD, "no source of tickets"),
        (TICKETS, {}, low("responses_linked_share", 0.0), "0.0 %"),
        (TICKETS, {}, without("responses_linked_share", "no answer"), "no answer"),
        (DASHBOARDS, {}, without("alerts", "no incident yet"), "no incident yet"),
        (DASHBOARDS, {"alerts": "rules: []\n"}, GOOD, "names a channel"),
        (TRIGGERS, {}, replace(GOOD, counts={**GOOD.counts, "core.invitations": 0}), "no invitation"),
        (PREDICTION, {}, without("model_precision_share", "no model"), "no model"),
        (COMMENTS, {}, low("commented_share", 0.0), "0.0 %"),
        (QUALITY, {}, replace(GOOD, rejected_share=0.4), "40.0 %"),
        (JOURNEYS, {"surveys": "- {id: chat, scale: ease_1_5}\n"}, GOOD, "chat"),
        (FIXES, {"fixes": "[]\n"}, GOOD, "no fix"),
        (FIXES, {}, without("fix_effort_change_0_100", "too few answers"), "too few answers"),
    ],
)
def test_an_item_is_not_done_and_says_what_is_known(
    tmp_path: Path, number: int, files: dict[str, str], evidence: Evidence, word: str
) -> None:
    state, text = judged(number, registry_of(tmp_path, **files), evidence)
    assert state == "not done"
    assert word in text


def test_a_metric_that_the_file_does_not_have_is_not_known(tmp_path: Path) -> None:
    evidence = replace(GOOD, metrics={})
    registry = registry_of(tmp_path)
    unknown = {number for number in range(10) if judged(number, registry, evidence)[0] == "not known"}
    assert unknown == {TICKETS, DASHBOARDS, PREDICTION, COMMENTS, JOURNEYS, FIXES}
    assert judged(SEGMENTS, registry, replace(GOOD, persona_share=None))[0] == "not known"
    assert judged(QUALITY, registry, replace(GOOD, rejected_share=None))[0] == "not known"


def test_without_a_published_file_all_ten_are_not_known(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    registry(home.registry)
    items = list(checklist(home))
    assert [item.number for item in items] == list(range(1, 11))
    assert {item.state for item in items} == {"not known"}
    home.published.write_bytes(b"not a database")
    assert {item.state for item in checklist(home)} == {"not known"}
    (home.registry / "surveys.yaml").write_text("- [")
    assert {item.state for item in checklist(home)} == {"not known"}
