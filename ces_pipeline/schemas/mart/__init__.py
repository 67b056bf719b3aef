"""The marts, which analysts and reports read. Their queries are in `sql/mart/`, one file per table.

Each module holds the tables of one subject. A mart is any `Table` that a module of this package defines.
"""

from importlib import import_module
from pkgutil import iter_modules

from ces_pipeline.schemas.table import Table


def _marts() -> tuple[Table, ...]:
    """The tables of all modules, in the order of definition. Raises LookupError where two have one name."""
    found: dict[str, Table] = {}
    for module in sorted(iter_modules(__path__), key=lambda module: module.name):
        for value in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(value, Table) and found.setdefault(value.name, value) is not value:
                raise LookupError(
                    f"two schemas define {value.name}; the second is in schemas/mart/{module.name}.py"
                )
    return tuple(found.values())


MARTS: tuple[Table, ...] = _marts()

__all__ = ["MARTS"]
