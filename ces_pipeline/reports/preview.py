"""What a run would do now: the files that would land, the days that are stale, whether it would publish. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from ces_pipeline.errors import CesError
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.home import Home
from ces_pipeline.land.inbox import SeenFiles, inbox_files, received_files, seen_key
from ces_pipeline.land.inputs import stale_deliveries
from ces_pipeline.land.ledger import Ledger
from ces_pipeline.land.stray_files import StrayFile, stray_files
from ces_pipeline.pipeline import publish_inputs, stale_days
from ces_pipeline.privacy.shown import shown_name
from ces_pipeline.publish.step import is_behind
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.sources import Source
from ces_pipeline.storage.lake import Lake


@dataclass
class Preview:
    """What a run would do.

    files: (source, file name, why) of the files that would land. unreadable: lines about files that cannot be read.
    days: kind -> the days that would be cleaned; the days of new files are known when these are read.
    """

    home: Home
    files: list[tuple[str, str, str]] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    apis: list[str] = field(default_factory=list)
    days: dict[str, list[date]] = field(default_factory=dict)
    publishes: bool = False
    strays: list[StrayFile] = field(default_factory=list)

    def facts(self) -> list[tuple[str, str]]:
        """The preview in labelled lines."""
        lines = [("home", str(self.home.root)), ("dry run", "nothing is changed")]
        lines += [("would land", f"{source}: {name} ({why})") for source, name, why in self.files]
        lines += [("would ask", f"the API of source {source}") for source in self.apis]
        if not self.files and not self.apis:
            lines.append(("would land", "nothing: every file of the inbox has landed"))
        lines += [("cannot read", text) for text in self.unreadable]
        for kind, days in self.days.items():
            lines.append(("would clean", f"{len(days):,} {kind} days, {days[0]} to {days[-1]}"))
        if self.files:
            lines.append(("would clean", "the days of the new files, which are known when these are read"))
        elif not self.days:
            lines.append(("would clean", "nothing: no day is stale"))
        lines.append(("would publish", f"{self.home.published}" if self.publishes else "nothing new"))
        lines += [("no source", f"inbox/{stray.name}: {stray.advice}") for stray in self.strays]
        return lines

    def as_json(self) -> dict[str, Any]:
        return {
            "home": str(self.home.root),
            "dry_run": True,
            "would_land": [
                {"source_id": source, "file": name, "why": why} for source, name, why in self.files
            ],
            "would_ask": self.apis,
            "cannot_read": self.unreadable,
            "would_clean": {kind: [day.isoformat() for day in days] for kind, days in self.days.items()},
            "would_publish": self.publishes,
            "files_of_no_source": [{"file": stray.name, "advice": stray.advice} for stray in self.strays],
        }


def preview(
    home: Home, registry: Registry, sources: Sequence[str], chosen: Sequence[date] | None = None
) -> Preview:
    """What a run of these sources would do. chosen: the days to clean; None: the stale days."""
    found = Preview(home, strays=stray_files(home, registry))
    has_lake = home.lake.is_dir()
    today = registry.settings.business_date(datetime.now(UTC))
    for name in sources:
        source = registry.sources[name]
        if source.has_ended(today):
            continue
        if source.api is not None:
            found.apis.append(name)
        files, unreadable = unlanded_files(home, registry, source)
        found.files += [(name, file.name, file.why) for file in files]
        found.files += [(name, path.name, "received payloads") for path in received_files(home, source)]
        found.unreadable += unreadable
    for kind in registry.kinds:
        stale = stale_days(home, registry, kind) if has_lake and chosen is None else []
        if days := list(chosen or stale):
            found.days[kind] = days
    is_stale = bool(found.files or found.days)
    found.publishes = is_stale or not has_lake or is_behind(home, registry, publish_inputs(home, registry))
    return found


@dataclass(frozen=True)
class UnlandedFile:
    """A file that the next run lands. name: without people. why: new, or landed by another entry or code."""

    name: str
    why: str
    changed_at: datetime
    is_new: bool


def unlanded_files(home: Home, registry: Registry, source: Source) -> tuple[list[UnlandedFile], list[str]]:
    """The files of a source that the next run lands, and lines about files that cannot be read. Reads only."""
    landed: set[str] = set()
    again: set[str] = set()
    seen: SeenFiles | None = None
    if home.lake.is_dir():
        lake = Lake(home.lake)
        landed = {delivery.delivery_id for delivery in Ledger.read(lake, source.id).deliveries}
        again = {delivery.delivery_id for delivery in stale_deliveries(home, registry, source)[0]}
        seen = SeenFiles(lake, source.id).load()
    found, unreadable = [], []
    for path in inbox_files(home, source):
        name = shown_name(path.name)
        try:
            changed_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            sha256 = (seen.sha256(seen_key(home, path), path) if seen else None) or DeliveredFile(path).sha256
        except (CesError, OSError) as problem:
            why = problem.strerror if isinstance(problem, OSError) else str(problem)
            unreadable.append(f"{source.id}: {name}: {why}")
            continue
        if sha256 not in landed:
            found.append(UnlandedFile(name, "new", changed_at, is_new=True))
        elif sha256 in again:
            why = "again: its source's entry or the code that reads it has changed"
            found.append(UnlandedFile(name, why, changed_at, is_new=False))
    return found, unreadable
