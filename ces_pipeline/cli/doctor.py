"""`ces doctor`: checks a home and prints one verdict per line: `ok`, `warn` or `FAIL`."""

import click

from ces_pipeline.cli.common import home_option, leave
from ces_pipeline.home import Home


@click.command()
@home_option
def doctor(home: Home) -> None:
    """Check the registry, the inbox, the lake and the published file."""
    from ces_pipeline.doctor import examine

    findings = []
    for finding in examine(home):
        findings.append(finding)
        verdict = ("warn" if finding.is_warning else "ok  ") if finding.is_well else "FAIL"
        click.echo(f"{verdict}  {finding.text}")
    leave(all(finding.is_well for finding in findings))
