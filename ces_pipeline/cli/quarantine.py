"""`ces quarantine`: the rejected rows, by reason, source and day, with examples."""

from datetime import date

import click

from ces_pipeline.cli.common import Day, home_option, json_option
from ces_pipeline.home import Home

_DAYS = 14


@click.command()
@home_option
@click.option("--source", metavar="ID", help="Only rows of this source.")
@click.option("--from", "first", type=Day(), help="Only rows of this day and later.")
@click.option("--to", "last", type=Day(), help="Only rows of this day and earlier.")
@click.option("--reason", metavar="NAME", help="Only rows that were rejected for this reason.")
@json_option
def quarantine(
    home: Home, source: str | None, first: date | None, last: date | None, reason: str | None, as_json: bool
) -> None:
    """List the rejected rows of the published file: reasons, days, and examples without people."""
    from ces_pipeline.cli import console
    from ces_pipeline.registry import load_registry
    from ces_pipeline.reports.answers import nearest
    from ces_pipeline.reports.quarantine import quarantine as quarantine_of
    from ces_pipeline.rules.catalog import RULES

    registry = load_registry(home.registry)
    for given, known, option in (
        (source, list(registry.sources), "--source"),
        (reason, [rule.name for rule in RULES], "--reason"),
    ):
        if given is not None and given not in known:
            near = nearest(given, known) or sorted(known)
            raise click.BadParameter(f"{given!r} is not known (known: {', '.join(near)})", param_hint=option)
    found = quarantine_of(home, source=source, first=first, last=last, reason=reason)
    if as_json:
        console.as_json(
            {
                "rows": found.rows,
                "reasons": list(found.reasons),
                "days": list(found.days),
                "examples": list(found.examples),
            }
        )
        return
    if not found.rows:
        click.echo("no rejected row fits" if source or first or last or reason else "no row is rejected")
        return
    click.echo(f"{found.rows:,} rejected rows; a row with two reasons counts in both\n")
    console.grid(
        ("source", "reason", "rows", "first day", "last day", "means"),
        [
            (
                row["source_id"],
                row["reason"],
                f"{row['rows']:,}",
                row["first_day"].isoformat(),
                row["last_day"].isoformat(),
                row["means"] or "-",
            )
            for row in found.reasons
        ],
        right=(False, False, True, False, False, False),
    )
    newest = sorted({row["day"] for row in found.days}, reverse=True)[:_DAYS]
    click.echo(
        f"\nBy day{f' (the newest {_DAYS}; --from and --to show others)' if len(newest) == _DAYS else ''}\n"
    )
    console.grid(
        ("day", "source", "rows by reason"),
        [
            (
                day.isoformat(),
                of_source,
                ", ".join(
                    f"{row['reason']} {row['rows']:,}"
                    for row in found.days
                    if (row["day"], row["source_id"]) == (day, of_source)
                ),
            )
            for day in newest
            for of_source in sorted({row["source_id"] for row in found.days if row["day"] == day})
        ],
        right=(False, False, False),
    )
    click.echo("\nExamples (`ces why ID` shows all of one)\n")
    console.grid(
        ("reason", "id", "file", "row", "landed values"),
        [
            (
                row["reason"],
                row["id"] or "-",
                row["file_name"] or row["delivery_id"][:12],
                f"{row['row_number']:,}",
                ", ".join(
                    f"{name} {value}" for name, value in row["landed"].items() if name != "response_id"
                ),
            )
            for row in found.examples
        ],
        right=(False, False, False, True, False),
    )
