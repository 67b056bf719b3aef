"""`releases.yaml`: versions that went live."""

from datetime import date

from ces_pipeline.registry.base import Entry, Slug, Text


class Release(Entry):
    """A version that went live. Without products and touchpoints it concerns every answer."""

    id: Slug
    day: date
    title: Text
    products: tuple[Text, ...] = ()
    touchpoints: tuple[Slug, ...] = ()
