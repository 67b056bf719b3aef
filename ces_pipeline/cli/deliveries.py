"""`ces deliveries`: what has landed, newest first."""

from datetime import UTC

import click

from ces_pipeline.cli.common import home_option, json_option
from ces_pipeline.home import Home


@click.command()
@home_option
@click.option("--source", metavar="ID", help="Only deliveries of this source.")
@json_option
def deliveries(home: Home, source: str | None, as_json: bool) -> None:
    """List the deliveries: file, rows, days and state. `ces unland` takes one back by its id or file name."""
    from ces_pipeline.cli import console
    from ces_pipeline.reports.delivery_list import COUNTS, delivery_list, short_ids
    from ces_pipeline.storage.lake import Lake

    found = delivery_list(Lake(home.lake), source) if home.lake.is_dir() else []
    if as_json:
        console.as_json({"deliveries": found})
        return
    if not found:
        click.echo(f"nothing of source {source} has landed" if source else "nothing has landed")
        return
    short = short_ids(found)
    counts = ["rows_read", "rows_landed", "rows_redelivered"]
    counts += [
        name
        for name in ("rows_unreadable", "rows_taken_back", "rows_erased")
        if any(row[name] for row in found)
    ]
    has_states = any(row["state"] != COUNTS for row in found)
    headings = [
        "delivery",
        "file",
        "received",
        *(name.removeprefix("rows_").replace("_", " ") for name in counts),
    ]
    for source_id in dict.fromkeys(row["source_id"] for row in found):
        click.echo(f"{source_id}\n")
        console.grid(
            [*headings, "days", *(["state"] if has_states else [])],
            [
                (
                    short[row["delivery_id"]],
                    row["file_name"],
                    f"{row['received_at'].astimezone(UTC):%Y-%m-%d}",
                    *(f"{row[name]:,}" for name in counts),
                    "-" if row["first_day"] is None else f"{row['first_day']} to {row['last_day']}",
                    *([row["state"]] if has_states else []),
                )
                for row in found
                if row["source_id"] == source_id
            ],
            right=[False] * 3 + [True] * len(counts) + [False] * (1 + has_states),
        )
        click.echo()
    click.echo("rows: read; landed: new or changed; redelivered: landed before or repeated")
