"""The data dictionary: every table, view and column of the published file in Markdown.

This file holds no descriptions: the texts come from the schemas (like the comments of the published file), from the
first comments of the SQL files, and from the glossary.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ces_pipeline.publish.checks import sql_type
from ces_pipeline.publish.glossary import GLOSSARY
from ces_pipeline.publish.layout import create_tables
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.publish.view_columns import view_columns, view_lineage
from ces_pipeline.schemas.table import Table
from ces_pipeline.storage.duck import session
from ces_pipeline.storage.sql_files import SqlFile, derived_files, view_files

NEVER = "never null"
_LAYERS = {
    "core": "Cleaned rows: one row per response, ticket, invitation and so on",
    "mart": "Figures and lists, computed from core",
    "audit": "History: deliveries, cleanings, pulls, checks",
    "reference": "The registry as tables",
}
_UNITS = {
    "0_100": "points, 0 to 100",
    "share": "0 to 1",
    "minutes": "minutes",
    "seconds": "seconds",
    "bytes": "bytes",
    "days": "days",
}


def dictionary(tables: Mapping[str, Table] = PUBLISHED_TABLES) -> str:
    """The dictionary in Markdown: tables by layer, then views, then the glossary; the same text every time."""
    return "\n".join([*_opening(), *_layers(tables), *_views(), *_glossary()]) + "\n"


def unit(name: str, kind: str) -> str:
    """The unit of a column, from its name and its DuckDB type `kind`; empty if it has none."""
    if kind.startswith("TIMESTAMP"):
        return "instant, UTC"
    if kind not in ("DOUBLE", "BIGINT"):
        return ""
    if "0_100" in name:
        return _UNITS["0_100"]
    return next((_UNITS[word] for word in name.split("_") if word in _UNITS), "")


def meaning(description: str) -> tuple[str, str]:
    """(meaning of a value, meaning of null or `NEVER`), from a column's description."""
    means, separator, null = description.partition("; null")
    return (means, null.removeprefix(":").strip()) if separator else (means, NEVER)


def _opening() -> list[str]:
    return [
        "# Data dictionary",
        "",
        "Every table and view of the published file. Its comments have the same texts "
        "(`duckdb_tables()`, `duckdb_columns()`).",
    ]


def _layers(tables: Mapping[str, Table]) -> Iterator[str]:
    queries = {file.table: file for file in derived_files()}
    for layer, title in _LAYERS.items():
        yield from ("", f"## {layer}", "", f"{title}.")
        for name in sorted(name for name, table in tables.items() if table.layer == layer):
            yield from _table(tables[name], queries.get(name))


def _table(table: Table, query: SqlFile | None) -> Iterator[str]:
    yield from ("", f"### {table.name}", "", table.grain)
    if query is not None:
        if query.explanation:
            yield from ("", query.explanation)
        yield from ("", f"Reads {_listed(sorted(query.reads))}.")
    if table.key:
        yield from ("", f"Key: {_listed(table.key)}.")
    rows = []
    for field in table.arrow:
        kind = sql_type(field.type)
        means, null = meaning(table.columns[field.name].description or "")
        rows.append((f"`{field.name}`", kind, unit(field.name, kind), means, null))
    yield from _grid(("column", "type", "unit", "meaning", "null"), rows)


def _views() -> Iterator[str]:
    yield from (
        "",
        "## Views",
        "",
        "Views with plain names over the tables above. They are enough for most questions. Those of `bi` have flat "
        "rows of plain types for BI tools; columns are only ever added to them, at the end.",
    )
    with session(None) as connection:
        create_tables(connection)
        for view in view_files():
            kinds = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {view.view}").fetchall()}
            yield from ("", f"### {view.view}", "", view.title)
            if view.explanation:
                yield from ("", view.explanation)
            rows = [
                (
                    f"`{name}`",
                    kind,
                    unit(name, kind),
                    *meaning(view_columns()[view.view][name]),
                    _listed(f"{t}.{c}" for t, c in view_lineage()[view.view][name]),
                )
                for name, kind in kinds.items()
            ]
            yield from _grid(("column", "type", "unit", "meaning", "null", "from"), rows)


def _glossary() -> Iterator[str]:
    yield from ("", "## Glossary")
    yield from _grid(("term", "meaning"), list(GLOSSARY.items()))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        # An unescaped bar would start a new cell.
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
