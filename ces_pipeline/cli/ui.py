"""`ces ui`: Dagster's web page for a home."""

import os
import sys
from typing import NoReturn

import click

from ces_pipeline.cli.common import home_option
from ces_pipeline.home import Home


@click.command()
@home_option
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the web page. Default: 3000.")
def ui(home: Home, port: int | None) -> None:
    """Start Dagster's web page for this home; its schedule and sensors run too."""
    home.make()
    open_ui(home, port)


def open_ui(home: Home, port: int | None) -> NoReturn:
    """Replace this process with Dagster's web server and daemon. Returns only on an error."""
    from ces_pipeline.cli.console import err
    from ces_pipeline.defs.instance import WORKSPACE_FILE, prepare

    # Its successor, `dg dev`, needs a project folder, which an installed package does not have.
    hint = "ignore:Function `dev_command` is superseded"
    warnings = ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), hint)))
    environment = {**os.environ, **prepare(home, err.print), "PYTHONWARNINGS": warnings}
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(home.dagster / WORKSPACE_FILE)]
    command += ["--port", str(port)] if port else []
    os.execve(sys.executable, command, environment)  # noqa: S606 - no part of it is user input
