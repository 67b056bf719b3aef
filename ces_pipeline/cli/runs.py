"""A full run from the command line: lands, cleans stale days, publishes, and prints the report. Also the demos."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ces_pipeline import pipeline
from ces_pipeline.clean.day import DayResult
from ces_pipeline.clean.workers import expect_files
from ces_pipeline.cli import console
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.failed_runs import failed_runs
from ces_pipeline.defs.local import LocalRuns, StepOutcome, local_runs
from ces_pipeline.defs.partitions import calendar_ends, stale_ranges
from ces_pipeline.defs.raw import landing_metadata
from ces_pipeline.demo import KnownAnswers, story, write_sample
from ces_pipeline.demo.api import COMPARED, SECRETS, ApiSample
from ces_pipeline.demo.api import FILE_NAME as BY_API
from ces_pipeline.demo.check import compare
from ces_pipeline.demo.known import COUNTS
from ces_pipeline.demo.known import FILE_NAME as KNOWN_ANSWERS
from ces_pipeline.errors import RegistryError
from ces_pipeline.home import Home
from ces_pipeline.land.inbox import has_news
from ces_pipeline.land.step import SourceLanding
from ces_pipeline.land.stray_files import stray_files
from ces_pipeline.pages.summary import summary
from ces_pipeline.registry import Registry
from ces_pipeline.registry.starter import make_home
from ces_pipeline.reports.answers import nearest
from ces_pipeline.reports.preview import preview
from ces_pipeline.reports.run_report import RunReport
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.memory import keep_freed_memory

_SHOWN_DIFFERENCES = 10
_LANDED = ("files_new", "rows_landed", "rows_redelivered", "rows_unreadable")
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
    report = RunReport(home, notes=pipeline.follow_registry(home, registry))
    with local_runs(home.make(), console.err.print) as runs:
        _land(runs, home, registry, sorted(registry.sources), report)
    report.strays = stray_files(home, registry)
    kept = ("landed", "note", "no source", "")
    console.facts([(label, text) for label, text in report.facts() if label in kept])
    _print_problems(report)
    return not report.failures


def run(
    home: Home,
    first: date | None = None,
    last: date | None = None,
    *,
    sources: Sequence[str] = (),
    as_json: bool = False,
) -> bool:
    """Land, clean the stale days (with `first` or `last`: exactly those days), publish; print what came of it.

    sources: those that land; empty: all. as_json: print one JSON object, and everything else on stderr.
    True if no source, day or blocking check failed. Raises RegistryError for unknown sources and days outside the
    calendar.
    """
    keep_freed_memory()
    registry = current_registry(home)
    landing = _named(registry, sources)
    chosen = _chosen(home, registry, first, last) if first or last else None
    report = RunReport(home, notes=pipeline.follow_registry(home, registry))
    with console.progress_on_stderr() if as_json else nullcontext():
        expect_files(home, registry, landing)
        with local_runs(home.make(), console.err.print) as runs:
            _land(runs, home, registry, landing, report)
            for kind in registry.kinds:
                _clean(runs, home, registry, kind, chosen, report)
            _publish(runs, home, registry, report)
            _export(home, registry, report)
            _alert(runs, home, registry, report)
            report.failures += pipeline.write_metrics_file(home, registry)
        report.strays = stray_files(home, registry)
        report.read_reasons(registry)
        report.read_summary()
    if as_json:
        console.as_json(report.as_json())
    else:
        _print_report(report)
    return report.is_well


def update(home: Home, days: Mapping[str, Iterable[tuple[date, date]]] | None = None) -> RunReport:
    """Clean the stale days, publish and update the copies, without landing; prints progress on stderr.

    days: kind -> ranges of days that are cleaned in any case.
    """
    keep_freed_memory()
    registry = current_registry(home)
    report = RunReport(home, notes=pipeline.follow_registry(home, registry))
    with console.progress_on_stderr(), local_runs(home.make(), console.err.print) as runs:
        for kind in registry.kinds:
            for chosen in (days or {}).get(kind, ()):
                _clean(runs, home, registry, kind, chosen, report)
            _clean(runs, home, registry, kind, None, report)
        _publish(runs, home, registry, report)
        # A person who was erased must leave the copies as well.
        _export(home, registry, report)
        report.failures += pipeline.write_metrics_file(home, registry)
    return report


def rebuild(home: Home) -> bool:
    """Rebuild the published file, compare, and say what differs. True if nothing does and no blocking check failed."""
    keep_freed_memory()
    with console.working("rebuilding"), local_runs(home.make(), console.err.print) as runs:
        outcome = runs.rebuild()
    if outcome.failure:
        for line in outcome.failure.splitlines():
            console.err.print(line)
        return False
    if outcome.metadata["compared"]:
        console.out.print(f"rebuilt, with the rows that it had: {home.published}")
    else:
        console.out.print(
            f"rebuilt: {home.published}. Nothing to compare: {outcome.metadata['rebuilt_because']}"
        )
    return True


def dry_run(
    home: Home,
    first: date | None = None,
    last: date | None = None,
    *,
    sources: Sequence[str] = (),
    as_json: bool = False,
) -> bool:
    """Print what `run` would do; change nothing. True if every file can be read."""
    registry = current_registry(home)
    pipeline.follow_registry(home, registry, is_dry=True)
    days = None
    if first or last:
        beginning, end = _chosen(home, registry, first, last)
        days = [beginning + timedelta(step) for step in range((end - beginning).days + 1)]
    found = preview(home, registry, _named(registry, sources), days)
    if as_json:
        console.as_json(found.as_json())
    else:
        console.facts(found.facts())
    return not found.unreadable


def _named(registry: Registry, sources: Sequence[str]) -> list[str]:
    """The sources that land. Raises RegistryError for an unknown source, with the nearest names."""
    for name in sources:
        if name not in registry.sources:
            near = nearest(name, registry.sources) or sorted(registry.sources)
            raise RegistryError(
                f"--source {name}: sources.yaml has no such source (known: {', '.join(near)})"
            )
    return sorted(set(sources or registry.sources))


def _print_report(report: RunReport) -> None:
    console.out.print()
    console.facts(report.facts())
    if report.figures:
        console.out.print()
        console.summary(summary(report.figures))
    console.out.print()
    _print_problems(report)
    console.out.print(f"look at: `ces show`, `ces report`, `ces doctor`, {report.home.published}")


def demo(home: Home) -> bool:
    """Write the sample into a separate home, run it, compare with the known answers, show the figures.

    True if all results are as expected. Raises HomeError if the folder already has other content.
    """
    console.out.print(f"home: {home.root}")
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
    console.out.print(f"home: {home.root}")
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
    console.out.print(f"home: {home.root}")
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


def _print_problems(report: RunReport) -> None:
    for line in report.problems():
        console.err.print(line)


def _chosen(home: Home, registry: Registry, first: date | None, last: date | None) -> tuple[date, date]:
    beginning, today = calendar_ends(home, registry)
    first, last, earliest = first or beginning, last or today, registry.settings.first_day
    if not earliest <= first <= last <= today:
        raise RegistryError(
            f"days {first} to {last} are not within {earliest} to {today}. Change --from and --to, "
            f"or `first_day` in registry/settings.yaml"
        )
    if last < beginning:
        raise RegistryError(f"no rows have landed before {beginning}. Change --to")
    return max(first, beginning), last


def _land(runs: LocalRuns, home: Home, registry: Registry, sources: Sequence[str], report: RunReport) -> None:
    report.sources = len(sources)
    if not sources:
        return
    with console.working(f"landing: {len(sources)} sources"):
        unrecorded = _land_quietly(runs, home, registry, sources)
        nothing = {landing.source_id for landing in unrecorded if landing.changed_nothing}
        outcomes = runs.land([name for name in sources if name not in nothing])
    found = [landing_metadata(registry.sources[landing.source_id], landing) for landing in unrecorded]
    notes: list[str] = []
    for metadata in (*found, *(outcome.metadata for outcome in outcomes)):
        counts = {name: int(metadata.get(name, 0)) for name in _LANDED}
        report.files_new += counts["files_new"]
        report.rows_landed += counts["rows_landed"]
        report.rows_redelivered += counts["rows_redelivered"]
        report.rows_unreadable += counts["rows_unreadable"]
        notes += str(metadata.get("notes", "")).splitlines()
    report.notes += dict.fromkeys(notes)
    for outcome in outcomes:
        report.failures += _failures(outcome)


def _land_quietly(
    runs: LocalRuns, home: Home, registry: Registry, sources: Sequence[str]
) -> list[SourceLanding]:
    """Examine the sources without news whose landing this night is on record already, without a further run."""
    recorded = runs.landed_this_night(sources)
    quiet = [name for name in sources if name in recorded and not has_news(home, registry.sources[name])]
    try:
        return pipeline.land(home, registry, quiet)
    except Exception:
        # The recorded run meets the same problem and says what it is.
        return []


def _clean(
    runs: LocalRuns,
    home: Home,
    registry: Registry,
    kind: str,
    chosen: tuple[date, date] | None,
    report: RunReport,
) -> None:
    ranges = [chosen] if chosen else stale_ranges(home, registry, pipeline.stale_days(home, registry, kind))
    if not ranges:
        return
    total = sum((last - first + timedelta(days=1)).days for first, last in ranges)
    with console.counting(f"cleaning {kind}", total, "days") as count:

        def done(result: DayResult) -> None:
            report.days.append(result)
            count()

        outcomes = [runs.clean(kind, first, last, done) for first, last in ranges]
    for outcome in outcomes:
        report.failures += _failures(outcome)


def _publish(runs: LocalRuns, home: Home, registry: Registry, report: RunReport) -> None:
    if not pipeline.is_behind(home, registry) and pipeline.is_proved(home, registry):
        # Nothing to write, so no run is recorded; the warnings still run.
        unchanged = pipeline.publish(home, registry, run_id="unchanged")
        report.notes += unchanged.notes
        for result in unchanged.warnings:
            report.warnings.append(f"{result.check.name}: {result.detail}")
        report.publication = "unchanged"
        return
    with console.working("publishing"):
        outcome, verdicts = runs.publish()
    report.notes += str(outcome.metadata.get("notes", "")).splitlines()
    failed = [verdict for verdict in verdicts if not verdict.passed]
    report.warnings += [f"{verdict.name}: {verdict.detail}" for verdict in failed if not verdict.is_blocking]
    blocking = [f"{verdict.name}: {verdict.detail}" for verdict in failed if verdict.is_blocking]
    report.failures += blocking
    if outcome.failure is None:
        report.publication = "published"
    elif blocking:
        report.publication = "blocked"
    else:
        report.failures += _failures(outcome)


def _export(home: Home, registry: Registry, report: RunReport) -> None:
    """Bring the copies of the published figures up to date, if the settings ask for some."""
    if report.publication not in ("published", "unchanged"):
        return
    chosen = registry.settings.exports
    with console.working("exporting") if chosen.postgres or chosen.bi_files else nullcontext():
        for failures in pipeline.export(home, registry).values():
            report.failures += failures


def _alert(runs: LocalRuns, home: Home, registry: Registry, report: RunReport) -> None:
    """Send the messages that are due; publish once more if the file lacks what was logged about them."""
    report.alerting = pipeline.alert(home, registry, failed_runs=failed_runs(home.dagster))
    report.failures += report.alerting.failures
    is_published = report.publication in ("published", "unchanged")
    if report.alerting.is_due and is_published and pipeline.is_behind(home, registry):
        with console.working("publishing the log of alerts"):
            outcome, _ = runs.publish()
        report.failures += _failures(outcome)


def _failures(outcome: StepOutcome) -> list[str]:
    return [f"{outcome.asset}: {line}" for line in (outcome.failure or "").splitlines()]
