"""`ces init`: creates a new home."""

from pathlib import Path

import click

from ces_pipeline.home import Home
from ces_pipeline.registry.starter import make_home


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Create a home in FOLDER, with the starter registry."""
    home = make_home(Home.find(folder))
    click.echo(f"created {home.root}")
    click.echo(
        f"next: edit {home.registry}, or add a source with `ces inspect FILE --home {folder} --write`;"
    )
    click.echo(f"then put exports into {home.inbox}/<source>/ and run `ces run --home {folder}`")
