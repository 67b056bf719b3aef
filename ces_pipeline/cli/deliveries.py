"""`ces deliveries`: what has landed, newest first."""

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
    from ces_pipeline.reports.delivery_list import delivery_list, short_ids
    from ces_pipeline.reports.units import shown
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
    headings = [
        "delivery",
        "source",
        "file",
        "received",
        *(name.removeprefix("rows_").replace("_", " ") for name in counts),
    ]
    console.grid(
        [*headings, "first day", "last day", "state"],
        [
            (
                short[row["delivery_id"]],
                row["source_id"],
                row["file_name"],
                shown("received_at", row["received_at"]),
                *(f"{row[name]:,}" for name in counts),
                shown("first_day", row["first_day"]),
                shown("last_day", row["last_day"]),
                row["state"],
            )
            for row in found
        ],
        right=[False] * 4 + [True] * len(counts) + [False] * 3,
    )
    click.echo("\nread, landed and redelivered are rows; landed: new or changed; redelivered: landed before")
