"""`ces run` and `ces land`: the night, and its first step alone."""

from datetime import date

import click

from ces_pipeline.cli.common import Day, home_option, leave
from ces_pipeline.home import Home


@click.command()
@home_option
@click.option("--from", "first", type=Day(), help="First day to clean again, whether it waits or not.")
@click.option("--to", "last", type=Day(), help="Last day to clean again.")
def run(home: Home, first: date | None, last: date | None) -> None:
    """Land what is new, clean every day that waits (or the days given), publish."""
    from ces_pipeline.cli import runs

    leave(runs.run(home, first, last))


@click.command()
@home_option
def land(home: Home) -> None:
    """Land what is new in the inbox, and nothing else."""
    from ces_pipeline.cli import runs

    leave(runs.land(home))
