"""Names of a delivery's people leave its comments, and words that only look like them stay."""

import pyarrow as pa
import pytest

from ces_pipeline.privacy.known_names import KnownNames


def names(*people: str) -> KnownNames:
    known = KnownNames()
    known.add(pa.array([*people, None], pa.string()))
    return known


def shown(text: str, *people: str) -> str:
    return names(*people).marked(pa.array([text]))[0].as_py() or text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann helped", "[name] helped"),
        ("Thanks to Ann Example!", "Thanks to [name]!"),
        ("ANN was great", "[name] was great"),
        ("Ann's answer, Anns answer", "[name]'s answer, Anns answer"),
        ("Annabel helped", "Annabel helped"),
        ("plan and annual", "plan and annual"),
        ("for example", "for example"),
    ],
)
def test_a_known_name_is_marked_where_it_is_capitalised(text: str, expected: str) -> None:
    assert shown(text, "Ann Example") == expected


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("Example, Ann", "Ann said so"),
        ("Ann Example <a1@example.org>", "Ann said so"),
        ("ann.example@example.org", "Ann said so"),
        ("Jürgen Müller", "Mueller said so"),
        ("Juergen Mueller", "Müller said so"),
        ("José García", "Jose said so"),
        ("Łukasz Wójcik", "Lukasz said so"),
    ],
)
def test_a_name_is_known_from_each_way_of_writing_a_person(cell: str, text: str) -> None:
    assert shown(text, cell) == "[name] said so"


@pytest.mark.parametrize(
    "cell", ["user123", "a1b2", "It was a long story about Ann", "support@example.org", "Support Team"]
)
def test_a_cell_that_is_no_name_marks_nothing(cell: str) -> None:
    assert shown("Support said: Ann and the Team told a long Story", cell) == (
        "Support said: Ann and the Team told a long Story"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Will this work?", "Will this work?"),
        ("It was Will", "It was [name]"),
        ("Will Becker did it", "[name] did it"),
        ("Der Koch war gut", "Der Koch war gut"),
        ("Herr Koch war gut", "Herr [name] war gut"),
        ("Danke, Koch hat geholfen", "Danke, [name] hat geholfen"),
    ],
)
def test_a_name_that_is_also_a_word_needs_more_than_a_capital(text: str, expected: str) -> None:
    assert shown(text, "Will Becker", "Eva Koch") == expected


def test_a_word_that_is_usual_in_lower_case_is_no_name_at_the_start_of_a_sentence() -> None:
    texts = pa.array(["Tender price", "a tender offer", "the tender", "tender", "We met Tender"])
    assert names("Lee Tender").marked(texts).to_pylist() == [None] * 4 + ["We met [name]"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. Smith called", "Mr. [name] called"),
        ("Frau Dr. von der Leyen half", "Frau Dr. [name] half"),
        ("M. Dupont et Mme Lefèvre", "M. [name] et Mme [name]"),
        ("La señora García López ayudó", "La señora [name] ayudó"),
        ("Sr. Manager", "Sr. Manager"),
        ("after 500 ms Latency rose", "after 500 ms Latency rose"),
        ("MS Word crashed", "MS Word crashed"),
        ("I miss Tea", "I miss Tea"),
    ],
)
def test_a_name_after_a_title_is_marked_whether_known_or_not(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_a_column_that_is_named_like_a_person_and_no_more_is_marked() -> None:
    known = names("Ann Example")
    assert known.in_column("Ann Example") == "[name]"
    assert known.in_column("Example") == "Example"
    assert known.in_column("Rate Ann Example") == "Rate Ann Example"
