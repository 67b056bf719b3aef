"""`ces inspect`: shows the content of an export and the registry entries that it needs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ces_pipeline.cli.common import home_option
from ces_pipeline.home import Home
from ces_pipeline.schemas.kinds import KINDS

if TYPE_CHECKING:
    from ces_pipeline.profiling import Inspection


@click.command()
@home_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--score", metavar="COL", help="The column of the effort or ease answer.")
@click.option("--scale", metavar="ID", help="Its scale.")
@click.option(
    "--column",
    "columns",
    metavar="FIELD=COL",
    multiple=True,
    help="The column of another field. May be repeated.",
)
@click.option("--survey", metavar="ID", help="The survey, registered or new.")
@click.option("--kind", type=click.Choice(sorted(KINDS)), help="What the rows are, if it cannot be detected.")
@click.option("--source", metavar="ID", help="The source, registered or new.")
@click.option("--time-zone", metavar="ZONE", help="Time zone of times without one, such as Europe/London.")
@click.option("--delimiter", metavar="C", help="The cell separator, if it cannot be detected.")
@click.option("--reader", metavar="NAME", help="The format, if it cannot be detected.")
@click.option("--write", is_flag=True, help="Add the proposed entries to the registry.")
def inspect(home: Home, file: Path, write: bool, columns: tuple[str, ...], **given: Any) -> None:
    """Show the content of an export, what the rules would flag, and the registry entries that it needs."""
    from ces_pipeline.profiling import inspect_file, write_proposal
    from ces_pipeline.registry import load_registry

    home.registry.mkdir(parents=True, exist_ok=True)
    if unclear := [text for text in columns if "=" not in text]:
        raise click.BadParameter(
            f"--column {unclear[0]!r}: write FIELD=COLUMN, such as submitted_at='Completed on'"
        )
    named = dict(text.split("=", 1) for text in columns)
    found = inspect_file(file, load_registry(home.registry), columns=named, **given)
    _show_inspection(found)
    if write:
        added = write_proposal(home, found)
        click.echo(f"added to {home.registry}: {', '.join(added) or 'nothing; all entries exist'}")


def _show_inspection(found: "Inspection") -> None:
    click.echo(f"{found.file}: {found.reader.title}, {found.kind}")
    click.echo(f"{found.rows:,} rows, {found.unreadable:,} unreadable")
    click.echo(f"time zone: {found.time_zone} ({found.time_zone_is})")
    click.echo("columns:")
    for column in found.columns:
        use = column.field or ("an attribute" if found.kind == "accounts" else "kept as extra")
        shown = f"{column.holds}" if column.holds != "values" else ", ".join(column.examples)
        click.echo(f"  {column.name}: {use}; {column.filled:,} filled; {shown}")
    for times in found.times:
        unread = f", {times.unreadable:,} cells cannot be read as a time" if times.unreadable else ""
        click.echo(f"{times.field} ({times.column}): {times.earliest} to {times.latest}{unread}")
    if found.counts:
        click.echo(
            "the rules would flag: " + ", ".join(f"{rule} {rows:,}" for rule, rows in found.counts.items())
        )
    for note in found.notes:
        click.echo(f"note: {note}")
    for name, text in (("surveys", found.proposal.surveys_yaml), ("sources", found.proposal.sources_yaml)):
        if getattr(found.proposal, name):
            click.echo(f"\nfor registry/{name}.yaml:\n{text.rstrip()}")
    for question in found.questions:
        click.echo(f"\nneeds your decision: {question.text} ({question.answer_with})")
