"""The `ces` command group. Each command is a module in this folder.

A command imports its work when it runs, so that `ces --help` is fast. Exit status: 0 done; 1 done, but a source, a day
or a blocking check failed, or something needs a person; 2 wrong usage, registry or home.
"""

import click

from ces_pipeline.cli.alert import ack, alert
from ces_pipeline.cli.audit import audit
from ces_pipeline.cli.common import Commands
from ces_pipeline.cli.deliveries import deliveries
from ces_pipeline.cli.demo import demo, sample
from ces_pipeline.cli.dictionary import dictionary
from ces_pipeline.cli.docs import docs
from ces_pipeline.cli.doctor import doctor
from ces_pipeline.cli.export import export
from ces_pipeline.cli.init import init
from ces_pipeline.cli.inspect import inspect
from ces_pipeline.cli.people import forget, person
from ces_pipeline.cli.probe import probe
from ces_pipeline.cli.quarantine import quarantine
from ces_pipeline.cli.rebuild import rebuild
from ces_pipeline.cli.receive import receive
from ces_pipeline.cli.replay import replay, restate
from ces_pipeline.cli.report import report
from ces_pipeline.cli.run import land, run
from ces_pipeline.cli.show import show
from ces_pipeline.cli.ui import ui
from ces_pipeline.cli.unland import unland
from ces_pipeline.cli.why import why
from ces_pipeline.storage.own_process import share_one_allocator


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ces-pipeline")
def main() -> None:
    """Customer Effort Score pipeline: survey exports and support tickets in, one DuckDB file out."""
    share_one_allocator()


for command in (
    *(demo, init, sample, inspect, docs),
    *(run, land, rebuild, ui, receive, probe, alert, ack, doctor),
    *(show, report, deliveries, quarantine, why, person, dictionary),
    *(audit, unland, replay, restate, forget),
    export,
):
    main.add_command(command)
