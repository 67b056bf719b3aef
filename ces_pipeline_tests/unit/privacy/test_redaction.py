"""Redaction: nothing personal is left in free text, and nothing else is lost from it."""

import time

import pyarrow as pa
import pytest

from ces_pipeline.privacy.redaction import Redaction, redact_text

WITHOUT_REGIONS = Redaction(())


def cell(text: str) -> str:
    """The text as a cell of a column that no one mapped."""
    return str(WITHOUT_REGIONS.redacted(pa.array([text]), sentence=False)[0].as_py())


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.org", "ann.b+tag@mail.example.co.uk", "o'neil@example.org", "ANN@EXAMPLE.ORG",
        "josé@exámple.org", "用户@例子.广告", "ann_b%x@sub-domain.example.org",
    ],
)  # fmt: skip
def test_an_address_leaves_any_text(text: str) -> None:
    for shown in (redact_text(f"Write to {text}, please."), cell(f"<{text}>")):
        assert text not in shown
        assert "[email]" in shown


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004", "6011 0000 0000 0004",
        "378282246310005", "3782 822463 10005", "3782-822463-10005", "4111111111111111110",
    ],
)  # fmt: skip
def test_a_card_number_leaves_any_text(text: str) -> None:
    for shown in (redact_text(f"My card {text} was charged"), cell(f"card: {text}")):
        assert "[card]" in shown
        assert not any(digits in shown for digits in ("1111", "0004", "8224", "10005"))


@pytest.mark.parametrize(
    "text",
    [
        "+49 151 23456789", "+1 (415) 555-2671", "+442079460958", "(020) 7946 0958", "(415) 555-2671",
        "415-555-2671", "415.555.2671", "415 555 2671", "0151 234 5678", "020 7946 0958", "0301234567",
    ],
)  # fmt: skip
def test_a_phone_number_leaves_any_text(text: str) -> None:
    for shown in (redact_text(f"Call me at {text}!"), cell(f"tel {text}")):
        assert "[phone]" in shown
        assert not any(digits in shown for digits in ("2345", "2671", "0958", "5678", "4567"))


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02", "2026-03-02T10:30:00Z", "2026-03-02 10:30:00.123456", "2026-03-02T10:30:00+01:00",
        "02/03/2026 10:30", "1772443800250", "1772443800", "order 123456789", "3.14159265", "1536x864",
        "88.0.4324.41", "Mozilla/5.0 (Windows NT 10.0) Chrome/88.0.4324.41", "user@", "@handle",
        "7 - Very easy", "INC0010001", "R_2RQ5kfCKKHudpj3", "550e8400-e29b-41d4-a716-446655440000",
        "64f0c2a7e1b2d30012a4c511",
    ],
)  # fmt: skip
def test_a_cell_that_is_no_person_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize(
    "text", ["It took 45 minutes on 2026-03-02", "version 88.0.4324.41 broke", "order 12345 late"]
)
def test_a_sentence_without_long_numbers_stays_as_it_is(text: str) -> None:
    assert redact_text(text) == text


def test_a_bare_run_of_digits_is_a_number_in_a_sentence_and_kept_in_a_cell() -> None:
    assert redact_text("my account is 123456789, thanks") == "my account is [number], thanks"
    assert cell("123456789") == "123456789"


def test_several_people_in_one_text_all_leave_it() -> None:
    shown = redact_text("ann@example.org or bob@example.org, +49 151 23456789 or 415-555-2671")
    assert shown == "[email] or [email], [phone] or [phone]"


@pytest.mark.parametrize("unit", ["1-", "1 ", "a", "a.", "a@", "@", "12 34-"])
def test_a_long_run_takes_time_that_grows_with_its_length(unit: str) -> None:
    begun = time.process_time()
    redact_text("@" + unit * (40_000 // len(unit)))
    assert time.process_time() - begun < 3


def test_addresses_without_a_gap_are_all_replaced() -> None:
    assert redact_text("ann@example.org%bob@example.org'cem@example.org") == "[email]" * 3
