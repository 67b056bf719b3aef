"""Findings about deliveries and the registry: sources without an entry, and rows landed by another entry or code."""

from collections import Counter
from collections.abc import Iterator

from ces_pipeline.home import Home
from ces_pipeline.land.inputs import stale_deliveries
from ces_pipeline.land.ledger import Ledger
from ces_pipeline.registry import Registry
from ces_pipeline.storage.lake import Lake
from ces_pipeline.vendors.contract import Finding


def sources_without_entry(home: Home, registry: Registry) -> Iterator[Finding]:
    """Sources that have landed rows, but whose entry is gone from sources.yaml: no run goes on like that."""
    known = {name for source in registry.sources.values() for name in (source.id, *source.formerly)}
    rows: Counter[str] = Counter()
    for delivery in Ledger.read(Lake(home.lake)).deliveries:
        rows[delivery.source_id] += delivery.rows_landed
    for source_id in sorted(name for name, landed in rows.items() if landed and name not in known):
        yield Finding(
            False,
            f"deliveries: source {source_id} has {rows[source_id]:,} landed rows, but sources.yaml has no entry for "
            f"it. Restore the entry; if the source has ended, set `ended_on` in it. If it has a new id, write "
            f"`formerly: [{source_id}]` in the new entry",
        )


def landed_otherwise(home: Home, registry: Registry) -> Iterator[Finding]:
    """Deliveries that the next run lands again, and those whose files are gone."""
    for source in registry.sources.values():
        again, kept = stale_deliveries(home, registry, source)
        if again:
            yield Finding(
                False,
                f"deliveries: {len(again)} of source {source.id} were landed with another entry in sources.yaml "
                f"or with other code. Run `ces run`, which lands their files again",
            )
        if kept:
            yield Finding(
                True,
                f"deliveries: {len(kept)} of source {source.id} were landed with another entry in sources.yaml "
                f"or with other code, and their files are not in the inbox. Their rows stay as they are, but a text "
                "field is read from the column that the entry names now. To read all again, deliver the files again",
                is_warning=True,
            )
