"""What `ces export` does and says: counts in words, no person and no secret among them."""

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
        written, left_out = write_file(connection, path, since)
    console.out.print(f"wrote {written:,} events to {path}; {left_out:,} of people not known are left out")
    return True


def export_journeys(home: Home, to: str, *, is_dry: bool, sends_unknown: bool) -> bool:
    """Send journeys to a receiver of `exports.yaml`. True where nothing was refused."""
    receivers = load_exports(home.registry)
    if to not in receivers:
        raise RegistryError(
            f"{home.registry / 'exports.yaml'}: there is no entry {to!r} "
            f"(known: {', '.join(sorted(receivers)) or 'none'}): without one nothing is sent"
        )
    _published(home)
    report = send_journeys(home, receivers[to], is_dry=is_dry, sends_unknown=sends_unknown)
    would = "would send" if is_dry else "sent"
    console.out.print(
        f"{to}: {would} {report.new:,} new events and {report.revised:,} revised answers; "
        f"{report.before:,} were sent before; {report.without_person:,} are of people not known"
    )
    for count, meaning in (
        (report.moved, "answers are now somebody else's and stay as they were sent"),
        (
            report.withdrawn,
            "answers that were sent are no longer published: delete them there if they should go",
        ),
        (
            report.unknown,
            "events of a run that was killed may or may not have arrived, too long ago to send them again without "
            "risk: look there, then `--send-unknown` sends them",
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
    """Write scores to the tickets of every feed with `write_back`. True where every feed went well."""
    registry = load_registry(home.registry)
    feeds = [source for source in registry.sources.values() if source.write_back is not None]
    if not feeds:
        raise RegistryError(
            f"{home.registry / 'sources.yaml'}: no tickets feed has `write_back`, so no score is written anywhere"
        )
    _published(home)
    is_well = True
    for source in feeds:
        try:
            report = write_scores(home, source, is_dry=not sends)
        except CesError as problem:
            console.err.print(str(problem))
            is_well = False
            continue
        would = "wrote" if sends else "would write at most"
        console.out.print(
            f"{source.id}: {would} {report.written:,} tickets; {report.before:,} were settled before; "
            f"{report.held:,} said so already; {report.not_there:,} are gone or closed"
        )
        if report.refused:
            shown = ", ".join(report.refused[:_SHOWN])
            console.err.print(f"{source.id}: {len(report.refused):,} tickets were refused: {shown}")
            is_well = False
    if not sends:
        console.out.print("nothing was sent: `ces export scores --send` does")
    return is_well


def export_contacts(home: Home, path: Path) -> bool:
    """Tell a trigger store of the contacts that all feeds know."""
    registry = load_registry(home.registry)
    _published(home)
    held = copy_contacts(home, registry.settings, SqliteStore(path), datetime.now(UTC))
    days = registry.settings.contact_window_days
    console.out.print(f"{path} knows the {held:,} contacts of the last {days} days")
    return True


def _published(home: Home) -> None:
    if not home.published.exists():
        raise CesError(f"{home.published} is not there yet: `ces run` makes it")
