"""`ces dictionary`: describes every table, view and column of the published file."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--out",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The Markdown file to write. Default: print to the terminal.",
)
def dictionary(file: Path | None) -> None:
    """Describe every table, view and column of the published file, with a glossary."""
    from ces_pipeline.publish.dictionary import dictionary

    text = dictionary()
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise click.BadParameter(
            f"{file} cannot be written ({problem.strerror}). Choose another file"
        ) from None
    click.echo(f"wrote {file}")
