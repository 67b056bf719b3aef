"""`ces run`: lands, cleans and publishes. `ces land`: only lands."""

from datetime import date

import click

from ces_pipeline.cli.common import Day, home_option, json_option, leave
from ces_pipeline.home import Home


@click.command()
@home_option
@click.option("--from", "first", type=Day(), help="First day to clean, stale or not.")
@click.option("--to", "last", type=Day(), help="Last day to clean, stale or not.")
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="ID",
    help="Land only this source (may be repeated); stale days of all sources are cleaned and published.",
)
@click.option(
    "--dry-run", is_flag=True, help="List what would be landed, cleaned and published; change nothing."
)
@json_option
def run(
    home: Home, first: date | None, last: date | None, sources: tuple[str, ...], dry_run: bool, as_json: bool
) -> None:
    """Land new deliveries, clean every stale day (or the days from --from to --to), publish, and report."""
    from ces_pipeline.cli import runs

    chosen = runs.dry_run if dry_run else runs.run
    leave(chosen(home, first, last, sources=sources, as_json=as_json))


@click.command()
@home_option
def land(home: Home) -> None:
    """Land new deliveries of every source; do not clean or publish."""
    from ces_pipeline.cli import runs

    leave(runs.land(home))
