"""Protects `alerts.yaml`: a mistake is one line with file, line and entry, and no direction is the wrong way round."""

import re
from pathlib import Path
from typing import get_args

import pytest

from ces_pipeline.errors import RegistryError
from ces_pipeline.home import shipped
from ces_pipeline.publish.checks import all_checks
from ces_pipeline.registry import load_registry
from ces_pipeline.registry.alert_figures import compared_figure
from ces_pipeline.registry.alerts import (
    MADE_CHECKS,
    WORSE,
    Alerts,
    Direction,
    SeriesDimension,
    SeriesKind,
    Threshold,
)
from ces_pipeline.registry.objectives import OBJECTIVE_FIGURES, PROGRAM_METRICS
from ces_pipeline.schemas.mart.anomalies import ANOMALIES_DAILY
from ces_pipeline.storage.sql_files import sql_files

CHANNEL = "channels:\n- {id: chat, kind: apprise, url: CHAT_URL}\n"
RULE = "rules:\n- {id: hard, owner: me, severity: warning, "


def load(folder: Path, text: str) -> Alerts:
    (folder / "alerts.yaml").write_text(text, encoding="utf-8")
    return load_registry(folder).alerts


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        (f"{RULE}treshold: {{}}}}", 2, "rules, entry hard: treshold: unknown key: did you mean threshold?"),
        (f"{RULE}checks: all, sources: all}}", 2, "set exactly one of threshold, anomaly, checks"),
        (f"{RULE.strip()[:-1]}}}", 2, "set exactly one of threshold, anomaly, checks"),
        (f"{RULE}checks: segment_tie}}", 2, "no such entry 'segment_tie': did you mean segments_tie?"),
        (f"{RULE}sources: alll}}", 2, "no such entry 'alll': did you mean all?"),
        (f"{RULE}checks: all, channels: [chta]}}\n{CHANNEL}", 2, "no such entry 'chta': did you mean chat?"),
        (
            f"{RULE}checks: all}}\n- {{id: hard, owner: me, severity: critical, runs: all}}",
            3,
            "two entries have this id",
        ),
        ("rules:\n- {id: hard, owner: me, severity: high, checks: all}", 2, "severity: Input should be"),
        (
            "channels:\n- {id: chat, kind: apprise, url: 'https://secret'}",
            2,
            "NAME of an environment variable",
        ),
        ("channels:\n- {id: chat, kind: webhook, url: CHAT_URL}", 2, "needs `secret`"),
        ("channels:\n- {id: chat, kind: apprise, url: A, secret: B}", 2, "`secret` is for the kind webhook"),
        (f"{RULE}anomaly: {{series_kind: efort}}}}", 2, "anomaly.series_kind.0"),
        (f"{RULE}runs: all, minimum_n: 3}}", 2, "`minimum_n` is for a threshold"),
        (f"{RULE}checks: all, late_hours: 3}}", 2, "`late_hours` is for runs"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_line_and_entry(
    tmp_path: Path, text: str, line: int, named: str
) -> None:
    with pytest.raises(RegistryError) as problem:
        load(tmp_path, text)
    assert re.search(rf"alerts\.yaml, line {line}: (rules|channels), entry ", str(problem.value))
    assert named in str(problem.value)
    assert "\n" not in str(problem.value)
    assert "secret'" not in str(problem.value)


@pytest.mark.parametrize(
    ("threshold", "named"),
    [
        ("{figure: mean_effort_0_100, below: 40}", "would report an improvement"),
        ("{figure: mean_ease_0_100, above: 60}", "would report an improvement"),
        ("{metric: mean_ease_0_100, above: 60}", "would report an improvement"),
        ("{figure: difficult_share, above: 30}", "write 0.3"),
        ("{figure: difficult_share}", "exactly one of above and below"),
        ("{figure: difficult_share, above: 0.3, below: 0.1}", "exactly one of above and below"),
        ("{above: 0.3}", "exactly one of figure, metric"),
        ("{table: mart.response_rates, above: 0.3}", "exactly one of figure, metric"),
        ("{figure: difficult_share, above: 0.3, low: x}", "`low` is for `table` and `column`"),
        ("{metric: rejected_share, above: 0.3, dimension: survey}", "`dimension` is for a figure"),
        (
            "{figure: difficult_share, above: 0.3, dimension: survey, segment: nobody}",
            "no such entry 'nobody'",
        ),
        ("{table: mart.respnse_rates, column: n, above: 1}", "did you mean mart.response_rates?"),
        ("{table: mart.response_rates, column: respons_rate_2, above: 1}", "did you mean response_rate_2?"),
        ("{table: mart.capture_daily, column: landed, above: 1}", "is_exact"),
        (
            "{table: mart.over_contacted_customers, column: contacts, above: 1, is_exact: true, day: first_over_day}",
            "rows of single people",
        ),
        (
            "{table: mart.capture_daily, column: landed, above: 1, is_exact: true, where: {sorce_id: a}}",
            "source_id",
        ),
        (
            "{table: mart.capture_daily, column: landed, above: 1, is_exact: true, day: dya}",
            "did you mean day?",
        ),
    ],
)
def test_a_threshold_must_be_comparable_and_the_right_way_round(
    tmp_path: Path, threshold: str, named: str
) -> None:
    with pytest.raises(RegistryError) as problem:
        load(tmp_path, f"{RULE}threshold: {threshold}}}")
    assert named in str(problem.value)
    assert "entry hard" in str(problem.value)


def test_every_figure_of_answers_has_a_worse_side_and_an_interval() -> None:
    assert WORSE.keys() == OBJECTIVE_FIGURES.keys()
    for figure, side in WORSE.items():
        threshold = Threshold.model_validate({"figure": figure, side: 0.5})
        assert compared_figure(threshold).low != compared_figure(threshold).value


@pytest.mark.parametrize("metric", sorted(set(PROGRAM_METRICS) - set(WORSE)))
def test_every_metric_of_the_programme_can_be_compared(metric: str) -> None:
    assert compared_figure(Threshold.model_validate({"metric": metric, "above": 0.5})).where == {
        "metric": metric
    }


def test_the_words_of_a_rule_are_those_of_the_tables() -> None:
    described = {
        name: set(re.findall(r"`(\w+)`", column.description))
        for name, column in ANOMALIES_DAILY.columns.items()
    }
    assert set(get_args(SeriesKind)) == described["series_kind"]
    assert set(get_args(SeriesDimension)) == described["dimension"]
    assert set(get_args(Direction)) == described["direction"]
    of_files = {file.name for file in sql_files("checks")}
    assert {check.name for check in all_checks()} == {*of_files, *MADE_CHECKS}


def test_the_shipped_file_watches_and_sends_nothing(tmp_path: Path) -> None:
    alerts = load(tmp_path, (shipped("registry") / "alerts.yaml").read_text(encoding="utf-8"))
    assert {rule.kind for rule in alerts.rules} == {"anomaly", "checks", "sources", "runs"}
    assert alerts.channels == ()
    assert all(rule.channels == () for rule in alerts.rules)
