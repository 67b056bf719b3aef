"""A source's entry was corrected, but a delivery's file is gone: what of the new entry holds for its landed rows.

Landed rows keep every column, unmapped ones in `extra`. A text field that the entry now maps to another column is read
from there when a day is cleaned; the raw file stays as it is. All else (ids, times, people, comments, translated
values) was treated when it landed and cannot be made again from what is kept: the run says so.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ces_pipeline.folding import fold
from ces_pipeline.land.inputs import landing_fingerprint
from ces_pipeline.land.ledger import Delivery, Ledger
from ces_pipeline.privacy.names import is_people_column
from ces_pipeline.privacy.shown import shown_name
from ces_pipeline.registry.installed import installed_vendors
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.sources import Source
from ces_pipeline.schemas.fields import Field, fields_of
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.duck import readable
from ces_pipeline.storage.lake import UNREADABLE, Lake
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.scratch import scratch

EXTRA, FIELD = "extra", "field"
Place = tuple[str, str]
"""Where a column lies in a raw file: (EXTRA, its name there), or (FIELD, the field that it was mapped to)."""

Reread = Mapping[str, tuple[Place, ...]]
"""Field -> the places that its value is read from now; the first that is filled counts, and none means null."""

HIDDEN = r"\[(?:email|phone|card|iban|number|name|person)\]|^[0-9a-f]{64}$"
"""What stands in a text in place of a person's value, or is the keyed hash of one."""
_OF_A_DELIVERY = frozenset({"survey", "duration_seconds"})
"""Fields that decide more than their own value: which survey judges a row, and which answers are fast."""
_TRANSLATED = frozenset({"status", "finished", "priority", "csat", "is_deleted", "is_spam", "is_merged"})
"""Fields whose words the readers of vendors translate."""
_NAMED = 3


@dataclass(frozen=True)
class Corrected:
    """What the present entry means for a delivery that landed with another one.

    reread: fields whose value is read from other places by now.
    kept: keys of the entry that still are as they were when it landed.
    """

    reread: Reread
    kept: tuple[str, ...]


def corrected(source: Source, delivery: Delivery, entry: Mapping[str, Any] | None = None) -> Corrected:
    """Compare the entry with a delivery. entry: that of its landing, if it is known: it has more than the mapping."""
    reread: dict[str, tuple[Place, ...]] = {}
    kept: list[str] = []
    wanted = source.columns_of
    if source.survey_column:
        wanted["survey"] = (source.survey_column,)
    for name, columns in wanted.items():
        present = _present(delivery, columns)
        before = delivery.mapping.get(name)
        if (present[0] if present else None) == before:
            if entry is not None and _as_list(entry["columns"].get(name)) != list(columns):
                kept.append(f"columns.{name}")
            continue
        places = [_place(source, delivery, column) for column in present]
        if _is_exact(source, name, present) and None not in places:
            reread[name] = tuple(place for place in places if place is not None)
        else:
            kept.append(f"columns.{name}")
    if entry is not None:
        kept += [f"columns.{name}" for name in entry["columns"] if name not in wanted]
        now = _entry(source)
        kept += [key for key in now if key != "columns" and now[key] != entry.get(key)]
    return Corrected(reread, tuple(kept))


def _present(delivery: Delivery, columns: Sequence[str]) -> list[str]:
    """Those of the entry's columns that the delivery has, by their names in the lake."""
    # The list of columns has no names of the delivery's people; the mapping may.
    names = dict.fromkeys((*delivery.columns, *delivery.mapping.values()))
    by_folded = {fold(name): name for name in reversed(names)}
    shown = [shown_name(column) for column in columns]
    found = (name if name in names else by_folded.get(fold(name)) for name in shown)
    return [name for name in found if name is not None]


def _place(source: Source, delivery: Delivery, column: str) -> Place | None:
    """Where the delivery's raw rows hold this column as it was; None if they do not."""
    taken = [name for name, of in delivery.mapping.items() if of == column]
    if not taken:
        is_gone = is_people_column(column, "") or column in map(shown_name, (*source.ignore, *source.people))
        return None if is_gone else (EXTRA, column)
    field = fields_of(source.kind).get(taken[0])
    is_as_it_was = field is not None and field.treatment == "text" and not _is_translated(source, field)
    return (FIELD, taken[0]) if is_as_it_was else None


def _is_exact(source: Source, name: str, present: Sequence[str]) -> bool:
    """Whether the field's value is only the text of its column."""
    field = fields_of(source.kind).get(name)
    kind = KINDS[source.kind]
    return (
        field is not None
        and field.treatment == "text"
        and field.key_column is None
        and name != kind.own_id
        and name not in _OF_A_DELIVERY
        and source.kind != "accounts"
        and not _is_translated(source, field)
        and (bool(present) or name not in kind.essential)
    )


def _is_translated(source: Source, field: Field) -> bool:
    any_kind = {
        reader.name for vendor in installed_vendors() for reader in vendor.readers if reader.kind == "any"
    }
    return field.name in source.values or (source.reader not in any_kind and field.name in _TRANSLATED)


def remember(lake: Lake, registry: Registry, source: Source) -> None:
    """Keep the entry that deliveries of this source land with now."""
    known = _known(lake, source.id)
    current = landing_fingerprint(registry, source)
    if current not in known:
        known[current] = _entry(source)
        lake.write_bytes(_path(source.id), json.dumps(known, sort_keys=True).encode())


def notes(lake: Lake, registry: Registry, source: Source) -> list[str]:
    """A line for the deliveries that keep something of an earlier entry, with their days and the keys."""
    current = landing_fingerprint(registry, source)
    known = _known(lake, source.id)
    found: dict[tuple[str, ...], list[Delivery]] = {}
    hidden = _HiddenValues(lake, source.id)
    for delivery in Ledger.read(lake, source.id).deliveries:
        if delivery.landed_with == current or not delivery.rows_landed:
            continue
        outcome = corrected(source, delivery, known.get(delivery.landed_with))
        hidden.count(delivery, outcome.reread)
        if outcome.kept:
            found.setdefault(outcome.kept, []).append(delivery)
    lines = hidden.notes()
    for keys, deliveries in found.items():
        days = sorted({day for delivery in deliveries for day, (rows, _) in delivery.days.items() if rows})
        names = ", ".join(delivery.file_name for delivery in deliveries[:_NAMED])
        more = f" and {len(deliveries) - _NAMED} more" if len(deliveries) > _NAMED else ""
        lines.append(
            f"{source.id}: the rows of {names}{more} ({days[0]} to {days[-1]}) still are as an earlier entry in "
            f"sources.yaml read them: {', '.join(keys)}. Put the files back into the inbox, and the next run reads "
            "them with the present entry"
        )
    return lines


class _HiddenValues:
    """Counts the values of fields that are read anew, but were redacted or hashed when they landed.

    The counts are kept, because raw files do not change.
    """

    def __init__(self, lake: Lake, source_id: str):
        self._lake, self._source_id = lake, source_id
        self._path = f"ledger/{source_id}/.redacted"
        self._counts: dict[str, int] = _read(lake, self._path)
        self._found: dict[str, tuple[int, str]] = {}

    def count(self, delivery: Delivery, reread: Reread) -> None:
        for name, places in reread.items():
            for column in (column for where, column in places if where == EXTRA):
                key = f"{delivery.delivery_id} {column}"
                if key not in self._counts:
                    # A raw file that is lost or damaged is reported when its day is cleaned.
                    with suppress(*UNREADABLE):
                        self._counts[key] = self._rows(delivery, column)
                        self._lake.write_bytes(self._path, json.dumps(self._counts, sort_keys=True).encode())
                if here := self._counts.get(key, 0):
                    rows, _ = self._found.get(name, (0, ""))
                    self._found[name] = (rows + here, delivery.file_name)

    def notes(self) -> list[str]:
        return [
            f"{self._source_id}: {rows:,} values of columns.{name} were redacted or hashed when they landed, and are "
            f"empty with the present entry (the last of them in {file_name}). Put the files back into the inbox, and "
            "the next run reads them"
            for name, (rows, file_name) in self._found.items()
        ]

    def _rows(self, delivery: Delivery, column: str) -> int:
        with scratch() as connection, readable(connection, self._lake, delivery.raw_files) as rows:
            [(found,)] = connection.execute(
                f"SELECT count(*) FROM {rows} WHERE regexp_matches({in_extra(column)}, {quote_text(HIDDEN)})"
            ).fetchall()
        return int(found)


def in_extra(column: str) -> str:
    """SQL for an unmapped column, by its name in the lake."""
    return f"json_extract_string(extra, {quote_text('/' + column.replace('~', '~0').replace('/', '~1'))})"


def _entry(source: Source) -> dict[str, Any]:
    """The keys of an entry that decide how bytes become rows."""
    keys: dict[str, Any] = source.read_keys
    keys["columns"] = {name: _as_list(columns) for name, columns in keys["columns"].items()}
    return keys


def _as_list(columns: Any) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns or ())


def _path(source_id: str) -> str:
    return f"ledger/{source_id}/.entries"


def _known(lake: Lake, source_id: str) -> dict[str, Any]:
    """Fingerprint -> entry. Without them only mappings can be compared."""
    return _read(lake, _path(source_id))


def _read(lake: Lake, path: str) -> dict[str, Any]:
    """The object in a JSON file; empty if the file is damaged or missing."""
    try:
        found = json.loads(lake.read_bytes(path))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
