"""Protects the house rules of `sql/`: every file is used, says what it is, and reads only what it may."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ces_pipeline.home import shipped
from ces_pipeline.publish.checks import PUBLISHED_TABLES, all_checks
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.statistics import POST_PROCESSED_BY, post_processor
from ces_pipeline.storage.sql_files import SqlFile, derived_files, in_order, sql_files

EVERY = [
    file
    for folder in ("core", "mart", "macros", "checks", "views", "queries", "exports")
    for file in sql_files(folder)
]

UNORDERED = ("mart.ticket_effort", "mart.effort_index", "mart.customer_journeys")
"""Millions of tickets or people are not sorted by a hash."""


def named(file: SqlFile) -> str:
    return f"{file.folder}/{file.name}"


def test_every_sql_file_is_of_a_known_layer() -> None:
    root = shipped("sql")
    found = {str(path.relative_to(root).with_suffix("")) for path in root.rglob("*.sql")}
    assert found == {named(file) for file in EVERY}


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
def test_a_mart_tells_its_grain_and_names_its_columns(file: SqlFile) -> None:
    assert file.title == TABLES[file.table].grain
    assert "select *" not in file.text
    assert "final as (" in file.text or file.table == "mart.quality_daily"
    assert "order by" in file.text.rsplit("final", 1)[-1] or file.table in UNORDERED


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
    told = "import sys, ces_pipeline.cli, ces_pipeline.definitions; print('scipy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_files_come_after_those_they_read() -> None:
    first = SqlFile("core", "zeta", "select 1 from core.alpha")
    second = SqlFile("core", "alpha", "select 1 from core.ticket_versions -- core.zeta")
    assert [file.name for file in in_order([first, second])] == ["alpha", "zeta"]
    order = [file.table for file in derived_files()]
    assert order.index("core.tickets") < order.index("core.response_tickets")


def test_the_sql_ships_where_the_package_looks_for_it() -> None:
    assert (Path(shipped("sql")) / "mart" / "ces_daily.sql").is_file()
