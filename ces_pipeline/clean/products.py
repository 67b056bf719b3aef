"""Translates the product names of exports into the products of products.yaml."""

import pandas as pd

from ces_pipeline.clean.columns import texts_by_code
from ces_pipeline.folding import fold
from ces_pipeline.registry.registry import Registry


def products_of(texts: pd.Series, registry: Registry) -> pd.Series:
    """The product's id if the text is one of its names; other texts and nulls are unchanged."""
    names = registry.product_names
    if not names:
        return texts
    codes, distinct = pd.factorize(texts)
    return texts_by_code(codes, [names.get(fold(str(text)), str(text)) for text in distinct], texts.index)
