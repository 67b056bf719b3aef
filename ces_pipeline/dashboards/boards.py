"""Makes the Grafana boards that ship: `python -m ces_pipeline.dashboards.boards` writes `boards/*.json`.

A board shows figures of the published tables and computes none. Its queries run on PostgreSQL and on DuckDB, which the
tests compare. The form is that of Grafana 11.6 (schema version 41), which later versions read.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("boards")
UID = "ces-postgres"
"""The data source of every query."""
SOURCE = {"type": "grafana-postgresql-datasource", "uid": UID}
_SCHEMA_VERSION = 41
_COLUMNS = 24
"""Columns of Grafana's grid."""
_EASE = {"unit": "none", "min": 0, "max": 100, "decimals": 1}
_SHARE = {"unit": "percentunit", "min": 0, "decimals": 1}
_COUNT = {"unit": "short", "decimals": 0}

_VARIABLES = {
    "survey": ("Survey", "select distinct survey_id from mart.week_changes order by survey_id"),
    "channel": (
        "Channel",
        "select distinct segment from mart.touchpoint_segments where dimension = 'channel' order by segment",
    ),
    "persona": (
        "Persona",
        "select distinct segment from mart.touchpoint_segments where dimension = 'persona' order by segment",
    ),
}
_ANNOTATIONS = {
    "Releases": (
        "blue",
        "select {day} as time, title as text, 'release' as tags from reference.releases where {filter}",
        "day",
    ),
    "Fixes": (
        "green",
        "select {day} as time, title as text, 'fix' as tags from reference.fixes where {filter}",
        "live_on",
    ),
    "Changes of wording": (
        "purple",
        "select {day} as time, survey_id as text, 'wording' as tags from reference.wording_changes where {filter}",
        "first_day",
    ),
    "Incidents": (
        "red",
        "select {day} as time, concat(series_kind, ' ', segment) as text, severity as tags from audit.incidents "
        "where {filter}",
        "first_affected_day",
    ),
}


def moment(column: str) -> str:
    """A day as an instant: its beginning in UTC, whatever zone the session has."""
    return f"({column}::timestamp at time zone 'UTC')"


def within(column: str) -> str:
    """That a day is in the time range of the board."""
    # Grafana ends the argument at the first closing bracket.
    return f"$__timeFilter({moment(column).strip('()')})"


@dataclass(frozen=True)
class Panel:
    """A panel: what it shows, from which query, and how wide. band: its lines `low` and `high` enclose a figure."""

    title: str
    kind: str
    query: str
    width: int = 12
    height: int = 8
    means: str = ""
    unit: dict[str, Any] = field(default_factory=dict)
    is_band: bool = False
    repeat: str | None = None


@dataclass(frozen=True)
class Board:
    """A board: file name, title, its panels in reading order, and the variables that its queries use."""

    name: str
    title: str
    means: str
    panels: Sequence[Panel]
    variables: Sequence[str] = ()
    has_annotations: bool = True


def _segments(dimension: str) -> Panel:
    return Panel(
        f"Ease by {dimension}, each week",
        "timeseries",
        f"select {moment('span_start')} as time, concat(survey_id, ' / ', segment) as metric, mean_ease_0_100 as ease "
        f"from mart.touchpoint_segments where span = 'week' and dimension = '{dimension}' and survey_id in ($survey) "
        f"and segment in (${dimension}) and {within('span_start')} order by 1, 2",
        means=f"Answers of one survey, split by {dimension}. A gap is a week with too few answers.",
        unit=_EASE,
    )


BOARDS = (
    Board(
        "week_by_week",
        "Customer effort: week by week",
        "Ease of each survey by week, 0 (hardest) to 100 (easiest), and what happened around it.",
        (
            Panel(
                "Ease: $survey",
                "timeseries",
                f"select {moment('week')} as time, mean_ease_0_100 as ease, ease_low_0_100 as low, "
                f"ease_high_0_100 as high from mart.week_changes where survey_id in ($survey) and {within('week')} "
                "order by 1",
                means="Mean ease with its 95 % interval. Higher is easier. A gap is a week with too few answers.",
                unit=_EASE,
                is_band=True,
                repeat="survey",
            ),
            Panel(
                "Newest complete week",
                "table",
                "select survey_id, week, n, is_suppressed, mean_ease_0_100, ease_low_0_100, ease_high_0_100, "
                "change_ease_0_100, change_low_0_100, change_high_0_100, verdict, why_null from mart.week_changes w "
                "where survey_id in ($survey) and is_whole_week and week = (select max(week) from mart.week_changes m "
                "where m.survey_id = w.survey_id and m.is_whole_week) order by survey_id",
                width=24,
                means="Above 0, the change is to easier. Where no change is computed, why_null says why.",
            ),
            Panel(
                "Difficult answers, each week",
                "timeseries",
                f"select {moment('week')} as time, survey_id as metric, difficult_share from mart.week_changes "
                f"where survey_id in ($survey) and {within('week')} order by 1, 2",
                unit=_SHARE,
            ),
            Panel(
                "Answers, each week",
                "timeseries",
                f"select {moment('week')} as time, survey_id as metric, n from mart.week_changes "
                f"where survey_id in ($survey) and {within('week')} order by 1, 2",
                unit=_COUNT,
            ),
            _segments("channel"),
            _segments("persona"),
            Panel(
                "Satisfaction next to effort, each day",
                "timeseries",
                f"select {moment('day')} as time, survey_id as metric, mean_ease_0_100 as ease, "
                f"mean_csat_0_100 as satisfaction from mart.kpi_daily where survey_id in ($survey) and {within('day')} "
                "order by 1, 2",
                means="Both 0 to 100, higher is better, each of its own answers.",
                unit=_EASE,
            ),
            Panel(
                "Net promoter score, each day",
                "timeseries",
                f"select {moment('day')} as time, survey_id as metric, net_promoter_score as nps, "
                "net_promoter_score_low as low, net_promoter_score_high as high from mart.kpi_daily "
                f"where survey_id in ($survey) and {within('day')} order by 1, 2",
                unit={"unit": "none", "decimals": 1},
            ),
        ),
        ("survey", "channel", "persona"),
    ),
    Board(
        "where_it_is_hard",
        "Customer effort: where it is hard",
        "Which issues, surveys, channels and personas are harder than comparable ones.",
        (
            Panel(
                "Harder than comparable answers by more than chance",
                "table",
                "select category, persona, tickets, n, excess_effort_0_100, excess_low_0_100, excess_high_0_100, "
                "excess_share, priority_score, is_quick_win from mart.priorities where level = 'category and persona' "
                "and persona in ($persona) and not is_suppressed and excess_low_0_100 > 0 "
                "order by excess_points desc, category, persona",
                width=24,
                means="Points by which effort is higher than in comparable tickets, with the 95 % interval.",
            ),
            Panel(
                "Effort by issue, each week",
                "timeseries",
                f"select {moment('period_start')} as time, category as metric, mean_effort_0_100 as effort "
                f"from mart.category_effort where period = 'week' and {within('period_start')} order by 1, 2",
                means="Effort of the answers that are linked to tickets. Higher is harder.",
                unit=_EASE,
            ),
            Panel(
                "Issues, all days",
                "table",
                "select category, tickets, n, mean_effort_0_100, difficult_share, median_resolution_minutes, "
                "reopened_share, repeat_contact_share from mart.category_effort where period = 'all' order by category",
            ),
            Panel(
                "Channels of each survey, newest four weeks",
                "table",
                "select survey_id, segment as channel, span_start, span_end, n, is_suppressed, mean_ease_0_100, "
                "ease_low_0_100, ease_high_0_100, difficult_share from mart.touchpoint_segments s where "
                "span = '4 weeks' and dimension = 'channel' and survey_id in ($survey) and segment in ($channel) and "
                "span_end = (select max(span_end) from mart.touchpoint_segments m where m.survey_id = s.survey_id and "
                "m.span = '4 weeks') order by survey_id, segment",
            ),
            Panel(
                "Personas of each survey, newest four weeks",
                "table",
                "select survey_id, segment as persona, span_start, span_end, n, is_suppressed, mean_ease_0_100, "
                "ease_low_0_100, ease_high_0_100, difficult_share from mart.touchpoint_segments s where "
                "span = '4 weeks' and dimension = 'persona' and survey_id in ($survey) and segment in ($persona) and "
                "span_end = (select max(span_end) from mart.touchpoint_segments m where m.survey_id = s.survey_id and "
                "m.span = '4 weeks') order by survey_id, segment",
            ),
        ),
        ("survey", "channel", "persona"),
    ),
    Board(
        "programme_and_quality",
        "Customer effort: programme and quality",
        "How well the programme works, what was rejected, what is wrong now.",
        (
            Panel(
                "Open incidents",
                "table",
                "select severity, series_kind, segment, state, owner, first_affected_day, observed, expected, n, "
                "detail from audit.incidents where state in ('open', 'acknowledged') "
                "order by severity, first_affected_day, series_kind, segment",
                width=24,
            ),
            Panel(
                "Metrics of the programme, newest values",
                "table",
                "select metric_id, metric, segment, day, value, value_low, value_high, n, unit, state, why_null "
                "from bi.programme_today order by metric_id, metric, segment",
                width=24,
                height=10,
            ),
            Panel(
                "Objectives",
                "table",
                "select title, figure, segment, unit, n, value, value_low, value_high, baseline, target, target_day, "
                "state, why_null from mart.objectives order by title",
            ),
            Panel(
                "Who answers",
                "table",
                "select survey_id, basis, n, rate, rate_low, rate_high, responses, days_silent, why_null "
                "from mart.response_rates where survey_id in ($survey) order by survey_id, basis",
            ),
            Panel(
                "Rejected rows, each day",
                "timeseries",
                f"select {moment('day')} as time, source_id as metric, rejected_share from mart.quality_daily "
                f"where {within('day')} order by 1, 2",
                unit=_SHARE,
            ),
            Panel(
                "Failed checks of the newest publish",
                "table",
                "select check_name, is_blocking, failures, detail, checked_at from audit.check_results "
                "where not passed and checked_at = (select max(checked_at) from audit.check_results) "
                "order by check_name",
            ),
        ),
        ("survey",),
    ),
    Board(
        "journey_and_fixes",
        "Customer effort: journey and fixes",
        "Effort along the journey, stages without a survey, and whether fixes and releases helped.",
        (
            Panel(
                "Ease by stage, each week",
                "timeseries",
                f"select {moment('week')} as time, concat(process, ' / ', journey_stage) as metric, "
                f"mean_ease_0_100 as ease from mart.journey_weekly where {within('week')} order by 1, 2",
                unit=_EASE,
            ),
            Panel(
                "Stages of the newest week, measured or not",
                "table",
                "select week, process, journey_stage, is_measured, n, is_suppressed, mean_ease_0_100, ease_low_0_100, "
                "ease_high_0_100 from mart.journey_weekly where week = (select max(week) from mart.journey_weekly) "
                "order by process, journey_stage",
            ),
            Panel(
                "Did the fix help?",
                "table",
                "select fix_id, fix_title, live_on, method, n_before, n_after, change_effort_0_100, change_low_0_100, "
                "change_high_0_100, verdict, why from bi.fixes order by live_on, fix_id, method",
                width=24,
                means="Below 0, effort fell after the fix.",
            ),
            Panel(
                "What releases did",
                "table",
                "select release_id, release_title, release_day, series, n_before, n_after, change_effort_0_100, "
                "change_low_0_100, change_high_0_100, verdict, why from bi.releases "
                "order by release_day, release_id, series",
                width=24,
            ),
        ),
    ),
    Board(
        "sources_and_freshness",
        "Customer effort: sources and freshness",
        "What every source delivered, how old it is, and what is missing.",
        (
            Panel(
                "Published",
                "stat",
                "select published_at from audit.publication",
                width=6,
                height=4,
                unit={"unit": "dateTimeAsIso"},
            ),
            Panel(
                "Days that wait to be cleaned again",
                "stat",
                "select count(*) as days from audit.pending_days",
                width=6,
                height=4,
                unit=_COUNT,
            ),
            Panel(
                "Sources",
                "table",
                "select source_id, kind, last_received_at, last_accepted_day, landed, accepted, rejected, redelivered, "
                "superseded, suspect from bi.sources order by source_id",
                width=24,
            ),
            Panel(
                "Landed rows, each day",
                "timeseries",
                f"select {moment('day')} as time, source_id as metric, landed from audit.load_audit where is_current "
                f"and {within('day')} order by 1, 2",
                unit=_COUNT,
            ),
            Panel(
                "Captured of what the source has, each day",
                "timeseries",
                f"select {moment('day')} as time, concat(source_id, ' ', stream) as metric, captured_share "
                f"from mart.capture_daily where {within('day')} order by 1, 2",
                means="Without a line: the source does not say how many rows it has.",
                unit=_SHARE,
            ),
            Panel(
                "Restated days",
                "table",
                "select day, table_name, rows_before, rows_after, restated_at from audit.restatements "
                "order by restated_at desc, day, table_name",
                width=24,
            ),
        ),
    ),
)


def board_json(board: Board) -> dict[str, Any]:
    """A board as Grafana reads it."""
    return {
        "uid": f"ces-{board.name.replace('_', '-')}",
        "title": board.title,
        "description": board.means,
        "tags": ["ces"],
        "timezone": "utc",
        "editable": False,
        "graphTooltip": 1,
        "time": {"from": "now-26w", "to": "now"},
        "weekStart": "monday",
        "refresh": "5m",
        "schemaVersion": _SCHEMA_VERSION,
        "panels": list(_panels(board)),
        "templating": {"list": [_variable(name) for name in board.variables]},
        "annotations": {"list": list(_annotations()) if board.has_annotations else []},
    }


def _panels(board: Board) -> Iterator[dict[str, Any]]:
    x = y = row_height = 0
    for number, panel in enumerate(board.panels, start=1):
        width = _COLUMNS if panel.repeat else panel.width
        if x + width > _COLUMNS:
            x, y, row_height = 0, y + row_height, 0
        place = {"x": x, "y": y, "w": width, "h": panel.height}
        x, row_height = x + width, max(row_height, panel.height)
        yield {
            "id": number,
            "type": panel.kind,
            "title": panel.title,
            "description": panel.means,
            "datasource": SOURCE,
            "gridPos": place,
            **({"repeat": panel.repeat, "repeatDirection": "h", "maxPerRow": 2} if panel.repeat else {}),
            "targets": [target(panel.query, "time_series" if panel.kind == "timeseries" else "table")],
            "options": _options(panel.kind),
            "fieldConfig": {"defaults": _defaults(panel), "overrides": _band() if panel.is_band else []},
        }


def target(query: str, form: str, name: str = "A") -> dict[str, Any]:
    """A query of a panel, a variable or an annotation. form: `time_series` or `table`."""
    return {
        "refId": name,
        "datasource": SOURCE,
        "editorMode": "code",
        "format": form,
        "rawQuery": True,
        "rawSql": query,
    }


def _options(kind: str) -> dict[str, Any]:
    if kind == "timeseries":
        legend = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
        return {"legend": legend, "tooltip": {"mode": "multi", "sort": "none"}}
    if kind == "stat":
        reduced = {"values": False, "calcs": ["lastNotNull"], "fields": "/.*/"}
        return {"reduceOptions": reduced, "graphMode": "none", "colorMode": "none"}
    return {"showHeader": True, "cellHeight": "sm"}


def _defaults(panel: Panel) -> dict[str, Any]:
    # Null is a figure that is not shown: a line must not run across it.
    lines = {"drawStyle": "line", "lineWidth": 2, "showPoints": "always", "spanNulls": False}
    return {**panel.unit, "noValue": "none", **({"custom": lines} if panel.kind == "timeseries" else {})}


def _band() -> list[dict[str, Any]]:
    """Thin lines for both ends of the interval, and a fill between them."""

    def override(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        listed = [{"id": key, "value": value} for key, value in properties.items()]
        return {"matcher": {"id": "byName", "options": name}, "properties": listed}

    thin = {"custom.lineWidth": 0, "custom.showPoints": "never"}
    return [
        override("low", thin),
        override("high", {**thin, "custom.fillBelowTo": "low", "custom.fillOpacity": 15}),
    ]


def _variable(name: str) -> dict[str, Any]:
    label, query = _VARIABLES[name]
    # Grafana puts the value of All into a query as it is. A list of no values would not be SQL.
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": SOURCE,
        "query": query,
        "refresh": 1,
        "sort": 0,
        "multi": True,
        "includeAll": True,
        "allValue": query.rpartition(" order by ")[0],
        "current": {"text": "All", "value": "$__all"},
    }


def _annotations() -> Iterator[dict[str, Any]]:
    for name, (colour, query, day) in _ANNOTATIONS.items():
        filled = query.format(day=moment(day), filter=within(day))
        yield {
            "name": name,
            "datasource": SOURCE,
            "enable": True,
            "hide": False,
            "iconColor": colour,
            "target": target(filled, "table", "Anno"),
        }


def pages() -> dict[str, str]:
    """File name -> text of every board."""
    return {
        f"{board.name}.json": json.dumps(board_json(board), indent=1, ensure_ascii=False) + "\n"
        for board in BOARDS
    }


def write() -> None:
    """Write the files that ship."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
