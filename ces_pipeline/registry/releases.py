"""`releases.yaml`: versions that went live."""

from datetime import date

from pydantic import Field

from ces_pipeline.registry.base import Entry, Slug, Text


class Release(Entry):
    """A version that went live. Without products and touchpoints it affects every answer."""

    id: Slug = Field(description="name of the release: lower-case letters, digits, _")
    day: date = Field(description="first day on which customers had it")
    title: Text = Field(description="what went live, in a few words")
    products: tuple[Text, ...] = Field((), description="products that it changes")
    touchpoints: tuple[Slug, ...] = Field(
        (),
        description="surveys that it affects; without products and surveys, it affects all answers",
    )
