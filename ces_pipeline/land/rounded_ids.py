"""Ids that a spreadsheet has rounded: 1.14859E+11, or a long number whose last digits are zeros. They name no row."""

import re

import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.storage.arrow_text import text_bytes

EXPONENT = r"^-?\d(?:[.,]\d+)?[eE]\+\d{1,3}$"
DIGITS = 15
"""A spreadsheet keeps so many digits of a number, and writes zeros for the others."""
_EXPONENT_IN_BYTES = re.compile(rb"[eE]\+")
_LONG = "^[0-9]{16}"
_SURE_ZEROS = 3
"""So many digits beyond the 15th, all of them zeros, are no chance: 1 in 1,000."""


def rounded_counts(identifier: str) -> list[str]:
    """SQL aggregates for `rounded`: of ids in E-notation, of long ids, and of long ids that end in zeros."""
    exponent = f"contains(lower({identifier}), 'e+') AND regexp_matches({identifier}, '{EXPONENT}')"
    long = f"length({identifier}) > {DIGITS} AND regexp_full_match({identifier}, '[0-9]{{16,30}}')"
    zeros = f"{long} AND regexp_full_match(substr({identifier}, {DIGITS + 1}), '0+')"
    return [
        f"count(*) FILTER ({exponent})",
        f"min(row_number) FILTER ({exponent})",
        f"count(*) FILTER ({long})",
        f"coalesce(sum(length({identifier}) - {DIGITS}) FILTER ({long}), 0)",
        f"count(*) FILTER ({zeros})",
        f"min(row_number) FILTER ({zeros})",
    ]


def may_be_rounded(identifiers: pa.Array) -> bool:
    """Whether the aggregates must look at a batch of ids: one is in E-notation, or has many digits and no more."""
    found = text_bytes(identifiers)
    if found is None:
        return False
    ends, data = found
    if _EXPONENT_IN_BYTES.search(data[ends[0] : ends[-1]]):
        return True
    is_long = (ends[1:] - ends[:-1]).max() > DIGITS
    return bool(is_long and pc.any(pc.match_substring_regex(identifiers, _LONG)).as_py())


def rounded(counts: tuple[int, int | None, int, int, int, int | None]) -> tuple[int, int] | None:
    """(Number of rows with a rounded id, the first of them) by `rounded_counts`; None if there are none."""
    exponents, first_exponent, long, digits, zeros, first_zero = counts
    if exponents and first_exponent is not None:
        return exponents, first_exponent
    if zeros == long and digits >= _SURE_ZEROS and first_zero is not None:
        return zeros, first_zero
    return None


def refusal(name: str, column: str, rows: int, first_row: int) -> str:
    """The message about rounded ids in a column of a file."""
    ids = "1 id" if rows == 1 else f"{rows:,} ids"
    return (
        f"{name}: {ids} in column {column!r}, the first in row {first_row:,}, were rounded by a spreadsheet (such as "
        f"1.14859E+11, or zeros after 15 digits), so different rows have the same id. Deliver the system's own export, "
        "or format the column as text before the file is opened and saved"
    )
