"""A decimal comma is read as one, and a separator of thousands never is."""

import duckdb
import pytest

from ces_pipeline.formats.decimals import as_double, with_point


@pytest.mark.parametrize(
    ("text", "expected"),
    [("40,5", 40.5), ("-0,25", -0.25), ("3,14159", 3.14159), ("12", 12.0), ("1.5", 1.5),
     ("1,234", None), ("1.234,5", None), ("1,5,2", None), ("", None), ("x", None)],
)  # fmt: skip
def test_a_comma_is_decimal_unless_three_digits_follow_it(text: str, expected: float | None) -> None:
    query = f"SELECT {as_double('t')} FROM (SELECT $1::VARCHAR AS t)"
    assert duckdb.connect().execute(query, [text]).fetchone() == (expected,)
    pointed = with_point(text)
    assert (float(pointed) if expected is not None else pointed) == (
        expected if expected is not None else text
    )
