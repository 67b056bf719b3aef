"""Findings about the inbox: files that no source takes, sources without a file, files that wait to be landed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ces_pipeline.home import Home
from ces_pipeline.land.inbox import inbox_files
from ces_pipeline.land.ledger import Ledger
from ces_pipeline.land.stray_files import stray_files
from ces_pipeline.registry import Registry
from ces_pipeline.reports.preview import unlanded_files
from ces_pipeline.storage.lake import Lake
from ces_pipeline.vendors.contract import Finding

_NIGHT = timedelta(hours=26)
"""A file that is older has been passed over by a nightly run."""


def stray(home: Home, registry: Registry) -> Iterator[Finding]:
    """Files that no source takes."""
    for file in stray_files(home, registry):
        yield Finding(
            file.is_unfinished,
            f"inbox: {file.name} has no source: {file.advice}",
            is_warning=file.is_unfinished,
        )


def unlanded(home: Home, registry: Registry) -> Iterator[Finding]:
    """Sources that never delivered, and files that have not landed."""
    ledger = Ledger.read(Lake(home.lake))
    files = 0
    today = registry.settings.business_date(datetime.now(UTC))
    for source in registry.sources.values():
        here = inbox_files(home, source)
        files += len(here)
        if source.has_ended(today):
            continue
        if not here and source.api is None and source.receive is None and not ledger.of_source(source.id):
            yield Finding(
                False,
                f"inbox: source {source.id} has no file in {home.inbox / source.id}, and nothing of it has landed. Put "
                f"an export there, or remove the source from sources.yaml",
            )
        unlanded_here, unreadable = unlanded_files(home, registry, source)
        waiting = [file for file in unlanded_here if file.is_new]
        yield from (Finding(False, f"inbox: {text}. Correct the file or remove it") for text in unreadable)
        old = [file for file in waiting if datetime.now(UTC) - file.changed_at > _NIGHT]
        if old:
            yield Finding(
                False,
                f"inbox: {len(old)} {'file' if len(old) == 1 else 'files'} of source {source.id} did not land in the "
                f"last night: {', '.join(file.name for file in old[:3])}{' and more' if len(old) > 3 else ''}. Run "
                f"`ces run`, which lands them or says why not",
            )
        elif waiting:
            yield Finding(
                True,
                f"inbox: {len(waiting)} new {'file' if len(waiting) == 1 else 'files'} of source {source.id} "
                f"{'waits' if len(waiting) == 1 else 'wait'} for the next run",
            )
    yield Finding(True, f"inbox: {files} files belong to a source")
