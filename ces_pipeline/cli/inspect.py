"""`ces inspect`: shows the content of an export, what the run would do with it, and the registry entries it needs."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ces_pipeline.cli.common import home_option
from ces_pipeline.home import Home
from ces_pipeline.schemas.kinds import KINDS

if TYPE_CHECKING:
    from ces_pipeline.profiling import Inspection, Rehearsal

_READER_OPTIONS = ("delimiter", "sheet", "encoding")


@click.command()
@home_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--score", metavar="COL", help="The column of the effort or ease answer.")
@click.option("--scale", metavar="ID", help="Its scale.")
@click.option(
    "--higher-means",
    type=click.Choice(["easier", "harder"]),
    help="Confirms the scale's direction, if the question's wording seems to contradict it.",
)
@click.option("--csat-scale", metavar="ID", help="The scale of the satisfaction answers or ratings.")
@click.option(
    "--column",
    "columns",
    metavar="FIELD=COL",
    multiple=True,
    help="The column of another field; FIELD= if the export has none. May be repeated.",
)
@click.option("--survey", metavar="ID", help="The survey, registered or new.")
@click.option("--kind", type=click.Choice(sorted(KINDS)), help="What the rows are, if it cannot be detected.")
@click.option("--source", metavar="ID", help="The source, registered or new.")
@click.option("--time-zone", metavar="ZONE", help="Time zone of times without one, such as Europe/London.")
@click.option("--day", metavar="DAY", help="The day of answers without any time: 2026-01-31, or `received`.")
@click.option(
    "--date-order",
    type=click.Choice(("day", "month")),
    help="What comes first in dates such as 02/11/2026.",
)
@click.option("--reader", metavar="NAME", help="The format, if it cannot be detected.")
@click.option("--delimiter", metavar="C", help="The cell separator, if it cannot be detected.")
@click.option("--sheet", metavar="NAME", help="The sheet of a workbook; the first by default.")
@click.option("--encoding", metavar="NAME", help="The encoding of the text, if it cannot be detected.")
@click.option(
    "--option",
    "more",
    metavar="NAME=VALUE",
    multiple=True,
    help="Another option of the reader. May be repeated.",
)
@click.option(
    "--accept-rejected", is_flag=True, help="Write the entries even if the run would reject much of the file."
)
@click.option("--write", is_flag=True, help="Add the proposed entries to the registry.")
def inspect(
    home: Home,
    file: Path,
    write: bool,
    accept_rejected: bool,
    columns: tuple[str, ...],
    more: tuple[str, ...],
    **given: Any,
) -> None:
    """Show the content of an export, what the next run would do with it, and the registry entries that it needs."""
    from ces_pipeline.profiling import inspect_file, with_rehearsal, write_proposal
    from ces_pipeline.registry import load_registry

    home.registry.mkdir(parents=True, exist_ok=True)
    registry = load_registry(home.registry)
    options = {name: given.pop(name) for name in _READER_OPTIONS} | _pairs("--option", "NAME=VALUE", more)
    found = inspect_file(
        file, registry, columns=_pairs("--column", "FIELD=COLUMN", columns), options=options, **given
    )
    known = given["source"] if given["source"] in registry.sources else None
    found = with_rehearsal(home, registry, found, file, source=known, accepts_rejected=accept_rejected)
    _show_inspection(found)
    if write:
        added = write_proposal(home, found)
        click.echo(f"added to {home.registry}: {', '.join(added) or 'nothing; all entries exist'}")
        _show_next(home, file, str(found.proposal.sources[0]["id"]) if found.proposal.sources else known)


def _pairs(option: str, form: str, texts: tuple[str, ...]) -> dict[str, str]:
    if unclear := [text for text in texts if "=" not in text]:
        example = "submitted_at='Completed on'" if option == "--column" else "record_path=data.items"
        raise click.BadParameter(f"{option} {unclear[0]!r}: write {form}, such as {example}")
    return dict(text.split("=", 1) for text in texts)


def _show_next(home: Home, file: Path, source_id: str | None) -> None:
    if source_id is None:
        return
    inbox = home.inbox / source_id
    inbox.mkdir(parents=True, exist_ok=True)
    export, folder, root = (shlex.quote(str(path)) for path in (file, inbox, home.root))
    click.echo(f"next: cp {export} {folder}/ && ces run --home {root}")


def _show_inspection(found: "Inspection") -> None:
    kind = found.kind if found.kind_is == "known" else "what its rows are is not known"
    click.echo(f"{found.file}: {found.reader.title}, {kind}")
    click.echo(f"{found.rows:,} rows, {found.unreadable:,} unreadable")
    click.echo(f"time zone: {found.time_zone} ({found.time_zone_is})")
    click.echo("columns:")
    for column in found.columns:
        use = column.field or ("an attribute" if found.kind == "accounts" else "kept as extra")
        shown = f"{column.holds}" if column.holds != "values" else ", ".join(column.examples)
        click.echo(f"  {column.name}: {use}; {column.filled:,} filled; {shown}")
    for times in found.times:
        unread = f", {times.unreadable:,} cells cannot be read as a time" if times.unreadable else ""
        span = f"{times.earliest} to {times.latest}" if times.earliest else "no readable time"
        click.echo(f"{times.field} ({times.column}): {span}{unread}")
    if found.counts:
        click.echo("its cells hold: " + _listed(found.counts))
    if found.rehearsal:
        _show_rehearsal(found.rehearsal)
    for note in found.notes:
        click.echo(f"note: {note}")
    for name, text in (("surveys", found.proposal.surveys_yaml), ("sources", found.proposal.sources_yaml)):
        if getattr(found.proposal, name):
            click.echo(f"\nfor registry/{name}.yaml:\n{text.rstrip()}")
    for question in found.questions:
        click.echo(f"\nneeds your decision: {question.text} ({question.answer_with})")


def _show_rehearsal(run: "Rehearsal") -> None:
    if run.failure:
        return
    if run.has_landed_before:
        click.echo("the run would do nothing: this file has landed before")
        return
    span = f" on {len(run.days):,} days ({run.days[0]} to {run.days[-1]})" if run.days else ""
    click.echo(
        f"the run would accept {run.accepted:,} and reject {run.rejected:,} of {run.rows:,} rows{span}"
    )
    for text, counts in (("rejected for", run.reasons), ("accepted, but marked", run.marked)):
        if counts:
            click.echo(f"  {text}: {_listed(counts)}")
    for text, n in (("redelivered", run.redelivered), ("superseded by another version", run.superseded)):
        if n:
            click.echo(f"  {text}: {n:,}")
    if run.links:
        click.echo(f"  link to a ticket: {run.links[1]:,} of {run.links[0]:,} that name or match one")
    for field, words in run.unknown_words.items():
        click.echo(f"  no list knows these words of {field}: {_listed(words)}")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {rows:,}" for name, rows in counts.items())
