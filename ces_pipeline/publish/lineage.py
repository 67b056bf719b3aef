"""Column lineage: the stored columns that a query's columns are computed from, by DuckDB's own parser.

Lineage follows values from the select list through common table expressions, joins, unions and table macros of
`sql/macros/` to the columns of stored tables. Columns that only filter, join, group or order rows do not count. No
query is run.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from ces_pipeline.code_cache import kept
from ces_pipeline.home import shipped
from ces_pipeline.publish.enums import ENUMS
from ces_pipeline.storage.sql_files import sql_files

Origin = tuple[str, str]
"""A column of a stored table: (`core.responses`, `score`)."""
_Origins = frozenset[Origin]
_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class _TableMacro:
    """A macro that returns rows: the names of its parameters, and its parsed query."""

    parameters: Sequence[str]
    node: Mapping[str, Any]


@dataclass(frozen=True)
class _Relation:
    """A named relation in FROM. rest: origins of columns that the query does not name."""

    name: str
    columns: Mapping[str, _Origins]
    rest: _Origins = frozenset()


@dataclass(frozen=True)
class _Scope:
    """The relations that a select sees, its own aliases so far, and the scope around it."""

    relations: Sequence[_Relation]
    aliases: dict[str, _Origins] = field(default_factory=dict)
    outer: "_Scope | None" = None

    def origins(self, path: Sequence[str]) -> _Origins:
        """Origins of a column reference; none if the name is not a column (a lambda's parameter)."""
        *qualifier, name = path
        seen = [relation for relation in self.relations if not qualifier or relation.name == qualifier[-1]]
        found = [relation.columns[name] for relation in seen if name in relation.columns]
        if found:
            return frozenset().union(*found)
        if not qualifier and name in self.aliases:
            return self.aliases[name]
        if rest := frozenset().union(*(relation.rest for relation in seen)):
            return rest
        return self.outer.origins(path) if self.outer else frozenset()


class _Lineage:
    """Walks parsed queries. tables: full name -> columns of every stored table. macros: the table macros by name."""

    def __init__(self, tables: Mapping[str, Sequence[str]], macros: Mapping[str, _TableMacro]):
        self._tables = tables
        self._macros = macros
        self._of_tables = {"query_table", *macros}

    def query(
        self, node: Mapping[str, Any], known: Mapping[str, Mapping[str, _Origins]], outer: _Scope | None
    ) -> dict[str, _Origins]:
        """Column -> origins, for a select or a union of selects, in the order of the columns."""
        known = dict(known)
        for entry in node["cte_map"]["map"]:
            known[entry["key"]] = self.query(entry["value"]["query_node"], known, outer)
        if node["type"] == "SET_OPERATION_NODE":
            return self._union([self.query(child, known, outer) for child in node["children"]], node)
        relations = list(self._relations(node["from_table"], known, outer))
        scope = _Scope(relations, outer=outer)
        for place, item in enumerate(node["select_list"]):
            if star := _star_in(item):
                others = self._expression(item, known, scope)
                scope.aliases.update(
                    {name: found | others for name, found in _expanded(star, relations).items()}
                )
            else:
                name = item["alias"] or (item.get("column_names") or [f"unnamed {place}"])[-1]
                scope.aliases[name] = self._expression(item, known, scope)
        return scope.aliases

    def _union(self, parts: Sequence[Mapping[str, _Origins]], node: Mapping[str, Any]) -> dict[str, _Origins]:
        if node["setop_type"] == "UNION_BY_NAME":
            names = dict.fromkeys(name for part in parts for name in part)
            return {
                name: frozenset().union(*(part.get(name, frozenset()) for part in parts)) for name in names
            }
        by_place = zip(*(part.values() for part in parts), strict=True)
        return {name: frozenset().union(*found) for name, found in zip(parts[0], by_place, strict=True)}

    def _relations(
        self,
        source: Mapping[str, Any],
        known: Mapping[str, Mapping[str, _Origins]],
        outer: _Scope | None,
    ) -> Iterator[_Relation]:
        kind, alias = source["type"], source["alias"]
        if kind == "BASE_TABLE":
            yield self._stored_or_known(source, source["schema_name"], source["table_name"], known)
        elif kind == "JOIN":
            left = list(self._relations(source["left"], known, outer))
            yield from left
            # The right side of a lateral join sees the left.
            yield from self._relations(source["right"], known, _Scope(left, outer=outer))
        elif kind == "SUBQUERY":
            columns = self.query(source["subquery"]["node"], known, outer)
            yield _Relation(alias, _renamed(columns, source.get("column_name_alias") or ()))
        elif kind == "TABLE_FUNCTION" and source["function"]["function_name"] in self._of_tables:
            yield self._of_named_tables(source, known)
        elif kind == "PIVOT" and source["pivots"][0].get("pivot_enum"):
            yield self._pivot(source, known, outer)
        elif kind != "EMPTY":
            # A table function, a list of values or another pivot: its columns come from all of its inputs.
            given = list(self._relations(source["source"], known, outer)) if source.get("source") else []
            inner = _Scope(given, outer=outer)
            rest = self._expression({k: v for k, v in source.items() if k != "source"}, known, inner)
            rest |= frozenset().union(
                *(origins for relation in given for origins in relation.columns.values())
            )
            names = source.get("column_name_alias") or ()
            yield _Relation(alias, dict.fromkeys(names, rest), rest)

    def _pivot(
        self,
        source: Mapping[str, Any],
        known: Mapping[str, Mapping[str, _Origins]],
        outer: _Scope | None,
    ) -> _Relation:
        """`pivot t on x in an_enum using f(y) group by g`: column g, and a column from x and y for each type value."""
        inner = _Scope(list(self._relations(source["source"], known, outer)), outer=outer)
        made = self._expression([source["aggregates"], source["pivots"]], known, inner)
        columns = {name: inner.origins([name]) for name in source["groups"]}
        for pivot in source["pivots"]:
            columns |= dict.fromkeys(ENUMS[pivot["pivot_enum"]], made)
        return _Relation(source["alias"], columns)

    def _of_named_tables(
        self, source: Mapping[str, Any], known: Mapping[str, Mapping[str, _Origins]]
    ) -> _Relation:
        """`query_table('t')`, or a table macro whose arguments are names of tables."""
        name = source["function"]["function_name"]
        given = [_table_named(argument["expression"]) for argument in source["function"]["arguments"]]
        if name == "query_table":
            return self._stored_or_known(source, *given[0], known)
        macro = self._macros[name]
        passed = {
            parameter: self._stored_or_known({"alias": ""}, *table, known).columns
            for parameter, table in zip(macro.parameters, given, strict=True)
        }
        columns = self.query(macro.node, passed, None)
        return _Relation(source["alias"] or name, _renamed(columns, source.get("column_name_alias") or ()))

    def _stored_or_known(
        self,
        source: Mapping[str, Any],
        schema: str,
        name: str,
        known: Mapping[str, Mapping[str, _Origins]],
    ) -> _Relation:
        if not schema and name in known:
            columns = known[name]
        else:
            table = f"{schema}.{name}" if schema else name
            columns = {column: frozenset([(table, column)]) for column in self._tables.get(table, ())}
        return _Relation(source["alias"] or name, _renamed(columns, source.get("column_name_alias") or ()))

    def _expression(self, part: Any, known: Mapping[str, Mapping[str, _Origins]], scope: _Scope) -> _Origins:
        """Origins of all columns in an expression."""
        parts = part
        if isinstance(part, dict):
            if part.get("class") == "COLUMN_REF":
                return scope.origins(part["column_names"])
            if part.get("class") == "SUBQUERY":
                return frozenset().union(*self.query(part["subquery"]["node"], known, scope).values())
            parts = part.values()
        return frozenset().union(
            *(
                self._expression(child, known, scope)
                for child in parts
                if child and isinstance(child, dict | list)
            )
        )


def column_lineage(
    queries: Mapping[str, str], tables: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, list[Origin]]]:
    """Name of a query -> its column -> the columns of `tables` that the value is computed from, sorted.

    tables: full name -> columns. A column of constants or row counts has no origins. Raises ValueError if DuckDB
    cannot parse a query.
    """
    columns = {name: list(found) for name, found in tables.items()}
    given = [duckdb.__version__, dict(queries), columns]
    found = kept("column_lineage", given, [_PACKAGE, shipped("sql")], lambda: _computed(queries, tables))
    return {
        name: {column: [(table, of) for table, of in origins] for column, origins in lineage.items()}
        for name, lineage in found.items()
    }


def _computed(
    queries: Mapping[str, str], tables: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, list[Origin]]]:
    with duckdb.connect() as connection:
        walk = _Lineage(tables, _table_macros(connection))
        return {
            name: {
                column: sorted(origins)
                for column, origins in walk.query(_parsed(connection, name, query), {}, None).items()
            }
            for name, query in queries.items()
        }


def _table_macros(connection: duckdb.DuckDBPyConnection) -> dict[str, _TableMacro]:
    """The table macros of `sql/macros/` by name, parsed by DuckDB."""
    for file in sql_files("macros"):
        connection.execute(file.text)
    defined = connection.execute(
        "SELECT function_name, parameters, macro_definition FROM duckdb_functions()"
        " WHERE function_type = 'table_macro' AND NOT internal"
    ).fetchall()
    return {
        name: _TableMacro(parameters, _parsed(connection, name, query)) for name, parameters, query in defined
    }


def _parsed(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> Mapping[str, Any]:
    found = connection.execute("SELECT json_serialize_sql($query)", {"query": query}).fetchone()
    parsed: dict[str, Any] = json.loads(found[0]) if found else {"error": True}
    if parsed["error"]:
        raise ValueError(f"{name}: DuckDB cannot parse the query: {parsed.get('error_message', '')}")
    node: Mapping[str, Any] = parsed["statements"][0]["node"]
    return node


def _table_named(argument: Mapping[str, Any]) -> tuple[str, str]:
    """(schema or empty, table) that an argument names: a text, a column name or a macro's parameter."""
    name = ".".join(argument["column_names"]) if "column_names" in argument else argument["literal"]["text"]
    schema, _, table = name.rpartition(".")
    return schema, table


def _expanded(star: Mapping[str, Any], relations: Iterable[_Relation]) -> dict[str, _Origins]:
    wanted, left_out = star.get("relation_name"), set(star.get("exclude_list") or ())
    return {
        name: origins
        for relation in relations
        if not wanted or relation.name == wanted
        for name, origins in relation.columns.items()
        if name not in left_out
    }


def _star_in(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The `t.*` of a select item, or the `columns(t.*)` inside its expression; None if it has neither."""
    if item["class"] == "STAR":
        return item
    children = (child for part in item.values() for child in (part if isinstance(part, list) else [part]))
    found = (_star_in(child) for child in children if isinstance(child, dict) and "class" in child)
    return next((star for star in found if star and star["columns"]), None)


def _renamed(columns: Mapping[str, _Origins], names: Sequence[str]) -> dict[str, _Origins]:
    """Columns after `t(a, b)`, which renames the first columns. Columns of a list of values have no origins."""
    found = {name: frozenset[Origin]() for name in names}
    return found | dict(zip([*names, *list(columns)[len(names) :]], columns.values(), strict=False))
