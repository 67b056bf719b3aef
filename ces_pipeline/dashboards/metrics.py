"""`ces.prom`: the state of a home as metrics in the Prometheus text format, for node_exporter's textfile collector.

All are gauges in base units: seconds, ratios from 0 to 1. A figure that is suppressed has no series, never 0 or NaN. No
label names a person, a ticket or a file, and no series has a timestamp of its own: the collector refuses those.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import duckdb

from ces_pipeline.errors import CesError, HomeError
from ces_pipeline.home import Home
from ces_pipeline.publish.inputs import stored_rows
from ces_pipeline.schemas.audit import CHECK_RESULTS
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.last_results import last_results
from ces_pipeline.storage.local_files import replace_file
from ces_pipeline.watch.incidents import fold
from ces_pipeline.watch.log import LastRun, last_run, read_events

Labels = tuple[tuple[str, str], ...]
_ANYBODY = 0o644
"""The collector is another user, and the file names no person."""


@dataclass(frozen=True)
class Family:
    """A gauge: its name without the prefix, what it says, and its series. No series: the family is left out."""

    name: str
    means: str
    series: Sequence[tuple[Labels, float]]


_OF_THE_FILE = (
    (
        "published_timestamp_seconds",
        "When the published file was made.",
        "select epoch(published_at) from audit.publication",
    ),
    (
        "source_newest_row_timestamp_seconds",
        "When the newest delivery of a source landed.",
        "select epoch(last_received_at), source_id as source from feed_books where last_received_at is not null",
    ),
    (
        "source_rows",
        "Landed rows of all days by what became of them.",
        """
        select landed_rows, source_id as source, outcome
        from (unpivot feed_books on accepted, rejected, redelivered, superseded, unlanded, erased
              into name outcome value landed_rows)
        """,
    ),
    (
        "pending_day_partitions",
        "Days whose rows in the published file may be older than their deliveries.",
        "select count(*) from audit.pending_days",
    ),
    (
        "week_start_timestamp_seconds",
        "First moment of a survey's newest complete week, UTC; the week begins on Monday in the business zone.",
        "select epoch(week), survey from newest",
    ),
    ("week_responses", "Scored answers of a survey's newest complete week.", "select n, survey from newest"),
    (
        "week_ease_ratio",
        "Mean ease of a survey's newest complete week, from 0 (hardest) to 1 (easiest).",
        "select mean_ease_0_100 / 100, survey from newest where mean_ease_0_100 is not null",
    ),
    (
        "week_ease_low_ratio",
        "Lower end of the 95 % interval of ces_week_ease_ratio.",
        "select ease_low_0_100 / 100, survey from newest where ease_low_0_100 is not null",
    ),
    (
        "week_ease_high_ratio",
        "Upper end of the 95 % interval of ces_week_ease_ratio.",
        "select ease_high_0_100 / 100, survey from newest where ease_high_0_100 is not null",
    ),
    (
        "week_difficult_ratio",
        "Share of difficult answers in a survey's newest complete week.",
        "select difficult_share, survey from newest where difficult_share is not null",
    ),
)
"""Name, meaning and query of what the published file says: the value, then the labels."""
_NEWEST_WEEKS = """
    with newest as (
        select survey_id as survey, *
        from mart.week_changes
        where is_whole_week and n > 0
        qualify row_number() over (partition by survey_id order by week desc) = 1
    )
"""
"""Of each survey the newest complete week with a scored answer."""


def metrics_text(families: Sequence[Family]) -> str:
    """The families in the text format, each with HELP and TYPE, in the given order."""
    lines = []
    for family in families:
        if family.series:
            name = f"ces_{family.name}"
            lines += [f"# HELP {name} {_escaped(family.means)}", f"# TYPE {name} gauge"]
            lines += [f"{name}{_labels(labels)} {float(value)!r}" for labels, value in family.series]
    return "\n".join(lines) + "\n"


def families(home: Home) -> list[Family]:
    """The metrics of a home as it is now: its last run, open incidents, and the published file where there is one."""
    lake = Lake(home.lake)
    failed = len(last_results(lake))
    found = [
        Family("build_info", "The version of ces_pipeline.", [((("version", version("ces-pipeline")),), 1)])
    ]
    if run := last_run(lake):
        found += _of_run(run, failed)
    found += [
        Family("failed_steps", "Steps of the last run that did not do everything.", [((), failed)]),
        Family("open_incidents", "Incidents that are not over, by severity.", _incidents(lake)),
        Family("check_passed", "1 if a check of the newest publish passed, else 0.", _checks(lake)),
    ]
    if home.published.is_file():
        with open_published(home.published) as connection:
            found += _of_file(connection)
    return found


def write_metrics(home: Home, path: Path) -> int:
    """Write the metrics of a home to a file, by rename; returns the number of series. Raises HomeError, CesError."""
    found = families(home)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, metrics_text(found).encode(), mode=_ANYBODY)
    except OSError as problem:
        raise HomeError(
            f"the metrics file {path} cannot be written ({problem.strerror or type(problem).__name__}). Correct "
            "`exports.metrics_file` in settings.yaml, or the permissions of the folder"
        ) from problem
    return sum(len(family.series) for family in found)


def _of_run(run: LastRun, failed: int) -> Iterator[Family]:
    is_well = run.is_published and not failed
    yield Family("last_run_timestamp_seconds", "When the last run ended.", [((), run.at.timestamp())])
    yield Family("last_run_success", "1 if the last run did everything, else 0.", [((), int(is_well))])
    yield Family("publish_duration_seconds", "How long its publish took.", [((), run.seconds)])


def _incidents(lake: Lake) -> list[tuple[Labels, float]]:
    still_open = [found for found in fold(read_events(lake)).values() if found.is_open]
    return [
        ((("severity", severity),), sum(found.severity == severity for found in still_open))
        for severity in ("critical", "warning")
    ]


def _checks(lake: Lake) -> list[tuple[Labels, float]]:
    """The checks of the newest publish, also of one that they blocked."""
    rows = stored_rows(lake, CHECK_RESULTS).to_pylist()
    newest = max((row["checked_at"] for row in rows), default=None)
    return sorted(
        (
            (("check", row["check_name"]), ("severity", "blocking" if row["is_blocking"] else "warning")),
            int(row["passed"]),
        )
        for row in rows
        if row["checked_at"] == newest
    )


def _of_file(connection: duckdb.DuckDBPyConnection) -> Iterator[Family]:
    for name, means, query in _OF_THE_FILE:
        try:
            rows = connection.execute(f"{_NEWEST_WEEKS} {query}")
        except (duckdb.BinderException, duckdb.CatalogException):
            raise CesError(
                "the published file is of another version of ces. Run `ces run`, which rebuilds it"
            ) from None
        columns = [column[0] for column in rows.description or ()][1:]
        series = [
            (tuple(zip(columns, map(str, labels), strict=True)), float(value))
            for value, *labels in rows.fetchall()
        ]
        yield Family(name, means, sorted(series))


def _labels(labels: Labels) -> str:
    listed = ",".join(f'{name}="{_escaped(value, is_label=True)}"' for name, value in labels)
    return f"{{{listed}}}" if listed else ""


def _escaped(text: str, *, is_label: bool = False) -> str:
    """As the format asks: backslash and line feed everywhere, the quote in labels."""
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if is_label else text
