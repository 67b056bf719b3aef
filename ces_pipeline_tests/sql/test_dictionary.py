"""Protects the data dictionary: it says of every table, view and column what the published file says, and no more."""

import re
from dataclasses import replace

import pytest

from ces_pipeline.publish.dictionary import NEVER, dictionary, meaning, unit
from ces_pipeline.publish.glossary import GLOSSARY
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.schemas.table import INTEGER, column
from ces_pipeline.storage.sql_files import sql_files
from ces_pipeline_tests.lake_days import SmallHome, response, small_home


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    small = small_home(tmp_path_factory.mktemp("home"))
    small.clean("survey", [response("a")])
    small.publish()
    return small


@pytest.fixture(scope="module")
def text() -> str:
    return dictionary()


def documented(text: str) -> dict[str, dict[str, list[str]]]:
    """Heading of a table or view -> its columns -> their cells."""
    found = {}
    for part in re.split(r"^### ", text.split("\n## Glossary")[0], flags=re.MULTILINE)[1:]:
        heading = part.split("\n", 1)[0]
        rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", part, re.MULTILINE)
        found[heading] = {name: cells.split(" | ") for name, cells in rows}
    return found


def test_every_column_says_the_same_as_its_comment_in_the_file(small: SmallHome, text: str) -> None:
    comments = small.rows(
        "SELECT schema_name || '.' || table_name, column_name, data_type, comment FROM duckdb_columns() "
        "WHERE database_name = 'ces' AND schema_name <> 'main'"
    )
    rendered = {
        (table, name): (kind, means if null == NEVER else f"{means}; null{null}")
        for table, columns in documented(text).items()
        for name, cells in columns.items()
        if "." in table
        for kind, _, means, null, *_ in [cells]
    }
    assert rendered == {
        (table, name): (kind, re.sub("; null[: ]*", "; null", comment))
        for table, name, kind, comment in comments
    }


def test_every_table_and_view_says_the_same_as_its_comment_in_the_file(small: SmallHome, text: str) -> None:
    comments = small.rows(
        "SELECT schema_name || '.' || table_name, comment FROM duckdb_tables() WHERE database_name = 'ces' "
        "UNION ALL SELECT if(schema_name = 'main', '', schema_name || '.') || view_name, comment "
        "FROM duckdb_views() WHERE database_name = 'ces' AND NOT internal"
    )
    rendered = dict(re.findall(r"^### (\S+)\n\n(.*)$", text, re.MULTILINE))
    assert rendered == dict(comments)


def test_every_column_of_every_view_is_there(small: SmallHome, text: str) -> None:
    for view in sql_files("views"):
        columns = small.rows(f"DESCRIBE {view.name}")
        assert [(name, cells[0]) for name, cells in documented(text)[view.name].items()] == [
            (row[0], row[1]) for row in columns
        ]


def test_a_changed_schema_changes_the_dictionary(text: str) -> None:
    table = PUBLISHED_TABLES["mart.ces_daily"]
    changed = replace(
        table, grain="Another grain.", columns={**table.columns, "more": column(INTEGER, "New.")}
    )
    other = dictionary({**PUBLISHED_TABLES, table.name: changed})
    added = set(other.splitlines()) - set(text.splitlines())
    assert added == {"Another grain.", "| `more` | BIGINT |  | New. | never null |"}


def test_a_mart_says_what_it_reads_and_answers(text: str) -> None:
    part = text.split("### mart.response_rates\n")[1].split("### ")[0]
    assert (
        "Reads `core.responses`, `mart.response_funnel_daily`, `reference.settings`, `reference.surveys`."
        in part
    )
    assert "Answers: which surveys get answers" in part
    assert "Key: `survey_id`, `basis`." in part


@pytest.mark.parametrize("table", PUBLISHED_TABLES)
def test_whatever_may_be_null_says_what_null_means(table: str) -> None:
    for name, described in PUBLISHED_TABLES[table].columns.items():
        _, null = meaning(described.description)
        assert (null != NEVER) == described.nullable, name
        assert null, name


def test_a_description_falls_into_meaning_and_null() -> None:
    assert meaning("Free text; null: none.") == ("Free text", "none.")
    assert meaning("Upper end; null as the mean.") == ("Upper end", "as the mean.")
    assert meaning("The key.") == ("The key.", NEVER)


def test_the_unit_is_in_the_name() -> None:
    assert unit("easy_share_low", "DOUBLE") == "0 to 1"
    assert unit("ease_low_0_100", "DOUBLE") == "points, 0 to 100"
    assert unit("p90_minutes", "DOUBLE") == "minutes"
    assert unit("size_bytes", "BIGINT") == "bytes"
    assert unit("recorded_at", "TIMESTAMP WITH TIME ZONE") == "instant, UTC"
    assert unit("n", "BIGINT") == unit("share_text", "VARCHAR") == ""


def test_the_glossary_is_by_the_alphabet_and_warns_of_other_meanings() -> None:
    assert list(GLOSSARY) == sorted(GLOSSARY, key=str.lower)
    assert {"CES", "effort", "ease", "net ease", "POMP", "band", "suspect"} <= set(GLOSSARY)
    assert "Contact Efficiency Systems" in GLOSSARY["CES"]
    assert "Customer Experience Feedback" in GLOSSARY["CES"]
