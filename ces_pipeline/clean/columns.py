"""Columns built from codes without a Python object per row."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from ces_pipeline.formats.decimals import with_point


def texts_by_code(codes: np.ndarray, names: Sequence[str | None], index: pd.Index) -> pd.Series:
    """A text column: row i is `names[codes[i]]`; code -1 is null."""
    table = pa.array([*names, None], pa.string())
    places = np.where(codes < 0, len(names), codes)
    texts: pd.Series = table.take(pa.array(places, pa.int64())).to_pandas().astype("str").set_axis(index)
    return texts


def filled(texts: pd.Series, otherwise: Callable[[], pd.Series]) -> pd.Series:
    """The texts, with nulls replaced by `otherwise()`, which is called only if there are nulls."""
    return texts.fillna(otherwise()) if texts.hasnans else texts


def texts_where(flags: np.ndarray, names: tuple[str, ...], index: pd.Index) -> pd.Series:
    """A column of lists: for each row the names whose flag is set, in the order of `names`."""
    rows, places = np.nonzero(flags)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(flags)))])
    values = pa.array(names, pa.string()).take(pa.array(places, pa.int64()))
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)
    return pd.Series(pd.arrays.ArrowExtensionArray(lists), index=index)


def numbers(values: np.ndarray, index: pd.Index) -> pd.Series:
    """A nullable number column from floats; NaN is null."""
    return pd.Series(pd.arrays.FloatingArray(np.nan_to_num(values), np.isnan(values)), index=index)


def integers(values: np.ndarray, index: pd.Index) -> pd.Series:
    """A nullable integer column from floats without a fraction; NaN is null."""
    return pd.Series(
        pd.arrays.IntegerArray(np.nan_to_num(values).astype("int64"), np.isnan(values)), index=index
    )


def floats(texts: pd.Series) -> np.ndarray:
    """The texts as numbers, NaN if a text is not a number; each distinct text is read once."""
    codes, distinct = pd.factorize(texts)
    pointed = [with_point(text) if isinstance(text, str) else text for text in distinct]
    read = pd.to_numeric(pd.Series(pointed, dtype="object"), errors="coerce").to_numpy(dtype=float)
    return np.array([*read, np.nan])[codes]
