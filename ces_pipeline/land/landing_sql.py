"""The one query that turns a batch of an export's rows into landed rows.

Text in, text out, but for times, keys and fingerprints: every column named by the mapping becomes its field, treated
as `fields.py` says; the rest goes redacted into `extra`. No judgement of answers happens here.
"""

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ces_pipeline.formats.contract import ROW_NUMBER
from ces_pipeline.formats.times import plausible, unusual, usual
from ces_pipeline.privacy.hashing import PeopleCells
from ces_pipeline.privacy.redaction import may_name_people, redacted
from ces_pipeline.schemas.fields import Field, field_table, fields_of
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.quote import quote_name, quote_text

# Names that no export gives to a column.
_CELLS, _SHOWN, _UNUSUAL = (
    quote_name(f"of this row\n{what}") for what in ("the cells", "the cells as shown", "the unusual times")
)


@dataclass(frozen=True)
class ColumnMapping:
    """How one export is to be read: the reader's own knowledge and the registry's, put together.

    mapping: our field -> the export's column. values: our field -> export value in lower case -> our value.
    people: unmapped columns to be pseudonymised. ignored: columns never kept. missing: texts that mean no value.
    hashed: fields of people whose column holds our own keyed hash already.
    """

    kind: str
    source_id: str
    columns: tuple[str, ...]
    mapping: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
    time_formats: tuple[str, ...]
    people: frozenset[str]
    ignored: frozenset[str]
    missing: tuple[str, ...]
    hashed: frozenset[str] = frozenset()

    @cached_property
    def people_cells(self) -> dict[str, PeopleCells]:
        """The name in `incoming` of the keyed hashes of people -> the cells that they are made of."""
        fields = [one.name for one in field_table(self.kind) if one.treatment == "person"]
        return {
            **{
                keys_of(field=name): PeopleCells(
                    self.mapping[name], self.values.get(name, {}), name in self.hashed
                )
                for name in fields
                if name in self.mapping
            },
            **{keys_of(column=name): PeopleCells(name) for name in self.rest if name in self.people},
        }

    @property
    def rest(self) -> list[str]:
        """Columns that no field takes, in the export's order."""
        taken = set(self.mapping.values())
        return [name for name in self.columns if name not in taken and name not in self.ignored]


def keys_of(*, field: str = "", column: str = "") -> str:
    """The name in `incoming` of the hex keyed hashes of the people in a mapped field, or in a column of the rest."""
    return f"key of the person in\n{field}\n{column}"


def raw_columns(kind: str) -> dict[str, str]:
    """Column -> SQL type of a raw file of this kind. A person's key is the 32 bytes of its hash."""
    columns = {ROW_NUMBER: "BIGINT"}
    for one in field_table(kind):
        columns[one.stored_as] = {"time": "TIMESTAMPTZ", "person": "BLOB"}.get(one.treatment, "VARCHAR")
    columns |= {"times_as_written": "VARCHAR", "extra": "VARCHAR", "problem": "VARCHAR"}
    if kind == "survey":
        columns["answers"] = "UBIGINT"
    return columns | {
        "content": "UBIGINT",
        "key_hi": "UBIGINT",
        "key_lo": "UBIGINT",
        "event_at": "TIMESTAMPTZ",
    }


def landing_query(reading: ColumnMapping) -> str:
    """SELECT of the `raw_columns` and `day` from `incoming`.

    `incoming` has the export's columns as `cells.py` makes them, the keyed hashes of the `people_cells`, and
    ROW_NUMBER. Parameters: `$received_at`, `$first_day`, `$zone`.
    """
    mapped = [one for one in field_table(reading.kind) if one.name in reading.mapping]
    times = [one for one in mapped if one.treatment == "time"]
    texts = ", ".join([ROW_NUMBER, *(f"{_text(one, reading)} AS {one.name}" for one in mapped)])
    treated = "".join(
        f"{one}, "
        for one in (
            *(_treated(one, times) for one in mapped),
            *(f"{one.name} AS {one.name}_text" for one in times),
        )
    )
    bounded = ", ".join(f"{plausible(one.name)} AS {one.name}" for one in times)
    printed = ", ".join([*(f"coalesce({_written_as(one)}, '\x1e')" for one in mapped), "extra"])
    content = fingerprint(f"concat_ws('\x1f', {printed})")
    identifier = own_id(reading.kind)
    row_id = "'row-' || printf('%016x', content)"
    if identifier.name in reading.mapping:
        row_id = f"coalesce({identifier.stored_as}, {row_id})"
    derived = {
        **_named(identifier),
        "times_as_written": _as_written(times),
        "extra": "extra",
        "content": "content",
        "event_at": "event_at",
        "key_hi": index_key(reading.kind, "identifier", "event_at")[0],
        "key_lo": index_key(reading.kind, "identifier", "event_at")[1],
        "answers": _answers(reading),
        ROW_NUMBER: ROW_NUMBER,
    }
    for one in mapped:
        derived.setdefault(
            one.stored_as, f"unhex({one.stored_as})" if one.treatment == "person" else one.name
        )
    chosen = ", ".join(
        f"{derived.get(name, f'NULL::{kind}')} AS {name}" for name, kind in raw_columns(reading.kind).items()
    )
    return f"""
        WITH texts AS (SELECT {texts}, {_extra(reading)} AS extra FROM {_looked_through(reading)}),
        timed AS ({_timed(times, reading)}),
        treated AS (SELECT {ROW_NUMBER}, {treated}extra FROM timed),
        bounded AS (SELECT {f"* REPLACE ({bounded})" if bounded else "*"} FROM treated),
        printed AS (
            SELECT *, {content} AS content,
                {event_at(reading.kind, reading.mapping)} AS event_at
            FROM bounded
        ),
        identified AS (SELECT *, {row_id} AS identifier FROM printed)
        SELECT {chosen}, {day_of("event_at")} AS day FROM identified
    """


def unreadable_query(reading: ColumnMapping) -> str:
    """SELECT of the `raw_columns` and `day` from `misfits`, the rows that do not fit.

    `misfits` has row_number, problem, content and written.

    Parameters: `$received_at`, `$first_day`, `$zone`.
    """
    hi, lo = index_key(reading.kind, "identifier", "NULL::TIMESTAMPTZ")
    derived = {
        ROW_NUMBER: ROW_NUMBER,
        **_named(own_id(reading.kind)),
        "problem": "problem",
        "extra": "'{\"row\":' || to_json(row_text) || '}'",
        "content": "content",
        "key_hi": hi,
        "key_lo": lo,
    }
    chosen = ", ".join(
        f"{derived.get(name, f'NULL::{kind}')} AS {name}" for name, kind in raw_columns(reading.kind).items()
    )
    return f"""
        WITH told AS (SELECT *, {redacted("written", sentence=True)} AS row_text FROM misfits),
        identified AS (SELECT *, 'row-' || printf('%016x', content) AS identifier FROM told)
        SELECT {chosen}, {day_of("NULL::TIMESTAMPTZ")} AS day FROM identified
    """


def index_key(kind: str, identifier: str, moment: str) -> tuple[str, str]:
    """SQL for key_hi and key_lo: what a row's revisions have in common within its feed.

    The updates of a versioned kind (of a ticket, say) are rows of their own: only the same update delivered
    differently is a revision of it.
    """
    versioned = KINDS[kind].is_versioned
    key = f"{identifier} || coalesce('@' || epoch_us({moment}), '')" if versioned else identifier
    return f"(md5_number({key}) >> 64)::UBIGINT", fingerprint(key)


def fingerprint(text: str) -> str:
    """SQL for 64 bits that stand for a text. (DuckDB's md5_number_lower says the same at four times the cost.)"""
    return f"(md5_number({text}) & 18446744073709551615)::UBIGINT"


def own_id(kind: str) -> Field:
    """The field that identifies a row of this kind within its feed."""
    return fields_of(kind)[KINDS[kind].own_id]


def _named(identifier: Field) -> dict[str, str]:
    """The identifying column with a stand-in where the export has none; a person has no stand-in."""
    return {} if identifier.treatment == "person" else {identifier.name: "identifier"}


def event_at(kind: str, given: Container[str]) -> str:
    """SQL for the instant that decides a row's day and which of two versions is newer, from the `given` fields."""
    known = [name for name in KINDS[kind].times if name in given]
    return f"coalesce({', '.join(known)})" if known else "NULL::TIMESTAMPTZ"


def day_of(moment: str) -> str:
    """SQL for the partition day: the business-zone date, or that of receipt for no, too early or future times."""
    # The first day's midnight is a constant: a second conversion of every row's time would cost as much as the first.
    first = "timezone($zone, CAST($first_day AS TIMESTAMP))"
    return (
        f"CAST(timezone($zone, CASE WHEN {moment} <= $received_at AND {moment} >= {first} "
        f"THEN {moment} ELSE $received_at END) AS DATE)"
    )


def _answers(reading: ColumnMapping) -> str:
    if "device" not in reading.mapping:
        return "NULL::UBIGINT"
    said = [one.stored_as for one in field_table(reading.kind) if one.answer and one.name in reading.mapping]
    listed = ", ".join([*(f"coalesce({name}, '')" for name in said), "extra"])
    return fingerprint(f"concat_ws('\x1f', {listed})")


def _text(one: Field, reading: ColumnMapping) -> str:
    if one.treatment == "person":
        return quote_name(keys_of(field=one.name))
    cell = quote_name(reading.mapping[one.name])
    if translated := reading.values.get(one.name):
        cases = " ".join(f"WHEN {quote_text(old)} THEN {quote_text(new)}" for old, new in translated.items())
        cell = f"CASE lower({cell}) {cases} ELSE {cell} END"
    return cell


def _timed(times: Sequence[Field], reading: ColumnMapping) -> str:
    """SQL for `texts` with the instant that each time usually is, and _UNUSUAL: all of them where one is otherwise.

    As `_looked_through`, one expression for all columns, which hardly any row needs.
    """
    if not times:
        return "SELECT * FROM texts"
    names = [one.name for one in times]
    read = ", ".join(f"{usual(name, reading.time_formats)} AS {_instant(name)}" for name in names)
    failed = " OR ".join(f"({_instant(name)} IS NULL AND {name} IS NOT NULL)" for name in names)
    cells = ", ".join(f"CASE WHEN {_instant(name)} IS NULL THEN {name} END" for name in names)
    otherwise = f"list_transform([{cells}], lambda cell: {unusual('cell', reading.time_formats)})"
    return (
        f"SELECT *, CASE WHEN {failed} THEN {otherwise} END AS {_UNUSUAL} FROM (SELECT *, {read} FROM texts)"
    )


def _instant(name: str) -> str:
    return quote_name(f"{name} of this row\nas an instant")


def _treated(one: Field, times: Sequence[Field]) -> str:
    if one.treatment == "person":
        return f"{one.name} AS {one.stored_as}"
    if one.treatment == "time":
        return f"coalesce({_instant(one.name)}, {_UNUSUAL}[{times.index(one) + 1}]) AS {one.name}"
    if one.treatment == "free_text":
        return f"{redacted(one.name, sentence=True)} AS {one.name}"
    if one.answer:
        # "Other: write to ann@example.org" is no score, but respondents type it; a number is never long enough.
        shown = redacted(one.name, sentence=False)
        return f"CASE WHEN length({one.name}) > 5 THEN {shown} ELSE {one.name} END AS {one.name}"
    return one.name


def _written_as(one: Field) -> str:
    if one.treatment == "time":
        return f"{one.name}_text"
    return one.stored_as


def _as_written(times: Sequence[Field]) -> str:
    """SQL for the texts of times that could not be read, as JSON; null where all could."""
    if not times:
        return "NULL::VARCHAR"
    failed = " OR ".join(f"({one.name} IS NULL AND {one.name}_text IS NOT NULL)" for one in times)
    cells = ", ".join(f"CASE WHEN {one.name} IS NULL THEN {one.name}_text END" for one in times)
    keys = ", ".join(f"'\"{one.name}\":'" for one in times)
    told = (
        f"list_transform([{cells}], lambda cell, place: "
        f"[{keys}][place] || to_json({redacted('cell', sentence=False)}))"
    )
    return f"CASE WHEN {failed} THEN '{{' || array_to_string({told}, ',') || '}}' END"


def _extra(reading: ColumnMapping) -> str:
    if not reading.rest:
        return "NULL::VARCHAR"
    places = {name: place for place, name in enumerate(_to_redact(reading), start=1)}
    members = []
    for name in reading.rest:
        shown = f"{_SHOWN}[{places[name]}]" if name in places else quote_name(keys_of(column=name))
        members.append(f"{quote_text(_json_key(name))} || to_json({shown})")
    # A null member makes its own text null, and concat_ws leaves it out.
    return f"nullif('{{' || concat_ws(',', {', '.join(members)}) || '}}', '{{}}')"


def _to_redact(reading: ColumnMapping) -> list[str]:
    return [name for name in reading.rest if name not in reading.people]


def _looked_through(reading: ColumnMapping) -> str:
    """SQL for `incoming` with _SHOWN, the list of its cells for `extra`, redacted where that is needed.

    All cells in one expression: DuckDB makes the patterns of every expression anew for every query, which in small
    deliveries took most of the time.
    """
    cells = ", ".join(map(quote_name, _to_redact(reading)))
    if not cells:
        return "incoming"
    is_odd = may_name_people(f"array_to_string({_CELLS}, '\x1e')", sentence=False)
    shown = f"list_transform({_CELLS}, lambda cell: {redacted('cell', sentence=False)})"
    return f"""(
        SELECT *, CASE WHEN {is_odd} THEN {shown} ELSE {_CELLS} END AS {_SHOWN}
        FROM (SELECT *, [{cells}] AS {_CELLS} FROM incoming)
    )"""


def _json_key(name: str) -> str:
    return json.dumps(name, ensure_ascii=False) + ":"
