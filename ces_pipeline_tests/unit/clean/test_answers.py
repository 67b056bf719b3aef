"""Protects how an answer's text becomes a value: what is read, what is refused, and as which kind of refusal."""

import numpy as np
import pandas as pd
import pytest

from ces_pipeline.clean.answers import (
    BLANK,
    FITS,
    NPS_SCALE,
    OFF_SCALE,
    UNKNOWN,
    read_answer,
    read_answers,
)
from ces_pipeline_tests.unit.clean.frames import shipped_scales

SEVEN = "ease_1_7"


@pytest.mark.parametrize(
    ("text", "scale", "value"),
    [
        ("7 - Very easy", SEVEN, 7),
        ("1 - Very difficult", SEVEN, 1),
        ("3: somewhat difficult", SEVEN, 3),
        ("6) Nearly effortless", SEVEN, 6),
        ("٧", SEVEN, 7),
        ("７", SEVEN, 7),
        (" 7 ", SEVEN, 7),
        ("\u00a07", SEVEN, 7),
        ("7.0", SEVEN, 7),
        ("7,0", SEVEN, 7),
        ("+5", SEVEN, 5),
        ("7/7", SEVEN, 7),
        ("2 out of 7", SEVEN, 2),
        ("VERY  easy", SEVEN, 7),
        ("easy", "ease_1_5", 4),
        ("Sehr einfach", "ease_1_5", 5),
        ("MUY FÁCIL", "ease_1_5", 5),
        ("Très difficile", "ease_1_5", 1),
        ("Stimme überhaupt nicht zu", "ces2_agreement_1_7", 1),
        ("Pas du tout d'accord", "ces2_agreement_1_7", 1),
        ("Totalmente de acuerdo", "ces2_agreement_1_7", 7),
        ("Strongly agree", "ces2_agreement_1_7", 7),
        ("🙂", "faces_1_3", 3),
        ("😐", "faces_1_3", 2),
        ("☹️", "faces_1_3", 1),
        (":)", "faces_1_3", 3),
        ("0", "ease_0_10", 0),
        ("10", "ease_0_10", 10),
    ],
)
def test_what_is_an_answer_of_the_scale(text: str, scale: str, value: int) -> None:
    assert read_answer(text, shipped_scales()[scale]) == (value, FITS)


@pytest.mark.parametrize(
    ("text", "scale", "outcome"),
    [
        ("", SEVEN, BLANK),
        ("   ", SEVEN, BLANK),
        (None, SEVEN, BLANK),
        ("8", SEVEN, OFF_SCALE),
        ("0", SEVEN, OFF_SCALE),
        ("-1", SEVEN, OFF_SCALE),
        ("6.5", SEVEN, OFF_SCALE),
        ("8/7", SEVEN, OFF_SCALE),
        ("70", SEVEN, OFF_SCALE),
        ("9 - Very easy", SEVEN, UNKNOWN),
        ("9 - Super", SEVEN, OFF_SCALE),
        ("easyish", SEVEN, UNKNOWN),
        ("easy", "csat_1_5", UNKNOWN),
        ("5/7", "ease_1_5", UNKNOWN),
        ("5 - Very easy", "net_easy_1_7", UNKNOWN),
        ("1 - Very easy", "ease_1_5", UNKNOWN),
        ("1 - Very easy", "ease_1_7", UNKNOWN),
        ("7.5 - Very easy", SEVEN, UNKNOWN),
        ("1-7", SEVEN, UNKNOWN),
        ("nan", SEVEN, UNKNOWN),
        ("1e0", SEVEN, UNKNOWN),
        ("🙂", SEVEN, UNKNOWN),
    ],
)
def test_what_is_refused_and_why(text: str | None, scale: str, outcome: int) -> None:
    assert read_answer(text, shipped_scales()[scale])[1] == outcome


def test_a_label_under_another_number_is_refused_only_where_the_two_disagree() -> None:
    scale = shipped_scales()["ease_1_5"]
    assert read_answer("5 - Very easy", scale) == (5, FITS)
    assert read_answer("4 - Very easy", scale) == (None, UNKNOWN)


def test_a_column_is_read_row_by_row_on_the_scale_of_its_own_survey() -> None:
    texts = pd.Series(["5", "5", "Very easy", None, "nine"], dtype="str")
    scales = [shipped_scales()["ease_1_5"], shipped_scales()["faces_1_3"], None]
    values, outcomes = read_answers(texts, scales, np.array([0, 1, 0, 0, 2]))
    np.testing.assert_array_equal(values, [5, np.nan, 5, np.nan, np.nan])
    assert outcomes.tolist() == [FITS, OFF_SCALE, FITS, BLANK, BLANK]


def test_a_row_without_a_survey_has_no_answer() -> None:
    values, outcomes = read_answers(
        pd.Series(["5"], dtype="str"), [shipped_scales()["ease_1_5"]], np.array([-1])
    )
    assert np.isnan(values).all()
    assert outcomes.tolist() == [BLANK]


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("10", 10), ("9 - Extremely likely", 9)])
def test_likelihood_to_recommend_goes_from_0_to_10(text: str, value: int) -> None:
    assert read_answer(text, NPS_SCALE) == (value, FITS)
    assert read_answer("11", NPS_SCALE) == (None, OFF_SCALE)


@pytest.mark.parametrize(
    "text",
    [
        "5 out of 10", "5 of 10", "5 / 10", "5/10", "5 von 10", "5 sur 10", "5 (out of 10)",
        "4 - 5", "4-5", "4 to 5", "4 or 5", "4 & 5", "4 | 5", "4 ; 5", "4 or more", "3 (changed from 5)",
        "6 %", "6%",
    ],
)  # fmt: skip
def test_a_text_that_is_no_single_answer_of_the_scale_is_none(text: str) -> None:
    assert read_answer(text, shipped_scales()[SEVEN]) == (None, UNKNOWN)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("6 (Easy)", 6), ("(6) Easy", 6), ("6: easy", 6), ("6 = Easy", 6), ("6) easy", 6), ("1 star", 1),
        ("7/7", 7), ("7 von 7", 7), ("7 out of 7", 7),
    ],
)  # fmt: skip
def test_a_number_with_one_label_or_out_of_the_maximum_is_an_answer(text: str, value: int) -> None:
    assert read_answer(text, shipped_scales()[SEVEN]) == (value, FITS)
