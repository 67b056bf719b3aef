"""Customer Effort Score pipeline: survey exports and support tickets in, judged and linked days out, one DuckDB file.

The public API is that of `ces_pipeline.pipeline`: `from ces_pipeline import Home, load_registry, land, clean,
publish`. Its names are loaded when they are first used, so that importing the package costs and changes nothing.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ces_pipeline.pipeline import (
        KINDS,
        DayResult,
        Home,
        PublishInputs,
        PublishResult,
        Registry,
        SourceLanding,
        clean,
        follow_registry,
        is_behind,
        land,
        land_source,
        load_registry,
        publish,
        publish_inputs,
        stale_days,
    )

__all__ = [
    "KINDS",
    "DayResult",
    "Home",
    "PublishInputs",
    "PublishResult",
    "Registry",
    "SourceLanding",
    "clean",
    "follow_registry",
    "is_behind",
    "land",
    "land_source",
    "load_registry",
    "publish",
    "publish_inputs",
    "stale_days",
]


class _Package(ModuleType):
    """Three functions of the API have the names of the steps' folders: as attributes these names are the functions.

    Python binds a folder to its package when it is first imported, which would hide the function or not, by the order
    of imports. The modules below are imported as ever: `from ces_pipeline.land import step`.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("ces_pipeline.pipeline"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
