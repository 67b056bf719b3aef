"""Protects the handling of tickets: the first matching rule decides; without a match it is unknown."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from ces_pipeline.clean.judged_by import judged_by
from ces_pipeline.errors import RegistryError
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.registry.overlaps import overlaps
from ces_pipeline_tests.builders import WEB, inbox_home
from ces_pipeline_tests.lake_days import DAY, NOON, registry, response, ticket
from ces_pipeline_tests.sql.snapshots import derived

RULES = """
- {id: bot, assigns: handling, value: automated, when: {channel: [Chatbot, api], replies: 0, status: [solved, closed]}}
- {id: robots, assigns: handling, value: automated, when: {group_name: Straßen-Bot}}
- {id: second_line, assigns: handling, value: escalated, when: {handoffs: [2, 3.0]}}
- {id: loose, assigns: handling, value: other, when: {category: unknown, channel: chatbot}}
- {id: big, value: enterprise, when: {product: A}}
"""
MARTS = ["mart.handling_effort", "mart.category_effort", "mart.effort_index", "mart.link_coverage_daily"]


def here(tmp_path: Path, rules: str = RULES) -> Registry:
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "segments.yaml").write_text(rules, encoding="utf-8")
    return registry(tmp_path, minimum_n=3)


def handling_of(registry: Registry, **values: Any) -> str:
    with derived(registry, ["mart.ticket_effort"], {"core.tickets": [ticket("t", **values)]}) as snapshot:
        return str(snapshot.row("SELECT handling FROM mart.ticket_effort")["handling"])


@pytest.mark.parametrize(
    ("values", "handling"),
    [
        ({"channel": "chatbot", "replies": 0, "status": "solved", "category": "x"}, "automated"),
        ({"channel": "api", "replies": 0, "status": "closed"}, "automated"),
        # Two of three conditions are not enough, and a number that is not known is not 0.
        ({"channel": "api", "replies": 1, "status": "closed"}, "unknown"),
        ({"channel": "api", "status": "closed"}, "unknown"),
        ({"channel": "api", "replies": 0}, "unknown"),
        ({"group_name": "STRASSEN-bot"}, "unknown"),
        ({"group_name": "STRAßEN-bot"}, "automated"),
        # Where several match, the first decides.
        ({"channel": "chatbot", "replies": 0, "status": "solved", "handoffs": 2}, "automated"),
        ({"handoffs": 3, "channel": "chatbot"}, "escalated"),
        ({"channel": "chatbot"}, "other"),
        ({"channel": "chatbot", "category": "billing"}, "unknown"),
        ({"product": "A"}, "unknown"),
    ],
)
def test_the_first_rule_whose_conditions_all_hold_decides(
    tmp_path: Path, values: dict[str, Any], handling: str
) -> None:
    assert handling_of(here(tmp_path), **values) == handling


def test_without_a_rule_nothing_is_derived(tmp_path: Path) -> None:
    silent = {"channel": "chatbot", "replies": 0, "status": "solved"}
    assert handling_of(here(tmp_path, "[]"), **silent) == "unknown"


def test_a_rule_about_handling_moves_no_answer(tmp_path: Path) -> None:
    only_personas = "\n".join(line for line in RULES.splitlines() if "handling" not in line)
    with_handling, plain = here(tmp_path / "a"), here(tmp_path / "b", only_personas)
    assert [rule.id for rule in with_handling.segments] == ["big"]
    for kind in ("survey", "tickets"):
        assert judged_by(with_handling, kind) == judged_by(plain, kind)


def test_the_figures_are_those_computed_by_hand_and_add_up(tmp_path: Path) -> None:
    minutes = [10.0, 30.0, 20.0, 60.0, 40.0, 50.0]
    tickets = [
        ticket(f"a{n}", channel="api", replies=0, status="solved", category="c", created_at=NOON, requester_key=f"p{n}",
               solved_at=NOON + timedelta(minutes=took), resolution_minutes=took, reopens=int(n == 0))
        for n, took in enumerate(minutes)
    ]  # fmt: skip
    next_week = NOON + timedelta(days=7)
    tickets += [
        ticket("h", created_at=next_week, solved_at=next_week, replies=2),
        ticket("open", created_at=NOON, channel="api"),
        ticket("gone", created_at=NOON, solved_at=NOON, is_deleted=True),
    ]
    eases = [0.0, 100.0, 50.0]
    given = {
        "core.tickets": tickets,
        "core.responses": [response(f"r{n}", ease=ease) for n, ease in enumerate(eases)],
        "core.response_tickets": [
            {
                "response_key": f"r{n}",
                "ticket_key": f"a{n}",
                "method": "ticket_id",
                "confidence": 1.0,
                "day": DAY,
            }
            for n in range(3)
        ],
    }
    with derived(here(tmp_path), MARTS, given) as snapshot:
        rows = {(row["period"], row["handling"]): row for row in snapshot.rows("FROM mart.handling_effort")}
        assert snapshot.check("tickets_tie").passed
        snapshot.connection.execute("DELETE FROM mart.handling_effort WHERE handling = 'unknown'")
        assert snapshot.check("tickets_tie").failures == 2
    assert len(rows) == 4
    row = rows["week", "automated"]
    assert (row["period_start"], row["tickets"], row["timed_tickets"]) == (DAY, 6, 6)
    # Of six values the interval of the median goes from the least to the greatest.
    assert (row["median_resolution_minutes"], row["median_resolution_minutes_low"]) == (35.0, 10.0)
    assert row["median_resolution_minutes_high"] == 60.0
    assert (row["reopened_share"], row["repeat_known"]) == (pytest.approx(1 / 6), 6)
    assert (row["reopened_share_low"], row["reopened_share_high"]) == pytest.approx(
        proportion_confint(1, 6, method="wilson")
    )
    # Sample SD 50 of three answers.
    half = stats.t.ppf(0.975, 2) * 50 / 3**0.5
    assert (row["n"], row["mean_ease_0_100"], row["mean_effort_0_100"]) == (3, 50.0, 50.0)
    assert (row["ease_low_0_100"], row["ease_high_0_100"]) == (
        pytest.approx(max(50 - half, 0)),
        pytest.approx(min(50 + half, 100)),
    )
    assert (row["difficult_count"], row["is_effort_suppressed"]) == (1, False)
    alone = rows["all", "unknown"]
    assert (alone["period_start"], alone["tickets"], alone["n"]) == (DAY, 1, 0)
    assert (alone["reopened_share"], alone["mean_ease_0_100"], alone["is_effort_suppressed"]) == (
        None,
        None,
        True,
    )


def test_a_rule_that_asks_for_what_no_ticket_has_is_refused(tmp_path: Path) -> None:
    rule = {"id": "bot", "assigns": "handling", "value": "automated", "when": {"persona": "smb"}}
    home = inbox_home(tmp_path, WEB)
    with pytest.raises(RegistryError) as caught:
        load_registry(inbox_home(tmp_path / "x", WEB, segments=[rule]).home.registry)
    for part in ("segments.yaml, line 1: entry bot: ", "'persona'", "group_name"):
        assert part in str(caught.value)
    assert load_registry(home.home.registry).handling == ()


def test_rules_that_overlap_are_reported(tmp_path: Path) -> None:
    found = {(pair.first.id, pair.second.id): pair.is_shadowed for pair in overlaps(here(tmp_path))}
    assert found["bot", "second_line"] is False
    assert ("bot", "big") not in found
