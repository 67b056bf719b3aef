"""`ces probe`: times five questions on the published file."""

import click

from ces_pipeline.cli.common import home_option, json_option, leave
from ces_pipeline.home import Home


@click.command()
@home_option
@json_option
def probe(home: Home, as_json: bool) -> None:
    """Open the published file, time five questions of the cookbook, and log the result (audit.probes).

    Status 1 if one of them fails or takes longer than `probe_limit_seconds` of settings.yaml.
    """
    from ces_pipeline.cli import console
    from ces_pipeline.registry.load import load_settings
    from ces_pipeline.reports import probe as probing

    found = probing.probe(home.make(), load_settings(home.registry).probe_limit_seconds)
    if as_json:
        console.as_json({"questions": [{**vars(one), "seconds": round(one.seconds, 4)} for one in found]})
    else:
        console.facts([(one.question, one.failure or f"{one.seconds:.2f} s") for one in found])
    leave(all(one.failure is None for one in found))
