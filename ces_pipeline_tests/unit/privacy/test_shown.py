"""Names from outside are written and printed without people and without characters that move a terminal's cursor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.privacy.shown import shown_columns, shown_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("answers.csv", "answers.csv"),
        ("ann@example.org.csv", "[email]"),
        ("of ann@example.org (1).csv", "of [email] (1).csv"),
        ("\x1b[2Janswers.csv", r"\x1b[2Janswers.csv"),
        ("a\nb\u202e.csv", r"a\nb\u202e.csv"),
        ("2026-03-02_export.csv", "2026-03-02_export.csv"),
        ("Größe 你好.csv", "Größe 你好.csv"),
    ],
)
def test_a_name_as_it_is_shown(name: str, expected: str) -> None:
    assert shown_name(name) == expected


@given(
    st.lists(
        st.sampled_from(["a@b.org", "c@b.org", "[email]", "[email]_2", "x", "\x1b", "\\x1b"]), unique=True
    )
)
def test_shown_columns_stay_different_and_a_harmless_name_keeps_itself(columns: list[str]) -> None:
    shown = shown_columns(columns)
    assert list(shown) == columns
    assert len(set(shown.values())) == len(columns)
    assert all(shown[name] == name for name in ("[email]", "x") if name in columns)
    assert not any("@" in name or "\x1b" in name for name in shown.values())
