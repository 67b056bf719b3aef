"""What every correction of landed rows needs: the delivery that a person names, and the locks."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import duckdb

from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.land.ledger import Delivery, Ledger
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.locks import exclusive

SHORTEST_ID = 6
_SHOWN = 5


@contextmanager
def holding_locks(home: Home, kinds: Iterable[str] = KINDS) -> Iterator[None]:
    """Hold the landing lock, and the cleaning locks of these kinds: landed rows change under nobody's hands."""
    with ExitStack() as locks:
        locks.enter_context(exclusive(home.lake / ".landing.lock"))
        for kind in sorted(kinds):
            locks.enter_context(exclusive(home.lake / f".cleaning-{kind}.lock"))
        yield


def find_delivery(lake: Lake, named: str, source_id: str | None = None) -> Delivery:
    """The delivery of this id (or its first letters) or file name.

    Raises CesError if there is none or several, with the ids to choose from.
    """
    deliveries = Ledger.read(lake).deliveries
    if source_id is not None:
        deliveries = tuple(delivery for delivery in deliveries if delivery.source_id == source_id)
    found = [delivery for delivery in deliveries if _is_named(delivery, named)]
    if len(found) == 1:
        return found[0]
    where = f" of source {source_id}" if source_id else ""
    if not found:
        raise CesError(f"no delivery{where} has the id or file name {named!r}. `ces deliveries` lists them")
    listed = ", ".join(
        f"{delivery.delivery_id[:12]} ({delivery.source_id}, received {delivery.received_at:%Y-%m-%d %H:%M} UTC)"
        for delivery in sorted(found, key=lambda delivery: delivery.rank)[-_SHOWN:]
    )
    raise CesError(
        f"{len(found)} deliveries{where} have the id or file name {named!r}. Give the id of one: {listed}"
    )


def _is_named(delivery: Delivery, named: str) -> bool:
    is_id = len(named) >= SHORTEST_ID and delivery.delivery_id.startswith(named.lower())
    return is_id or delivery.file_name == named


def published_deliveries(home: Home) -> list[dict[str, Any]]:
    """The rows of `audit.deliveries` in the published file; empty if it cannot be opened."""
    try:
        with open_published(home.published) as connection:
            rows: list[dict[str, Any]] = connection.sql("FROM audit.deliveries").to_arrow_table().to_pylist()
            return rows
    except (CesError, duckdb.Error):
        return []
