"""A full run from the command line: lands, cleans stale days, publishes, and prints the results. Also the demos."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ces_pipeline import pipeline
from ces_pipeline.cli import console
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.local import LocalRuns, StepOutcome, Verdict, local_runs
from ces_pipeline.defs.partitions import calendar_ends, stale_ranges
from ces_pipeline.demo import KnownAnswers, story, write_sample
from ces_pipeline.demo.api import COMPARED, SECRETS, ApiSample
from ces_pipeline.demo.api import FILE_NAME as BY_API
from ces_pipeline.demo.check import compare
from ces_pipeline.demo.known import COUNTS
from ces_pipeline.demo.known import FILE_NAME as KNOWN_ANSWERS
from ces_pipeline.errors import RegistryError
from ces_pipeline.home import Home
from ces_pipeline.registry import Registry
from ces_pipeline.registry.starter import make_home
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.memory import keep_freed_memory

_SHOWN_DIFFERENCES = 10
_HEADLINE_COLUMNS = ("survey", "answers", "mean ease", "easy", "difficult", "rejected")
_HEADLINE = """
    with figures as (
        select
            survey_id,
            sum(n)::bigint as n,
            round(sum(ease_sum_0_100) / sum(n), 1) as mean_ease,
            round(100 * sum(easy_count) / sum(n), 1) || ' %' as easy,
            round(100 * sum(difficult_count) / sum(n), 1) || ' %' as difficult
        from mart.ces_daily
        group by survey_id
    ),
    rejected as (select survey_id, count(*) as n from core.rejected_responses group by survey_id)
    select survey_id, figures.n, mean_ease, easy, difficult, coalesce(rejected.n, 0)
    from figures left join rejected using (survey_id)
    order by survey_id
"""


def land(home: Home) -> bool:
    """Land every source. True if no source failed."""
    keep_freed_memory()
    registry = current_registry(home)
    with local_runs(home.make()) as runs:
        return _land(runs, registry)


def run(home: Home, first: date | None = None, last: date | None = None) -> bool:
    """Land, clean the stale days (with `first` or `last`: exactly those days), publish.

    True if no source, day or blocking check failed. Raises RegistryError for days outside the calendar.
    """
    keep_freed_memory()
    registry = current_registry(home)
    chosen = _chosen(registry, first, last) if first or last else None
    with local_runs(home.make()) as runs:
        landed = _land(runs, registry)
        cleaned = [_clean(runs, home, registry, kind, chosen) for kind in registry.kinds]
        published = _publish(runs, home, registry)
    return landed and all(cleaned) and published


def demo(home: Home) -> bool:
    """Write the sample into a separate home, run it, compare with the known answers, show the figures.

    True if all results are as expected. Raises HomeError if the folder already has other content.
    """
    known = home.root / KNOWN_ANSWERS
    if not known.exists():
        make_home(home)
        with console.working("writing sample exports"):
            write_sample(home.inbox)
        (home.inbox / KNOWN_ANSWERS).replace(known)
    return _compared(home, known, COUNTS, run(home))


def demo_by_api(home: Home) -> bool:
    """Like `demo`, but pulls from simulated vendor APIs, which run during the demo.

    True if all results are as expected. Raises HomeError if the folder already has other content.
    """
    known = home.root / BY_API
    if not known.exists():
        make_home(home)
        sample = ApiSample(datetime.now(UTC).date() - timedelta(days=1))
        sample.known.write(known)
    else:
        sample = ApiSample(date.fromisoformat(KnownAnswers.read(known).last_day))
    with sample.serving() as urls, _environment(SECRETS):
        console.out.print(f"{len(urls)} simulated vendor APIs run on this machine")
        sample.write_registry(home, urls)
        done = run(home)
    return _compared(home, known, COMPARED, done)


def demo_story(home: Home) -> bool:
    """Like `demo`, with the story: a slow API, difficult tickets, a fix. The marts must find each planted effect.

    True if all findings are as expected. Raises HomeError if the folder already has other content.
    """
    known = home.root / story.FILE_NAME
    if not known.exists():
        make_home(home)
        with console.working("writing the story"):
            story.Story().write(home)
    done = run(home)
    planted, found = story.read_known(known), story.found(home)
    differing = story.differing(planted, found)
    rows = [(name, _shown(value), _shown(found.get(name))) for name, value in planted.items()]
    console.table("The story", ("finding", "expected", "found"), rows)
    for name in differing:
        console.err.print(f"differs from the expected value: {name}")
    console.out.print(
        "every finding is as expected" if not differing else "some findings are not as expected"
    )
    console.out.print(f"published: {home.published}")
    return done and not differing


def _shown(value: object) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else "nothing" if value is None else str(value)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set these environment variables until the block ends."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _compared(home: Home, known: Path, counts: tuple[str, ...], done: bool) -> bool:
    """Compare with the known answers and show the figures; True if `done` and nothing differs."""
    differences = compare(home, known, counts)
    for difference in differences[:_SHOWN_DIFFERENCES]:
        console.err.print(f"differs from the known answers: {difference}")
    if len(differences) > _SHOWN_DIFFERENCES:
        console.err.print(f"... and {len(differences) - _SHOWN_DIFFERENCES} more differences")
    with open_published(home.published) as connection:
        console.table(
            "Customer effort by survey", _HEADLINE_COLUMNS, connection.execute(_HEADLINE).fetchall()
        )
    console.out.print(
        "every number is as expected" if not differences else "some numbers are not as expected"
    )
    console.out.print(f"published: {home.published}")
    return done and not differences


def _chosen(registry: Registry, first: date | None, last: date | None) -> tuple[date, date]:
    beginning, today = calendar_ends(registry)
    first, last = first or beginning, last or today
    if not beginning <= first <= last <= today:
        raise RegistryError(
            f"days {first} to {last} are not within {beginning} to {today}. Change --from and --to, "
            f"or `first_day` in registry/settings.yaml"
        )
    return first, last


def _land(runs: LocalRuns, registry: Registry) -> bool:
    sources = sorted(registry.sources)
    if not sources:
        console.out.print("no source is registered. `ces inspect FILE --write` adds one from an export")
        return True
    with console.working(f"landing: {len(sources)} sources"):
        outcomes = runs.land(sources)
    for outcome in outcomes:
        for note in str(outcome.metadata.get("notes", "")).splitlines():
            console.out.print(f"note: {note}")
        _print_failure(outcome)
    new = sum(int(outcome.metadata.get("files_new", 0)) for outcome in outcomes)
    rows = sum(int(outcome.metadata.get("rows_landed", 0)) for outcome in outcomes)
    console.out.print(f"landed {new} new files, {rows:,} new or changed rows")
    return all(outcome.failure is None for outcome in outcomes)


def _clean(
    runs: LocalRuns, home: Home, registry: Registry, kind: str, chosen: tuple[date, date] | None
) -> bool:
    ranges = [chosen] if chosen else stale_ranges(registry, pipeline.stale_days(home, registry, kind))
    if not ranges:
        return True
    total = sum((last - first + timedelta(days=1)).days for first, last in ranges)
    with console.counting(f"cleaning {kind}", total, "days") as done:
        outcomes = [runs.clean(kind, first, last, lambda _day: done()) for first, last in ranges]
    for outcome in outcomes:
        _print_failure(outcome)
    return all(outcome.failure is None for outcome in outcomes)


def _publish(runs: LocalRuns, home: Home, registry: Registry) -> bool:
    if not pipeline.is_behind(home, registry):
        # Nothing to write, so no run is recorded; the warnings still run.
        for result in pipeline.publish(home, registry, run_id="unchanged").warnings:
            _print_verdict(Verdict(result.check.name, passed=False, is_blocking=False, detail=result.detail))
        console.out.print("nothing new to publish")
        return True
    with console.working("publishing"):
        outcome, verdicts = runs.publish()
    for verdict in verdicts:
        if not verdict.passed:
            _print_verdict(verdict)
    if outcome.failure is not None:
        if not any(verdict.is_blocking and not verdict.passed for verdict in verdicts):
            _print_failure(outcome)
        console.out.print("not published. The old published file, if there is one, is unchanged")
        return False
    console.out.print("published")
    return True


def _print_failure(outcome: StepOutcome) -> None:
    if outcome.failure:
        for line in outcome.failure.splitlines():
            console.err.print(f"{outcome.asset}: {line}")


def _print_verdict(verdict: Verdict) -> None:
    if not verdict.passed:
        console.err.print(
            f"{'FAILED' if verdict.is_blocking else 'warning'}: {verdict.name}: {verdict.detail}"
        )
