"""Protects the marts that split responses: hand-computed cases, sums that tie, and mixes that do not fool."""

import json
import math
from datetime import date, timedelta
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ces_pipeline.registry import Registry
from ces_pipeline.registry.surveys import Survey
from ces_pipeline_tests.lake_days import DAY, registry, rejected, response
from ces_pipeline_tests.sql.by_hand import mean_interval
from ces_pipeline_tests.sql.snapshots import Snapshot, derived

SEGMENTS = ("mart.ces_segments", "mart.segment_variance", "mart.segment_differences")


@pytest.fixture
def here(tmp_path: Path) -> Registry:
    return registry(tmp_path)


def responses(eases: list[float], day: date = DAY, **values: Any) -> list[dict[str, Any]]:
    """A response per ease; keys tell their day, values and place."""
    return [
        response(f"{day}{sorted(values.items())}{place}", day, ease=ease, **values)
        for place, ease in enumerate(eases)
    ]


def test_a_week_pools_the_sums_of_its_days_whatever_their_size(here: Registry) -> None:
    sunday = DAY + timedelta(days=6)
    rows = [
        *responses([100.0], DAY),
        *responses([25.0, 0.0], sunday),
        *responses([50.0], DAY + timedelta(days=7)),
    ]
    with derived(here, ["mart.ces_weekly"], {"core.responses": rows}) as snapshot:
        first, second = snapshot.rows("FROM mart.ces_weekly ORDER BY week")
    assert (first["week"], first["n"], second["week"], second["n"]) == (DAY, 3, DAY + timedelta(days=7), 1)
    assert first["mean_ease_0_100"] == pytest.approx(125 / 3)
    assert first["sd_ease_0_100"] == pytest.approx(stdev([100, 25, 0]))
    assert (first["easy_share"], first["difficult_share"]) == (1 / 3, 2 / 3)
    assert second["is_suppressed"]
    assert second["mean_ease_0_100"] is None


def test_every_dimension_splits_the_same_answers(here: Registry) -> None:
    rows = [
        *responses([100.0, 50.0], channel="chat", product="A"),
        *responses([0.0], DAY + timedelta(days=30), channel="phone", product="A", scale_id="effort_1_7"),
    ]
    with derived(here, ["mart.ces_segments", "mart.ces_weekly"], {"core.responses": rows}) as snapshot:
        chat = snapshot.row("FROM mart.ces_segments WHERE period = 'month' AND segment = 'chat'")
        product = snapshot.row("FROM mart.ces_segments WHERE period = 'all' AND dimension = 'product'")
        owner = snapshot.row("FROM mart.ces_segments WHERE period = 'all' AND dimension = 'owner'")
        sums = snapshot.rows("SELECT DISTINCT sum(n) AS n FROM mart.ces_segments GROUP BY period, dimension")
        assert snapshot.check("segments_tie").passed
        snapshot.connection.execute("UPDATE mart.ces_segments SET n = n + 1 WHERE segment = 'phone'")
        assert snapshot.check("segments_tie").failures == 4
    assert (chat["period_start"], chat["n"], chat["mean_ease_0_100"]) == (DAY.replace(day=1), 2, 75.0)
    assert (product["segment"], product["n"], product["mean_effort_0_100"]) == ("A", 3, 50.0)
    assert (product["is_mixed_scales"], chat["is_mixed_scales"]) == (True, False)
    assert (owner["segment"], owner["n"]) == ("unknown", 3)
    assert sums == [{"n": 3}]


def test_variance_between_and_within_is_the_one_computed_by_hand(here: Registry) -> None:
    # Means 75 (two of chat) and 0 (one by phone) around 50: between 2 * 25² + 50² = 3750, within 2 * 25² = 1250.
    rows = [*responses([100.0, 50.0], channel="chat"), *responses([0.0], channel="phone")]
    with derived(here, ["mart.segment_variance"], {"core.responses": rows}) as snapshot:
        channel = snapshot.row("FROM mart.segment_variance WHERE period = 'all' AND dimension = 'channel'")
        device = snapshot.row("FROM mart.segment_variance WHERE period = 'all' AND dimension = 'device'")
        assert snapshot.check("variance_adds_up").passed
        snapshot.connection.execute(
            "UPDATE mart.segment_variance SET within_squares = 1 WHERE dimension = 'channel'"
        )
        assert snapshot.check("variance_adds_up").failures == 2
    assert (channel["segments"], channel["n"]) == (2, 3)
    assert [channel[f"{name}_squares"] for name in ("between", "within", "total")] == pytest.approx(
        [3750, 1250, 5000]
    )
    assert channel["eta_squared"] == pytest.approx(0.75)
    assert channel["omega_squared"] == pytest.approx((3750 - 1250) / (5000 + 1250))
    assert (device["segments"], device["eta_squared"], device["omega_squared"]) == (1, 0.0, 0.0)


def test_answers_that_are_all_equal_have_no_shares_of_variance(here: Registry) -> None:
    rows = [*responses([75.0, 75.0], channel="chat"), *responses([75.0, 75.0], channel="phone")]
    with derived(here, SEGMENTS, {"core.responses": rows}) as snapshot:
        variance = snapshot.row("FROM mart.segment_variance WHERE period = 'all' AND dimension = 'channel'")
        chat = snapshot.row("FROM mart.segment_differences WHERE period = 'all' AND segment = 'chat'")
    assert (variance["total_squares"], variance["eta_squared"], variance["omega_squared"]) == (0, None, None)
    assert (chat["verdict"], chat["difference_ease_0_100"], chat["p_value"]) == ("no variance", 0.0, None)


def test_a_difference_is_judged_by_how_often_a_random_part_is_as_far_from_the_rest(here: Registry) -> None:
    chat, phone = [100.0, 75.0, 75.0, 100.0, 100.0, 50.0] * 2, [0.0, 25.0, 50.0, 75.0, 25.0] * 2
    rows = [*responses(chat, channel="chat"), *responses(phone, channel="phone")]
    with derived(here, ["mart.segment_differences"], {"core.responses": rows}) as snapshot:
        row = snapshot.row("FROM mart.segment_differences WHERE period = 'all' AND segment = 'chat'")
        only = snapshot.row("FROM mart.segment_differences WHERE period = 'all' AND dimension = 'device'")
    known = stats.permutation_test(
        (chat, phone), lambda x, y: mean(x) - mean(y), n_resamples=20_000, rng=np.random.default_rng(1)
    )
    assert (row["n"], row["n_rest"]) == (12, 10)
    assert row["difference_ease_0_100"] == pytest.approx(mean(chat) - mean(phone))
    assert row["difference_low_0_100"] < row["difference_ease_0_100"] < row["difference_high_0_100"]
    assert row["p_value"] == pytest.approx(known.pvalue, abs=0.001)
    # Two comparisons of the same p: what false-discovery control leaves is that p.
    assert row["q_value"] == pytest.approx(row["p_value"])
    assert row["verdict"] == "easier"
    assert (only["verdict"], only["q_value"], only["is_suppressed"]) == ("only segment", None, True)


def test_a_small_segment_of_only_the_best_answer_is_not_called_easier(tmp_path: Path) -> None:
    # 30 of 30 where nine in ten are usual: 0.9 to the power of 30 is 4 %, on one side of two.
    usual = [100.0 if number % 10 else (number // 10 % 6) * 100 / 6 for number in range(2_000)]
    rows = [
        *responses([100.0] * 30, channel="chat"),
        *responses([round(ease, 6) for ease in usual], channel="email"),
    ]
    with derived(
        registry(tmp_path, minimum_n=30), ["mart.segment_differences"], {"core.responses": rows}
    ) as snapshot:
        row = snapshot.row("FROM mart.segment_differences WHERE period = 'all' AND segment = 'chat'")
    assert row["verdict"] == "no difference shown"
    assert row["p_value"] > 0.05
    assert row["difference_low_0_100"] < 0 < row["difference_high_0_100"]


def test_a_segment_of_one_is_suppressed_not_judged(here: Registry) -> None:
    rows = [*responses([100.0, 75.0], channel="chat"), *responses([0.0], channel="phone")]
    with derived(here, ["mart.segment_differences"], {"core.responses": rows}) as snapshot:
        row = snapshot.row("FROM mart.segment_differences WHERE period = 'all' AND segment = 'phone'")
    assert (row["verdict"], row["n"], row["mean_ease_0_100"], row["q_value"]) == ("suppressed", 1, None, None)


def test_noise_is_given_no_verdict_and_a_planted_difference_is(tmp_path: Path) -> None:
    here, random = registry(tmp_path, minimum_n=30), np.random.default_rng(11)
    names = [f"p{number:02}" for number in range(40)]
    rows = [
        row
        for name in names
        for row in responses(
            list(random.choice([0.0, 25.0, 50.0, 75.0, 100.0], 60) * (0.6 if name == "p07" else 1.0)),
            product=name,
        )
    ]
    with derived(here, ["mart.segment_differences"], {"core.responses": rows}) as snapshot:
        found = snapshot.rows(
            "SELECT segment, verdict FROM mart.segment_differences WHERE period = 'all' AND dimension = 'product'"
            " AND verdict <> 'no difference shown'"
        )
    assert found == [{"segment": "p07", "verdict": "harder"}]


def mix_shift(weeks: int, phone_share: list[float]) -> list[dict[str, Any]]:
    """Chat always at 80, phone always at 40 (on average); only the share of phone moves."""
    rows = []
    for week in range(weeks):
        day, by_phone = DAY + timedelta(weeks=week), round(100 * phone_share[week])
        rows += responses([75.0, 85.0] * ((100 - by_phone) // 2), day, channel="chat")
        rows += responses([35.0, 45.0] * (by_phone // 2), day, channel="phone")
    return rows


def test_a_shift_of_the_channel_mix_moves_the_raw_trend_and_not_the_adjusted(here: Registry) -> None:
    shares = [0.2, 0.4, 0.6, 0.8]
    with derived(here, ["mart.ces_adjusted_weekly"], {"core.responses": mix_shift(4, shares)}) as snapshot:
        weeks = snapshot.rows("FROM mart.ces_adjusted_weekly WHERE series = 'after_chat' ORDER BY week")
        weeks = snapshot.rows("FROM mart.ces_adjusted_weekly WHERE series = 'all surveys' ORDER BY week")
    assert [row["raw_ease_0_100"] for row in weeks] == pytest.approx([72, 64, 56, 48])
    assert [row["adjusted_ease_0_100"] for row in weeks] == pytest.approx([60] * 4)
    assert [row["mix_part_0_100"] for row in weeks] == pytest.approx([12, 4, -4, -12])
    assert [row["mix_change_0_100"] for row in weeks[1:]] == pytest.approx([-8] * 3)
    assert weeks[0]["raw_change_0_100"] is None
    # Half the standard mix is chat, half phone; each cell's variance is 5², of which n - weeks are counted.
    chat_variance, phone_variance = (200 * 25) / (200 - 4), (200 * 25) / (200 - 4)
    error = math.sqrt(0.25 * chat_variance / 80 + 0.25 * phone_variance / 20)
    effective_n = 1 / (0.25 / 80 + 0.25 / 20)
    assert weeks[0]["effective_n"] == pytest.approx(effective_n) == 64
    # The interval is that of 64 answers with this mean and error.
    alike = [60 - math.sqrt(effective_n) * error, 60 + math.sqrt(effective_n) * error] * 32
    assert (weeks[0]["adjusted_ease_low_0_100"], weeks[0]["adjusted_ease_high_0_100"]) == pytest.approx(
        mean_interval(alike)
    )
    assert [row["adjusted_ease_0_100"] for row in weeks] == pytest.approx([60] * 4)


def test_a_week_without_a_channel_says_how_much_of_the_mix_it_covers(here: Registry) -> None:
    rows = [
        *mix_shift(2, [0.5, 0.5]),
        *responses([75.0, 85.0] * 50, DAY + timedelta(weeks=2), channel="chat"),
    ]
    with derived(here, ["mart.ces_adjusted_weekly"], {"core.responses": rows}) as snapshot:
        weeks = snapshot.rows("FROM mart.ces_adjusted_weekly WHERE series = 'after_chat' ORDER BY week")
    assert [row["weight_covered_share"] for row in weeks] == pytest.approx([1, 1, 2 / 3])
    assert weeks[2]["adjusted_ease_0_100"] == pytest.approx(80)


def test_a_channel_with_one_answer_a_week_leaves_the_adjusted_mean_without_an_interval(
    here: Registry,
) -> None:
    rows = [
        row
        for week in range(2)
        for row in (
            *responses([75.0, 25.0, 50.0], DAY + timedelta(weeks=week), channel="chat"),
            *responses([0.0], DAY + timedelta(weeks=week), channel="phone"),
        )
    ]
    with derived(here, ["mart.ces_adjusted_weekly"], {"core.responses": rows}) as snapshot:
        first, _ = snapshot.rows("FROM mart.ces_adjusted_weekly WHERE series = 'after_chat' ORDER BY week")
    assert first["adjusted_ease_0_100"] == pytest.approx(37.5)
    assert (first["adjusted_ease_low_0_100"], first["adjusted_ease_high_0_100"]) == (None, None)


def test_a_changed_wording_breaks_the_series(here: Registry) -> None:
    survey = Survey(
        id="after_chat",
        scale="ease_1_5",
        wording_version="2",
        wording_changes={"2": DAY + timedelta(days=9)},
    )
    changed = here.model_copy(update={"surveys": {"after_chat": survey}})
    rows = [
        row
        for week in range(3)
        for n in (0, 3)
        for row in responses([75.0] * 5, DAY + timedelta(weeks=week, days=n))
    ]
    with derived(changed, ["mart.ces_adjusted_weekly"], {"core.responses": rows}) as snapshot:
        weeks = snapshot.rows(
            "FROM mart.ces_adjusted_weekly WHERE series = 'after_chat' ORDER BY break_number, week"
        )
    breaks = [
        (row["break_number"], (row["week"] - DAY).days, row["n"], row["is_after_break"]) for row in weeks
    ]
    assert breaks == [(0, 0, 10, False), (0, 7, 5, False), (1, 7, 5, True), (1, 14, 10, False)]
    assert weeks[2]["raw_change_0_100"] is None


def test_the_newest_wording_must_be_the_one_that_is_asked() -> None:
    with pytest.raises(ValueError, match="newest of wording_changes is '3'"):
        Survey(id="a", wording_version="2", wording_changes={"2": date(2026, 1, 1), "3": date(2026, 2, 1)})


def test_no_answers_give_no_rows(here: Registry) -> None:
    marts = [*SEGMENTS, "mart.ces_weekly", "mart.ces_adjusted_weekly"]
    with derived(here, marts, {"core.responses": []}) as snapshot:
        assert [snapshot.row(f"SELECT count(*) AS n FROM {mart}")["n"] for mart in marts] == [0] * 5


def test_unscored_answers_count_nowhere(here: Registry) -> None:
    rows = [*responses([50.0, 50.0]), response("none", ease=None)]
    with derived(here, ["mart.ces_segments"], {"core.responses": rows}) as snapshot:
        assert _total(snapshot) == 2


def _total(snapshot: Snapshot) -> int:
    return int(
        snapshot.row("SELECT n FROM mart.ces_segments WHERE period = 'all' AND dimension = 'all'")["n"]
    )


def test_the_headline_is_compared_with_other_judgements(here: Registry) -> None:
    def refused(
        key: str, score: str | None, *reasons: str, survey: str | None = "after_chat"
    ) -> dict[str, Any]:
        landed = json.dumps({} if score is None else {"score": score})
        return rejected(key, reasons=reasons, survey_id=survey, landed=landed)

    given = {
        "core.responses": [*responses([100.0, 75.0]), *responses([0.0], is_suspect=True, flags=["partial"])],
        "core.rejected_responses": [
            refused("a", "2", "too_fast"),
            refused("b", " Very  Easy", "duplicate"),
            refused("c", "9", "score_off_scale"),
            refused("d", None, "incomplete"),
            refused("e", "1", "test_response"),
            refused("f", "1", "unregistered_survey", survey=None),
        ],
    }
    with derived(here, ["mart.sensitivity"], given) as snapshot:
        found = {
            row["variant"]: row
            for row in snapshot.rows("FROM mart.sensitivity WHERE period = 'all' AND series = 'after_chat'")
        }
    assert {name: (row["n"], row["n_suspect"], row["mean_ease_0_100"]) for name, row in found.items()} == {
        "headline": (3, 1, pytest.approx(175 / 3)),
        "without suspect": (2, 0, 87.5),
        "with rejected": (5, 1, 60.0),
    }
    assert found["with rejected"]["net_ease"] == pytest.approx((3 - 2) / 5)
    assert found["without suspect"]["mean_ease_difference_0_100"] == pytest.approx(87.5 - 175 / 3)
    assert found["headline"]["mean_ease_difference_0_100"] == 0
