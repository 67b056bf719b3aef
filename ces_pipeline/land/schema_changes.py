"""Contract drift of a source: what its deliveries changed against those before, as rows of `audit.schema_changes`.

Columns and values that were added or are gone, columns that were renamed or hold another kind of values, values that
were renamed. `Contract` holds what the deliveries of a source had so far. Those that landed together are compared with
it and become part of it, from the summaries of `audit.delivery_columns` alone: the pages of one export often differ.
Nothing here reads or writes files.
"""

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from typing import Any

ENOUGH_ROWS = 30
"""Rows (or values) without something, or before it, from which its absence or its novelty says something."""
ENOUGH_VALUES = 100
"""Values of a column before a further one is new, and not just rare."""
_UNLIKELY = 0.001
"""Chance of so many rows without a column or value, at its former share, below which it is gone."""
_USUAL_SHARE = 0.2
"""Share of rows from which a column is expected: JSON leaves out empty keys."""
_FEWEST_OF_VALUE = 5
_SHARES_DIFFER = 0.15
_ANY = "text"

Changes = list[dict[str, Any]]
SameValues = Callable[[str, str, str, str], bool | None]
"""(Delivery, column, later delivery, its column) -> whether the two hold the same values; None: they cannot tell."""


@dataclass
class Value:
    """A value of a column: how often it occurred, and the column's values before it did first and until it did last.

    gap: the most values in a row without it.
    """

    count: int
    first: int
    last: int
    gap: int = 0


@dataclass
class Column:
    """A column: its kind and field, its filled rows, and the source's rows before its first and until its last one.

    gap: the most rows in a row without it. delivery_id: the last delivery with it. values: those of a column with few;
    counted: its values, with repeats. other_kind: the kind of all its newest values, if it is narrower than `kind`;
    other_filled: how many they are.
    """

    kind: str
    field: str | None
    filled: int
    first: int
    last: int
    delivery_id: str
    gap: int = 0
    counted: int = 0
    values: dict[str, Value] = dataclasses.field(default_factory=dict)
    other_kind: str = ""
    other_filled: int = 0

    @property
    def share(self) -> float:
        return self.filled / max(self.last - self.first, 1)


@dataclass
class Contract:
    """What the deliveries of a source had until now. rows: their examined rows. columns: those that are not gone.

    after: the rank of the last delivery that is part of it.
    """

    rows: int = 0
    columns: dict[str, Column] = dataclasses.field(default_factory=dict)
    after: list[Any] = dataclasses.field(default_factory=list)

    def to_json(self) -> bytes:
        """The contract with a digest, by which a damaged file is known."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{_digest(text)}\n{text}".encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Contract":
        """Raises ValueError if the text is not as `to_json` wrote it, KeyError or TypeError if another release did."""
        digest, _, text = data.decode().partition("\n")
        if digest != _digest(text):
            raise ValueError("the contract is not as it was written")
        stored = json.loads(text)
        columns = {
            name: Column(**{**column, "values": {word: Value(**of) for word, of in column["values"].items()}})
            for name, column in stored["columns"].items()
        }
        return cls(int(stored["rows"]), columns, list(stored["after"]))

    def add(self, rows: Sequence[Mapping[str, Any]], same_values: SameValues) -> Changes:
        """Compare deliveries that landed together with the contract, add them, and return the changes.

        rows: theirs of `audit.delivery_columns`, in the order of the deliveries. A change has the columns of
        `audit.schema_changes`, without source and time.
        """
        if not rows:
            return []
        before = self.rows
        self.rows += sum({row["delivery_id"]: int(row["looked_at"]) for row in rows}.values())
        changes: Changes = []
        columns = _together(rows)
        for row in columns:
            changes += self._add_column(row, before)
        changes += self._gone_columns({row["column_name"] for row in columns}, changes, same_values)
        # The last of them with the column; of one that is gone, the last of all.
        shown_by = {row["column_name"]: row["delivery_id"] for row in columns}
        last = rows[-1]["delivery_id"]
        return [{**change, "delivery_id": shown_by.get(change["column_name"], last)} for change in changes]

    def _add_column(self, row: Mapping[str, Any], before: int) -> Changes:
        name, kind = str(row["column_name"]), str(row["kind"])
        known = self.columns.get(name)
        changes: Changes = []
        if known is None:
            begin = before + row["places"][0][0]
            known = Column(kind, row["field"], 0, begin, begin, "")
            self.columns[name] = known
            if before >= ENOUGH_ROWS:
                changes.append(_change("column_added", known, name, now=kind))
        elif known.field != row["field"]:
            # The mapping of the source's entry changed, not the export.
            known.kind, known.field, known.values, known.counted = kind, row["field"], {}, 0
        elif change := _kind_change(known, name, kind, int(row["filled"])):
            changes.append(change)
        known.filled += int(row["filled"])
        for start, end in row["places"]:
            known.gap = max(known.gap, before + start - known.last)
            known.last = before + end
        known.delivery_id = str(row["delivery_id"])
        if row["value_counts"] is None:
            known.values, known.counted = {}, 0
        else:
            changes += _add_values(known, name, json.loads(row["value_counts"]))
        return changes

    def _gone_columns(self, present: Set[str], changes: Changes, same_values: SameValues) -> Changes:
        """The columns that are gone now. Of a renamed one, its addition is taken out of `changes`.

        present: the columns of the newest deliveries, also if the last pages of an export lack one.
        """
        found: Changes = []
        gone = {
            name: column
            for name, column in self.columns.items()
            if name not in present
            and column.share >= _USUAL_SHARE
            and _is_gone(column.share, self.rows - column.last, column.gap)
        }
        for name, column in gone.items():
            del self.columns[name]
            new = self._renamed_to(
                column, name, sum(_may_be(other, column) for other in gone.values()), same_values
            )
            if new is None:
                found.append(_change("column_gone", column, name, was=column.kind))
                continue
            found.append(_change("column_renamed", self.columns[new], new, was=name, now=new))
            _remove(changes, "column_added", new, new)
        return found

    def _renamed_to(self, column: Column, name: str, rivals: int, same_values: SameValues) -> str | None:
        """The column that came when this one went, with the same values, or as the only one of its kind and share."""
        candidates = [
            other for other, new in self.columns.items() if new.first >= column.last and _may_be(column, new)
        ]
        unknown = []
        for other in candidates:
            found = same_values(column.delivery_id, name, self.columns[other].delivery_id, other)
            if found:
                return other
            if found is None:
                unknown.append(other)
        return unknown[0] if len(unknown) == 1 and rivals == 1 else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _may_be(column: Column, new: Column) -> bool:
    return column.kind == new.kind and abs(column.share - new.share) <= _SHARES_DIFFER


def _kind_change(known: Column, name: str, kind: str, filled: int) -> dict[str, Any] | None:
    """The change of the kind of a column's values. A text may look like a number now and then, not the reverse."""
    if kind == known.kind:
        known.other_kind, known.other_filled = "", 0
        return None
    if known.kind == _ANY:
        known.other_filled = filled + (known.other_filled if known.other_kind == kind else 0)
        known.other_kind = kind
        if known.other_filled < ENOUGH_ROWS:
            return None
    was, is_known = known.kind, known.filled >= ENOUGH_ROWS
    known.kind, known.other_kind, known.other_filled = kind if is_known else _ANY, "", 0
    # Values of another kind are other values, each of them.
    known.values, known.counted = {}, 0
    return _change("column_retyped", known, name, was=was, now=kind) if is_known else None


def _add_values(known: Column, name: str, counts: Mapping[str, int]) -> Changes:
    """Add the values of a delivery to a column with few; the changes are its new, gone and renamed values."""
    changes: Changes = []
    before = known.counted
    known.counted += sum(counts.values())
    for word, n in sorted(counts.items()):
        if word not in known.values:
            known.values[word] = Value(0, before, before)
            if before >= ENOUGH_VALUES:
                changes.append(_change("value_added", known, name, item=word, now=word))
        value = known.values[word]
        value.gap = max(value.gap, before - value.last)
        value.count, value.last = value.count + n, known.counted
    shares = {word: value.count / max(value.last - value.first, 1) for word, value in known.values.items()}
    gone = [
        word
        for word, value in sorted(known.values.items())
        if value.count >= _FEWEST_OF_VALUE and _is_gone(shares[word], known.counted - value.last, value.gap)
    ]
    for word in gone:
        went = known.values.pop(word)
        new = [
            other
            for other, value in known.values.items()
            if value.first >= max(went.last, ENOUGH_VALUES)
            and abs(value.count / (known.counted - went.last) - shares[word]) <= _SHARES_DIFFER
        ]
        if len(gone) == 1 and len(new) == 1:
            changes.append(_change("value_renamed", known, name, item=new[0], was=word, now=new[0]))
            _remove(changes, "value_added", name, new[0])
        else:
            changes.append(_change("value_gone", known, name, item=word, was=word))
    return changes


def _is_gone(share: float, silent: int, gap: int) -> bool:
    """Whether so many rows in a row without it say that it is gone. gap: the most before: rows often come in blocks."""
    return silent >= max(ENOUGH_ROWS, 2 * gap) and (1 - share) ** silent < _UNLIKELY


def _together(rows: Sequence[Mapping[str, Any]]) -> Changes:
    """The filled columns of several deliveries as if they were one. Different kinds of values are texts.

    places: of the rows of each delivery with the column, the first one and the one after the last.
    """
    found: dict[str, dict[str, Any]] = {}
    start, end = 0, 0
    for place, row in enumerate(rows):
        if place == 0 or row["delivery_id"] != rows[place - 1]["delivery_id"]:
            start, end = end, end + int(row["looked_at"])
        if not row["filled"]:
            continue
        if (known := found.get(row["column_name"])) is None:
            found[row["column_name"]] = {**row, "places": [(start, end)]}
            continue
        known |= {
            "kind": row["kind"] if row["kind"] == known["kind"] else _ANY,
            "filled": known["filled"] + row["filled"],
            "field": row["field"],
            "delivery_id": row["delivery_id"],
            "value_counts": _added(known["value_counts"], row["value_counts"]),
            "places": [*known["places"], (start, end)],
        }
    return [found[name] for name in sorted(found)]


def _added(counts: str | None, more: str | None) -> str | None:
    if counts is None or more is None:
        return None
    return json.dumps(Counter(json.loads(counts)) + Counter(json.loads(more)))


def _change(
    change: str,
    column: Column,
    name: str,
    *,
    item: str | None = None,
    was: str | None = None,
    now: str | None = None,
) -> dict[str, Any]:
    return {
        "change": change,
        "column_name": name,
        "field": column.field,
        "item": name if item is None else item,
        "was": was,
        "is_now": now,
    }


def _remove(changes: Changes, change: str, name: str, item: str) -> None:
    changes[:] = [
        row for row in changes if (row["change"], row["column_name"], row["item"]) != (change, name, item)
    ]
