"""`ces unland`: takes a delivery back."""

import click

from ces_pipeline.cli.common import home_option, json_option, leave
from ces_pipeline.home import Home


@click.command()
@home_option
@click.argument("delivery")
@click.option(
    "--source", "source_id", metavar="ID", help="The source, if several have a delivery of that name."
)
@click.option("--why", metavar="TEXT", help="The reason, for the log of corrections.")
@click.option("--dry-run", is_flag=True, help="Say what would change; change nothing.")
@click.option(
    "--give-up-repeated",
    is_flag=True,
    help="Take it back even if later deliveries of an earlier release may lose rows that repeated it.",
)
@click.option("--undo", is_flag=True, help="Let the file of a delivery that was taken back land again.")
@json_option
def unland(
    home: Home,
    delivery: str,
    source_id: str | None,
    why: str | None,
    dry_run: bool,
    give_up_repeated: bool,
    undo: bool,
    as_json: bool,
) -> None:
    """Take back DELIVERY (its id, the beginning of it, or its file name): its rows leave every table.

    Rows that later deliveries repeated count as theirs. The changed days are cleaned and published.
    """
    from ces_pipeline.cli import corrections

    if undo and (dry_run or give_up_repeated):
        raise click.UsageError("--undo works alone: without --dry-run and --give-up-repeated")
    if undo:
        leave(corrections.undo_unland(home, delivery, source_id, why, as_json))
    leave(corrections.unland(home, delivery, source_id, why, dry_run, give_up_repeated, as_json))
