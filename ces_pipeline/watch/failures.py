"""What is wrong now, apart from the figures: failed checks, sources, steps and runs, missed nights. Pure functions."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ces_pipeline.publish.checks import CheckResult
from ces_pipeline.registry.alerts import ALL, Rule
from ces_pipeline.storage.last_results import LastResult
from ces_pipeline.watch.incidents import Failure, Series

_LAND = "land-"
_PUBLISH = "publish"
_SHOWN_LINES = 3
NIGHT = Series("run", "night", ALL)


@dataclass(frozen=True)
class FailedRun:
    """The newest run of a job, if it failed as a run, such as one that was killed. at: when it was started."""

    job: str
    status: str
    at: datetime


def check_failures(rule: Rule, results: Sequence[CheckResult]) -> tuple[list[Failure], list[Series]]:
    """The failed checks that a rule names, and all that it names."""
    wanted = set(rule.checks or ())
    named = [
        result
        for result in results
        if wanted & {ALL, result.check.name, "blocking" if result.check.is_blocking else "warnings"}
    ]
    failed = [Failure(_check(result), result.detail or "it failed") for result in named if not result.passed]
    return failed, [_check(result) for result in named]


def _check(result: CheckResult) -> Series:
    return Series("check", ALL, result.check.name)


def source_failures(
    rule: Rule, sources: Collection[str], results: Iterable[LastResult]
) -> tuple[list[Failure], list[Series]]:
    """The sources of a rule whose last landing was not complete, and all that it names.

    sources: the registered ones; those that left the registry fail no more.
    """
    wanted = rule.sources or ()
    named = [source for source in sources if ALL in wanted or source in wanted]
    by_source = {
        result.step.removeprefix(_LAND): result for result in results if result.step.startswith(_LAND)
    }
    failed = [
        Failure(Series("source", "source", source), _text(by_source[source]))
        for source in named
        if source in by_source
    ]
    return failed, [Series("source", "source", source) for source in named]


def run_failures(
    rule: Rule,
    steps: Iterable[str],
    results: Sequence[LastResult],
    failed_runs: Mapping[str, FailedRun | None],
    *,
    blocked_by: Collection[str],
    missed: Sequence[date],
) -> tuple[list[Failure], list[Series]]:
    """The steps that failed, the runs that failed though no step says why, and the missed nights; and all examined.

    steps: the steps of a run but landing, whose failures are those of sources. failed_runs: job -> its newest run, if
    that failed. blocked_by: names of the checks that may block a publish: that is the failure of a check, not of a run.
    missed: the nights without a publish.
    """
    failures: list[Failure] = []
    examined: list[Series] = []
    if rule.runs in (ALL, "failed"):
        by_step = {result.step: result for result in results}
        examined += [Series("run", "step", step) for step in steps]
        for step in steps:
            result = by_step.get(step)
            if result is not None and not (step == _PUBLISH and _is_blocked(result, blocked_by)):
                failures.append(Failure(Series("run", "step", step), _text(result)))
        examined += [Series("run", "job", job) for job in failed_runs]
        failures += [
            Failure(
                Series("run", "job", job),
                f"its newest run ended as {run.status}; `ces ui` shows why, below Runs",
            )
            for job, run in failed_runs.items()
            # A step that failed says more than its run.
            if run is not None and not results
        ]
    if rule.runs in (ALL, "missed"):
        examined.append(NIGHT)
        if missed:
            nights = ", ".join(night.isoformat() for night in missed[-_SHOWN_LINES:])
            more = f" and {len(missed) - _SHOWN_LINES} before" if len(missed) > _SHOWN_LINES else ""
            detail = f"nothing was published in the night of {nights}{more}. Look at `ces doctor`"
            failures.append(Failure(NIGHT, detail, missed[0]))
    return failures, examined


def _text(result: LastResult) -> str:
    """What a step could not do: the first lines. They name no person."""
    lines = [
        f"{subject}: {line}" if subject else line
        for subject, found in sorted(result.failures.items())
        for line in found
    ]
    more = f"; and {len(lines) - _SHOWN_LINES} more" if len(lines) > _SHOWN_LINES else ""
    return f"{'; '.join(lines[:_SHOWN_LINES])}{more}"


def _is_blocked(result: LastResult, blocked_by: Collection[str]) -> bool:
    """Whether a publish failed only because its checks blocked it."""
    lines = [line for found in result.failures.values() for line in found]
    return all(line.partition(":")[0] in blocked_by for line in lines)


def missed_nights(
    published_at: datetime | None, now: datetime, time_zone: str, schedule_hour: int, late_hours: int
) -> list[date]:
    """The nights after the last publish in which nothing was published until `late_hours` after their hour.

    published_at: when a publish last found everything up to date or made it so; None: never, so no night was missed.
    """
    if published_at is None:
        return []
    zone = ZoneInfo(time_zone)
    since, until = published_at.astimezone(zone), now.astimezone(zone)
    found = []
    night = since.date()
    while night <= until.date():
        began = datetime(night.year, night.month, night.day, schedule_hour, tzinfo=zone)
        if since < began and began + timedelta(hours=late_hours) <= until:
            found.append(night)
        night += timedelta(days=1)
    return found
