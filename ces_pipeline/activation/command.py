"""The work of `ces export`. It prints counts, never a person or a secret."""

from datetime import UTC, date, datetime
from pathlib import Path

from ces_pipeline.activation.contacts import copy_contacts
from ces_pipeline.activation.journeys import write_file
from ces_pipeline.activation.scores import write_scores
from ces_pipeline.activation.send import send_journeys
from ces_pipeline.cli import console
from ces_pipeline.errors import CesError, RegistryError
from ces_pipeline.home import Home
from ces_pipeline.registry.load import load_exports, load_registry
from ces_pipeline.storage.duck import open_published
from ces_pipeline.triggers.store import SqliteStore

_SHOWN = 20


def export_journeys_to_file(home: Home, path: Path, since: date | None) -> bool:
    """Write all journeys to a file."""
    _published(home)
    with open_published(home.published) as connection:
        written, skipped = write_file(connection, path, since)
    console.out.print(f"wrote {written:,} events to {path}; {skipped:,} without a known person were skipped")
    return True


def export_journeys(home: Home, to: str, *, is_dry: bool, sends_unknown: bool) -> bool:
    """Send journeys to a receiver of `exports.yaml`. True if the receiver refused nothing."""
    receivers = load_exports(home.registry)
    if to not in receivers:
        raise RegistryError(
            f"{home.registry / 'exports.yaml'}: there is no entry {to!r} "
            f"(known: {', '.join(sorted(receivers)) or 'none'}). Add an entry, or use `--to file --out FILE`"
        )
    _published(home)
    report = send_journeys(home, receivers[to], is_dry=is_dry, sends_unknown=sends_unknown)
    would = "would send" if is_dry else "sent"
    console.out.print(
        f"{to}: {would} {report.new:,} new events and {report.revised:,} revised answers; "
        f"{report.before:,} were sent before; {report.without_person:,} without a known person were skipped"
    )
    for count, meaning in (
        (report.moved, "answers now belong to another person. The receiver keeps them as they were sent"),
        (
            report.withdrawn,
            "answers that were sent are no longer published. If the receiver should not keep them, delete them there",
        ),
        (
            report.unknown,
            "events of a killed run may have arrived, and are too old to send again without a risk of duplicates. "
            "Look for them at the receiver; if they are missing, use `--send-unknown`",
        ),
    ):
        if count:
            console.out.print(f"{to}: {count:,} {meaning}")
    for insert_id, name in report.refused[:_SHOWN]:
        console.err.print(f"{to}: refused {insert_id} for {name}")
    if len(report.refused) > _SHOWN:
        console.err.print(f"{to}: refused {len(report.refused) - _SHOWN:,} more")
    return not report.refused


def export_scores(home: Home, *, sends: bool) -> bool:
    """Write scores to the tickets of every source with `write_back`. True if no source failed."""
    registry = load_registry(home.registry)
    sources = [source for source in registry.sources.values() if source.write_back is not None]
    if not sources:
        raise RegistryError(
            f"{home.registry / 'sources.yaml'}: no source has `write_back`. Add it to the source of the tickets that "
            "should receive scores"
        )
    _published(home)
    is_well = True
    for source in sources:
        try:
            report = write_scores(home, source, is_dry=not sends)
        except CesError as problem:
            console.err.print(str(problem))
            is_well = False
            continue
        would = "wrote" if sends else "would write at most"
        console.out.print(
            f"{source.id}: {would} {report.written:,} tickets; earlier runs handled {report.before:,}; "
            f"{report.held:,} already have the value; {report.not_there:,} are deleted or closed"
        )
        if report.refused:
            shown = ", ".join(report.refused[:_SHOWN])
            console.err.print(f"{source.id}: the system refused {len(report.refused):,} tickets: {shown}")
            is_well = False
    if not sends:
        console.out.print("nothing was sent. Use `ces export scores --send` to write the scores")
    return is_well


def export_contacts(home: Home, path: Path) -> bool:
    """Write the contacts of all sources to a trigger store."""
    registry = load_registry(home.registry)
    _published(home)
    copied = copy_contacts(home, registry.settings, SqliteStore(path), datetime.now(UTC))
    days = registry.settings.contact_window_days
    console.out.print(f"{path} has the {copied:,} contacts of the last {days} days")
    return True


def _published(home: Home) -> None:
    if not home.published.exists():
        raise CesError(f"nothing is published at {home.published}. Run `ces run` first")
