"""Protects the house rules of `sql/`: every file is used, says what it is, and reads only what it may."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ces_pipeline.home import shipped
from ces_pipeline.publish.checks import all_checks
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.statistics import POST_PROCESSED_BY, post_processor
from ces_pipeline.storage.sql_files import SqlFile, derived_files, in_order, sql_files

EVERY = [
    file
    for folder in (
        "core",
        "mart",
        "macros",
        "checks",
        "poison",
        "views",
        "bi",
        "queries",
        "report",
        "exports",
    )
    for file in sql_files(folder)
]

UNORDERED = ("mart.ticket_effort", "mart.effort_index", "mart.customer_journeys", "mart.effort_drivers")
"""Millions of tickets or people are not sorted by a hash; the drivers' function sums ranks exactly and sorts its rows."""


def named(file: SqlFile) -> str:
    return f"{file.folder}/{file.name}"


def test_every_sql_file_is_of_a_known_layer() -> None:
    root = shipped("sql")
    found = {str(path.relative_to(root).with_suffix("")) for path in root.rglob("*.sql")}
    assert found == {named(file) for file in (*EVERY, *sql_files("changes"))}


def test_every_derived_file_fills_a_described_table_and_every_mart_table_has_a_file() -> None:
    assert {file.table for file in derived_files()} <= set(TABLES)
    assert {name for name in TABLES if name.startswith("mart.")} == {file.table for file in sql_files("mart")}
    assert {check.name for check in all_checks()} >= {file.name for file in sql_files("checks")}


@pytest.mark.parametrize("file", EVERY, ids=named)
def test_a_file_says_what_it_is_and_reads_tables_that_exist(file: SqlFile) -> None:
    assert file.title
    assert file.reads <= set(PUBLISHED_TABLES)


@pytest.mark.parametrize("file", sql_files("queries"), ids=named)
def test_a_question_is_one_ordered_statement_below_the_question_in_words(file: SqlFile) -> None:
    assert "?" in file.title
    assert "order by" in file.query
    assert ";" not in re.sub("--.*", "", file.query)


@pytest.mark.parametrize("file", sql_files("mart"), ids=named)
def test_a_mart_tells_its_grain_and_ends_in_one_ordered_select_that_computes(file: SqlFile) -> None:
    assert file.title == TABLES[file.table].grain
    assert "select *" not in file.text
    last = re.split(r"^select\b", file.query, flags=re.MULTILINE)[-1]
    assert "order by" in last or file.table in UNORDERED
    # The schema lists the columns: a select that only repeats them below a query is no use.
    assert not re.fullmatch(r"(\s+\w+,)*\s+\w+\s+from \w+(\s+order by [^;]*)?", last)


def test_a_query_reads_the_tables_that_duckdb_finds_in_it() -> None:
    # The names are found in the text, since to parse every query would make each start of `ces` wait.
    queries = [file for file in EVERY if file.folder not in ("macros", "poison")]
    macros = frozenset().union(*(file.reads for file in sql_files("macros")))
    with duckdb.connect() as connection:
        for file in queries:
            answer = connection.execute("SELECT json_serialize_sql($query)", {"query": file.query}).fetchone()
            assert answer is not None
            found = set(stored_tables(json.loads(answer[0])))
            assert found <= file.reads <= found | macros, named(file)


def stored_tables(part: Any) -> Iterator[str]:
    """Full names of the tables in a part of DuckDB's parse of a query."""
    if isinstance(part, dict):
        if part.get("type") == "BASE_TABLE" and part["schema_name"]:
            yield f"{part['schema_name']}.{part['table_name']}"
        part = list(part.values())
    if isinstance(part, list):
        for member in part:
            yield from stored_tables(member)


def test_a_query_reads_what_its_table_macros_read() -> None:
    reads = {file.table: file.reads for file in derived_files()}
    assert reads["mart.ces_daily"] == {"core.responses", "reference.scales", "reference.settings"}


def test_every_function_that_finishes_a_mart_is_there_and_has_a_query() -> None:
    assert set(POST_PROCESSED_BY) <= {file.table for file in sql_files("mart")}
    assert all(callable(post_processor(table)) for table in POST_PROCESSED_BY)


def test_every_macro_is_used_by_a_mart() -> None:
    defined = {name for file in sql_files("macros") for name in re.findall(r"temp macro (\w+)", file.text)}
    used = {
        name
        for file in (*sql_files("mart"), *sql_files("macros"))
        for name in re.findall(r"(?<!temp macro )\b(\w+)\(", file.text)
    }
    assert defined <= used


def test_no_command_imports_scipy_before_a_publish_needs_it() -> None:
    program = "import sys, ces_pipeline.cli, ces_pipeline.definitions; print('scipy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_files_come_after_those_they_read() -> None:
    first = SqlFile("core", "zeta", "select 1 from core.alpha")
    second = SqlFile("core", "alpha", "select 1 from core.ticket_versions -- core.zeta")
    assert [file.name for file in in_order([first, second])] == ["alpha", "zeta"]
    order = [file.table for file in derived_files()]
    assert order.index("core.tickets") < order.index("core.response_tickets")


def test_the_sql_ships_where_the_package_looks_for_it() -> None:
    assert (Path(shipped("sql")) / "mart" / "ces_daily.sql").is_file()
