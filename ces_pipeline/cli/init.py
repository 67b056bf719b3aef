"""`ces init`: creates a new home."""

import sys
from pathlib import Path

import click

from ces_pipeline.home import Home
from ces_pipeline.registry.starter import make_home


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--business-time-zone",
    metavar="ZONE",
    help="The zone of a day, such as Europe/Berlin.",
)
@click.option("--with-sample", is_flag=True, help="With the commented registry of the sample, to copy from.")
def init(folder: Path, business_time_zone: str | None, with_sample: bool) -> None:
    """Create a home in FOLDER, with an empty registry."""
    asked = business_time_zone or "UTC"
    if business_time_zone is None and sys.stdin.isatty():
        asked = click.prompt(
            "Business time zone: in which zone is a day a day? (Europe/Berlin)", default="UTC"
        )
    home = make_home(Home.find(folder), has_sample=with_sample, business_time_zone=asked)
    click.echo(
        f"created {home.root}; a day is a day in {asked} (business_time_zone in registry/settings.yaml)"
    )
    click.echo(f"next: add a source with `ces inspect FILE --home {folder} --write`;")
    click.echo(f"then put exports into {home.inbox}/<source>/ and run `ces run --home {folder}`")
