"""Protects the ranking of categories: every input visible, contributions that add up, and nothing ranked by default."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ces_pipeline.registry import Registry
from ces_pipeline.registry.priorities import Priorities
from ces_pipeline.statistics.priorities import priorities
from ces_pipeline_tests.lake_days import DAY, NOON, registry, response, ticket
from ces_pipeline_tests.sql.snapshots import derived
from ces_pipeline_tests.sql.test_tickets import link

MART = "mart.priorities"


@pytest.fixture
def here(tmp_path: Path) -> Registry:
    return registry(tmp_path)


def valued(here: Registry, **entries: Any) -> Registry:
    return here.model_copy(update={"priorities": Priorities(**entries)})


def asked(
    cells: dict[tuple[str, str, str], list[float]], unanswered: dict[str, int]
) -> dict[str, list[dict[str, Any]]]:
    """Tickets with one answer each, (category, persona, channel) -> efforts, and tickets without."""
    tickets, responses, links = [], [], []
    for (category, persona, channel), efforts in cells.items():
        for effort in efforts:
            key = f"{len(tickets):03}"
            tickets.append(ticket(f"t{key}", category=category, created_at=NOON, requester_key=f"p{key}"))
            responses.append(
                response(
                    f"r{key}", ease=100 - effort, persona=persona, channel=channel, respondent_key=f"p{key}"
                )
            )
            links.append(link(f"r{key}", f"t{key}"))
    for category, count in unanswered.items():
        tickets += [ticket(f"{category}{n}", category=category, created_at=NOON) for n in range(count)]
    return {"core.tickets": tickets, "core.responses": responses, "core.response_tickets": links}


CELLS = {
    ("billing", "enterprise", "phone"): [75.0, 100.0],
    ("billing", "unassigned", "web"): [50.0, 75.0],
    ("login", "enterprise", "phone"): [50.0, 75.0],
    ("login", "unassigned", "web"): [0.0, 25.0],
}


def test_the_inputs_and_the_score_are_those_computed_by_hand(here: Registry) -> None:
    here = valued(
        here,
        value_weights={"enterprise": 3, "unassigned": 1},
        category_costs={"billing": 4, "login": 10},
        quick_win_cost=5,
    )
    with derived(here, [MART], asked(CELLS, {"billing": 6})) as snapshot:
        rows = snapshot.rows(f"FROM {MART} ORDER BY level, category, persona")
        assert snapshot.check("priorities_tie").passed
    billing, login = rows[:2]
    # Strata: enterprise by phone, mean 75, and unassigned by web, mean 37.5; four answers each. Billing is 12.5 and
    # 25 above them: (4 x 12.5 + 4 x 25) / 8.
    assert (billing["persona"], billing["tickets"], billing["n"]) == ("all personas", 10, 4)
    assert billing["mean_effort_0_100"] == 75
    assert billing["excess_effort_0_100"] == pytest.approx(18.75)
    # Within each of the four pairs two answers 25 apart: variance 312.5; (4/8)^2 x 312.5 x (1/2 - 1/4), twice.
    half = 1.959963985 * (2 * 0.25 * 312.5 * 0.25) ** 0.5
    assert billing["excess_low_0_100"] == pytest.approx(18.75 - half)
    assert billing["excess_high_0_100"] == pytest.approx(18.75 + half)
    # Two tickets of enterprise, eight of unknown people: (2 x 3 + 8 x 1) / 10.
    assert (billing["value_weight"], billing["cost"]) == (pytest.approx(1.4), 4)
    assert billing["confidence"] == pytest.approx(4 / 6)
    assert billing["excess_points"] == pytest.approx(187.5)
    assert billing["priority_score"] == pytest.approx(187.5 * 4 / 6 * 1.4 / 4)
    assert (billing["priority_rank"], billing["excess_share"], billing["missing_inputs"]) == (1, 1.0, None)
    assert (login["excess_points"], login["excess_share"], login["is_quick_win"]) == (-75.0, 0.0, False)
    assert billing["is_quick_win"] is True
    assert {row["total_excess_points"] for row in rows[:2]} == {112.5}
    enterprise = next(
        row for row in rows[2:] if (row["category"], row["persona"]) == ("billing", "enterprise")
    )
    assert (enterprise["tickets"], enterprise["excess_effort_0_100"]) == (2, pytest.approx(12.5))
    assert enterprise["weight_covered_share"] == 1


def test_a_missing_input_is_reported_and_never_made_up(here: Registry) -> None:
    here = valued(here, value_weights={"enterprise": 3}, category_costs={"billing": 4})
    with derived(here, [MART], asked(CELLS, {"printer": 3})) as snapshot:
        rows = {
            (row["category"], row["persona"]): row
            for row in snapshot.rows(f"FROM {MART} ORDER BY level, category")
        }
    assert rows["billing", "enterprise"]["priority_rank"] == 1
    assert rows["billing", "all personas"]["missing_inputs"] == "value weight"
    assert rows["billing", "all personas"]["priority_rank"] is None
    assert rows["billing", "all personas"]["effort_rank"] == 1
    assert rows["login", "enterprise"]["missing_inputs"] == "excess effort, cost"
    printer = rows["printer", "all personas"]
    assert (printer["tickets"], printer["n"], printer["is_suppressed"]) == (3, 0, True)
    assert printer["missing_inputs"] == "answers, value weight, cost"
    assert {
        printer[name] for name in ("mean_effort_0_100", "excess_points", "effort_rank", "is_quick_win")
    } == {None}


def test_another_weight_ranks_otherwise(here: Registry) -> None:
    cells = {
        ("billing", "enterprise", "web"): [75.0, 75.0, 50.0],
        ("login", "unassigned", "web"): [75.0, 75.0, 50.0],
        ("other", "enterprise", "web"): [0.0] * 3,
        ("other", "unassigned", "web"): [0.0] * 3,
    }
    costs = {"billing": 1, "login": 1, "other": 1}
    first = {}
    for weight in (0.5, 2):
        with_values = valued(
            here, value_weights={"enterprise": weight, "unassigned": 1}, category_costs=costs
        )
        with derived(with_values, [MART], asked(cells, {})) as snapshot:
            first[weight] = snapshot.row(f"FROM {MART} WHERE level = 'category' AND priority_rank = 1")[
                "category"
            ]
    assert first == {0.5: "login", 2: "billing"}


def test_tickets_before_the_window_and_deleted_ones_do_not_count(tmp_path: Path) -> None:
    here = registry(tmp_path, priority_window_days=10)
    tickets = [
        ticket("a", category="c", created_at=NOON),
        ticket("b", category="c", created_at=NOON - timedelta(days=9)),
        ticket("early", category="c", created_at=NOON - timedelta(days=10)),
        ticket("gone", category="c", created_at=NOON, is_deleted=True),
    ]
    with derived(here, [MART], {"core.tickets": tickets}) as snapshot:
        row = snapshot.row(f"FROM {MART} WHERE level = 'category'")
        assert snapshot.check("priorities_tie").passed
    assert (row["tickets"], row["first_day"], row["last_day"]) == (2, DAY - timedelta(days=9), DAY)


def test_the_requesters_other_answers_say_who_he_is(here: Registry) -> None:
    given = {
        "core.tickets": [ticket("t", category="c", created_at=NOON, requester_key="p")],
        "core.responses": [
            response("old", DAY - timedelta(days=1), persona="team", respondent_key="p"),
            response("new", persona="enterprise", respondent_key="p"),
            response("newest", DAY + timedelta(days=1), respondent_key="p"),
        ],
    }
    with derived(here, [MART], given) as snapshot:
        assert snapshot.row(f"FROM {MART} WHERE level <> 'category'")["persona"] == "enterprise"


def made(effects: np.ndarray, random: np.random.Generator, n: int = 60) -> pd.DataFrame:
    """Evidence of categories whose effort is by so much above the same levels of two channels."""
    rows = []
    for category, effect in enumerate(effects):
        phones = int(n * random.uniform(0.1, 0.9))
        for channel, level, count in (("phone", 60, phones), ("web", 30, n - phones)):
            answers = np.round(level + effect + 20 * random.standard_normal(count), 0)
            values, counts = np.unique(answers, return_counts=True)
            rows += [
                (f"c{category}", channel, value, times) for value, times in zip(values, counts, strict=True)
            ]
    frame = pd.DataFrame(rows, columns=["category", "channel", "effort_0_100", "answers"])
    return frame.assign(
        persona="unassigned", first_day=DAY, last_day=DAY, tickets=100, effort_index_n=0, effort_index_sum=np.nan,
        value_weight=1.0, cost=1.0, quick_win_cost=np.nan, minimum_n=30, first_scale_id="s", last_scale_id="s",
    )  # fmt: skip


def test_the_interval_covers_the_true_excess_whatever_the_mix_of_channels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ces_pipeline.statistics.priorities._DRAWS", 2)
    random, effects = np.random.default_rng(6), np.array([8.0, 0.0, -4.0, 0.0, -4.0])
    covered = []
    for _ in range(100):
        evidence = made(effects, random)
        rows = priorities(evidence).query("level == 'category'")
        n = evidence.pivot_table("answers", "category", "channel", "sum").to_numpy()
        # The planted effect, less what all categories' effects add to each channel's mean.
        true = effects - ((effects @ n) / n.sum(axis=0)) @ (n.sum(axis=0) / n.sum())
        covered += list((rows["excess_low_0_100"] <= true) & (true <= rows["excess_high_0_100"]))
    assert 0.93 <= np.mean(covered) <= 0.97


def test_ranks_of_equals_are_open_and_a_hard_category_is_first() -> None:
    random = np.random.default_rng(2)
    rows = priorities(made(np.array([15.0, 0.0, 0.0, 0.0, 0.0, 0.0]), random)).set_index(
        ["level", "category"]
    )
    first = rows.loc[("category", "c0")]
    assert (first["effort_rank"], first["effort_rank_low"], first["effort_rank_high"]) == (1, 1, 1)
    equals = priorities(made(np.array([-15.0, 8.0, 8.0, 8.0, 8.0, 8.0]), random)).set_index(
        ["level", "category"]
    )
    ranked = equals.loc["category"].iloc[1:]
    assert (ranked["effort_rank_high"] - ranked["effort_rank_low"] >= 2).all()


def test_a_category_that_is_easier_than_the_others_has_no_rank() -> None:
    # Its score is below 0: a greater value or a lower cost would give it a worse rank.
    evidence = made(np.array([15.0, -15.0, -20.0]), np.random.default_rng(3))
    rows = priorities(evidence).query("level == 'category'").set_index("category")
    assert rows["excess_effort_0_100"].gt(0).to_dict() == {"c0": True, "c1": False, "c2": False}
    for name in ("effort", "priority"):
        assert rows[f"{name}_rank"].fillna(0).to_dict() == {"c0": 1, "c1": 0, "c2": 0}
        assert rows.loc[["c1", "c2"], [f"{name}_rank_low", f"{name}_rank_high"]].isna().all(axis=None)
    assert rows["missing_inputs"].fillna("none").to_dict() == {
        "c0": "none",
        "c1": "excess effort",
        "c2": "excess effort",
    }


def test_answers_on_several_scales_are_marked() -> None:
    evidence = made(np.array([5.0, 0.0]), np.random.default_rng(4))
    is_web = (evidence["category"] == "c0") & (evidence["channel"] == "web")
    evidence = evidence.assign(last_scale_id=np.where(is_web, "t", "s"))
    rows = priorities(evidence).query("level == 'category'").set_index("category")
    assert rows["is_mixed_scales"].to_dict() == {"c0": True, "c1": False}


def test_many_categories_take_little_time() -> None:
    evidence = made(np.zeros(200), np.random.default_rng(1))
    began = time.perf_counter()
    priorities(evidence)
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE mart.priorities SET excess_points = excess_points + 0.000001 WHERE category = 'login'",
        "UPDATE mart.priorities SET tickets = tickets + 1",
        "UPDATE mart.priorities SET n = n - 1 WHERE level = 'category'",
        "UPDATE mart.priorities SET excess_share = 0.5",
        "UPDATE mart.priorities SET total_excess_points = 1 WHERE category = 'login'",
        "DELETE FROM mart.priorities WHERE persona = 'enterprise'",
    ],
)
def test_contributions_that_do_not_add_up_block_a_publish(here: Registry, harm: str) -> None:
    with derived(here, [MART], asked(CELLS, {})) as snapshot:
        assert snapshot.check("priorities_tie").passed
        snapshot.connection.execute(harm)
        result = snapshot.check("priorities_tie")
    assert (result.passed, result.check.is_blocking) == (False, True)
