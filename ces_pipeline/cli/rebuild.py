"""`ces rebuild`: rebuilds the published file from the lake and compares it with the updated one."""

import click

from ces_pipeline.cli.common import home_option, leave
from ces_pipeline.home import Home


@click.command()
@home_option
def rebuild(home: Home) -> None:
    """Rebuild the published file from the lake, name the tables that differ from it, and publish the rebuilt file.

    No table should differ. It does not land or clean.
    """
    from ces_pipeline.cli import runs

    leave(runs.rebuild(home))
