"""Product names, as exports say them, to the products of products.yaml. Pure frames in and out."""

import pandas as pd

from ces_pipeline.clean.columns import texts_by_code
from ces_pipeline.folding import fold
from ces_pipeline.registry.registry import Registry


def products_of(texts: pd.Series, registry: Registry) -> pd.Series:
    """The product's id where the text is one of its names; any other text as it is; null stays null."""
    names = registry.product_names
    if not names:
        return texts
    codes, distinct = pd.factorize(texts)
    return texts_by_code(codes, [names.get(fold(str(one)), str(one)) for one in distinct], texts.index)
