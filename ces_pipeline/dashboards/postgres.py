"""Copies published tables to a PostgreSQL database, for Grafana, Power BI, Tableau and other tools.

A load fills fresh schemas from Arrow and puts them in place of the old ones by renames, in one transaction with their
grants: a reader sees the old load or the new one, and a killed load leaves nothing behind. The old schemas are dropped
afterwards. Every schema has a comment that says whose it is: one that this module did not make is never touched. No
error holds the address, which has a password in it, nor a value of a row.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import duckdb

from ces_pipeline.code_fingerprint import code_fingerprint
from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.registry.settings import PostgresExport
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.quote import quote_name, quote_text

ALWAYS = ("mart", "reference", "audit", "bi")
AUDIT = ("check_results", "incidents", "load_audit", "pending_days", "publication", "restatements")
"""The tables of `audit` that are copied: without the names of files and the logs of requests."""
NEVER = ("comment", "landed")
"""Columns of `core` with the words of customers."""
TYPES = {
    "BIGINT": "bigint",
    "INTEGER": "bigint",
    "DOUBLE": "double precision",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "VARCHAR": "text",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "VARCHAR[]": "text",
}
"""Type of the published file -> type in PostgreSQL. A list becomes its JSON text."""
_MADE_BY = "Made by `ces export postgres`. Load "
_NEXT, _OLD = "_next", "_old"
_OURS = tuple(f"{name}{suffix}" for name in (*ALWAYS, "core") for suffix in ("", _NEXT, _OLD))
"""The names of schemas that a load makes."""
_LOCK = 0x636573  # "ces"
_BATCH_ROWS = 50_000
_CONNECT_SECONDS = 10
_LOCK_SECONDS = 60
_DROP_SECONDS = 10
_REFUSALS = {
    "password authentication failed": "the user or the password is wrong",
    "no password supplied": "the address has no password",
    "no pg_hba.conf entry": "the server accepts no connection of this user from this machine",
    "does not exist": "the role or the database of the address does not exist",
    "could not translate host name": "its host is unknown",
    "Connection refused": "no server listens there",
    "timeout expired": f"the server did not answer within {_CONNECT_SECONDS} s",
    "No space left on device": "the disk of the server is full",
    "starting up": "the server is starting up",
    "too many": "the server has no connection left",
}
"""Part of libpq's message -> what is said instead: its own text may have parts of the address."""
_LOCK_NOT_FREE = "55P03"
_STATES = {
    "53100": "the disk of the server is full",
    "53200": "the server has no memory left",
    "42501": "the role may not do this: grant it CREATE on the database, and let it own the schemas",
    "25006": "the server is read-only: the address must name the primary server",
    _LOCK_NOT_FREE: f"a lock was not free within {_LOCK_SECONDS} s: another load or a long query holds it",
    "57014": "the server cancelled the statement",
    "57P01": "the server was shut down",
    "22021": "the database cannot hold a letter of the data: make one with the encoding UTF8",
    "22P05": "the database cannot hold a letter of the data: make one with the encoding UTF8",
}
"""SQLSTATE -> what it means here."""


class PostgresError(CesError):
    """The database cannot be reached, or refused a load. The text names no password and no value."""


@dataclass(frozen=True)
class Load:
    """What a load did. is_new: False if the database has this publication already. note: what is left to know.

    seconds: of all. copied: schema -> rows, and the seconds in which they were copied.
    """

    is_new: bool
    tables: int = 0
    seconds: float = 0.0
    copied: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    note: str = ""

    @property
    def rows(self) -> int:
        return sum(rows for rows, _ in self.copied.values())


@dataclass(frozen=True)
class CopiedTable:
    """A table or view that is copied: its columns with their published types, and the comments of all."""

    schema: str
    name: str
    comment: str
    columns: Mapping[str, tuple[str, str]]
    """Column -> its type in the file, and its comment."""

    @property
    def query(self) -> str:
        """Selects its rows in types that PostgreSQL has."""
        selected = ", ".join(_selected(name, kind) for name, (kind, _) in self.columns.items())
        return f"SELECT {selected} FROM {self.schema}.{quote_name(self.name)}"

    @property
    def statements(self) -> list[str]:
        """Creates it, empty and described, in the schema of the next load."""
        target = f"{self.schema}{_NEXT}.{quote_name(self.name)}"
        columns = ", ".join(f"{quote_name(name)} {TYPES[kind]}" for name, (kind, _) in self.columns.items())
        return [
            f"CREATE TABLE {target} ({columns})",
            f"COMMENT ON TABLE {target} IS {quote_text(self.comment)}",
            *(
                f"COMMENT ON COLUMN {target}.{quote_name(name)} IS {quote_text(comment)}"
                for name, (_, comment) in self.columns.items()
            ),
        ]


def _selected(name: str, kind: str) -> str:
    """A column as it is copied. PostgreSQL has no NUL in texts: U+FFFD, the sign of an unknown letter, replaces it."""
    column = quote_name(name)
    if kind == "VARCHAR[]":
        column = f"to_json({column})::VARCHAR"
    if TYPES[kind] == "text":
        return f"replace({column}, chr(0), chr(65533)) AS {quote_name(name)}"
    return f"{column}::{'BIGINT' if kind == 'INTEGER' else kind} AS {quote_name(name)}"


def load(home: Home, export: PostgresExport, environment: Mapping[str, str]) -> Load:
    """Copy the published tables to the database, unless it has this publication already.

    environment: holds the address. Raises PostgresError if the database cannot be reached or refuses, CesError if
    nothing is published.
    """
    if not home.published.is_file():
        raise CesError(f"nothing is published at {home.published}. Run `ces run` first")
    address = environment.get(export.url, "").strip()
    if not address:
        raise PostgresError(
            f"postgres: the environment variable {export.url} is not set. Put the address of the database into the "
            "environment (settings.yaml names the variable)"
        )
    began = monotonic()
    with open_published(home.published) as published, _connected(export, address) as connection:
        tables = copied_tables(published, has_core=export.has_core)
        wanted = _fingerprint(published, export)
        schemas = tuple(dict.fromkeys(table.schema for table in tables))
        database = _Database(connection)
        with database.refusals("preparing"):
            database.prepare()
            made = database.made_schemas()
            if {schema: made.get(schema) for schema in schemas} == dict.fromkeys(schemas, wanted) and (
                "core" in made
            ) == export.has_core:
                connection.rollback()
                return Load(is_new=False, note=database.drop_old())
            database.refuse_foreign(made, export.readers)
            database.clear(made)
        copied = {}
        for schema in schemas:
            started, rows = monotonic(), 0
            of_schema = [table for table in tables if table.schema == schema]
            with database.refusals(f"creating {schema}"):
                database.create(schema, wanted, of_schema)
            for table in of_schema:
                with database.refusals(f"copying {schema}.{table.name}"):
                    rows += database.fill(table, published)
            copied[schema] = rows, monotonic() - started
        with database.refusals("putting the load in place"):
            database.grant(schemas, export.readers)
            database.swap(schemas, [schema for schema in (*ALWAYS, "core") if schema in made])
            connection.commit()
        note = database.drop_old()
    return Load(True, len(tables), monotonic() - began, copied, note)


def copied_tables(published: duckdb.DuckDBPyConnection, *, has_core: bool) -> list[CopiedTable]:
    """The tables and views that a load copies, by schema and name."""
    schemas = (*ALWAYS, "core") if has_core else ALWAYS
    found = published.execute(
        """
        SELECT schema_name, table_name, comment FROM duckdb_tables() WHERE database_name = 'ces'
        UNION ALL
        SELECT schema_name, view_name, comment FROM duckdb_views() WHERE database_name = 'ces' AND NOT internal
        ORDER BY ALL
        """
    ).fetchall()
    columns: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
    for schema, table, name, kind, comment in published.execute(
        "SELECT schema_name, table_name, column_name, data_type, comment FROM duckdb_columns() "
        "WHERE database_name = 'ces' AND NOT internal ORDER BY column_index"
    ).fetchall():
        if schema != "core" or name not in NEVER:
            columns.setdefault((schema, table), {})[name] = (kind, comment or "")
    return [
        CopiedTable(schema, name, comment or "", columns[schema, name])
        for schema, name, comment in found
        if schema in schemas and (schema != "audit" or name in AUDIT)
    ]


def _fingerprint(published: duckdb.DuckDBPyConnection, export: PostgresExport) -> str:
    """Fingerprint of what a load of this publication puts into the database."""
    made = published.execute("SELECT run_id, published_at, inputs, layout FROM audit.publication").fetchall()
    parts = [made, export.has_core, sorted(export.readers), code_fingerprint([__name__])]
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:32]


@contextmanager
def _connected(export: PostgresExport, address: str) -> Iterator[Any]:
    """A connection that commits only when it is asked to. Raises PostgresError."""
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise PostgresError(
            "postgres: the driver is not installed. Install it with `pip install 'ces-pipeline[postgres]'`"
        ) from None
    try:
        connection = dbapi.connect(_with_timeout(address), autocommit=False)
    except dbapi.Error as problem:
        why = next((means for part, means in _REFUSALS.items() if part in str(problem)), "it was refused")
        raise PostgresError(f"postgres: no connection to {_host(address)} ({export.url}): {why}") from None
    try:
        yield connection
    finally:
        connection.close()


def _with_timeout(address: str) -> str:
    """The address with a limit on the time to connect, unless it has one."""
    if "connect_timeout" in address:
        return address
    if "://" in address:
        return f"{address}{'&' if '?' in address else '?'}connect_timeout={_CONNECT_SECONDS}"
    return f"{address} connect_timeout={_CONNECT_SECONDS}"


def _host(address: str) -> str:
    """The host of an address; where it cannot be found, only that there is one."""
    try:
        return urlsplit(address).hostname or "the server of the address"
    except ValueError:
        return "the server of the address"


class _Database:
    """The statements of a load, on one connection."""

    def __init__(self, connection: Any):
        self._connection = connection
        self._cursor = connection.cursor()

    @contextmanager
    def refusals(self, doing: str) -> Iterator[None]:
        """Raise PostgresError for an error of the database. Its own message may hold a value."""
        from adbc_driver_postgresql import dbapi

        try:
            yield
        except dbapi.Error as problem:
            state = problem.sqlstate or ""
            why = _STATES.get(state, f"SQLSTATE {state}" if state else "the connection broke")
            raise PostgresError(
                f"postgres: {doing} failed: {why}. The tables of the last load are unchanged"
            ) from None

    def prepare(self) -> None:
        """Settings of the transaction; waits until no other load is in progress."""
        for statement in (
            f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'",
            "SET LOCAL client_encoding = 'UTF8'",
            "SET LOCAL standard_conforming_strings = on",
            f"SELECT pg_advisory_xact_lock({_LOCK})",
        ):
            self._run(statement)

    def made_schemas(self) -> dict[str, str]:
        """Schema that loads made, also one that was left over -> fingerprint of its load."""
        found = self._rows(
            "SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace "
            f"WHERE nspname IN ({_listed(_OURS)}) "
            f"AND obj_description(oid, 'pg_namespace') LIKE {quote_text(_MADE_BY + '%')}"
        )
        return {name: str(comment).removeprefix(_MADE_BY) for name, comment in found}

    def refuse_foreign(self, made: Mapping[str, str], readers: Sequence[str]) -> None:
        """Refuse to drop what others made. Raises PostgresError that names it."""
        there = {name for (name,) in self._rows("SELECT nspname FROM pg_namespace")}
        if foreign := sorted((there & set(_OURS)) - made.keys()):
            raise PostgresError(
                f"postgres: the schema {foreign[0]} of the database was not made by ces, so it is left alone. Use a "
                "database of its own"
            )
        if added := self._rows(
            "SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
            f"WHERE nspname IN ({_listed(made) or 'NULL'}) AND relkind IN ('r', 'v', 'm', 'f', 'p') "
            "AND obj_description(pg_class.oid, 'pg_class') IS NULL ORDER BY 1"
        ):
            raise PostgresError(
                f"postgres: {added[0][0]} was not made by ces, and a load would drop it. Move it to another schema"
            )
        if reading := self._rows(
            "SELECT DISTINCT vn.nspname || '.' || v.relname FROM pg_depend d "
            "JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid "
            "JOIN pg_class v ON v.oid = r.ev_class JOIN pg_namespace vn ON vn.oid = v.relnamespace "
            "JOIN pg_class t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid "
            "JOIN pg_namespace tn ON tn.oid = t.relnamespace "
            f"WHERE tn.nspname IN ({_listed(made) or 'NULL'}) AND vn.nspname NOT IN ({_listed(made) or 'NULL'}) "
            "ORDER BY 1"
        ):
            raise PostgresError(
                f"postgres: the view {reading[0][0]} reads a table of ces, and a load would drop the view with the "
                "old table. Drop it, and put its query into the tool that uses it"
            )
        known = {name for (name,) in self._rows("SELECT rolname FROM pg_roles")}
        if missing := [role for role in readers if role not in known]:
            raise PostgresError(
                f"postgres: the role {missing[0]} of `exports.postgres.readers` does not exist. Create it, or remove "
                "it from settings.yaml"
            )

    def clear(self, made: Mapping[str, str]) -> None:
        """Drop what a load left over that was killed before it dropped the old schemas."""
        for schema in made:
            if schema.endswith((_NEXT, _OLD)):
                self._run(f"DROP SCHEMA {schema} CASCADE")

    def create(self, schema: str, fingerprint: str, tables: Sequence[CopiedTable]) -> None:
        """Create the schema of the next load, with its empty tables."""
        self._run_all(
            [
                f"CREATE SCHEMA {schema}{_NEXT}",
                f"COMMENT ON SCHEMA {schema}{_NEXT} IS {quote_text(_MADE_BY + fingerprint)}",
                *(statement for table in tables for statement in table.statements),
            ]
        )

    def fill(self, table: CopiedTable, published: duckdb.DuckDBPyConnection) -> int:
        """Copy the rows of a table; returns their number. Tables of `bi` get their key."""
        rows = published.sql(table.query).to_arrow_reader(_BATCH_ROWS)
        copied = self._cursor.adbc_ingest(
            table.name, rows, mode="append", db_schema_name=f"{table.schema}{_NEXT}"
        )
        if table.schema == "bi":
            key = quote_name(next(iter(table.columns)))
            self._run(f"ALTER TABLE bi{_NEXT}.{quote_name(table.name)} ADD PRIMARY KEY ({key})")
        return int(copied)

    def grant(self, schemas: Sequence[str], readers: Sequence[str]) -> None:
        """Let the readers read the next load, and the roles that were granted a schema or a table of the last one."""
        statements = []
        for schema in schemas:
            for role in map(quote_name, readers):
                statements.append(f"GRANT USAGE ON SCHEMA {schema}{_NEXT} TO {role}")
                statements.append(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema}{_NEXT} TO {role}")
        role = "CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END"
        kept = self._rows(
            f"SELECT format('GRANT USAGE ON SCHEMA %I TO %s', nspname || '{_NEXT}', {role}) "
            "FROM pg_namespace, aclexplode(nspacl) a "
            f"WHERE nspname IN ({_listed(schemas)}) AND a.grantee <> nspowner AND a.privilege_type = 'USAGE' "
            "UNION ALL "
            f"SELECT format('GRANT SELECT ON %I.%I TO %s', o.nspname || '{_NEXT}', c.relname, {role}) "
            "FROM pg_class c JOIN pg_namespace o ON o.oid = c.relnamespace "
            f"JOIN pg_namespace x ON x.nspname = o.nspname || '{_NEXT}' "
            "JOIN pg_class f ON f.relnamespace = x.oid AND f.relname = c.relname, aclexplode(c.relacl) a "
            f"WHERE o.nspname IN ({_listed(schemas)}) AND c.relkind = 'r' AND a.grantee <> c.relowner "
            "AND a.privilege_type = 'SELECT'"
        )
        self._run_all([*(statement for (statement,) in kept), *statements])

    def swap(self, schemas: Sequence[str], made: Sequence[str]) -> None:
        """Rename the old schemas away and the next ones into their place."""
        self._run_all(
            [
                *(f"ALTER SCHEMA {schema} RENAME TO {schema}{_OLD}" for schema in made),
                *(f"ALTER SCHEMA {schema}{_NEXT} RENAME TO {schema}" for schema in schemas),
            ]
        )

    def drop_old(self) -> str:
        """Drop the old schemas; returns a note if that fails, for example because a reader still holds one."""
        from adbc_driver_postgresql import dbapi

        try:
            self._run(f"SET LOCAL lock_timeout = '{_DROP_SECONDS}s'")
            for schema in self.made_schemas():
                if schema.endswith(_OLD):
                    self._run(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
            self._connection.commit()
        except dbapi.Error as problem:
            held = problem.sqlstate == _LOCK_NOT_FREE
            why = "a long query still reads them" if held else f"SQLSTATE {problem.sqlstate}"
            return f"the schemas of the last load could not be dropped ({why}). The next load drops them"
        return ""

    def _run(self, statement: str) -> None:
        self._cursor.execute(statement)

    def _run_all(self, statements: Sequence[str]) -> None:
        """Statements without rows, in one round trip."""
        if statements:
            listed = ";\n".join(statements)
            self._run(f"DO {quote_text(f'BEGIN {listed}; END')}")

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        self._cursor.execute(query)
        return list(self._cursor.fetchall())


def _listed(names: Mapping[str, str] | Sequence[str]) -> str:
    return ", ".join(map(quote_text, names))
