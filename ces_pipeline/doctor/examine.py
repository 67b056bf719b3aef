"""Every check of a home, in the order in which problems should be corrected. A check that breaks is a finding too."""

from collections.abc import Callable, Iterator
from pathlib import Path
from traceback import extract_tb

from ces_pipeline.doctor.configured import objectives, overlapping_rules, unclear_entries
from ces_pipeline.doctor.days import last_run, unknown_words, waiting_days
from ces_pipeline.doctor.inbox import stray, unlanded
from ces_pipeline.doctor.key import key
from ces_pipeline.doctor.lake_files import damaged_files, day_files, landed_files, ledger_entries, set_aside
from ces_pipeline.doctor.landed import landed_otherwise, sources_without_entry
from ces_pipeline.doctor.machine import clock, disk_space, permissions, writable
from ces_pipeline.doctor.orchestration import daemon, last_dagster_runs, run_history
from ces_pipeline.doctor.published import published_file
from ces_pipeline.doctor.receiving import webhooks
from ces_pipeline.doctor.vendor_apis import api
from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.privacy.shown import shown_name
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.registry.load import load_exports
from ces_pipeline.vendors.contract import Finding

Check = Callable[[Home], Iterator[Finding]]
RegistryCheck = Callable[[Home, Registry], Iterator[Finding]]

_OF_HOME: tuple[tuple[str, Check], ...] = (
    ("home", writable),
    ("permissions", permissions),
    ("disk space", disk_space),
    ("pseudonym key", key),
    ("run history", run_history),
    ("daemon", daemon),
    ("ledger", ledger_entries),
    ("lake", set_aside),
    ("landed files", landed_files),
    ("lake", damaged_files),
    ("clock", clock),
)
"""What is examined -> the check; these need no registry."""
_OF_REGISTRY: tuple[tuple[str, RegistryCheck], ...] = (
    ("rules", overlapping_rules),
    ("registry", unclear_entries),
    ("objectives", objectives),
    ("inbox", stray),
    ("inbox", unlanded),
    ("webhooks", webhooks),
    ("deliveries", sources_without_entry),
    ("deliveries", landed_otherwise),
    ("last run", last_run),
    ("last run", last_dagster_runs),
    ("day files", day_files),
    ("days", waiting_days),
    ("unknown words", unknown_words),
    ("published file", published_file),
)


def examine(home: Home) -> Iterator[Finding]:
    """Every finding about a home. Never raises an error about the home: a check that cannot be made is a finding."""
    if not home.root.is_dir():
        yield Finding(False, f"home: {home.root} does not exist. `ces init {home.root}` creates it")
        return
    registry: Registry | None = None
    try:
        registry = load_registry(home.registry)
        load_exports(home.registry)
        yield Finding(True, f"registry: {len(registry.sources)} sources, {len(registry.surveys)} surveys")
    except Exception as problem:
        text = str(problem) if isinstance(problem, CesError) else f"registry: {_unexpected(problem)}"
        yield Finding(False, text)
    for subject, check in _OF_HOME:
        yield from _guarded(subject, check(home))
    if registry is None:
        yield Finding(
            True,
            "inbox, days and published file: not examined, because they need a registry without mistakes",
            is_warning=True,
        )
        return
    for subject, of_registry in _OF_REGISTRY:
        yield from _guarded(subject, of_registry(home, registry))
    for source in registry.sources.values():
        if source.api is not None:
            yield from _guarded(f"api of {source.id}", api(home, registry, source))


def _guarded(subject: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    try:
        yield from findings
    except CesError as problem:
        text = str(problem)
        yield Finding(False, text if text.startswith(subject) else f"{subject}: {text}")
    except Exception as problem:
        yield Finding(False, f"{subject}: {_unexpected(problem)}")


def _unexpected(problem: Exception) -> str:
    """An error that no check foresees. Its text may quote a value, so only its kind and place are shown."""
    frame = extract_tb(problem.__traceback__)[-1]
    file = getattr(problem, "filename", None)
    where = f" of {shown_name(Path(file).name)}" if isinstance(file, str) else ""
    return (
        f"the examination{where} failed ({type(problem).__name__} in {Path(frame.filename).name}, line "
        f"{frame.lineno}), so it is not known whether all is well here. Restore damaged files from a backup, or "
        "report this"
    )
