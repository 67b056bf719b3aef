"""Protects the cells of every export: no white space around them, nothing that is none, nothing else changed."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.land.trim import as_cells

# What Unicode calls white space; Python's strip() takes four control characters for such too.
WHITE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2003\u2028\u2029\u202f\u205f\u3000"
TEXTS = st.none() | st.text(st.sampled_from(f"aé7NA-{WHITE}"), min_size=1, max_size=6)


def cells(texts: list[str | None], *missing: str) -> list[str | None]:
    batch = pa.record_batch({"text": pa.array(texts, pa.string()), "row_number": pa.array(range(len(texts)))})
    made = as_cells(batch, missing)
    assert made.column(1).equals(batch.column(1))
    return made.column(0).to_pylist()


@given(st.lists(TEXTS, max_size=20), st.sets(st.sampled_from(["NA", "-7", "a"])))
def test_each_cell_is_its_text_without_white_space_around_or_nothing(
    texts: list[str | None], missing: set[str]
) -> None:
    trimmed = [text and text.strip(WHITE) for text in texts]
    assert cells(texts, *missing) == [None if not text or text in missing else text for text in trimmed]


@pytest.mark.parametrize("start", [0, 1, 3])
def test_a_part_of_a_batch_is_read_as_the_full_batch(start: int) -> None:
    texts = ["plain", " white ", None, "\u2003wide\u2003", "  "]
    batch = pa.record_batch({"text": pa.array(texts, pa.string())}).slice(start)
    assert as_cells(batch).column(0).to_pylist() == ["plain", "white", None, "wide", None][start:]
