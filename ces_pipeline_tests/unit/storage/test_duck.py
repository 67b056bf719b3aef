"""DuckDB connections: the published file is opened again if a publish replaced it while it was being opened."""

import shutil
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

from ces_pipeline.storage.duck import attach_published, session


def _file(path: Path, number: int) -> Path:
    with duckdb.connect(path) as connection:
        connection.execute(f"CREATE TABLE version AS SELECT {number} AS number")
    return path


class _ReplacedMeanwhile:
    """A connection during whose first ATTACH the file is replaced, and which then fails or not."""

    def __init__(self, real: duckdb.DuckDBPyConnection, newer: Path, path: Path, *, fails: bool) -> None:
        self.real, self.newer, self.path, self.fails, self.attached = real, newer, path, fails, 0

    def execute(self, query: str) -> duckdb.DuckDBPyConnection:
        done = self.real.execute(query)
        if query.startswith("ATTACH"):
            self.attached += 1
            if self.attached == 1:
                self.newer.replace(self.path)
                if self.fails:
                    self.real.execute("DETACH ces")
                    raise duckdb.IOException("Could not read enough bytes")
        return done


@pytest.mark.parametrize("fails", [True, False])
def test_a_file_that_is_replaced_while_it_is_opened_is_opened_again(tmp_path: Path, fails: bool) -> None:
    path, newer = _file(tmp_path / "old.duckdb", 1), _file(tmp_path / "new.duckdb", 2)
    with session(None) as connection:
        replaced = _ReplacedMeanwhile(connection, newer, path, fails=fails)
        attach_published(cast("Any", replaced), path)
        assert replaced.attached == 2
        assert connection.execute("SELECT number FROM version").fetchone() == (2,)


def test_a_file_that_cannot_be_read_and_was_not_replaced_is_an_error_at_once(tmp_path: Path) -> None:
    path = _file(tmp_path / "cut.duckdb", 1)
    shutil.copy(path, tmp_path / "good.duckdb")
    path.write_bytes(path.read_bytes()[:9_000])
    with session(None) as connection, pytest.raises(duckdb.Error):
        attach_published(connection, path)
