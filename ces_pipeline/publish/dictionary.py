"""The data dictionary: every table, view and column of the published file in Markdown.

Nothing is described here: texts come from the schemas (as the comments of the published file do), from the first
comments of the SQL files, and from the glossary.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ces_pipeline.publish.checks import sql_type
from ces_pipeline.publish.glossary import GLOSSARY
from ces_pipeline.publish.layout import create_tables
from ces_pipeline.publish.lineage import column_lineage
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.schemas.table import Table
from ces_pipeline.storage.duck import session
from ces_pipeline.storage.sql_files import SqlFile, derived_files, sql_files

NEVER = "never null"
_LAYERS = {
    "core": "What was cleaned: one row per thing that happened",
    "mart": "What is asked: figures and lists made of core",
    "audit": "How it came about: deliveries, cleanings, pulls, checks",
    "reference": "The registry in tables",
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
    """The unit of a column of DuckDB type `kind`, which its name tells; empty where it has none."""
    if kind.startswith("TIMESTAMP"):
        return "instant, UTC"
    if kind not in ("DOUBLE", "BIGINT"):
        return ""
    if "0_100" in name:
        return _UNITS["0_100"]
    return next((told for word in name.split("_") if (told := _UNITS.get(word))), "")


def meaning(description: str) -> tuple[str, str]:
    """A column's description in two: what a value means, and what null means (`NEVER` where there is none)."""
    means, separator, null = description.partition("; null")
    return (means, null.removeprefix(":").strip()) if separator else (means, NEVER)


def _opening() -> list[str]:
    return [
        "# Data dictionary",
        "",
        "Every table and view of the published file. The texts are those of its comments "
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
    yield from ("", "## Views", "", "Plain names over the tables above, for whoever needs no more.")
    columns = {table.name: list(table.columns) for table in PUBLISHED_TABLES.values()}
    origins = column_lineage({view.name: view.query for view in sql_files("views")}, columns)
    with session(None) as connection:
        create_tables(connection)
        for view in sql_files("views"):
            kinds = {row[0]: row[1] for row in connection.execute(f"DESCRIBE main.{view.name}").fetchall()}
            yield from ("", f"### {view.name}", "", view.title)
            if view.explanation:
                yield from ("", view.explanation)
            rows = [
                (
                    f"`{name}`",
                    kind,
                    unit(name, kind),
                    _listed(f"{t}.{c}" for t, c in origins[view.name][name]),
                )
                for name, kind in kinds.items()
            ]
            yield from _grid(("column", "type", "unit", "from"), rows)


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
        # A bar would begin another cell.
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
