"""`ces export`: sends journeys, scores and contacts to other systems, and writes what other tools show."""

from datetime import date
from pathlib import Path

import click

from ces_pipeline.cli.common import Day, home_option, leave
from ces_pipeline.home import Home


@click.group()
def export() -> None:
    """Send journeys, scores and contacts to other systems; copy figures to the tools that show them."""


@export.command("journeys")
@home_option
@click.option("--to", required=True, metavar="ID", help="A receiver of exports.yaml, or `file`.")
@click.option(
    "--out",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With `--to file`: the file to write, .jsonl or .parquet.",
)
@click.option("--from", "first", type=Day(), help="With `--to file`: the first day.")
@click.option("--dry-run", is_flag=True, help="Count the events that would be sent; send nothing.")
@click.option(
    "--send-unknown", is_flag=True, help="Also send events that a killed run may already have sent."
)
def export_journeys(
    home: Home, to: str, file: Path | None, first: date | None, dry_run: bool, send_unknown: bool
) -> None:
    """Send the events of customers' journeys that the receiver does not have yet."""
    from ces_pipeline.activation import command

    if (to == "file") != (file is not None):
        raise click.UsageError("--to file needs --out FILE, and --out FILE needs --to file")
    if file is not None and (dry_run or send_unknown):
        raise click.UsageError(
            "--dry-run and --send-unknown only work with a receiver. A file always contains all events"
        )
    if file is None and first is not None:
        raise click.UsageError(
            "--from only works with --to file. Set a receiver's first day as `since` in exports.yaml"
        )
    if file is not None:
        leave(command.export_journeys_to_file(home, file, first))
    leave(command.export_journeys(home, to, is_dry=dry_run, sends_unknown=send_unknown))


@export.command("scores")
@home_option
@click.option(
    "--send", is_flag=True, help="Write to the tickets. Without it, only count what would be written."
)
def export_scores(home: Home, send: bool) -> None:
    """Write the score of a ticket's response to the ticket, for sources with `write_back`."""
    from ces_pipeline.activation import command

    leave(command.export_scores(home, sends=send))


@export.command("contacts")
@home_option
@click.option(
    "--to",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The store of the trigger handlers (CES_TRIGGER_STORE).",
)
def export_contacts(home: Home, file: Path) -> None:
    """Write the people that other systems contacted recently, as keyed hashes, to the trigger handlers' store."""
    from ces_pipeline.activation import command

    leave(command.export_contacts(home, file))


@export.command("metrics")
@home_option
@click.option(
    "--out",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write, for node_exporter one that ends in .prom. Default: `exports.metrics_file` of "
    "settings.yaml; without either, the metrics are printed.",
)
def export_metrics(home: Home, file: Path | None) -> None:
    """Write the state of the home as metrics for Prometheus.

    A run writes the file of settings.yaml by itself.
    """
    from ces_pipeline.cli import dashboards

    leave(dashboards.export_metrics(home, file))


@export.command("bi")
@home_option
@click.option(
    "--out",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write. Default: exports/bi of the home.",
)
def export_bi(home: Home, folder: Path | None) -> None:
    """Write the `bi` tables as Parquet files, and the files that open them in Power BI and Tableau.

    A run does so by itself if settings.yaml has `exports.bi_files: true`.
    """
    from ces_pipeline.cli import dashboards

    leave(dashboards.export_bi(home, folder))


@export.command("postgres")
@home_option
def export_postgres(home: Home) -> None:
    """Copy the published tables to the PostgreSQL database of settings.yaml, unless it has them already.

    A run does so by itself once `exports.postgres` is set.
    """
    from ces_pipeline.cli import dashboards

    leave(dashboards.export_postgres(home))


@export.command("grafana")
@home_option
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write: Grafana's provisioning folder, such as /etc/grafana/provisioning.",
)
@click.option(
    "--path",
    metavar="DIR",
    help="Where Grafana finds that folder, in a container for example. Default: --out.",
)
def export_grafana(home: Home, folder: Path, path: str | None) -> None:
    """Write the provisioning of a Grafana: data source, five boards and alert rules.

    It reads the database of `exports.postgres` as the first of its readers.
    """
    from ces_pipeline.cli import dashboards

    leave(dashboards.export_grafana(home, folder, path))
