"""Protects the words of flags and statuses: each language's words, and that an unknown word is never taken for one."""

import pytest

from ces_pipeline.formats.flags import DELETED, FINISHED, RESPONSE_STATUS, read_word


@pytest.mark.parametrize(
    "word", ["true", "Yes", " JA ", "1", "1.0", "oui", "sí", "Completed", "Abgeschlossen", "vero"]
)
def test_words_for_finished(word: str) -> None:
    assert read_word(word, FINISHED) == "true"


@pytest.mark.parametrize(
    "word", ["False", "no", "N", "0", "Falsch", "nein", "non", "Partial", "In progress", "nee"]
)
def test_words_for_unfinished(word: str) -> None:
    assert read_word(word, FINISHED) == "false"


@pytest.mark.parametrize("word", ["Preview", "Survey Preview", "Spam", "Test", "Umfragevorschau", "Aperçu"])
def test_words_for_answers_that_do_not_count(word: str) -> None:
    assert read_word(word, RESPONSE_STATUS) == "test"


@pytest.mark.parametrize(
    ("word", "means"),
    [("T", "true"), ("wahr", "true"), ("Deleted", "true"), ("0", "false"), ("Active", "false")],
)
def test_words_for_deleted(word: str, means: str) -> None:
    assert read_word(word, DELETED) == means


@pytest.mark.parametrize("words", [FINISHED, DELETED, RESPONSE_STATUS])
def test_a_word_that_is_in_no_list_means_nothing(words: dict[str, str]) -> None:
    assert read_word("perhaps", words) is None
    assert read_word(None, words) is None


def test_no_word_is_finished_and_unfinished_at_once() -> None:
    for words, meanings in (
        (FINISHED, {"true", "false"}),
        (DELETED, {"true", "false"}),
        (RESPONSE_STATUS, {"test", "normal"}),
    ):
        assert set(words.values()) == meanings
