"""Tables with one row per question: the rows of a response become one row, with a column per question.

The source's option `pivot` names the columns: `{id: response_id, question: question, answer: value}`. A file that looks
like such a table is found (`find_pivot`), not turned: whether a row is an answer or a response is asked once.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ces_pipeline.errors import RegistryError, UnreadableFileError
from ces_pipeline.formats.contract import ROW_NUMBER, Export, UnreadableRow, folded, option
from ces_pipeline.formats.delimited import unique_names
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.json_records import BATCH_ROWS, MAX_COLUMNS, record_batch
from ces_pipeline.registry.sources import Source

PIVOT_OPTION = {
    "pivot": "for a table with one row per question: the columns id (of the response), question and answer"
}
MAX_BYTES = 512 << 20
"""The rows of a response may be anywhere in a file, so all are held in memory."""

_EARLIER = "earlier_answers"
_KNOWN = {
    "id": (
        "responseid",
        "respondentid",
        "submissionid",
        "surveyresponseid",
        "participantid",
        "recordid",
        "sessionid",
        "answersetid",
        "id",
    ),
    "question": (
        "question",
        "questionid",
        "questioncode",
        "questionname",
        "questiontext",
        "questiontitle",
        "questionlabel",
        "item",
        "variable",
        "field",
        "fieldname",
    ),
    "answer": (
        "answer",
        "answervalue",
        "answertext",
        "response",
        "responsevalue",
        "responsetext",
        "value",
        "answerlabel",
        "score",
    ),
}


@dataclass(frozen=True)
class Pivot:
    """The columns of a table with one row per question."""

    id: str
    question: str
    answer: str


@dataclass
class _Response:
    row_number: int
    values: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str | None] = field(default_factory=dict)
    earlier: list[dict[str, str | None]] = field(default_factory=list)


def pivot_option(source: Source | None) -> Pivot | None:
    """The option `pivot`; None if the source has none. Raises RegistryError if a part of it is missing."""
    given = option(source, "pivot")
    if not given:
        return None
    if not isinstance(given, dict) or set(given) != {"id", "question", "answer"}:
        raise RegistryError(
            f"sources.yaml: entry {source.id if source else ''}: options.pivot: "
            "needs the columns id, question and answer"
        )
    return Pivot(**{name: str(column) for name, column in given.items()})


def find_pivot(columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> Pivot | None:
    """The columns of a table that looks like one row per question; None if it does not.

    Its columns are named so, ids are repeated, and no id has a question twice.
    """
    names = {folded(column): place for place, column in reversed(list(enumerate(columns)))}
    places = {
        part: next((names[name] for name in known if name in names), None) for part, known in _KNOWN.items()
    }
    at_id, at_question, at_answer = places["id"], places["question"], places["answer"]
    if at_id is None or at_question is None or at_answer is None:
        return None
    filled = [row for row in rows if max(at_id, at_question) < len(row) and row[at_id] and row[at_question]]
    pairs = {(row[at_id], row[at_question]) for row in filled}
    ids, questions = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    is_long = len(filled) > 1 and len(ids) < len(filled) == len(pairs) and len(questions) > 1
    if not is_long or (len(ids) > 1 and len(questions) >= len(filled)):
        return None
    return Pivot(columns[at_id], columns[at_question], columns[at_answer])


def propose_pivot(export: Export, rows: Sequence[Sequence[str | None]], source: Source | None) -> None:
    """Note in the export that the table looks like one row per question, if its source's options do not say."""
    found = find_pivot(export.columns, rows) if option(source, "pivot") is None else None
    if found:
        export.options_found["pivot"] = {"id": found.id, "question": found.question, "answer": found.answer}
        doubt = (
            f"the table looks like one row per question ({found.question!r}, answered in {found.answer!r}), so a "
            f"response is all rows of a {found.id!r}: set options.pivot of the source to read it so, or to false if "
            "each row is a response"
        )
        export.notes.append(doubt)
        export.doubts.append(doubt)


def pivoted(export: Export, pivot: Pivot, file: DeliveredFile) -> Export:
    """An Export with one row per response: the columns of the table, and one per question.

    A response has the number of its first row, and of other columns the newest value. A question that is answered twice
    keeps the last answer; the others are kept as JSON in `earlier_answers`. Rows without an id or a question are
    unreadable.
    Raises UnreadableFileError if a column is missing, and above 512 MB.
    """
    missing = [name for name in (pivot.id, pivot.question, pivot.answer) if name not in export.columns]
    if missing:
        raise UnreadableFileError(
            f"{file.name}: no column {missing[0]!r} (it has: {', '.join(export.columns)}): "
            "correct options.pivot of the source"
        )
    if file.size > MAX_BYTES:
        raise UnreadableFileError(
            f"{file.name}: {file.size >> 20} MB with one row per question, more than the limit of "
            f"{MAX_BYTES >> 20} MB: export shorter spans of time"
        )
    others = [name for name in export.columns if name not in (pivot.id, pivot.question, pivot.answer)]
    responses: dict[str, _Response] = {}
    unreadable: list[UnreadableRow] = []
    rows = 0
    for batch in export.batches:
        for row in batch.to_pylist():
            rows += 1
            if not row[pivot.id] or not row[pivot.question]:
                without = pivot.id if not row[pivot.id] else pivot.question
                cells = [
                    row[pivot.id],
                    *(row[name] for name in others),
                    row[pivot.question],
                    row[pivot.answer],
                ]
                unreadable.append(
                    UnreadableRow(row[ROW_NUMBER], f"no value in the column {without}", _line(cells))
                )
                continue
            response = responses.setdefault(row[pivot.id], _Response(row[ROW_NUMBER]))
            response.values.update({name: row[name] for name in others if row[name] is not None})
            question = row[pivot.question]
            if response.answers.get(question) is not None:
                response.earlier.append({question: response.answers[question]})
            response.answers[question] = row[pivot.answer]
    # Their cells are those of the table, which may hold people in other places than the new columns.
    unreadable += [
        UnreadableRow(row.row_number, row.problem, str(row.row_number)) for row in export.unreadable
    ]
    return _as_export(export, pivot.id, others, responses, unreadable, rows, file.name)


def _as_export(
    table: Export,
    id_column: str,
    others: list[str],
    responses: dict[str, _Response],
    unreadable: list[UnreadableRow],
    rows: int,
    name: str,
) -> Export:
    questions = list(
        dict.fromkeys(question for response in responses.values() for question in response.answers)
    )
    if len(questions) > MAX_COLUMNS:
        raise UnreadableFileError(
            f"{name}: more than {MAX_COLUMNS:,} different questions: correct options.pivot of the source"
        )
    has_earlier = any(response.earlier for response in responses.values())
    columns = unique_names([id_column, *others, *questions, *([_EARLIER] if has_earlier else [])])

    def batches() -> Iterator[pa.RecordBatch]:
        # Places are names here, since a question may be called like a column.
        keys = [str(place) for place in range(len(columns))]
        listed = list(responses.items())
        for start in range(0, len(listed), BATCH_ROWS):
            part = listed[start : start + BATCH_ROWS]
            records: list[dict[str, Any]] = []
            for id_, response in part:
                cells = [id_, *map(response.values.get, others), *map(response.answers.get, questions)]
                if has_earlier:
                    earlier = json.dumps(response.earlier, ensure_ascii=False) if response.earlier else None
                    cells.append(earlier)
                records.append(dict(zip(keys, cells, strict=True)))
            yield record_batch(records, [response.row_number for _, response in part], keys, columns)

    return Export(
        columns=columns,
        batches=batches(),
        unreadable=sorted(unreadable, key=lambda row: row.row_number),
        repairs=table.repairs,
        notes=[*table.notes, f"{rows:,} rows, one per question, make {len(responses):,} responses"],
        doubts=table.doubts,
        options_found=table.options_found,
    )


def _line(cells: Sequence[str | None]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue().removesuffix("\r\n")
