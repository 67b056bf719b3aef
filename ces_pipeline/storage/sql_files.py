"""The SQL files that ship with the package: their text, title, explanation, and the tables that they read.

The first comment line of a file is its title (for a mart the grain, for a check the severity and remedy, for poison the
number of wrong rows). No query is run here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from graphlib import TopologicalSorter
from itertools import takewhile

from ces_pipeline.home import shipped

_COMMENT = re.compile(r"--[^\n]*")
_COLUMN = re.compile(r"-- column (\w+): (.+)")
_MACRO = re.compile(r"create or replace temp macro (\w+)\(")
_TABLE = re.compile(r"\b(?:core|mart|audit|reference)\.[a-z_]+\b")


@dataclass(frozen=True)
class SqlFile:
    """One query (in `macros`, several statements). `name` is the name of the file without `.sql`.

    `folder` is `core`, `mart`, `macros`, `checks`, `poison`, `changes`, `views`, `bi`, `queries`, `report` or
    `exports`.
    """

    folder: str
    name: str
    text: str

    @property
    def table(self) -> str:
        """The table that the query fills: `mart.ces_daily`."""
        return f"{self.folder}.{self.name}"

    @property
    def view(self) -> str:
        """The name of the view that the query defines: `bi.weeks`; of `views`, which have no schema, `start_here`."""
        return self.name if self.folder == "views" else self.table

    @property
    def title(self) -> str:
        """The first comment line."""
        first = self.text.splitlines()[0]
        return first.removeprefix("--").strip() if first.startswith("--") else ""

    @property
    def explanation(self) -> str:
        """The comment lines between title and statement, as one paragraph; empty if there are none.

        Without those that describe a column.
        """
        below = takewhile(lambda line: line.startswith("--"), self.text.splitlines()[1:])
        return " ".join(line.removeprefix("--").strip() for line in below if not _COLUMN.match(line))

    @property
    def described(self) -> dict[str, str]:
        """Column -> its description, of the comment lines `-- column NAME: DESCRIPTION` (of views)."""
        return {
            found[1]: found[2].strip() for line in self.text.splitlines() if (found := _COLUMN.match(line))
        }

    @property
    def query(self) -> str:
        """The statement without its last semicolon, for use inside another statement."""
        return self.text.strip().removesuffix(";")

    @property
    def code(self) -> str:
        """The text without comments and blank lines: the part that decides the rows."""
        lines = (line.rstrip() for line in _COMMENT.sub("", self.text).splitlines())
        return "\n".join(line for line in lines if line)

    @cached_property
    def macros(self) -> tuple["Macro", ...]:
        """The macros that the query uses, directly or through others, by name."""
        found: dict[str, Macro] = {}
        to_search = [self.code]
        while to_search:
            text = to_search.pop()
            for name, macro in macros().items():
                if name not in found and re.search(rf"\b{name}\s*\(", text):
                    found[name] = macro
                    to_search.append(macro.code)
        return tuple(found[name] for name in sorted(found))

    @cached_property
    def reads(self) -> frozenset[str]:
        """Full names of the tables that the query reads, directly or through its macros."""
        texts = [self.code, *(macro.code for macro in self.macros)]
        return frozenset(table for text in texts for table in _TABLE.findall(text))


@dataclass(frozen=True)
class Macro:
    """One macro of `sql/macros/`: its name and its statement without comments."""

    name: str
    code: str


@cache
def macros() -> dict[str, Macro]:
    """Every macro, by name."""
    found = {}
    for file in sql_files("macros"):
        for statement in file.code.split(";\n"):
            if named := _MACRO.search(statement):
                found[named[1]] = Macro(named[1], statement.strip().removesuffix(";"))
    return found


@cache
def sql_files(folder: str) -> tuple[SqlFile, ...]:
    """The queries of a layer, by name."""
    found = sorted((shipped("sql") / folder).glob("*.sql"))
    return tuple(SqlFile(folder, path.stem, path.read_text(encoding="utf-8")) for path in found)


def view_files() -> tuple[SqlFile, ...]:
    """The queries of the views of the published file; those of `bi` may read the others."""
    return (*sql_files("views"), *sql_files("bi"))


def in_order(files: Iterable[SqlFile]) -> list[SqlFile]:
    """`files` in an order in which each follows the files whose tables it reads; otherwise by name."""
    by_table = {file.table: file for file in sorted(files, key=lambda file: file.table)}
    sorter = TopologicalSorter(
        {table: sorted(file.reads & by_table.keys()) for table, file in by_table.items()}
    )
    return [by_table[table] for table in sorter.static_order()]


def derived_files() -> list[SqlFile]:
    """The queries that fill tables of the published file; each follows its inputs."""
    return in_order((*sql_files("core"), *sql_files("mart")))
