"""`ces alert` and `ces ack`: send the messages on incidents that are due; take an incident over."""

import click

from ces_pipeline.cli.common import home_option, json_option, leave
from ces_pipeline.home import Home


@click.command()
@home_option
@click.option("--dry-run", is_flag=True, help="Print what would be sent; send and log nothing.")
@json_option
def alert(home: Home, dry_run: bool, as_json: bool) -> None:
    """Send the messages on incidents that are due, to the channels of alerts.yaml.

    It is the last step of `ces run`, so it is needed alone only after a channel failed. Status 1: a channel failed.
    """
    from ces_pipeline.cli import alerting

    leave(alerting.alert(home, dry_run, as_json))


@click.command()
@home_option
@click.argument("incident")
@click.option("--by", metavar="NAME", help="Who takes it over. Default: the user of the operating system.")
@click.option("--note", metavar="TEXT", help="What is known or done, for the log.")
@json_option
def ack(home: Home, incident: str, by: str | None, note: str | None, as_json: bool) -> None:
    """Acknowledge an INCIDENT: somebody looks after it.

    INCIDENT is an id of `ces show open_incidents`, or its first characters. The published file has the
    acknowledgement after the next run.
    """
    from ces_pipeline.cli import alerting

    leave(alerting.acknowledge(home, incident, by, note, as_json))
