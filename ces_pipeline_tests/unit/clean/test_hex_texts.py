"""Protects people's keys on their way out of raw files: every key is the hex of its own bytes, whatever stands beside it."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.clean.raw_rows import hex_texts

KEYS = st.lists(st.none() | st.binary(max_size=33), max_size=12)


@given(first=KEYS, second=KEYS, start=st.integers(0, 12))
def test_keys_are_the_hex_of_their_bytes_and_nulls_stay(
    first: list[bytes | None], second: list[bytes | None], start: int
) -> None:
    # A slice and several chunks, since both come out of DuckDB and Arrow.
    sliced = pa.array(first, pa.binary()).slice(start)
    texts = hex_texts(pa.chunked_array([sliced, pa.array(second, pa.binary())]))
    expected = [None if key is None else key.hex() for key in (*first[start:], *second)]
    assert texts.to_pylist() == expected


def test_a_column_without_rows_is_text_too() -> None:
    assert hex_texts(pa.chunked_array([], pa.binary())).type == pa.large_string()
