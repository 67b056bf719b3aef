"""Protects the proof of the checks: each poison fails its own check only, and a check that finds nothing is named."""

import time
from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest

from ces_pipeline.proof import step
from ces_pipeline.proof.checks import BUSINESS_DATE, empty_snapshot, poisoned, uncaught_by_checks
from ces_pipeline.publish import checks as checks_module
from ces_pipeline.publish.checks import SqlCheck, run_checks, sql_checks
from ces_pipeline.storage.sql_files import SqlFile, sql_files

OF_FILES = [file.name for file in sql_files("checks")]
SPARSE = "nulls_described"
"""Poison leaves out the columns that its check does not read."""


@pytest.fixture(scope="module")
def snapshot() -> Iterator[duckdb.DuckDBPyConnection]:
    with empty_snapshot() as connection:
        yield connection


def named(name: str) -> SqlCheck:
    return next(check for check in sql_checks() if check.name == name)


def failed(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    results = run_checks(connection, sql_checks(), business_date=BUSINESS_DATE)
    return {result.check.name: result.failures for result in results if not result.passed}


def test_a_snapshot_without_rows_passes_every_check(snapshot: duckdb.DuckDBPyConnection) -> None:
    assert failed(snapshot) == {}


@pytest.mark.parametrize("name", OF_FILES)
def test_a_poison_fails_its_own_check_only(name: str, snapshot: duckdb.DuckDBPyConnection) -> None:
    (poison,) = named(name).poisons
    with poisoned(snapshot, poison):
        found = failed(snapshot)
    assert found.pop(name) == poison.wrong_rows
    assert found.keys() <= {SPARSE}
    assert failed(snapshot) == {}


def test_every_poison_is_found() -> None:
    assert uncaught_by_checks() == []


def test_every_check_that_finds_nothing_is_named() -> None:
    blind = [replace(check, query=f"select * from ({check.query}\n) where false") for check in sql_checks()]
    assert uncaught_by_checks(blind) == [f"check {check.name}" for check in sql_checks()]


def test_a_check_that_finds_only_some_of_the_wrong_rows_is_named() -> None:
    books = named("books_balance")
    partly = replace(books, query=books.query.replace("rejected <> rejected_when_cleaned", "false"))
    assert partly != books
    assert uncaught_by_checks([partly]) == ["check books_balance"]


@pytest.mark.parametrize(
    ("checks", "poison", "problem"),
    [
        (("lost",), (), r"sql/checks/lost\.sql: no poison\. Add sql/poison/lost\.sql"),
        ((), ("lost",), r"sql/poison/lost\.sql: there is no check"),
        (("lost",), ("lost",), r"sql/poison/lost\.sql: the first line must be"),
    ],
)
def test_a_check_without_poison_is_an_error_that_names_it(
    checks: tuple[str, ...], poison: tuple[str, ...], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "checks": tuple(
            SqlFile("checks", name, "-- warning: rows are lost. Find them.\nselect 1") for name in checks
        ),
        "poison": tuple(SqlFile("poison", name, "-- some rows\nselect 1") for name in poison),
    }
    monkeypatch.setattr(checks_module, "sql_files", files.__getitem__)
    with pytest.raises(ValueError, match=problem):
        sql_checks.__wrapped__()


def test_the_proof_names_what_was_missed_and_is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.process_time()
    proved = step.prove.__wrapped__()
    seconds = time.process_time() - started
    assert (proved.passed, proved.check.is_blocking) == (True, True)
    # Measured: 1.8 s with what a first use loads.
    assert seconds < 6
    monkeypatch.setattr(step, "uncaught_by_rules", lambda: ["rule too_fast (survey)"])
    monkeypatch.setattr(step, "uncaught_by_schemas", list)
    monkeypatch.setattr(step, "uncaught_by_checks", list)
    missed = step.prove.__wrapped__()
    assert missed.failures == 1
    assert (missed.detail or "").startswith("rule too_fast (survey). ")
