"""`ces run`: lands, cleans and publishes. `ces land`: only lands."""

from datetime import date

import click

from ces_pipeline.cli.common import Day, home_option, leave
from ces_pipeline.home import Home


@click.command()
@home_option
@click.option("--from", "first", type=Day(), help="First day to clean, stale or not.")
@click.option("--to", "last", type=Day(), help="Last day to clean, stale or not.")
def run(home: Home, first: date | None, last: date | None) -> None:
    """Land new deliveries, clean every stale day (or the days from --from to --to), publish."""
    from ces_pipeline.cli import runs

    leave(runs.run(home, first, last))


@click.command()
@home_option
def land(home: Home) -> None:
    """Land new deliveries of every source; do not clean or publish."""
    from ces_pipeline.cli import runs

    leave(runs.land(home))
