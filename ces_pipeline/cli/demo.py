"""`ces demo`: the full pipeline on sample exports. `ces sample`: only writes the sample exports."""

from pathlib import Path

import click

from ces_pipeline.cli.common import leave
from ces_pipeline.cli.ui import open_ui
from ces_pipeline.home import Home


@click.command()
@click.option(
    "--home",
    "folder",
    metavar="DIR",
    help="A new or empty folder. Default: `demo`, `demo-api` or `demo-story` in the home.",
)
@click.option(
    "--api", is_flag=True, help="Pull from simulated vendor APIs instead of reading sample exports."
)
@click.option(
    "--story",
    is_flag=True,
    help="Sixteen weeks of data of every kind of source, with a slow API, difficult tickets and a fix.",
)
@click.option("--ui", is_flag=True, help="Open the demo in Dagster's web page afterwards.")
def demo(folder: str | None, api: bool, story: bool, ui: bool) -> None:
    """Run the full pipeline on sample exports, in a separate home, and compare with the known answers."""
    from ces_pipeline.cli import runs

    if api and story:
        raise click.BadOptionUsage("--story", "--api and --story are different demos. Use only one of them")
    run, name = (
        (runs.demo_by_api, "demo-api")
        if api
        else (runs.demo_story, "demo-story")
        if story
        else (runs.demo, "demo")
    )
    home = Home.find(folder or Home.find().root / name)
    done = run(home)
    if ui and done:
        open_ui(home, None)
    leave(done)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--responses", type=click.IntRange(min=10), default=6000, show_default=True)
@click.option("--days", type=click.IntRange(min=2), default=30, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed writes the same files.")
def sample(folder: Path, responses: int, days: int, seed: int) -> None:
    """Write sample exports in the vendors' formats, with known flaws, to FOLDER/<source>/."""
    from ces_pipeline.demo import write_sample

    write_sample(folder, responses=responses, days=days, seed=seed)
    click.echo(f"wrote {responses} responses over {days} days to {folder}")
