"""The answer of a cookbook query (`sql/queries/`) on the published file, and why it has no rows."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

import duckdb

from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.duck import count_rows, open_published
from ces_pipeline.storage.sql_files import SqlFile, derived_files, sql_files

_REGISTRY_FILES = {
    "reference.fixes": "registry/fixes.yaml",
    "reference.objectives": "registry/objectives.yaml",
    "reference.releases": "registry/releases.yaml",
    "reference.surveys": "registry/surveys.yaml",
    "reference.sources": "registry/sources.yaml",
    "reference.products": "registry/products.yaml",
}
_NO_ROWS = "No rows: "
"""In the comment of a query: what it means that it has no rows."""
_NOTHING_YET = {
    "audit.restatements": "no published day has changed afterwards",
    "audit.check_results": "no check has run",
    "audit.corrections": "nothing was taken back, replayed, restated or erased",
    "audit.requests": "no API was asked",
    "audit.probes": "no probe ran before today",
}
"""What it means that a table of history has no rows."""


class UnknownQuestionError(CesError):
    """There is no query of that name."""


class NothingPublishedError(CesError):
    """There is no published file yet."""


@dataclass(frozen=True)
class Answer:
    """The answer of one question.

    rows: the columns by name, each row in the query's order. newest_day: the newest day with an accepted answer.
    why_empty: why there are no rows; empty if there are some.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    newest_day: date | None
    published_at: datetime | None
    minimum_n: int | None
    why_empty: tuple[str, ...] = ()


def questions() -> dict[str, str]:
    """Name of every cookbook query -> the question that it answers."""
    return {query.name: query.title for query in sql_files("queries")}


def answer(home: Home, name: str) -> Answer:
    """Run one cookbook query on the published file, read-only.

    Raises UnknownQuestionError with the nearest names, NothingPublishedError, CesError if the file cannot be read.
    """
    query = _query(name)
    with published(home) as connection:
        found = connection.sql(query.query).to_arrow_table()
        rows = tuple(found.to_pylist())
        newest, published_at, minimum_n = state(connection)
        return Answer(
            name=name,
            title=query.title,
            columns=tuple(found.column_names),
            rows=rows,
            newest_day=newest,
            published_at=published_at,
            minimum_n=minimum_n,
            why_empty=() if rows else tuple(why_empty(connection, query)),
        )


@contextmanager
def published(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, opened read-only.

    Raises NothingPublishedError if there is none, CesError that names the file if DuckDB cannot read it.
    """
    if not home.published.is_file():
        raise NothingPublishedError(
            f"nothing is published at {home.published} yet. `ces run` creates it; `ces doctor` says what is missing"
        )
    with open_published(home.published) as connection:
        try:
            yield connection
        except (duckdb.BinderException, duckdb.CatalogException) as problem:
            raise CesError(
                f"{home.published} was published by another release of ces and lacks what is asked for. `ces run` "
                "publishes it anew"
            ) from problem
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as problem:
            raise CesError(
                f"{home.published} cannot be read ({type(problem).__name__}). `ces doctor` examines it"
            ) from problem


def state(connection: duckdb.DuckDBPyConnection) -> tuple[date | None, datetime | None, int | None]:
    """The newest day with an accepted answer, the time of the publish, and the minimum n of a shown figure."""
    row = connection.sql(
        "SELECT (SELECT max(day) FROM core.responses) AS newest_day, "
        "(SELECT max(published_at) FROM audit.publication) AS published_at, "
        "(SELECT max(minimum_n) FROM reference.settings) AS minimum_n"
    ).to_arrow_table()
    (found,) = row.to_pylist()
    return found["newest_day"], found["published_at"], found["minimum_n"]


def why_empty(connection: duckdb.DuckDBPyConnection, query: SqlFile) -> Iterator[str]:
    """Why a query has no rows: the inputs that have none, back to the registry or the sources; else its condition."""
    no_rows = query.explanation.partition(_NO_ROWS)[2].partition(". ")[0].strip().removesuffix(".")
    by_table = {file.table: file for file in derived_files()}
    views = {file.name: file for file in sql_files("views")}
    read = {
        *query.reads,
        *(name for view in views.values() if f" {view.name}" in query.code for name in view.reads),
    }
    empty = sorted(table for table in read if count_rows(connection, table) == 0)
    reasons: dict[str, None] = {}
    for table in empty:
        for reason in _why_table_is_empty(connection, table, by_table, no_rows):
            reasons[reason] = None
    if reasons:
        yield from reasons
        return
    for table in sorted(read):
        if hidden := _suppressed(connection, table):
            yield hidden
            return
    yield (
        no_rows
        or f"{', '.join(sorted(read))}: there are rows, but none of them is an answer to this question"
    )


def _why_table_is_empty(
    connection: duckdb.DuckDBPyConnection, table: str, by_table: dict[str, SqlFile], no_rows: str
) -> Iterator[str]:
    """no_rows: what the query itself says about having no rows; empty if it says nothing."""
    if table in _REGISTRY_FILES:
        yield f"{table} is empty: {_REGISTRY_FILES[table]} has no entry"
        return
    if table in _NOTHING_YET:
        yield f"{table} is empty: {_NOTHING_YET[table]}"
        return
    for kind, tables in ((kind, of.tables) for kind, of in KINDS.items()):
        if table in tables:
            accepted = table == tables[0]
            yield f"{table} is empty: no row of kind `{kind}` was {'accepted' if accepted else 'rejected'}"
            return
    file = by_table.get(table)
    inputs = sorted(name for name in file.reads if name != "reference.settings") if file else []
    missing = [name for name in inputs if count_rows(connection, name) == 0]
    # A table of the registry that has no entry is often the only cause; other inputs may be optional.
    decisive = [name for name in missing if name in _REGISTRY_FILES] or missing
    if not decisive:
        yield f"{table} is empty: {no_rows or (file.title if file else 'nothing has filled it')}"
        return
    for name in decisive:
        for reason in _why_table_is_empty(connection, name, by_table, no_rows):
            yield f"{table} is empty, because {reason}"


def _suppressed(connection: duckdb.DuckDBPyConnection, table: str) -> str | None:
    columns = {row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()}
    flags = [name for name in columns if name in ("is_suppressed", "is_effort_suppressed")]
    if not flags:
        return None
    condition = " AND ".join(f"NOT {flag}" for flag in sorted(flags))
    shown_rows, every = connection.execute(
        f"SELECT count(*) FILTER ({condition}), count(*) FROM {table}"
    ).fetchone() or (0, 0)
    if shown_rows:
        return None
    (minimum,) = connection.execute("SELECT max(minimum_n) FROM reference.settings").fetchone() or (None,)
    return (
        f"{table}: each of its {every:,} figures has too few answers (fewer than minimum_n, {minimum}, of "
        "registry/settings.yaml)"
    )


def _query(name: str) -> SqlFile:
    found = {query.name: query for query in sql_files("queries")}
    if name in found:
        return found[name]
    near = nearest(name, found)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    raise UnknownQuestionError(f"there is no question {name!r}. {hint}`ces show questions` lists them all")


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The names of `known` that are most like `name`: with its words first, then by spelling."""
    names = list(known)
    words = [word for word in name.lower().replace("-", "_").split("_") if len(word) > 2]
    by_word = [known_name for known_name in names if any(word in known_name for word in words)]
    by_spelling = get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    return list(dict.fromkeys([*by_spelling, *by_word]))[:3]
