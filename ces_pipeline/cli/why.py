"""`ces why`: where a response or a ticket came from, and why it counts or does not."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ces_pipeline.cli.common import home_option, json_option
from ces_pipeline.home import Home

if TYPE_CHECKING:
    from ces_pipeline.clean.explain import RuleVerdict
    from ces_pipeline.reports.why import Why

_MINUTE_SECONDS = 60


@click.command()
@home_option
@click.argument("response_id")
@json_option
def why(home: Home, response_id: str, as_json: bool) -> None:
    """Show the landed rows of RESPONSE_ID (or a ticket's id), every rule's verdict, its revisions, link and days."""
    from ces_pipeline.cli import console
    from ces_pipeline.registry import load_registry
    from ces_pipeline.reports.why import why as why_of

    found = why_of(home, load_registry(home.registry), response_id)
    if as_json:
        console.as_json(
            {
                "id": response_id,
                "found": [
                    {**asdict(entry), "days": [day.isoformat() for day in entry.days]} for entry in found
                ],
            }
        )
        return
    for number, entry in enumerate(found):
        if number:
            click.echo()
        _show(entry)


def _show(entry: "Why") -> None:
    from ces_pipeline.cli import console
    from ces_pipeline.reports.units import shown

    word = "response" if entry.kind == "survey" else "ticket"
    lines = [(word, entry.id), ("source", entry.source_id)]
    if entry.kind == "survey":
        lines.append(("survey", entry.survey_id or "not registered"))
    for stored in entry.stored:
        because = f": {', '.join(stored.reasons)}" if stored.reasons else ""
        marked = " and marked" if stored.state == "accepted" and stored.reasons else ""
        lines.append(("verdict", f"{stored.state}{marked}{because} (day {stored.day}, {stored.table})"))
    if not entry.stored:
        lines.append(("verdict", "none: neither accepted nor rejected on any cleaned day"))
    if entry.links is not None:
        lines += [
            (
                "link",
                f"{link.id} of {link.source_id} (method {link.method}, confidence "
                f"{'not known' if link.confidence is None else f'{link.confidence:.2f}'})",
            )
            for link in entry.links
        ] or [("link", "none")]
    lines.append(("days", ", ".join(day.isoformat() for day in entry.days)))
    lines += [("note", note) for note in entry.notes]
    console.facts(lines)
    click.echo("\nLanded rows\n")
    console.grid(
        ("day", "file", "row", "delivery", "received", "revision", "is", "landed values"),
        [
            (
                row.day.isoformat(),
                row.file_name,
                f"{row.row_number:,}",
                row.delivery_id[:12],
                shown("received_at", row.received_at),
                "-" if row.revision is None else str(row.revision),
                (row.outcome or "-").replace("_", " "),
                ", ".join(f"{name} {value}" for name, value in row.landed.items()),
            )
            for row in entry.rows
        ],
        right=(False, False, True, False, False, True, False, False),
    )
    if entry.verdicts:
        click.echo("\nEvery rule on the newest row\n")
        console.grid(
            ("rule", "severity", "verdict", "evidence", "good if", "setting"),
            [
                (
                    verdict.rule,
                    verdict.severity,
                    "broken" if verdict.is_broken else "holds",
                    f"{verdict.evidence_name}: {_evidence(verdict)}",
                    verdict.must.removeprefix("must be "),
                    ", ".join(f"{name}: {_setting(value)}" for name, value in verdict.settings.items())
                    or "-",
                )
                for verdict in entry.verdicts
            ],
            right=(False,) * 6,
        )


def _evidence(verdict: "RuleVerdict") -> str:
    from ces_pipeline.reports.units import duration, shown

    value = verdict.evidence
    if value is None:
        return "not known"
    if verdict.evidence_name.startswith("seconds") and abs(value) >= _MINUTE_SECONDS:
        return f"{value:,.0f} ({duration(value / _MINUTE_SECONDS)})"
    return shown("", value)


def _setting(value: object) -> str:
    from ces_pipeline.reports.units import shown

    if value is None:
        return "not set"
    return shown("", value) if isinstance(value, bool | int | float) else str(value)
