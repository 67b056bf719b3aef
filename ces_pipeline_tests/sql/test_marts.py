"""Protects the figures of the marts: hand-computed values, suppression, and independence of row order."""

from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ces_pipeline.publish.derived import define_macros
from ces_pipeline.rules.catalog import REASON_NAMES
from ces_pipeline.storage.duck import session
from ces_pipeline.storage.sql_files import sql_files
from ces_pipeline_tests.lake_days import DAY, SmallHome, rejected, response, small_home
from ces_pipeline_tests.sql.by_hand import mean_interval

LATER = datetime(2026, 3, 9, tzinfo=UTC)


@pytest.fixture
def small(tmp_path: Path) -> SmallHome:
    return small_home(tmp_path)


def one_row(small: SmallHome, query: str) -> dict[str, Any]:
    columns = [row[0] for row in small.rows(f"DESCRIBE {query}")]
    (values,) = small.rows(query)
    return dict(zip(columns, values, strict=True))


def publish_scores(small: SmallHome, eases: list[float | None]) -> dict[str, Any]:
    small.clean("survey", [response(f"r{number:04}", ease=ease) for number, ease in enumerate(eases)])
    assert small.publish().published
    return one_row(small, "FROM mart.ces_daily")


def test_the_daily_figures_are_those_computed_by_hand(small: SmallHome) -> None:
    eases = [100.0, 75.0, 75.0, 50.0, 0.0]
    row = publish_scores(small, [*eases, None])
    assert (row["n"], row["easy_count"], row["neutral_count"], row["difficult_count"]) == (5, 3, 1, 1)
    assert row["mean_ease_0_100"] == mean(eases) == 60.0
    assert row["mean_effort_0_100"] == 40.0
    assert row["sd_ease_0_100"] == pytest.approx(stdev(eases), rel=1e-12)
    assert (row["ease_low_0_100"], row["ease_high_0_100"]) == pytest.approx(mean_interval(eases), rel=1e-9)
    assert (row["easy_share"], row["difficult_share"]) == (0.6, 0.2)
    assert (row["top_two_count"], row["top_two_share"]) == (3, 0.6)
    assert row["net_ease"] == pytest.approx(0.4)
    assert row["ease_sum_0_100"] == 300.0
    assert not row["is_suppressed"]


def test_an_interval_stays_on_the_scale(small: SmallHome) -> None:
    row = publish_scores(small, [0.0, 100.0])
    assert (row["ease_low_0_100"], row["ease_high_0_100"]) == (0.0, 100.0)


def test_equal_answers_have_an_interval_with_a_width(tmp_path: Path) -> None:
    row = publish_scores(small_home(tmp_path, minimum_n=30), [100.0] * 30)
    assert (row["ease_low_0_100"], row["ease_high_0_100"]) == pytest.approx(mean_interval([100.0] * 30))
    assert row["ease_low_0_100"] < 94


def test_below_the_minimum_n_a_figure_is_missing_not_zero(small: SmallHome) -> None:
    row = publish_scores(small, [100.0])
    hidden = [name for name, value in row.items() if value is None]
    assert hidden == [
        "mean_effort_0_100",
        "mean_ease_0_100",
        "sd_ease_0_100",
        "ease_low_0_100",
        "ease_high_0_100",
        "easy_share",
        "easy_share_low",
        "easy_share_high",
        "difficult_share",
        "difficult_share_low",
        "difficult_share_high",
        "net_ease",
        "net_ease_low",
        "net_ease_high",
        "top_two_share",
        "top_two_share_low",
        "top_two_share_high",
    ]
    assert row["is_suppressed"]
    assert (row["n"], row["ease_sum_0_100"]) == (1, 100.0)


def test_one_answer_shown_by_choice_has_a_mean_and_no_interval(tmp_path: Path) -> None:
    row = publish_scores(small_home(tmp_path, minimum_n=1), [25.0])
    assert row["mean_ease_0_100"] == 25.0
    assert (row["sd_ease_0_100"], row["ease_low_0_100"], row["ease_high_0_100"]) == (None, None, None)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    eases=st.lists(st.sampled_from([0.0, 16.666667, 33.333333, 66.666667, 100.0]), min_size=5, max_size=300),
    seed=st.randoms(),
)
def test_no_order_of_the_rows_changes_a_figure(
    tmp_path_factory: pytest.TempPathFactory, eases: list[float], seed: Any
) -> None:
    query = next(file for file in sql_files("mart") if file.name == "ces_daily").query
    answers = []
    for _ in range(2):
        with session(tmp_path_factory.mktemp("spill")) as connection:
            connection.execute("CREATE SCHEMA core")
            connection.execute("CREATE SCHEMA reference")
            connection.execute("CREATE TABLE reference.settings AS SELECT 2 AS minimum_n")
            connection.execute(
                "CREATE TABLE reference.scales AS SELECT 'ease_1_7' AS scale_id, 83.333333 AS top_two_least_ease_0_100"
            )
            define_macros(connection)
            connection.execute(
                "CREATE TABLE core.responses AS SELECT unnest($eases::DOUBLE[]) AS ease_0_100,"
                " 's' AS survey_id, 'ease_1_7' AS scale_id, 'c' AS channel, 'p' AS persona, 'q' AS product, 'j' AS journey_stage,"
                " false AS is_suspect, 'easy' AS effort_band, date '2026-03-02' AS day",
                {"eases": eases},
            )
            answers.append(connection.execute(query).fetchall())
        seed.shuffle(eases)
    assert answers[0] == answers[1]


def test_quality_shows_the_books_and_every_reason(small: SmallHome) -> None:
    small.clean(
        "survey",
        [response("a"), response("b", is_suspect=True, flags=["partial", "slow"])],
        [rejected("c", reasons=("too_fast", "incomplete")), rejected("d", reasons=("incomplete",))],
        superseded=3,
        redelivered=4,
    )
    assert small.publish().published
    row = one_row(small, "FROM mart.quality_daily")
    assert {
        name: row[name] for name in ("landed", "redelivered", "superseded", "accepted", "rejected", "suspect")
    } == {
        "landed": 11,
        "redelivered": 4,
        "superseded": 3,
        "accepted": 2,
        "rejected": 2,
        "suspect": 1,
    }
    assert (row["rejected_share"], row["suspect_share"]) == (0.5, 0.5)
    counted = {"too_fast": 1, "incomplete": 2, "partial": 1, "slow": 1}
    assert {name: row[name] for name in REASON_NAMES} == {**dict.fromkeys(REASON_NAMES, 0), **counted}


def test_a_day_with_nothing_judged_has_no_shares(small: SmallHome) -> None:
    small.clean("survey", [], [], superseded=2)
    assert small.publish().published
    row = one_row(small, "FROM mart.quality_daily")
    assert (row["landed"], row["superseded"], row["rejected_share"], row["suspect_share"]) == (
        2,
        2,
        None,
        None,
    )


def test_a_waiting_day_never_cleaned_is_left_out_of_quality(small: SmallHome) -> None:
    small.clean("survey", [response("a")])
    other = DAY.replace(day=3)
    small.delivery_days["survey", other] = {**small.delivery_days["survey", DAY], "day": other}
    small.pending = (("survey", other),)
    assert small.publish().published
    assert small.rows("SELECT day FROM mart.quality_daily") == [(DAY,)]
