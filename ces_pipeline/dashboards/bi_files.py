"""The `bi` views as Parquet files, and the files that open them in Power BI and Tableau.

`.pbids` is Power BI's description of a source, `.tds` Tableau's. They name host and database and never a user or a
password: the tools ask for those. Tableau opens no Parquet, so its files are for PostgreSQL only. One rename replaces
each file.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

import pyarrow as pa
import pyarrow.parquet as pq

from ces_pipeline.errors import CesError, HomeError
from ces_pipeline.home import Home
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.local_files import replace_file
from ces_pipeline.storage.modes import file_mode
from ces_pipeline.storage.sql_files import sql_files

FOLDER = "exports/bi"
_PORT = 5432


def default_folder(home: Home) -> Path:
    """The folder of the files in a home."""
    return home.root / FOLDER


def write_bi_files(home: Home, folder: Path, address: str | None) -> list[Path]:
    """Write a Parquet file for each view of `bi`, and the files of both tools; returns all, by name.

    address: that of the PostgreSQL database, for the tools' files; None: only the file for the Parquet folder. Raises
    CesError if nothing is published or the address names no database, HomeError if the folder cannot be written.
    """
    if not home.published.is_file():
        raise CesError(f"nothing is published at {home.published}. Run `ces run` first")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        mode = file_mode(folder)
        written = []
        with open_published(home.published) as published:
            for view in sql_files("bi"):
                # The view's own order: the file is the same for the same rows.
                rows = published.sql(f"FROM {view.view}").to_arrow_table()
                written.append(folder / f"{view.name}.parquet")
                replace_file(written[-1], _parquet(rows), mode=mode)
        for name, text in tool_files(folder, address).items():
            written.append(folder / name)
            replace_file(written[-1], text.encode(), mode=mode)
    except OSError as problem:
        raise HomeError(
            f"{folder} cannot be written ({problem.strerror or type(problem).__name__}). Free disk space or correct "
            "its permissions"
        ) from problem
    return sorted(written)


def _parquet(rows: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink)
    return sink.getvalue()


def tool_files(folder: Path, address: str | None) -> dict[str, str]:
    """File name -> text of the files for Power BI and Tableau. Raises CesError as `write_bi_files`."""
    files = {"ces_files.pbids": _pbids("folder", {"path": str(folder)}, None)}
    if address is not None:
        host, port, database = database_of(address)
        server = host if port == _PORT else f"{host}:{port}"
        for mode in ("Import", "DirectQuery"):
            details = {"server": server, "database": database}
            files[f"ces_postgres_{mode.lower()}.pbids"] = _pbids("postgresql", details, mode)
        for view in sql_files("bi"):
            files[f"{view.name}.tds"] = "\n".join(_tds(view.name, host, port, database)) + "\n"
    return files


def database_of(address: str) -> tuple[str, int, str]:
    """Host, port and database of an address. Raises CesError, which does not repeat it, if it names no host."""
    try:
        parts = urlsplit(address)
        host, port, database = parts.hostname, parts.port or _PORT, parts.path.strip("/")
    except ValueError:
        host, port, database = None, _PORT, ""
    if not host or not database or "://" not in address:
        raise CesError(
            "the address of the database names no host or no database. Write it as postgresql://user:password@host/ces"
        )
    return host, port, database


def _pbids(protocol: str, address: dict[str, str], mode: str | None) -> str:
    connection = {"details": {"protocol": protocol, "address": address}, "options": {}, "mode": mode}
    return json.dumps({"version": "0.1", "connections": [connection]}, indent=2) + "\n"


def _tds(view: str, host: str, port: int, database: str) -> Iterator[str]:
    """A data source of Tableau 2018.1 and newer on one table."""
    yield "<?xml version='1.0' encoding='utf-8' ?>"
    yield f"<datasource formatted-name={quoteattr(f'ces {view}')} inline='true' version='18.1'>"
    yield "  <connection class='federated'>"
    yield "    <named-connections>"
    yield f"      <named-connection caption={quoteattr(host)} name='postgres.ces'>"
    yield (
        f"        <connection authentication='username-password' class='postgres' dbname={quoteattr(database)} "
        f"port='{port}' server={quoteattr(host)} username='' />"
    )
    yield "      </named-connection>"
    yield "    </named-connections>"
    yield f"    <relation connection='postgres.ces' name={quoteattr(view)} table='[bi].[{view}]' type='table' />"
    yield "  </connection>"
    yield "</datasource>"
