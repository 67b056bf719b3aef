"""Findings about deliveries that were landed by another entry of the registry or by other code."""

from collections.abc import Iterator

from ces_pipeline.home import Home
from ces_pipeline.land.inputs import stale_deliveries
from ces_pipeline.registry import Registry
from ces_pipeline.vendors.contract import Finding


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
                f"or with other code, and their files are not in the inbox. Their rows stay as they are. "
                "To read them again, deliver the files again",
                is_warning=True,
            )
