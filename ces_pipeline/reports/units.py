"""Units: a column's unit from its name, and its values as a person reads them. No figure is shown without its unit."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

_MINUTES = {"seconds": 1 / 60, "minutes": 1.0, "hours": 60.0, "days": 1440.0}
"""Minutes in each unit of time that a column's name may end with."""
_DIFFERENCES = ("difference", "change", "excess", "above")
"""Words of columns in points that are no place on the scale, but a distance."""
_YES = {True: "yes", False: "no"}


def unit_of(column: str) -> str:
    """The unit in a column's name: `0_100`, `points`, `share`, `bytes`, or a unit of time; empty if it has none."""
    if column.endswith("0_100"):
        return "0_100"
    words = column.replace("all_days", "").split("_")
    if "share" in words or words[0] == "rate":
        return "share"
    return next((word for word in words if word in _MINUTES or word in ("bytes", "points")), "")


def heading(column: str) -> str:
    """The heading of a column: its name in words, with the unit of points."""
    unit = unit_of(column)
    words = column.removesuffix("_0_100").split("_")
    if unit in ("minutes", "hours", "seconds", "points"):
        words.remove(unit)
    text = " ".join(words)
    if unit == "points" or (unit == "0_100" and any(word in words for word in _DIFFERENCES)):
        return f"{text} (points)"
    return f"{text} (0-100)" if unit == "0_100" else text


def shown(column: str, value: Any, row: Mapping[str, Any] | None = None) -> str:
    """A value of a column as text: `27.1 %`, `10.2 h`, `1,729`, `2026-10-31`; `-` for null.

    row: the row of the value. Where it has a `unit`, that is the unit of `value`, `target` and the like.
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return _YES[value]
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if not isinstance(value, int | float):
        return str(value)
    return _figure(column, value, row)


def _figure(column: str, value: int | float, row: Mapping[str, Any] | None) -> str:
    unit = unit_of(column)
    if unit == "share":
        return _percent(value)
    if unit == "bytes":
        return _size(value)
    if unit == "days" and isinstance(value, int):
        return f"{value:,} d"
    if unit in _MINUTES:
        return duration(value * _MINUTES[unit])
    if isinstance(value, int):
        return f"{value:,}"
    if unit == "" and row is not None and row.get("unit"):
        return in_unit(value, str(row["unit"]))
    return _number(value, 1 if unit in ("0_100", "points") else 3)


def in_unit(value: float, unit: str) -> str:
    """A value with a unit in words, such as `share`, `minutes` or `points 0 to 100`."""
    if unit == "share":
        return _percent(value)
    if unit in _MINUTES:
        return duration(value * _MINUTES[unit])
    if unit.startswith("points"):
        return f"{_number(value, 1)} points"
    return f"{_number(value, 2)} {unit}".strip()


def duration(minutes: float) -> str:
    """A duration in its sensible unit: `35 s`, `12.0 min`, `10.2 h`, `52.3 d`."""
    size = abs(minutes)
    if size < 1:
        return f"{minutes * 60:.0f} s"
    if size < 60:
        return f"{minutes:.1f} min"
    if size < 48 * 60:
        return f"{minutes / 60:.1f} h"
    return f"{minutes / 1440:,.1f} d"


def _percent(share: float) -> str:
    text = f"{100 * share:.1f}"
    return f"{'0.0' if text == '-0.0' else text} %"


def _size(size_bytes: float) -> str:
    size = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if abs(size) < 1000:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


def _number(value: float, digits: int) -> str:
    if value == int(value) and digits > 1:
        return f"{int(value):,}"
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text
