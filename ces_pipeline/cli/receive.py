"""`ces receive`: receives webhooks into the inbox."""

import click

from ces_pipeline.cli.common import home_option
from ces_pipeline.home import Home


@click.command()
@home_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8787, show_default=True, help="Port to listen on."
)
def receive(home: Home, host: str, port: int) -> None:
    """Receive webhooks of the sources with a `receive` block at POST /receive/SOURCE, until it is stopped.

    Each signed payload is in the inbox, on the disk, before it is answered with 200. The next run lands it. A
    reverse proxy in front of it speaks TLS.
    """
    import logging

    from ces_pipeline.defs.current import current_registry
    from ces_pipeline.errors import RegistryError
    from ces_pipeline.receive.server import serve

    registry = current_registry(home)
    names = [source.id for source in registry.sources.values() if source.receive is not None]
    if not names:
        raise RegistryError("no source of sources.yaml has a `receive` block: add one (`ces docs receiving`)")
    home.make()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("ces_pipeline").info("receiving for %s at %s:%d", ", ".join(names), host, port)
    serve(home, lambda: current_registry(home), host, port)
