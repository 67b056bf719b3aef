"""`products.yaml`: products and the names by which exports call them."""

from pydantic import Field

from ces_pipeline.registry.base import Entry, Slug


class Product(Entry):
    """A product or service, and the names by which exports call it."""

    id: Slug
    title: str = ""
    also_known_as: tuple[str, ...] = Field((), description="values of a source's product that mean this one")
    area: str | None = Field(None, description="the area that it belongs to, to group products")
    owner: str | None = None
