"""`ces person` and `ces forget`: what is held of a person, and erasing it."""

import click

from ces_pipeline.cli.common import home_option, json_option, leave
from ces_pipeline.home import Home


@click.command()
@home_option
@click.argument("person")
@json_option
def person(home: Home, person: str, as_json: bool) -> None:
    """List what is held of PERSON, an e-mail address or id as exports write it."""
    from ces_pipeline.cli import corrections

    leave(corrections.person(home, person, as_json))


@click.command()
@home_option
@click.argument("person")
@click.option("--why", metavar="TEXT", help="The reason, for the log of corrections. Do not name the person.")
@click.option("--dry-run", is_flag=True, help="List what would be erased; change nothing.")
@json_option
def forget(home: Home, person: str, why: str | None, dry_run: bool, as_json: bool) -> None:
    """Erase PERSON, an e-mail address or id as exports write it, from the home; later exports cannot bring it back.

    The days concerned are cleaned and the file is published anew. The inbox is never changed: the command names its
    files that hold the address.
    """
    from ces_pipeline.cli import corrections

    leave(corrections.forget(home, person, why, dry_run, as_json))
