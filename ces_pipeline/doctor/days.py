"""Findings about steps and days: what the last run could not do, which days wait and why, unknown words."""

from collections.abc import Iterator
from datetime import UTC, date

import pyarrow.compute as pc

from ces_pipeline.clean.inputs import Planner
from ces_pipeline.clean.unknown_words import counted_words
from ces_pipeline.doctor.failed_steps import failed_steps
from ces_pipeline.home import Home
from ces_pipeline.publish.inputs import read_load_audit
from ces_pipeline.registry import Registry
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.last_results import LastResult, last_results
from ces_pipeline.vendors.contract import Finding

_NAMED = 10


def last_run(home: Home, registry: Registry) -> Iterator[Finding]:
    """What the last run of each step could not do, in the run's own words."""
    results = [result for result in last_results(Lake(home.lake)) if _is_of(result, registry)]
    for result in results:
        lines = [line for subject in sorted(result.failures) for line in result.failures[subject]]
        for line in lines[:_NAMED]:
            yield Finding(
                False, f"last run ({result.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, {_words(result)}): {line}"
            )
        if len(lines) > _NAMED:
            yield Finding(False, f"last run ({_words(result)}): {len(lines) - _NAMED} more failures")
    if not results:
        yield Finding(True, "last run: no step failed")


def _is_of(result: LastResult, registry: Registry) -> bool:
    """Whether the step still exists: what a source could not do that is no longer registered is over."""
    step, _, name = result.step.partition("-")
    return step != "land" or name in registry.sources


def _words(result: LastResult) -> str:
    step, _, name = result.step.partition("-")
    words = {"land": f"landing {name}", "clean": f"cleaning {name}", "export": f"exporting {name}"}
    return words.get(step, "publishing")


def waiting_days(home: Home, registry: Registry) -> Iterator[Finding]:
    """The days that are to be cleaned, by why they wait."""
    lake = Lake(home.lake)
    failed = {result.step: set(result.failures) for result in failed_steps(home)}
    waits = False
    for kind in registry.kinds:
        waiting = Planner(lake, registry, kind).waiting_days()
        for why in sorted(set(waiting.values())):
            days = [day for day, reason in waiting.items() if reason == why]
            could_not = {day for day in days if day.isoformat() in failed.get(f"clean-{kind}", ())}
            for found, advice in (
                (sorted(set(days) - could_not), "Run `ces run`"),
                (sorted(could_not), "The last run could not clean them: see its failure in this list"),
            ):
                if found:
                    waits = True
                    yield Finding(
                        False,
                        f"days: {_span(kind, found)} {'wait' if len(found) > 1 else 'waits'}: {why}. {advice}",
                    )
    if not waits:
        yield Finding(True, "days: none waits to be cleaned")


def _span(kind: str, days: list[date]) -> str:
    if len(days) == 1:
        return f"{kind} day {days[0]}"
    return f"{len(days)} {kind} days ({days[0]} to {days[-1]})"


def unknown_words(home: Home, registry: Registry) -> Iterator[Finding]:
    """The words of flags and states that no list knows, from the days' latest cleaning."""
    load_audit = read_load_audit(Lake(home.lake))
    marked = load_audit.filter(pc.field("unknown_words").is_valid())
    for (source_id, field, word), n in sorted(counted_words(marked.to_pylist()).items()):
        yield Finding(
            False,
            f"unknown word: {field} of source {source_id} holds {word!r} in {n:,} rows, and no list knows it. Say what "
            f"it means under `values` of {source_id} in sources.yaml",
        )
