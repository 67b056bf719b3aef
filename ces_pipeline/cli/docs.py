"""`ces docs`: the documentation pages that ship with the package."""

import click

from ces_pipeline.docs import UnknownTopicError, page, topics


@click.command()
@click.argument("topic", required=False)
def docs(topic: str | None) -> None:
    """List the documentation pages, or print the page TOPIC."""
    if topic is None:
        found = topics()
        width = max(map(len, found))
        for name, title in found.items():
            click.echo(f"{name:<{width}}  {title}")
        return
    try:
        click.echo(page(topic), nl=False)
    except UnknownTopicError as problem:
        raise click.BadParameter(str(problem), param_hint="TOPIC") from None
