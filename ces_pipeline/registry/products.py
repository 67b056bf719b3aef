"""`products.yaml`: products, and their names in exports."""

from pydantic import Field

from ces_pipeline.registry.base import Entry, Slug


class Product(Entry):
    """A product or service, and its names in exports."""

    id: Slug = Field(description="name of the product in every table: lower-case letters, digits, _")
    title: str = Field("", description="display name")
    also_known_as: tuple[str, ...] = Field(
        (), description="values of a source's `product` that mean this product"
    )
    area: str | None = Field(None, description="product area, to group products")
    owner: str | None = Field(None, description="who is responsible for it")
