"""The `ces` command: words in, one call, an exit status out. What it does is in the modules that it calls.

Imports are made inside the commands: `ces --help` needs none of the libraries that do the work.
Exit status: 0 done; 1 done, but a feed, a day or a blocking check failed, or something is not well; 2 bad
usage, registry or home.
"""

import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from ces_pipeline.errors import CesError, HomeError, RegistryError
from ces_pipeline.home import HOME_VARIABLE, Home
from ces_pipeline.registry.starter import make_home
from ces_pipeline.schemas.kinds import KINDS

if TYPE_CHECKING:
    from ces_pipeline.profiling import Inspection

F = TypeVar("F", bound=Callable[..., Any])


class _Commands(click.Group):
    """A person's mistake is told in one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CesError as problem:
            click.echo(str(problem), err=True)
            ctx.exit(2 if isinstance(problem, RegistryError | HomeError) else 1)


class _Day(click.ParamType[date]):
    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2026-01-31", param, ctx)


def _home(command: F) -> F:
    return click.option(
        "--home",
        "home",
        metavar="DIR",
        callback=lambda _ctx, _param, given: Home.find(given),
        help=f"The home; else {HOME_VARIABLE}, else the checkout's data/, else ./data.",
    )(command)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ces-pipeline")
def main() -> None:
    """Customer Effort Score pipeline: survey exports and support tickets in, one DuckDB file out."""


@main.command()
@_home
@click.option("--from", "first", type=_Day(), help="First day to clean again, whether it waits or not.")
@click.option("--to", "last", type=_Day(), help="Last day to clean again.")
def run(home: Home, first: date | None, last: date | None) -> None:
    """Land what is new, clean every day that waits (or the days given), publish."""
    from ces_pipeline.cli import runs

    _exit(runs.run(home, first, last))


@main.command()
@_home
def land(home: Home) -> None:
    """Land what is new in the inbox, and nothing else."""
    from ces_pipeline.cli import runs

    _exit(runs.land(home))


@main.command()
@click.option(
    "--home",
    "folder",
    metavar="DIR",
    help="A new or empty folder; else `demo` (`demo-api`, `demo-story`) in the home.",
)
@click.option(
    "--api", is_flag=True, help="Pull from made-up vendors by their APIs, in place of sample exports."
)
@click.option(
    "--story", is_flag=True, help="Sixteen weeks of every kind of feed: a slow API, hard cases, a fix."
)
@click.option("--ui", is_flag=True, help="Then open the demo in Dagster's web page.")
def demo(folder: str | None, api: bool, story: bool, ui: bool) -> None:
    """Run everything on sample exports, in a home of its own, and compare with the known answers."""
    from ces_pipeline.cli import runs

    if api and story:
        raise click.BadOptionUsage("--story", "--api and --story are two demos: choose one of them")
    run, name = (
        (runs.demo_by_api, "demo-api")
        if api
        else (runs.demo_story, "demo-story")
        if story
        else (runs.demo, "demo")
    )
    home = Home.find(folder or Home.find().root / name)
    done = run(home)
    if ui and done:
        _open_ui(home, None)
    _exit(done)


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Make a home in FOLDER, with the starter registry."""
    home = make_home(Home.find(folder))
    click.echo(f"made {home.root}")
    click.echo(f"next: edit {home.registry}, or let `ces inspect FILE --home {folder} --write` add a feed;")
    click.echo(f"then drop exports into {home.inbox}/<feed>/ and run `ces run --home {folder}`")


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--responses", type=click.IntRange(min=10), default=6000, show_default=True)
@click.option("--days", type=click.IntRange(min=2), default=30, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed writes the same files.")
def sample(folder: Path, responses: int, days: int, seed: int) -> None:
    """Write native sample exports, with known flaws, to FOLDER/<feed>/."""
    from ces_pipeline.demo import write_sample

    write_sample(folder, responses=responses, days=days, seed=seed)
    click.echo(f"wrote {responses} responses over {days} days to {folder}")


@main.command()
@_home
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--score", metavar="COL", help="The column of the effort or ease answer.")
@click.option("--scale", metavar="ID", help="Its scale.")
@click.option(
    "--column",
    "columns",
    metavar="FIELD=COL",
    multiple=True,
    help="The column of any other field; may be repeated.",
)
@click.option("--survey", metavar="ID", help="The touchpoint, registered or new.")
@click.option("--kind", type=click.Choice(sorted(KINDS)), help="What the rows are, where it cannot be seen.")
@click.option("--source", metavar="ID", help="The feed, registered or new.")
@click.option("--time-zone", metavar="ZONE", help="Zone of times that carry none, such as Europe/London.")
@click.option("--delimiter", metavar="C", help="The cell separator, where it cannot be seen.")
@click.option("--reader", metavar="NAME", help="The format, where it is not recognised.")
@click.option("--write", is_flag=True, help="Add the proposed entries to the registry.")
def inspect(home: Home, file: Path, write: bool, columns: tuple[str, ...], **given: Any) -> None:
    """Say what an export holds, what the rules would flag, and which registry entries it needs."""
    from ces_pipeline.profiling import inspect_file, write_proposal
    from ces_pipeline.registry import load_registry

    home.registry.mkdir(parents=True, exist_ok=True)
    if unclear := [told for told in columns if "=" not in told]:
        raise click.BadParameter(f"{unclear[0]!r} is not FIELD=COLUMN, such as submitted_at='Completed on'")
    named = dict(told.split("=", 1) for told in columns)
    found = inspect_file(file, load_registry(home.registry), columns=named, **given)
    _show_inspection(found)
    if write:
        added = write_proposal(home, found)
        click.echo(f"added to {home.registry}: {', '.join(added) or 'nothing, all is registered'}")


@main.command()
@_home
def doctor(home: Home) -> None:
    """Check the registry, the inbox, the lake and the published file."""
    from ces_pipeline.doctor import examine

    findings = []
    for finding in examine(home):
        findings.append(finding)
        verdict = ("warn" if finding.is_warning else "ok  ") if finding.is_well else "MEND"
        click.echo(f"{verdict}  {finding.text}")
    _exit(all(finding.is_well for finding in findings))


@main.command()
@click.option(
    "--out",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The Markdown file to write; else it is printed.",
)
def dictionary(file: Path | None) -> None:
    """Describe every table, view and column of the published file, with a glossary."""
    from ces_pipeline.publish.dictionary import dictionary

    text = dictionary()
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise click.BadParameter(
            f"{file} cannot be written ({problem.strerror}): name another file"
        ) from None
    click.echo(f"wrote {file}")


@main.command()
@_home
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the web page; 3000 unless set.")
def ui(home: Home, port: int | None) -> None:
    """Open Dagster's web page on this home, with its nightly schedule and sensors running."""
    home.make()
    _open_ui(home, port)


@main.group()
def export() -> None:
    """Give journeys to analytics platforms or files, scores to tickets, contacts to the trigger handlers."""


@export.command("journeys")
@_home
@click.option("--to", required=True, metavar="ID", help="A receiver of exports.yaml, or `file`.")
@click.option(
    "--out",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With `--to file`: what to write, .jsonl or .parquet.",
)
@click.option("--from", "first", type=_Day(), help="With `--to file`: the first day.")
@click.option("--dry-run", is_flag=True, help="Count what would be sent; make no request.")
@click.option("--send-unknown", is_flag=True, help="Also what a killed run may or may not have sent.")
def export_journeys(
    home: Home, to: str, file: Path | None, first: date | None, dry_run: bool, send_unknown: bool
) -> None:
    """Send every event of customers' journeys that the receiver does not have yet."""
    from ces_pipeline.activation import command

    if (to == "file") != (file is not None):
        raise click.UsageError("--to file and --out FILE go together")
    if file is not None and (dry_run or send_unknown):
        raise click.UsageError("a file is written whole: --dry-run and --send-unknown are for receivers")
    if file is None and first is not None:
        raise click.UsageError("--from is for files; a receiver's first day is `since` in exports.yaml")
    if file is not None:
        _exit(command.export_journeys_to_file(home, file, first))
    _exit(command.export_journeys(home, to, is_dry=dry_run, sends_unknown=send_unknown))


@export.command("scores")
@_home
@click.option("--send", is_flag=True, help="Write to the tickets; else only count what would be written.")
def export_scores(home: Home, send: bool) -> None:
    """Write the score of a ticket's answer to the ticket, for feeds with `write_back`."""
    from ces_pipeline.activation import command

    _exit(command.export_scores(home, sends=send))


@export.command("contacts")
@_home
@click.option(
    "--to",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The store of the trigger handlers (CES_TRIGGER_STORE).",
)
def export_contacts(home: Home, file: Path) -> None:
    """Tell the trigger handlers whom other systems contacted lately, as keyed hashes."""
    from ces_pipeline.activation import command

    _exit(command.export_contacts(home, file))


def _open_ui(home: Home, port: int | None) -> NoReturn:
    from ces_pipeline.defs.instance import WORKSPACE_FILE, prepare

    # Its successor, `dg dev`, wants a project folder, which an installed package does not have.
    hint = "ignore:Function `dev_command` is superseded"
    warnings = ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), hint)))
    environment = {**os.environ, **prepare(home), "PYTHONWARNINGS": warnings}
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(home.dagster / WORKSPACE_FILE)]
    command += ["--port", str(port)] if port else []
    os.execve(sys.executable, command, environment)  # noqa: S606 - nothing of it comes from outside


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
        unread = f", {times.unreadable:,} cells are no time" if times.unreadable else ""
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
        click.echo(f"\nto settle: {question.text} ({question.settled_by})")


def _exit(well: bool) -> NoReturn:
    sys.exit(0 if well else 1)
