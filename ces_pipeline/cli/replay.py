"""`ces replay` and `ces restate`: judge landed rows again by the present rules."""

from datetime import date

import click

from ces_pipeline.cli.common import Day, home_option, json_option, leave
from ces_pipeline.home import Home


@click.command()
@home_option
@click.option("--source", "source_id", metavar="ID", help="Only days with rejected rows of this source.")
@click.option("--survey", "survey_id", metavar="ID", help="Only days with rejected responses of this survey.")
@click.option("--reason", metavar="NAME", help="Only days with responses rejected for this reason.")
@click.option("--from", "first", type=Day(), help="First day.")
@click.option("--to", "last", type=Day(), help="Last day.")
@click.option("--why", metavar="TEXT", help="The reason, for the log of corrections.")
@click.option("--dry-run", is_flag=True, help="Say which verdicts would change; change nothing.")
@json_option
def replay(
    home: Home,
    source_id: str | None,
    survey_id: str | None,
    reason: str | None,
    first: date | None,
    last: date | None,
    why: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Judge the days of quarantined rows again, after a rule, a scale or a mapping has changed.

    A row that is accepted now leaves the quarantine; `audit.verdict_changes` keeps what it was.
    """
    from ces_pipeline.cli import corrections

    leave(corrections.replay(home, source_id, survey_id, reason, first, last, why, dry_run, as_json))


@click.command()
@home_option
@click.option("--from", "first", type=Day(), required=True, help="First day.")
@click.option("--to", "last", type=Day(), required=True, help="Last day.")
@click.option("--why", metavar="TEXT", help="The reason, for the log of corrections.")
@click.option("--dry-run", is_flag=True, help="Say which verdicts would change; change nothing.")
@json_option
def restate(home: Home, first: date, last: date, why: str | None, dry_run: bool, as_json: bool) -> None:
    """Judge all landed rows of the days from --from to --to again, publish, and show the figures that changed."""
    from ces_pipeline.cli import corrections

    leave(corrections.restate(home, first, last, why, dry_run, as_json))
