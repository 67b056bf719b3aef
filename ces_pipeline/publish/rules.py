"""The rules in `sql/changes/`: which rows of a derived table may differ after rows of its inputs changed.

A rule has parts. A part begins with a line `-- replaces CONDITION`: the rows of the table that it computes again. Below
it are queries, each after a comment line with its name: `-- scope` (the keys, days or weeks that changed rows reach, as
the temporary table `scope`) and `-- input TABLE` (the rows of an input that the rows in scope depend on). A part
without a scope computes its rows from all rows of the inputs.

An input has the columns that the table's query reads: to copy all of them costs three times as much. Queries read the
tables as they are now, as they were (`before.core.tickets`), the rows that differ between the two (`changed.tickets`),
and inputs that were narrowed before them (`narrowed.core.tickets`).
"""

import re
from dataclasses import dataclass
from functools import cache

from ces_pipeline.storage.sql_files import SqlFile, derived_files, sql_files

_CHANGED = re.compile(r"\bchanged\.([a-z_]+)\b")
_MARK = re.compile(r"^-- (replaces|scope|input)\b[ ]?(.*)$")


@dataclass(frozen=True)
class Part:
    """Rows of a derived table that are computed together.

    replaces: condition of these rows. scope: query, None for a part that computes from all rows. inputs: full name of
    a table -> query for its rows that these rows depend on.
    """

    replaces: str
    scope: str | None
    inputs: dict[str, str]


@dataclass(frozen=True)
class Rule:
    """How a derived table follows its inputs."""

    table: str
    parts: tuple[Part, ...]

    @property
    def code(self) -> str:
        """The text that decides the rows, without comments."""
        return repr(self.parts)


@cache
def rules() -> dict[str, Rule]:
    """Full name of a derived table -> its rule, for the tables that have one.

    Raises ValueError for a file that is not of the form that the module's text describes, or of no derived table.
    """
    tables = {file.name: file.table for file in derived_files()}
    found = {}
    for file in sql_files("changes"):
        if file.name not in tables:
            raise ValueError(f"sql/changes/{file.name}.sql: no derived table has this name")
        found[tables[file.name]] = Rule(tables[file.name], _parts(file))
    return found


@cache
def followed() -> frozenset[str]:
    """The short names of the tables whose changed rows some rule reads."""
    return frozenset(name for rule in rules().values() for name in _CHANGED.findall(rule.code))


def _parts(file: SqlFile) -> tuple[Part, ...]:
    parts: list[Part] = []
    for kind, name, text in _sections(file):
        if kind == "replaces":
            parts.append(Part(name, None, {}))
        elif not parts or not text:
            raise ValueError(
                f"sql/changes/{file.name}.sql: `-- {kind}` needs a part before it and a query below it"
            )
        elif kind == "scope":
            parts[-1] = Part(parts[-1].replaces, text, parts[-1].inputs)
        else:
            parts[-1].inputs[name] = text
    if not parts:
        raise ValueError(f"sql/changes/{file.name}.sql: no line `-- replaces CONDITION`")
    return tuple(parts)


def _sections(file: SqlFile) -> list[tuple[str, str, str]]:
    """Kind, name and query of each marked section of a rule."""
    sections: list[tuple[str, str, str]] = []
    for line in file.text.splitlines():
        if mark := _MARK.match(line):
            sections.append((mark[1], mark[2].strip(), ""))
        elif sections and not line.startswith("--"):
            kind, name, text = sections[-1]
            sections[-1] = (kind, name, f"{text}\n{line}".strip())
    return [(kind, name, text.removesuffix(";")) for kind, name, text in sections]
