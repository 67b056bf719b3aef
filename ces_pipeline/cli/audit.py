"""`ces audit`: what cleaning published days again would change."""

from contextlib import nullcontext
from datetime import date

import click

from ces_pipeline.cli.common import Day, home_option, json_option, leave
from ces_pipeline.home import Home

_SHOWN = 20


@click.command()
@home_option
@click.option("--from", "first", type=Day(), help="First day. Default: the first cleaned day.")
@click.option("--to", "last", type=Day(), help="Last day. Default: the last cleaned day.")
@json_option
def audit(home: Home, first: date | None, last: date | None, as_json: bool) -> None:
    """Clean published days again on the side, and report what would change by today's registry and code.

    It changes no day: `ces restate` does. The next publish adds the report to `audit.audits` and
    `audit.audit_findings`. Exit status 1: some day would change.
    """
    from datetime import UTC, datetime

    from ces_pipeline import pipeline
    from ces_pipeline.cli import console
    from ces_pipeline.defs.current import current_registry

    registry = current_registry(home)
    run_id = f"local-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    with nullcontext() if as_json else console.working("comparing days"):
        found = pipeline.audit(home, registry, run_id=run_id, first=first, last=last)
    if as_json:
        console.as_json(found.as_json())
    else:
        console.facts(
            [
                ("compared", f"{found.days:,} days with {found.rows:,} landed rows"),
                ("would change", f"{found.days_that_would_change:,} days" if found.findings else "no day"),
            ]
        )
        if changes := found.by_change():
            console.out.print()
            console.grid(
                ("kind", "change", "days", "rows", "first day", "last day"),
                [
                    (kind, change, f"{days:,}", f"{rows:,}", str(begin), str(end))
                    for kind, change, days, rows, begin, end in changes[:_SHOWN]
                ],
                right=(False, False, True, True, False, False),
            )
            if len(changes) > _SHOWN:
                console.out.print(f"and {len(changes) - _SHOWN:,} more: see --json")
    leave(not found.findings)
