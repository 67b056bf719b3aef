"""The SQL that turns an export's rows into landed rows.

Each mapped column becomes its field, treated as `schemas/fields.py` says. All other columns go into `extra`.
Texts arrive without people (`without_people.py`). Values stay text, except times, keys and fingerprints. Answers are
not judged here.
"""

import dataclasses
import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal

from ces_pipeline.formats.contract import ROW_NUMBER
from ces_pipeline.formats.times import DateOrder, plausible, unusual, usual
from ces_pipeline.privacy.hashing import PeopleCells
from ces_pipeline.schemas.fields import Field, field_table, fields_of
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.quote import quote_name, quote_text

# A column name that no export uses.
_UNUSUAL = quote_name("of this row\nthe unusual times")

CONTENTS = 2
"""How the fingerprint of a row's content is made: by its values. 1, of earlier releases: by its texts."""


@dataclass(frozen=True)
class ColumnMapping:
    """How the columns and values of one export become fields.

    columns: the export's columns. column_of: our field -> the export's column. values: our field -> export value in
    lower case -> our value. people: unmapped columns to pseudonymise. ignored: columns that are never stored.
    missing: texts that mean no value. hashed: fields of people whose column already holds our keyed hash.
    otherwise: our field -> columns that are read where the cell in `column_of` is empty, in order.
    day: the day of rows if no time is mapped: a date, or `received`.
    date_order: what comes first in dates such as 02/11/2026; None if that is unknown. contents: see CONTENTS.
    shown: column -> its name as it is written. marks_names: whether texts with marked names are in `incoming` too.
    """

    kind: str
    source_id: str
    columns: tuple[str, ...]
    column_of: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
    time_formats: tuple[str, ...]
    people: frozenset[str]
    ignored: frozenset[str]
    missing: tuple[str, ...]
    hashed: frozenset[str] = frozenset()
    otherwise: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    day: date | Literal["received"] | None = None
    date_order: DateOrder | None = None
    contents: int = CONTENTS
    shown: Mapping[str, str] = dataclasses.field(default_factory=dict)
    marks_names: bool = False

    @cached_property
    def people_cells(self) -> dict[str, PeopleCells]:
        """Column of `incoming` with keyed hashes of people -> the cells that the hashes are made from."""
        fields = [field.name for field in field_table(self.kind) if field.key_column]
        return {
            **{
                keys_of(field=name): PeopleCells(
                    self.column_of[name], self.values.get(name, {}), name in self.hashed
                )
                for name in fields
                if name in self.column_of
            },
            **{keys_of(column=name): PeopleCells(name) for name in self.rest if name in self.people},
        }

    @property
    def time_columns(self) -> list[str]:
        """The columns of the mapped times."""
        times = (field.name for field in field_table(self.kind) if field.treatment == "time")
        mapped = [name for name in times if name in self.column_of]
        return [column for name in mapped for column in (self.column_of[name], *self.otherwise.get(name, ()))]

    @property
    def rest(self) -> list[str]:
        """Columns that are neither mapped nor ignored, in the export's order."""
        taken = {*self.column_of.values(), *(name for names in self.otherwise.values() for name in names)}
        return [name for name in self.columns if name not in taken and name not in self.ignored]

    def columns_of(self, field: str) -> tuple[str, ...]:
        """The columns of a mapped field, in the order in which they are read."""
        return (self.column_of[field], *self.otherwise.get(field, ()))

    @property
    def to_redact(self) -> list[str]:
        """The columns of `rest` that are kept as text."""
        return [name for name in self.rest if name not in self.people]


def keys_of(*, field: str = "", column: str = "") -> str:
    """Column of `incoming` with the hex keyed hashes of the people in a mapped field, or in an unmapped column."""
    return f"key of the person in\n{field}\n{column}"


def marked_of(column: str) -> str:
    """Column of `incoming` with the texts of a column in which names are marked; null where there are none."""
    return f"with names marked\n{column}"


def raw_columns(kind: str) -> dict[str, str]:
    """Column -> SQL type of a raw file of this kind."""
    columns = {ROW_NUMBER: "BIGINT"}
    for field in field_table(kind):
        columns |= field.raw_types
    columns |= {"times_as_written": "VARCHAR", "extra": "VARCHAR", "problem": "VARCHAR"}
    if kind == "survey":
        columns["answers"] = "UBIGINT"
    return columns | {
        "content": "UBIGINT",
        "key_hi": "UBIGINT",
        "key_lo": "UBIGINT",
        "event_at": "TIMESTAMPTZ",
    }


def landing_query(mapping: ColumnMapping) -> str:
    """SELECT of the `raw_columns` and `day` from `incoming`.

    `incoming` has the columns of `without_people.py`: the export's, without people, the keyed hashes of `people_cells`,
    texts with names marked, and ROW_NUMBER.
    Parameters: `$received_at`, `$first_day`, `$zone`.
    """
    mapped = [field for field in field_table(mapping.kind) if field.name in mapping.column_of]
    times = [field for field in mapped if field.treatment == "time"]
    comments = [field for field in mapped if field.treatment == "free_text"]
    referred = [field for field in mapped if field.also_hashed]
    texts = ", ".join(
        [
            ROW_NUMBER,
            *(f"{_text(field, mapping)} AS {field.name}" for field in mapped),
            *(f"{quote_name(keys_of(field=field.name))} AS {field.key_column}" for field in referred),
            *(f"{_marked_text(field, mapping)} AS {field.name}_marked" for field in comments),
            f"{_extra(mapping, marked=False)} AS extra",
            f"{_marked_extra(mapping)} AS extra_marked",
        ]
    )
    treated = ", ".join(
        (
            *(_treated(field, times) for field in mapped),
            *(f"{field.name} AS {field.name}_text" for field in times),
            *(f"{field.name}_marked" for field in comments),
            *(f"{field.key_column}" for field in referred),
            "extra",
            "extra_marked",
        )
    )
    content = fingerprint(_same_numbers("row_text") if mapping.contents == CONTENTS else "row_text")
    identifier = own_id(mapping.kind)
    row_id = row_name("content")
    if identifier.name in mapping.column_of:
        row_id = f"coalesce({identifier.stored_as}, {row_id})"
    derived = {
        **_named(identifier),
        "times_as_written": _as_written(times),
        "extra": "coalesce(extra_marked, extra)",
        "content": "content",
        "event_at": "event_at",
        "key_hi": index_key(mapping.kind, "identifier", "event_at")[0],
        "key_lo": index_key(mapping.kind, "identifier", "event_at")[1],
        "answers": _answers(mapping),
        ROW_NUMBER: ROW_NUMBER,
    }
    # A row is the same whichever people its delivery names, so names are marked after the fingerprint.
    derived |= {field.name: f"coalesce({field.name}_marked, {field.name})" for field in comments}
    derived |= {f"{field.key_column}": f"unhex({field.key_column})" for field in referred}
    for field in mapped:
        derived.setdefault(
            field.stored_as, f"unhex({field.stored_as})" if field.treatment == "person" else field.name
        )
    chosen = ", ".join(
        f"{derived.get(name, f'NULL::{kind}')} AS {name}" for name, kind in raw_columns(mapping.kind).items()
    )
    return f"""
        WITH texts AS (SELECT {texts} FROM incoming),
        timed AS ({_timed(times, mapping)}),
        treated AS (SELECT {ROW_NUMBER}, {treated} FROM timed),
        written AS (SELECT *, {_printed(mapped, mapping.contents)} AS row_text FROM treated),
        printed AS (
            SELECT *, {content} AS content,
                {_moment(mapping)} AS event_at
            FROM written
        ),
        identified AS (SELECT *, {row_id} AS identifier FROM printed)
        SELECT {chosen}, {day_of("event_at")} AS day FROM identified
    """


def unreadable_query(mapping: ColumnMapping) -> str:
    """SELECT of the `raw_columns` and `day` from `unreadable_rows`.

    `unreadable_rows` has row_number, problem, content (64-bit fingerprint) and written (the row's text without people).
    Parameters: `$received_at`, `$first_day`, `$zone`.
    """
    hi, lo = index_key(mapping.kind, "identifier", "NULL::TIMESTAMPTZ")
    derived = {
        ROW_NUMBER: ROW_NUMBER,
        **_named(own_id(mapping.kind)),
        "problem": "problem",
        "extra": "'{\"row\":' || to_json(written) || '}'",
        "content": "content",
        "key_hi": hi,
        "key_lo": lo,
    }
    chosen = ", ".join(
        f"{derived.get(name, f'NULL::{kind}')} AS {name}" for name, kind in raw_columns(mapping.kind).items()
    )
    return f"""
        WITH identified AS (SELECT *, {row_name("content")} AS identifier FROM unreadable_rows)
        SELECT {chosen}, {day_of("NULL::TIMESTAMPTZ")} AS day FROM identified
    """


def index_key(kind: str, identifier: str, moment: str) -> tuple[str, str]:
    """SQL for key_hi and key_lo: the 128-bit key that all revisions of a row share within their source.

    In a versioned kind (such as tickets) every update is a row of its own, so the key includes the update's time.
    """
    versioned = KINDS[kind].is_versioned
    key = f"{identifier} || coalesce('@' || epoch_us({moment}), '')" if versioned else identifier
    return f"(md5_number({key}) >> 64)::UBIGINT", fingerprint(key)


def row_name(content: str, number: str = "1") -> str:
    """SQL for the id of a row without one: its content, and which of several equal rows of its file it is."""
    name = f"'row-' || printf('%016x', {content})"
    return name if number == "1" else f"{name} || CASE WHEN {number} > 1 THEN '-' || {number} ELSE '' END"


def numbered_key(content: str, number: str) -> tuple[str, str]:
    """SQL for key_hi and key_lo of a row without an id, in a kind that is not versioned."""
    name = row_name(content, number)
    return f"(md5_number({name}) >> 64)::UBIGINT", fingerprint(name)


def numbered_rows(kind: str, rows: str) -> str:
    """SQL for raw rows, in which the rows of table `numbered` have the id and the key of their number."""
    hi, lo = numbered_key("content", "number")
    name = own_id(kind).name
    return (
        f"SELECT rows.* REPLACE (CASE WHEN number > 1 THEN {row_name('content', 'number')} ELSE {name} END AS {name}, "
        f"CASE WHEN number > 1 THEN {hi} ELSE key_hi END AS key_hi, "
        f"CASE WHEN number > 1 THEN {lo} ELSE key_lo END AS key_lo) "
        f"FROM ({rows}) rows LEFT JOIN (SELECT row_number, number FROM numbered) USING (row_number)"
    )


def fingerprint(text: str) -> str:
    """SQL for a 64-bit fingerprint of a text. (DuckDB's md5_number_lower gives the same at four times the cost.)"""
    return f"(md5_number({text}) & 18446744073709551615)::UBIGINT"


def own_id(kind: str) -> Field:
    """The field that identifies a row of this kind within its source."""
    return fields_of(kind)[KINDS[kind].own_id]


def _named(identifier: Field) -> dict[str, str]:
    """The identifying column, with a generated id if the export has none; a person never gets a generated id."""
    return {} if identifier.treatment == "person" else {identifier.name: "identifier"}


def event_at(kind: str, given: Container[str]) -> str:
    """SQL for the instant that decides a row's day, from the `given` fields."""
    known = [name for name in KINDS[kind].times if name in given]
    return f"coalesce({', '.join(known)})" if known else "NULL::TIMESTAMPTZ"


def _moment(mapping: ColumnMapping) -> str:
    """SQL for `event_at`; if no time is mapped and the source says so, noon of its day or the time of receipt."""
    if mapping.day is None or any(name in mapping.column_of for name in KINDS[mapping.kind].times):
        return event_at(mapping.kind, mapping.column_of)
    return "$received_at" if mapping.day == "received" else f"TIMESTAMP '{mapping.day} 12:00:00'::TIMESTAMPTZ"


def day_of(moment: str) -> str:
    """SQL for the partition day: the business-zone date. Missing, too early and future times get the day of receipt."""
    # Compared as instants: the first day's midnight is a constant, a second conversion of every row's time is slow.
    first = "timezone($zone, CAST($first_day AS TIMESTAMP))"
    return (
        f"CAST(timezone($zone, CASE WHEN {moment} <= $received_at AND {moment} >= {first} "
        f"THEN {moment} ELSE $received_at END) AS DATE)"
    )


def _answers(mapping: ColumnMapping) -> str:
    if "device" not in mapping.column_of:
        return "NULL::UBIGINT"
    answers = [
        field.stored_as
        for field in field_table(mapping.kind)
        if field.answer and field.name in mapping.column_of
    ]
    listed = ", ".join([*(f"coalesce({name}, '')" for name in answers), "extra"])
    return fingerprint(f"concat_ws('\x1f', {listed})")


def _text(field: Field, mapping: ColumnMapping) -> str:
    if field.treatment == "person":
        return quote_name(keys_of(field=field.name))
    cells = [quote_name(name) for name in mapping.columns_of(field.name)]
    cell = f"coalesce({', '.join(cells)})" if len(cells) > 1 else cells[0]
    if translated := mapping.values.get(field.name):
        cases = " ".join(f"WHEN {quote_text(old)} THEN {quote_text(new)}" for old, new in translated.items())
        cell = f"CASE lower({cell}) {cases} ELSE {cell} END"
    return cell


def _timed(times: Sequence[Field], mapping: ColumnMapping) -> str:
    """SQL for `texts` with the instant of each time in a usual format, and the list _UNUSUAL.

    _UNUSUAL reads the remaining times of a row; it is null if a row has none. It is one expression for all columns,
    because DuckDB compiles the patterns of every expression again for every query, and few rows need it.
    """
    if not times:
        return "SELECT * FROM texts"
    names = [field.name for field in times]
    read = ", ".join(
        f"{usual(name, mapping.time_formats, mapping.date_order)} AS {_instant(name)}" for name in names
    )
    bounded = ", ".join(f"{plausible(_instant(name))} AS {_instant(name)}" for name in names)
    failed = " OR ".join(f"({_instant(name)} IS NULL AND {name} IS NOT NULL)" for name in names)
    cells = ", ".join(f"CASE WHEN {_instant(name)} IS NULL THEN {name} END" for name in names)
    otherwise = unusual(f"[{cells}]", mapping.date_order)
    return (
        f"SELECT *, CASE WHEN {failed} THEN {otherwise} END AS {_UNUSUAL} "
        f"FROM (SELECT * REPLACE ({bounded}) FROM (SELECT *, {read} FROM texts))"
    )


def _instant(name: str) -> str:
    return quote_name(f"{name} of this row\nas an instant")


def _treated(field: Field, times: Sequence[Field]) -> str:
    name = field.name
    if field.treatment == "person":
        return f"{name} AS {field.stored_as}"
    if field.treatment == "time":
        return f"coalesce({_instant(name)}, {_UNUSUAL}[{times.index(field) + 1}]) AS {name}"
    return name


def _same_numbers(text: str) -> str:
    """SQL for a row's text in which a number as text, such as 4.0, is the number 4."""
    pattern = '(\\d)\\.0+([\x1f"]|$)'
    return f"CASE WHEN contains({text}, '.0') THEN regexp_replace({text}, '{pattern}', '\\1\\2', 'g') ELSE {text} END"


def _printed(mapped: Sequence[Field], contents: int) -> str:
    """SQL for everything in a row as one text; by CONTENTS the same in a workbook and in a text file."""
    times = {field.name for field in mapped if field.treatment == "time"}
    written = {name: f"{name}_text" for name in times}
    if contents == CONTENTS:
        # A workbook holds fractions of a second that its text export rounds.
        written = {
            name: f"coalesce(round(epoch_us({name}) / 1e6)::BIGINT::VARCHAR, {name}_text)" for name in times
        }
    cells = [f"coalesce({written.get(field.name, field.stored_as)}, '\x1e')" for field in mapped]
    text = f"concat_ws('\x1f', {', '.join([*cells, 'extra'])})"
    if contents != CONTENTS:
        return text
    # Flags as a spreadsheet shows them.
    for shown, same in (("TRUE", "true"), ("FALSE", "false")):
        text = f"replace({text}, '{shown}', '{same}')"
    return text


def _as_written(times: Sequence[Field]) -> str:
    """SQL for the texts of unreadable times, as a JSON object; null if every time was readable."""
    if not times:
        return "NULL::VARCHAR"
    names = [field.name for field in times]
    failed = " OR ".join(f"({name} IS NULL AND {name}_text IS NOT NULL)" for name in names)
    cells = ", ".join(f"CASE WHEN {name} IS NULL THEN {name}_text END" for name in names)
    keys = ", ".join(f"'\"{name}\":'" for name in names)
    members = f"list_transform([{cells}], lambda cell, place: [{keys}][place] || to_json(cell))"
    return f"CASE WHEN {failed} THEN '{{' || array_to_string({members}, ',') || '}}' END"


def _extra(mapping: ColumnMapping, *, marked: bool) -> str:
    """SQL for the JSON of the unmapped columns. marked: with names marked."""
    if not mapping.rest:
        return "NULL::VARCHAR"
    members = []
    for name in mapping.rest:
        cell = quote_name(keys_of(column=name) if name in mapping.people else name)
        if marked and name not in mapping.people:
            cell = f"coalesce({quote_name(marked_of(name))}, {cell})"
        members.append(f"{quote_text(_json_key(mapping.shown.get(name, name)))} || to_json({cell})")
    # The text of a null member is null, and concat_ws skips nulls.
    return f"nullif('{{' || concat_ws(',', {', '.join(members)}) || '}}', '{{}}')"


def _marked_extra(mapping: ColumnMapping) -> str:
    """SQL for `extra` with names marked; null in rows without any."""
    if not mapping.marks_names or not mapping.to_redact:
        return "NULL::VARCHAR"
    has_marks = ", ".join(quote_name(marked_of(name)) for name in mapping.to_redact)
    return f"CASE WHEN coalesce({has_marks}) IS NOT NULL THEN {_extra(mapping, marked=True)} END"


def _marked_text(field: Field, mapping: ColumnMapping) -> str:
    """SQL for a comment with names marked; null in rows without any."""
    if not mapping.marks_names:
        return "NULL::VARCHAR"
    cases = " ".join(
        f"WHEN {quote_name(name)} IS NOT NULL THEN {quote_name(marked_of(name))}"
        for name in mapping.columns_of(field.name)
    )
    return f"CASE {cases} END"


def _json_key(name: str) -> str:
    return json.dumps(name, ensure_ascii=False) + ":"
