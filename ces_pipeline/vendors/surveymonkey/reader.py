"""SurveyMonkey CSV exports: one header row (condensed) or two (question, then answer options)."""

import re

from ces_pipeline.formats.contract import Export, Reader, folded, map_columns, pick_columns
from ces_pipeline.formats.delimited import TABLE_OPTIONS, export_rows, header, read_head, unique_names
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.registry.sources import Source

_FIELDS = {
    "response_id": ("RespondentID", "Respondent ID"),
    "respondent": ("Email Address", "EmailAddress"),
    "ip_address": ("IP Address",),
    "external_id": ("Custom Data 1", "CustomData"),
    "started_at": ("StartDate", "Start Date", "Date Created"),
    "submitted_at": ("EndDate", "End Date", "Date Modified"),
    "modified_at": ("Date Modified", "DateModified"),
}
_PEOPLE = ("First Name", "FirstName", "Last Name", "LastName")
_ONE_ANSWER = {"", "response", "open-ended response"}
"""What the second header row holds below a question with a single column."""

_OTHER_IDS = frozenset({"responseid", "submissionid", "answerid", "surveyresponseid", "recordid"})
_BESIDE = frozenset(
    [
        *("collectorid", "startdate", "enddate", "datecreated", "datemodified", "ipaddress", "emailaddress"),
        *("firstname", "lastname", "customdata", "customdata1"),
    ]
)
"""Columns that SurveyMonkey writes next to `RespondentID`."""
_FEWEST_BESIDE = 2
_CODED_QUESTION = re.compile(r"^q\d{4}(_\d{4})?$")


def read_surveymonkey(file: DeliveredFile, source: Source | None) -> Export:
    """A SurveyMonkey export. A column that is one option of a question is named `question - option`.

    Some exports have a 12-hour clock without AM or PM: then the day is certain, the hour is not.
    """
    head = read_head(file, source)
    two = _has_option_row(head.rows)
    columns = unique_names(_joined(head.rows[0], head.rows[1]) if two else head.rows[0])
    export = export_rows(head, 2 if two else 1, columns)
    export.mapping = map_columns(columns, _FIELDS)
    export.people = pick_columns(columns, _PEOPLE)
    return export


def _has_option_row(rows: list[list[str]]) -> bool:
    if len(rows) < 2 or len(rows[1]) != len(rows[0]):
        return False
    below = {folded(name): cell.strip() for name, cell in zip(rows[0], rows[1], strict=True)}
    ids_blank = any(below.get(folded(name)) == "" for name in _FIELDS["response_id"])
    answers = sum(cell.strip().lower() in ("response", "open-ended response") for cell in rows[1])
    return answers > 0 and (ids_blank or not rows[1][0].strip())


def _joined(questions: list[str], options: list[str]) -> list[str]:
    names, question = [], ""
    for first, second in zip(questions, options, strict=True):
        # A blank cell of the first row continues the question to its left.
        question = first.strip() or question
        option = second.strip()
        names.append(
            question if option.lower() in _ONE_ANSWER and first.strip() else f"{question} - {option}"
        )
    return names


def _recognises(file: DeliveredFile) -> int:
    rows = header(file)
    if not rows:
        return 0
    names = set(map(folded, rows[0]))
    if names & _OTHER_IDS:
        # `Respondent ID` next to the id of the answer is a person, in the export of another product.
        return 0
    if "respondentid" in names and (len(names & _BESIDE) >= _FEWEST_BESIDE or _has_option_row(rows)):
        return 95
    has_times = {"startdate", "enddate"} <= names
    return 70 if has_times and sum(bool(_CODED_QUESTION.match(name)) for name in rows[0]) >= 3 else 0


SURVEYMONKEY_CSV = Reader(
    name="surveymonkey_csv",
    title="SurveyMonkey export",
    kind="survey",
    read=read_surveymonkey,
    recognises=_recognises,
    options=TABLE_OPTIONS,
)
