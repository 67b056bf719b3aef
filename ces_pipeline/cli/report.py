"""`ces report`: the page that people read, as one HTML file."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from ces_pipeline.cli.common import Day, home_option, json_option
from ces_pipeline.home import Home


@click.command()
@home_option
@click.option(
    "--period",
    type=click.Choice(["week", "month", "quarter"]),
    help="What the page covers. Default: `reports.period` of settings.yaml.",
)
@click.option("--on", type=Day(), help="A day of the period. Default: the newest complete period.")
@click.option(
    "--weeks",
    "periods",
    type=click.IntRange(2, 520),
    help="How many weeks (or months, or quarters) the trends show. Default: `reports.weeks` of settings.yaml.",
)
@click.option("--survey", "surveys", multiple=True, metavar="ID", help="Only this survey (may be repeated).")
@click.option(
    "--owner", "owners", multiple=True, metavar="NAME", help="Only surveys of this owner (may be repeated)."
)
@click.option(
    "--comments",
    type=click.IntRange(0, 500),
    metavar="N",
    help="Show at most N redacted comments of difficult answers. Default: `reports.comments` of settings.yaml.",
)
@click.option(
    "--language",
    type=click.Choice(["en", "de"]),
    help="Language of the page. Default: `reports.language` of settings.yaml.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of the page. Default: reports/ of the home.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@json_option
def report(
    home: Home,
    period: str | None,
    on: date | None,
    periods: int | None,
    surveys: tuple[str, ...],
    owners: tuple[str, ...],
    comments: int | None,
    language: str | None,
    out: Path | None,
    opens: bool,
    as_json: bool,
) -> None:
    """Write the report as one HTML file that needs no network: a page to read, print and mail.

    Without --on, --survey and --owner it also writes latest.html, index.html, the pages that `reports.pages_by` of
    settings.yaml asks for, and older pages whose figures have changed.
    """
    from dataclasses import replace

    from ces_pipeline.cli import console
    from ces_pipeline.pages import files, summary
    from ces_pipeline.registry import load_registry

    registry = load_registry(home.registry)
    given: dict[str, Any] = {
        "period": period,
        "on": on,
        "periods": periods,
        "surveys": surveys or None,
        "owners": owners or None,
        "comments": comments,
    }
    ask = replace(
        files.ask_of(registry, home), **{name: value for name, value in given.items() if value is not None}
    )
    chosen: Any = language
    pages = files.write_pages(home, registry, ask, folder=out, language=chosen)
    if as_json:
        console.as_json(
            {
                "pages": [{"file": str(page.path), "size_bytes": page.size_bytes} for page in pages],
                **summary.as_json(pages[0].report),
            }
        )
    else:
        for page in pages:
            click.echo(f"{page.path} ({page.size_bytes:,} bytes)")
    if opens:
        click.launch(pages[0].path.as_uri())
