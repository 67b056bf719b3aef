"""Copies published tables to a PostgreSQL database, for Grafana, Power BI, Tableau and other tools.

A load deletes the rows of the last one and copies the new ones from Arrow, in one transaction: a statement of a reader
sees the old load or the new one, waits for nothing, and a killed load leaves the old one. (Renaming new schemas into
place is not enough: PostgreSQL looks up the tables of a statement one by one, so it can find an old and a new one.)
Tables stay from load to load, with what was granted on them and the views that read them; where their columns have
changed, they are altered. Every schema has a comment that says whose it is: one that this module did not make is never
touched. No error holds the address, which has a password in it, nor a value of a row.
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
_SHORT = {"timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz"}
"""Name of a type in PostgreSQL's catalog -> its name in `TYPES`."""
_MADE_BY = "Made by `ces export postgres`. Load "
_OURS = (*ALWAYS, "core")
"""The names of schemas that a load makes."""
_LOCK = 0x636573  # "ces"
_BATCH_ROWS = 50_000
_CONNECT_SECONDS = 10
_LOCK_SECONDS = 60
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
_STATES = {
    "53100": "the disk of the server is full",
    "53200": "the server has no memory left",
    "42501": "the role may not do this: grant it CREATE on the database, and let it own the schemas",
    "25006": "the server is read-only: the address must name the primary server",
    "55P03": f"a lock was not free within {_LOCK_SECONDS} s: another load or a long query holds it",
    "2BP01": "a view or table of yours needs what is no longer copied: drop it, or move it to a schema of its own",
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
    """What a load did. is_new: False if the database has this publication already.

    seconds: of all. copied: schema -> rows, and the seconds in which they were copied.
    """

    is_new: bool
    tables: int = 0
    seconds: float = 0.0
    copied: Mapping[str, tuple[int, float]] = field(default_factory=dict)

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
    def target(self) -> str:
        """Its name in PostgreSQL."""
        return f"{self.schema}.{quote_name(self.name)}"

    @property
    def key(self) -> str | None:
        """The column that is its key, where the load adds one: the first of a table of `bi`."""
        return next(iter(self.columns)) if self.schema == "bi" else None

    def creation(self) -> list[str]:
        """Create it, empty and without comments."""
        columns = [f"{quote_name(name)} {TYPES[kind]}" for name, (kind, _) in self.columns.items()]
        key = [f"PRIMARY KEY ({quote_name(self.key)})"] if self.key else []
        return [f"CREATE TABLE {self.target} ({', '.join([*columns, *key])})"]

    def alteration(self, found: Mapping[str, str]) -> list[str]:
        """Give the table that is there its columns. found: its columns with their types."""
        wanted = {name: TYPES[kind] for name, (kind, _) in self.columns.items()}
        dropped = [name for name, kind in found.items() if wanted.get(name) != kind]
        added = [name for name, kind in wanted.items() if found.get(name) != kind]
        changes = [f"DROP COLUMN {quote_name(name)}" for name in dropped]
        changes += [f"ADD COLUMN {quote_name(name)} {wanted[name]}" for name in added]
        if self.key in added:
            changes.append(f"ADD PRIMARY KEY ({quote_name(self.key)})")
        # Without its rows, which the load replaces in any case, a key can be added.
        return (
            [f"DELETE FROM {self.target}", f"ALTER TABLE {self.target} {', '.join(changes)}"]
            if changes
            else []
        )

    def descriptions(self) -> list[str]:
        """Its comment, and those of its columns."""
        return [
            f"COMMENT ON TABLE {self.target} IS {quote_text(self.comment)}",
            *(
                f"COMMENT ON COLUMN {self.target}.{quote_name(name)} IS {quote_text(comment)}"
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
            if made == dict.fromkeys(schemas, wanted):
                connection.rollback()
                return Load(is_new=False)
            database.refuse_foreign(tables, made, export.readers)
        with database.refusals("preparing the tables"):
            database.lay_out(tables, made)
            database.grant(tables, export.readers)
        copied = {}
        for schema in schemas:
            started, rows = monotonic(), 0
            for table in (table for table in tables if table.schema == schema):
                with database.refusals(f"copying {schema}.{table.name}"):
                    rows += database.fill(table, published)
            copied[schema] = rows, monotonic() - started
        with database.refusals("completing the load"):
            database.complete(schemas, wanted)
            connection.commit()
    return Load(True, len(tables), monotonic() - began, copied)


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
        """Schema that loads made -> fingerprint of its load."""
        found = self._rows(
            "SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace "
            f"WHERE nspname IN ({_listed(_OURS)}) "
            f"AND obj_description(oid, 'pg_namespace') LIKE {quote_text(_MADE_BY + '%')}"
        )
        return {name: str(comment).removeprefix(_MADE_BY) for name, comment in found}

    def refuse_foreign(
        self, tables: Sequence[CopiedTable], made: Mapping[str, str], readers: Sequence[str]
    ) -> None:
        """Refuse to replace what others made. Raises PostgresError that names it."""
        there = {name for (name,) in self._rows("SELECT nspname FROM pg_namespace")}
        if foreign := sorted((there & {table.schema for table in tables}) - made.keys()):
            raise PostgresError(
                f"postgres: the schema {foreign[0]} of the database was not made by ces, so it is left alone. Use a "
                "database of its own"
            )
        undescribed = {
            (schema, name)
            for schema, name in self._rows(
                "SELECT nspname, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
                f"WHERE nspname IN ({_listed(made) or 'NULL'}) AND relkind IN ('r', 'v', 'm', 'f', 'p') "
                "AND obj_description(pg_class.oid, 'pg_class') IS NULL ORDER BY 1"
            )
        }
        if taken := [table for table in tables if (table.schema, table.name) in undescribed]:
            raise PostgresError(
                f"postgres: {taken[0].schema}.{taken[0].name} was not made by ces, and a load would replace it. Move "
                "it to another schema"
            )
        known = {name for (name,) in self._rows("SELECT rolname FROM pg_roles")}
        if missing := [role for role in readers if role not in known]:
            raise PostgresError(
                f"postgres: the role {missing[0]} of `exports.postgres.readers` does not exist. Create it, or remove "
                "it from settings.yaml"
            )

    def lay_out(self, tables: Sequence[CopiedTable], made: Mapping[str, str]) -> None:
        """Create, alter and drop tables, so that those of a load are there with their columns.

        A table in a schema of ces that has a comment is one of a load; others are left alone.
        """
        found: dict[tuple[str, str], dict[str, str]] = {}
        described: dict[tuple[str, str], dict[str | None, str]] = {}
        for schema, name, about, column, kind, about_column in self._rows(
            "SELECT nspname, relname, obj_description(c.oid, 'pg_class'), attname, "
            "format_type(atttypid, atttypmod), col_description(c.oid, attnum) "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_attribute ON attrelid = c.oid "
            f"WHERE nspname IN ({_listed(made) or 'NULL'}) AND relkind = 'r' AND attnum > 0 AND NOT attisdropped "
            "AND obj_description(c.oid, 'pg_class') IS NOT NULL ORDER BY attnum"
        ):
            found.setdefault((schema, name), {})[column] = _SHORT.get(kind, kind)
            described.setdefault((schema, name), {None: about})[column] = about_column
        schemas = dict.fromkeys(table.schema for table in tables)
        wanted = {(table.schema, table.name) for table in tables}
        statements = [
            f"DROP TABLE {schema}.{quote_name(name)}"
            for schema, name in found
            if (schema, name) not in wanted
        ]
        statements += [f"DROP SCHEMA {schema}" for schema in made if schema not in schemas]
        statements += [f"CREATE SCHEMA {schema}" for schema in schemas if schema not in made]
        for table in tables:
            place = table.schema, table.name
            if place not in found:
                statements += [*table.creation(), *table.descriptions()]
                continue
            altered = table.alteration(found[place])
            statements += altered
            wanted_words = {None: table.comment} | {name: words for name, (_, words) in table.columns.items()}
            if altered or described[place] != wanted_words:
                statements += table.descriptions()
        self._run_all(statements)

    def grant(self, tables: Sequence[CopiedTable], readers: Sequence[str]) -> None:
        """Let the readers read every table. What is granted already stays as it is."""
        listed = ", ".join(f"({quote_text(table.schema)}, {quote_text(table.name)})" for table in tables)
        roles = _listed(readers) or "NULL"
        self._run_all(
            [
                statement
                for (statement,) in self._rows(
                    "SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, rolname) "
                    f"FROM pg_namespace n, pg_roles r WHERE nspname IN ({_listed([t.schema for t in tables])}) "
                    f"AND rolname IN ({roles}) AND NOT has_schema_privilege(r.oid, n.oid, 'USAGE') "
                    "UNION ALL "
                    "SELECT format('GRANT SELECT ON %I.%I TO %I', nspname, relname, rolname) "
                    "FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace, pg_roles r "
                    f"WHERE (nspname, relname) IN ({listed}) "
                    f"AND rolname IN ({roles}) AND NOT has_table_privilege(r.oid, c.oid, 'SELECT')"
                )
            ]
        )

    def fill(self, table: CopiedTable, published: duckdb.DuckDBPyConnection) -> int:
        """Replace the rows of a table; returns their number."""
        self._run(f"DELETE FROM {table.target}")
        rows = published.sql(table.query).to_arrow_reader(_BATCH_ROWS)
        return int(self._cursor.adbc_ingest(table.name, rows, mode="append", db_schema_name=table.schema))

    def complete(self, schemas: Sequence[str], fingerprint: str) -> None:
        """Write into the schemas which load they hold."""
        comment = quote_text(_MADE_BY + fingerprint)
        self._run_all([f"COMMENT ON SCHEMA {schema} IS {comment}" for schema in schemas])

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
