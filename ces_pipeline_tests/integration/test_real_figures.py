"""The finer known figures of the SurveyMonkey and SurveyGizmo exports, on what the readers give."""

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.vendors.catalog import READERS
from ces_pipeline_tests.real_data import real_data

_MASCULINITY = "surveys/surveymonkey/fte_masculinity_raw_responses.csv.gz"
_JUPYTER = "surveys/surveygizmo/jupyter_2015_ux_SurveyExport.csv.gz"


def _loaded(reader: str, name: str) -> duckdb.DuckDBPyConnection:
    export = READERS[reader].read(DeliveredFile(real_data(name)), None)
    connection = duckdb.connect()
    connection.register("export", pa.Table.from_batches(list(export.batches)))
    return connection


@pytest.fixture
def masculinity() -> Iterator[duckdb.DuckDBPyConnection]:
    with _loaded("surveymonkey_csv", _MASCULINITY) as connection:
        connection.execute(
            "CREATE VIEW timed AS SELECT date_diff('minute', strptime(StartDate, '%m/%d/%y %H:%M'), "
            "strptime(EndDate, '%m/%d/%y %H:%M')) AS minutes FROM export"
        )
        yield connection


@pytest.fixture
def jupyter() -> Iterator[duckdb.DuckDBPyConnection]:
    with _loaded("surveygizmo_csv", _JUPYTER) as connection:
        connection.execute(
            'CREATE VIEW timed AS SELECT "Status" AS status, '
            'epoch("Date Submitted"::TIMESTAMP - "Time Started"::TIMESTAMP) AS seconds FROM export'
        )
        yield connection


def test_the_masculinity_durations_are_those_known(masculinity: duckdb.DuckDBPyConnection) -> None:
    figures = masculinity.execute(
        "SELECT count(*), count(*) FILTER (minutes < 0), count(*) FILTER (minutes > 24 * 60), "
        "count(*) FILTER (minutes = 1), count(*) FILTER (minutes = 2), median(minutes) FROM timed"
    ).fetchall()
    assert figures == [(1615, 20, 3, 5, 12, 7.0)]


def test_the_masculinity_answers_are_those_known(masculinity: duckdb.DuckDBPyConnection) -> None:
    counted = masculinity.execute("SELECT q0001, count(*) FROM export GROUP BY 1").fetchall()
    assert dict(counted) == {
        "Somewhat masculine": 826,
        "Very masculine": 612,
        "Not very masculine": 131,
        "Not at all masculine": 32,
        "No answer": 14,
    }
    no_answer = masculinity.execute(
        "SELECT count(*) FROM (UNPIVOT (SELECT * EXCLUDE (row_number) FROM export) ON COLUMNS(*)) "
        "WHERE value = 'No answer'"
    ).fetchall()
    assert no_answer == [(505,)]


def test_the_jupyter_rows_are_those_known(jupyter: duckdb.DuckDBPyConnection) -> None:
    statuses = dict(jupyter.execute("SELECT status, count(*) FROM timed GROUP BY 1").fetchall())
    assert statuses == {"Partial": 927, "Complete": 779}
    figures = jupyter.execute(
        "SELECT count(*) FILTER (seconds < 30), count(*) FILTER (status = 'Complete' AND seconds < 60), "
        "median(seconds) FILTER (status = 'Complete') FROM timed"
    ).fetchall()
    assert figures == [(641, 16, 504.0)]
    silent = jupyter.execute(
        """
        SELECT status, count(*) FROM (
            SELECT "Status" AS status, to_json(answers) AS answers_json FROM (
                SELECT "Status", struct_pack(*COLUMNS(* EXCLUDE ("Time Started", "Date Submitted", "Status", row_number))) AS answers
                FROM export))
        WHERE NOT regexp_matches(answers_json, ':"') GROUP BY 1
        """
    ).fetchall()
    assert dict(silent) == {"Partial": 609, "Complete": 5}
    distinct = jupyter.execute(
        "SELECT count(*) FROM (SELECT DISTINCT * EXCLUDE (row_number) FROM export)"
    ).fetchall()
    assert distinct == [(1706 - 2,)]
