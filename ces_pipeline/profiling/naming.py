"""Maps the columns of an export to fields, and finds the columns that contain people."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ces_pipeline.errors import RegistryError
from ces_pipeline.formats.contract import Export, Reader, folded, map_columns
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.flags import FLAG, read_word
from ces_pipeline.formats.no_person import means_no_person
from ces_pipeline.privacy.names import is_people_column
from ces_pipeline.privacy.redaction import redact_text
from ces_pipeline.privacy.shown import shown_name
from ces_pipeline.profiling.result import InspectedColumn, Question
from ces_pipeline.profiling.rows import Rows
from ces_pipeline.profiling.scales import is_no_answer, look_like_scores
from ces_pipeline.profiling.spellings import (
    SPELLINGS,
    TICKET_WORDS,
    asks_for_effort,
    kind_by_names,
    names_a_ticket,
)
from ces_pipeline.profiling.ticket_spellings import RECORD_WORDS, STATUS_CODES
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.sources import Source
from ces_pipeline.schemas.fields import fields_of
from ces_pipeline.schemas.kinds import KINDS, KindName

_EXAMPLES = 3
_EXAMPLE_LENGTH = 60
_FREE_TEXT_WORDS = 6
# Names of objects that contain the record itself, in JSON of APIs and webhooks.
_ENVELOPES = frozenset(
    [
        *("fields", "properties", "attributes", "values", "data", "payload", "record", "body", "content"),
        *("response", "form_response", "submission", "ticket", "issue", "case", "incident"),
        *("item", "result", "entry", "custom_attributes", "customattributes", "node"),
    ]
)
_OF_ANSWERS = ("response_id", "respondent", "nps", "csat", "submitted_at")
# Any table may have these.
_VAGUE = frozenset(
    [
        *(
            "id",
            "uuid",
            "time",
            "date",
            "timestamp",
            "createdat",
            "datecreated",
            "datetime",
            "starttime",
            "endtime",
        ),
        *(
            "enddate",
            "email",
            "emailaddress",
            "customer",
            "customerid",
            "userid",
            "contactid",
            "customeremail",
        ),
        *("useremail", "contactemail"),
    ]
)
_PLACES = frozenset(["zip", "zipcode", "postalcode", "postcode", "city", "county"])
# Endings that say how a value is shown, and not what it is: `opened_at_value`, `Created At (UTC)`.
_ENDING = re.compile(r"(?<=\w)([_ ](display_)?value|\s*\((UTC|GMT|[A-Z][a-z]+/[A-Za-z_/]+)\))$")
_SMALL_NUMBER = re.compile(r"-?\d{1,4}([.,]\d+)?")
# Of these, another system's number may repeat where an inner id does not: issues of several projects.
_NUMBERS_OF_A_PART = frozenset(("number", "iid", "key", "numéro", "número", "numero", "nummer"))
_MANY = 5
"""A person who has at least a fifth of the rows may be a word for no person."""


def _inner_names(columns: Sequence[str]) -> dict[str, str]:
    """Name of a nested column without its envelope -> the column, if no other column has that name.

    `fields.status.name` is `status`, and `form_response.submitted_at` is `submitted_at`. `user.created_at` keeps its
    full name, because it describes the user. An ending that says how the value is shown is left out too.
    """
    found: dict[str, list[str]] = {}
    for column in columns:
        *outer, last = column.split(".")
        while outer and outer[0].lower() in _ENVELOPES:
            del outer[0]
        if outer and last.lower() in ("name", "value"):
            last = outer.pop()
        last = _ENDING.sub("", last)
        found.setdefault(".".join([*outer, last]), []).append(column)
    return {name: named[0] for name, named in found.items() if len(named) == 1}


def _guess(
    columns: Sequence[str],
    spellings: Mapping[str, Sequence[str]],
    tried: Mapping[str, Collection[str]] | None = None,
) -> dict[str, str]:
    """Our field -> the column that is named like it, by its full name, else by its name without envelopes.

    tried: our field -> columns that it is not. Other fields may take them.
    """
    refused = tried or {}
    by_name: dict[str, list[str]] = {}
    inner = _inner_names(columns)
    for name, column in [*((column, column) for column in columns), *inner.items()]:
        by_name.setdefault(folded(name), []).append(column)
    found: dict[str, str] = {}
    for name, known in spellings.items():
        candidates = (column for spelling in known for column in by_name.get(folded(spelling), ())[:1])
        for column in candidates:
            if column not in found.values() and column not in refused.get(name, ()):
                found[name] = column
                break
    return found


@dataclass
class Naming:
    """The meaning of the columns of one export, as far as it is known.

    mapping: our field -> column. guessed: the part of the mapping that only names or values suggest.
    otherwise: our field -> columns that hold it where the mapped one is empty. left_out: fields that the export does
    not have, as an option says. values: our field -> what its codes mean.
    known_source: the registered source of the export. score_given: whether an option
    names the score, which makes the rows answers.
    """

    file: DeliveredFile
    reader: Reader
    export: Export
    rows: Rows
    registry: Registry
    known_source: Source | None
    kind_given: KindName | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    guessed: dict[str, str] = field(default_factory=dict)
    otherwise: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    score_given: bool = False
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    @cached_property
    def sample(self) -> dict[str, list[str]]:
        return self.rows.sample()

    @cached_property
    def kind(self) -> KindName:
        if self.known_source:
            return self.known_source.kind
        if self.reader.kind != "any":
            return self.reader.kind
        if self.kind_given:
            return self.kind_given
        return self._kind_shown or "survey"

    @property
    def kind_is_known(self) -> bool:
        """Whether the source, the reader, an option or the columns show what the rows are."""
        return bool(
            self.known_source
            or self.reader.kind != "any"
            or self.kind_given
            or self._kind_shown
            or not self.rows.columns
        )

    @cached_property
    def _kind_shown(self) -> KindName | None:
        """The kind that the score, the names of the columns, or cells that look like answers show."""
        if self.score_given or self.named_like_scores():
            return "survey"
        names = {name.lower() for name in self.export.columns}
        words = names | {word for name in names for word in name.split()}
        words |= {name.split(".")[0] for name in _inner_names([*names])}
        by_names = kind_by_names(self.export.columns)
        # Invitations by e-mail have a subject too.
        if words & (TICKET_WORDS - {"subject"} if by_names else TICKET_WORDS):
            return "tickets"
        if names_a_ticket(self._names):
            return "tickets"
        scales = self.registry.scales.values()
        has_answers = any(look_like_scores(self.sample[column], scales) for column in self.free_columns())
        return by_names or ("survey" if has_answers or self._names_an_answer() else None)

    @cached_property
    def _names(self) -> list[str]:
        """The columns of the export, and the names of nested ones without their envelopes."""
        return [*self.export.columns, *_inner_names(self.export.columns)]

    def _names_an_answer(self) -> bool:
        """Whether a column is named like an answer or its time: `response id`, `respondent`, `submitted at`, `nps`."""
        spellings = {name: SPELLINGS["survey"][name] for name in _OF_ANSWERS}
        found = map_columns(self._names, spellings)
        return any(folded(column) not in _VAGUE for column in found.values())

    def name_fields(self, score: str | None, survey: str | None, columns: Mapping[str, str]) -> None:
        """Map columns to fields: the mapping of the reader, then of the source, then guesses, then what is given.

        `score.py` maps the score. An empty column in `columns` means that the export has none for the field.
        Raises RegistryError for a given field or column that does not exist.
        """
        self.notes += self.export.notes
        self.mapping = dict(self.export.mapping)
        if self.known_source:
            self.mapping |= {
                name: column
                for name, columns in self.known_source.columns_of.items()
                for column in columns[:1]
                if column in self.rows.columns
            }
        elif self.reader.kind == "any" or self.reader.has_customer_columns:
            taken = {*self.mapping.values(), *columns.values(), score}
            free = [column for column in self.rows.columns if column not in taken]
            spellings = {
                name: more for name, more in SPELLINGS[self.kind].items() if name not in self.mapping
            }
            self.guessed = _guess(free, spellings)
            if self.kind == "tickets":
                self._try_other_names(free, spellings)
            self.mapping |= self.guessed
            self._name_codes()
        if self.kind == "tickets" and folded(self.guessed.get("status", "")) == "state":
            self._drop_geographic_state()
        for name, column in columns.items():
            if column:
                self.name_given(name, column, f"--column {name}")
            else:
                self._leave_out(name)
        if self.rows.columns:
            self._ask_for_id()
            self._ask_for_the_rest(survey)

    def _try_other_names(self, free: Sequence[str], spellings: Mapping[str, Sequence[str]]) -> None:
        """Guess again without the names that the cells contradict, until no cell does.

        A flag `Closed` is no time of closing, and a `type` that is `conversation` in every row is no category.
        """
        tried: dict[str, set[str]] = {}
        while wrong := {
            name: column for name, column in self.guessed.items() if self._contradicts(name, column)
        }:
            for name, column in wrong.items():
                tried.setdefault(name, set()).add(column)
            self.guessed = _guess(free, spellings, tried)

    def _contradicts(self, name: str, column: str) -> bool:
        """Whether the cells of a column cannot be what its name says. Blank cells contradict nothing."""
        cells = self.sample[column]
        if not cells:
            return False
        if fields_of("tickets")[name].treatment == "time":
            # A text that may be a time in an unknown notation is asked about instead.
            return all(read_word(cell, FLAG) or _SMALL_NUMBER.fullmatch(cell.strip()) for cell in {*cells})
        distinct = {cell.strip().casefold() for cell in cells}
        if name == "category":
            return distinct <= RECORD_WORDS
        if name == "ticket_id" and self._inner_name(column) in _NUMBERS_OF_A_PART:
            return len({*cells}) < len(cells) and self._has_unique_id(column)
        return False

    def _inner_name(self, column: str) -> str:
        return column.rsplit(".", 1)[-1].casefold()

    def _has_unique_id(self, but: str) -> bool:
        """Whether another column of the first rows is called `id` and is different in every row."""
        return any(
            self._inner_name(column) in ("id", "_id") and column.count(".") <= but.count(".")
            and len({*self.sample[column]}) == len(self.sample[but])
            for column in self.rows.columns
            if column != but
        )  # fmt: skip

    def _name_codes(self) -> None:
        """Note what the codes of a status mean, where its column is known for them."""
        column = self.guessed.get("status", "")
        short = {inner: name for name, inner in _inner_names(self.rows.columns).items()}.get(column, column)
        codes = STATUS_CODES.get(folded(column)) or STATUS_CODES.get(folded(short))
        if (
            self.kind == "tickets"
            and codes
            and {cell.strip() for cell in self.sample[column]} <= codes.keys()
        ):
            self.values["status"] = codes

    def _leave_out(self, name: str) -> None:
        self._refuse_unknown_field(name, f"--column {name}")
        self.left_out.add(name)
        self.mapping.pop(name, None)
        self.guessed.pop(name, None)

    def _refuse_unknown_field(self, name: str, option: str) -> None:
        known = fields_of(self.kind)
        if name not in known:
            raise RegistryError(
                f"{option}: no such field of {self.kind} (known: {', '.join(sorted(known))}): correct the name, or "
                "say what the rows are with --kind"
            )

    def name_given(self, name: str, column: str, option: str) -> None:
        """Map the field to the column, and no other field to it. Raises RegistryError if one of them does not exist."""
        self._refuse_unknown_field(name, option)
        if column not in self.rows.columns:
            raise RegistryError(
                f"{option}: {self.file.name} has no column {column!r} "
                f"(it has: {', '.join(map(shown_name, self.rows.columns))[:1000]})"
            )
        self.mapping = {field: mapped for field, mapped in self.mapping.items() if mapped != column}
        self.guessed = {field: mapped for field, mapped in self.guessed.items() if mapped != column}
        self.guessed[name] = self.mapping[name] = column

    def _drop_geographic_state(self) -> None:
        """Do not use `state` as status if it is a place: two letters, or next to a city or postal code."""
        cells = self.sample[self.guessed["status"]]
        two_letters = sum(len(cell) == 2 and cell.isupper() for cell in cells) > 0.9 * len(cells) > 0
        if two_letters or _PLACES & {folded(column) for column in self.rows.columns}:
            del self.guessed["status"], self.mapping["status"]

    def _ask_for_id(self) -> None:
        if self.kind == "tickets" and "ticket_id" not in self.mapping:
            self.questions.append(
                Question("which column is the id of the ticket?", "--column ticket_id=COLUMN", blocks=False)
            )
        is_noted = any(note.startswith("no response id") for note in self.notes)
        if self.kind == "survey" and "response_id" not in self.mapping and not is_noted:
            self.notes.append("no response id found: its content identifies a response")
        noun = {"invitations": "an invitation", "events": "an event", "follow_ups": "a follow-up"}.get(
            self.kind
        )
        if noun and KINDS[self.kind].own_id not in self.mapping:
            self.notes.append(f"no {noun.split()[1]} id found: its content identifies {noun}")

    def _ask_for_the_rest(self, survey: str | None) -> None:
        """Ask for the fields that accounts, invitations, events and follow-ups need."""
        needed = {
            "accounts": (
                "person",
                "which column identifies the person, with the same id as answers and tickets?",
            ),
            "events": ("event_type", "which column holds the type of event?"),
            "follow_ups": ("state", "which column holds the step: assigned, contacted, resolved?"),
        }
        if self.kind in needed and needed[self.kind][0] not in self.mapping:
            field, question = needed[self.kind]
            self.questions.append(Question(question, f"--column {field}=COLUMN"))
        if self.kind == "follow_ups" and not {"response_id", "ticket_id"} & self.mapping.keys():
            question = "which column identifies the answer that is followed up, or its ticket?"
            self.questions.append(
                Question(question, "--column response_id=COLUMN or --column ticket_id=COLUMN")
            )
        if self.kind == "invitations" and not (survey or self.known_source or "survey" in self.mapping):
            listed = ", ".join(sorted(self.registry.surveys)) or "none is registered"
            self.questions.append(
                Question(
                    f"which survey do they invite to? ({listed})", "--survey ID or --column survey=COLUMN"
                )
            )

    def free_columns(self) -> list[str]:
        """The columns that are mapped to no field and contain no people."""
        taken = set(self.mapping.values())
        return [column for column in self.rows.columns if column not in taken and not self.is_person(column)]

    def named_like_scores(self) -> list[str]:
        return [
            column
            for column in self.free_columns()
            if asks_for_effort(column, self.export.questions.get(column, ""))
        ]

    @cached_property
    def missing(self) -> list[str]:
        """Texts that mean no value: those of the registered source, else those found in the file.

        Without them, a word such as `anonymous` in a column of people would become the most frequent person, and a
        word for no answer would become a score off the scale.
        """
        if self.known_source:
            return list(self.known_source.missing)
        return sorted({*self._no_people(), *self._no_answers()})

    @cached_property
    def scores(self) -> dict[str, int]:
        """Answer in the score column -> its count. Empty if no column is the score."""
        none = {"", *self.missing}
        return {cell: count for cell, count in self.score_cells.items() if cell.strip() not in none}

    @cached_property
    def score_cells(self) -> dict[str, int]:
        """Filled cell of the score column -> its count."""
        counted: Counter[str] = Counter()
        if "score" in self.mapping:
            for column in (self.mapping["score"], *self.otherwise.get("score", ())):
                counted.update(self.rows.values(column))
        return dict(counted)

    def _no_answers(self) -> set[str]:
        found = {cell.strip() for cell in self.score_cells if is_no_answer(cell)}
        if found:
            self.notes.append(f"read as no answer, in every column: {', '.join(map(repr, sorted(found)))}")
        return found

    def _no_people(self) -> set[str]:
        """Cells of columns of people that mean no person. A word that may be an answer too (`0`) is only noted."""
        found: set[str] = set()
        for name, column in self.mapping.items():
            if fields_of(self.kind)[name].treatment != "person":
                continue
            cells = self.rows.values(column)
            no_person = {cell for cell in cells if means_no_person(cell)}
            found |= {cell.strip() for cell in no_person}
            people = {cell: rows for cell, rows in cells.items() if cell not in no_person}
            most, rows = max(people.values(), default=0), self.rows.count("true")
            if rows >= _MANY and most > 1 and most * _MANY >= rows:
                self.notes.append(
                    f"{column}: one person has {most:,} of {rows:,} rows: if the cell means no person, add its text to "
                    "`missing` of the source; else their answers may count as repeats"
                )
        return found

    def is_person(self, column: str) -> bool:
        read_as = [name for name, mapped in self.mapping.items() if mapped == column]
        if read_as:
            return any(fields_of(self.kind)[name].treatment == "person" for name in read_as)
        people = {*self.export.people, *(self.known_source.people if self.known_source else ())}
        return column in people or is_people_column(
            column, self.export.questions.get(column, ""), self.sample[column]
        )

    @property
    def people(self) -> list[str]:
        """The unmapped columns that hold people, except those that the format itself names.

        A column whose name is a person's is not among them, since the proposal is printed; landing finds it again.
        """
        taken = {*self.mapping.values(), *self.export.people}
        return [
            column
            for column in self.rows.columns
            if column not in taken and shown_name(column) == column and self.is_person(column)
        ]

    def column_views(self) -> tuple[InspectedColumn, ...]:
        fields = {column: name for name, column in self.mapping.items()}
        filled = self.rows.row([f"count({self.rows.sql(column)})" for column in self.rows.columns])
        return tuple(
            self._column_view(column, fields.get(column), count)
            for column, count in zip(self.rows.columns, filled, strict=True)
        )

    def _column_view(self, column: str, name: str | None, filled: int) -> InspectedColumn:
        if self.is_person(column):
            return InspectedColumn(shown_name(column), name, filled, "person")
        cells = list(dict.fromkeys(self.sample[column]))
        wordy = any(len(cell) > _EXAMPLE_LENGTH or len(cell.split()) > _FREE_TEXT_WORDS for cell in cells)
        if wordy or (name is not None and fields_of(self.kind)[name].treatment == "free_text"):
            return InspectedColumn(shown_name(column), name, filled, "free text")
        examples = tuple(redact_text(cell, sentence=False) for cell in cells[:_EXAMPLES])
        return InspectedColumn(shown_name(column), name, filled, "values", examples)
