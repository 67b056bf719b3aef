"""`ces doctor`: examines a home, one verdict per line (`ok`, `warn`, `FAIL`), then the programme's checklist."""

import click

from ces_pipeline.cli.common import home_option, json_option, leave
from ces_pipeline.home import Home


@click.command()
@home_option
@json_option
def doctor(home: Home, as_json: bool) -> None:
    """Examine the home: what is broken, what could be better, and the ten items of a programme."""
    from ces_pipeline.cli import console
    from ces_pipeline.doctor import Finding, checklist, examine

    def state(finding: Finding) -> str:
        return ("warn" if finding.is_warning else "ok") if finding.is_well else "FAIL"

    findings = []
    for finding in examine(home):
        findings.append(finding)
        if not as_json:
            click.echo(f"{state(finding):<4}  {finding.text}")
    is_well = all(finding.is_well for finding in findings)
    items = list(checklist(home))
    if as_json:
        console.as_json(
            {
                "home": str(home.root),
                "is_well": is_well,
                "findings": [{"state": state(finding), "text": finding.text} for finding in findings],
                "programme": [
                    {
                        "number": item.number,
                        "item": item.title,
                        "state": item.state,
                        "known": item.text,
                        "to_do": item.to_do,
                    }
                    for item in items
                ],
            }
        )
        leave(is_well)
    click.echo("\nThe programme (about your programme, not about faults):")
    for item in items:
        click.echo(
            f"{item.number:>2}. {item.state:<9}  {item.title}: {item.text}{f'. {item.to_do}' if item.to_do else ''}"
        )
    failed = sum(not finding.is_well for finding in findings)
    warned = sum(finding.is_warning for finding in findings)
    click.echo(f"\n{'all is well' if is_well else f'{failed} to correct'}; {warned} warnings")
    leave(is_well)
