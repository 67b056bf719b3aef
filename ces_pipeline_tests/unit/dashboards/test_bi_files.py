"""Protects the files for Power BI and Tableau: rows as in the file, forms that the tools read, and no secret in any."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest

from ces_pipeline import pipeline
from ces_pipeline.cli import runs
from ces_pipeline.dashboards.bi_files import database_of, tool_files, write_bi_files
from ces_pipeline.errors import CesError
from ces_pipeline.storage.sql_files import sql_files
from ces_pipeline_tests.builders import answer, inbox_home
from ces_pipeline_tests.lake_days import SmallHome, response, small_home

VIEWS = [view.name for view in sql_files("bi")]
ADDRESS = "postgresql://owner:s3cret@db.example.org:6543/ces?sslmode=require"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    small = small_home(tmp_path_factory.mktemp("home"), shared_with="group")
    small.clean("survey", [response(key, ease=75.0) for key in "abc"])
    assert small.publish().published
    return small


def test_each_view_is_a_parquet_file_with_its_rows(small: SmallHome, tmp_path: Path) -> None:
    written = write_bi_files(small.home, tmp_path / "bi", None)
    assert {path.stem for path in written if path.suffix == ".parquet"} == set(VIEWS)
    for view in VIEWS:
        rows = pq.read_table(tmp_path / "bi" / f"{view}.parquet").to_pylist()
        columns = list(pq.read_schema(tmp_path / "bi" / f"{view}.parquet").names)
        assert [tuple(row[name] for name in columns) for row in rows] == small.rows(f"FROM bi.{view}")
    assert pq.read_table(tmp_path / "bi" / "weeks.parquet").num_rows == 1


def test_equal_rows_are_equal_bytes(small: SmallHome, tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_bi_files(small.home, tmp_path / "bi", None)]
    assert [path.read_bytes() for path in write_bi_files(small.home, tmp_path / "bi", None)] == first


def test_the_folder_of_the_home_is_shared_as_the_settings_say(small: SmallHome) -> None:
    pipeline.export_bi(small.home, small.registry, {})
    folder = small.root / "exports" / "bi"
    assert folder.stat().st_mode & 0o777 == 0o750
    assert (folder / "weeks.parquet").stat().st_mode & 0o777 == 0o640


def test_the_files_of_the_tools_name_the_database_and_hold_no_secret(tmp_path: Path) -> None:
    files = tool_files(tmp_path, ADDRESS)
    assert "s3cret" not in "".join(files.values())
    assert "owner" not in "".join(files.values())
    for mode in ("Import", "DirectQuery"):
        (connection,) = json.loads(files[f"ces_postgres_{mode.lower()}.pbids"])["connections"]
        assert connection == {
            "details": {
                "protocol": "postgresql",
                "address": {"server": "db.example.org:6543", "database": "ces"},
            },
            "options": {},
            "mode": mode,
        }
    (connection,) = json.loads(files["ces_files.pbids"])["connections"]
    assert connection["details"] == {"protocol": "folder", "address": {"path": str(tmp_path)}}
    for view in VIEWS:
        source = ElementTree.fromstring(files[f"{view}.tds"])
        found = source.find(".//named-connection/connection")
        assert found is not None
        assert [found.get(name) for name in ("class", "server", "port", "dbname", "username")] == [
            "postgres",
            "db.example.org",
            "6543",
            "ces",
            "",
        ]
        relation = source.find("./connection/relation")
        assert relation is not None
        assert relation.get("table") == f"[bi].[{view}]"
        names = {named.get("name") for named in source.iter("named-connection")}
        assert relation.get("connection") in names


def test_hostile_names_stay_in_their_attributes(tmp_path: Path) -> None:
    address = "postgresql://u:p@db.example.org/a'\"<b>&c"
    source = ElementTree.fromstring(tool_files(tmp_path, address)["weeks.tds"])
    found = source.find(".//named-connection/connection")
    assert found is not None
    assert found.get("dbname") == "a'\"<b>&c"


def test_without_an_address_there_are_only_files_for_the_folder(tmp_path: Path) -> None:
    assert list(tool_files(tmp_path, None)) == ["ces_files.pbids"]


@pytest.mark.parametrize(
    "address", ["host=h dbname=d password=s3cret", "postgresql://h:port/s3cret", "postgresql://h"]
)
def test_an_address_without_host_or_database_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(CesError, match="names no host or no database") as refused:
        database_of(address)
    assert "s3cret" not in str(refused.value)


@pytest.mark.slow
def test_what_a_correction_changes_is_copied_at_once(tmp_path: Path) -> None:
    # `ces forget`, `ces unland` and the others update the home so: a person who was erased must leave the copies.
    inbox = inbox_home(tmp_path, settings={"exports": {"bi_files": True, "metrics_file": "ces.prom"}})
    inbox.drop("a.csv", [answer(1)])
    inbox.land_all()
    assert runs.update(inbox.home).is_well
    assert pq.read_table(tmp_path / "exports" / "bi" / "sources.parquet")["accepted"].to_pylist() == [1]
    assert "ces_last_run_success 1.0" in (tmp_path / "ces.prom").read_text()
