"""The marts, which analysts and reports read. Their queries are in `sql/mart/`, one file per table.

Each module holds the tables of one subject, and names the question that they answer in `QUESTION`. A mart is any
`Table` that a module of this package defines.
"""

from importlib import import_module
from pkgutil import iter_modules

from ces_pipeline.schemas.table import Table


def _marts() -> dict[str, tuple[Table, str]]:
    """Name -> table and its module's question, in the order of definition.

    Raises LookupError where two have one name.
    """
    found: dict[str, tuple[Table, str]] = {}
    for name in sorted(module.name for module in iter_modules(__path__)):
        module = import_module(f"{__name__}.{name}")
        for value in vars(module).values():
            if not isinstance(value, Table):
                continue
            if found.setdefault(value.name, (value, module.QUESTION))[0] is not value:
                raise LookupError(f"two schemas define {value.name}; the second is in schemas/mart/{name}.py")
    return found


_MARTS = _marts()
MARTS: tuple[Table, ...] = tuple(table for table, _ in _MARTS.values())
QUESTIONS: dict[str, str] = {name: question for name, (_, question) in _MARTS.items()}
"""Full name of a mart -> the question that it answers, in snake case: the name of its group in Dagster."""

__all__ = ["MARTS", "QUESTIONS"]
