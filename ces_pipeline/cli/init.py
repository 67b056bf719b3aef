"""`ces init`: a new home."""

from pathlib import Path

import click

from ces_pipeline.home import Home
from ces_pipeline.registry.starter import make_home


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Make a home in FOLDER, with the starter registry."""
    home = make_home(Home.find(folder))
    click.echo(f"made {home.root}")
    click.echo(f"next: edit {home.registry}, or let `ces inspect FILE --home {folder} --write` add a feed;")
    click.echo(f"then drop exports into {home.inbox}/<feed>/ and run `ces run --home {folder}`")
