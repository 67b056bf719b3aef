"""Asks for the status, opening and closing of tickets where columns look like them but none is mapped."""

import re

from ces_pipeline.profiling.naming import Naming
from ces_pipeline.profiling.result import Question
from ces_pipeline.profiling.times import Times

_MOST_STATES = 40
_SHOWN = 6
# Words of column names in the languages that ship.
_STATUS = re.compile(
    r"status|state|stage|phase|zustand|statut|état|etat|estado|stato|situação|situacao|toestand",
    re.IGNORECASE,
)
_CREATED = re.compile(
    r"creat|open|report|submi|regist|receiv|start|raised|logged|erstell|eröffn|gemeldet|angelegt|cré|ouver|signal"
    r"|crea|abier|apert|abert|criad|aangemaakt|geopend|gemeld",
    re.IGNORECASE,
)
_CLOSED = re.compile(
    r"clos|resol|solv|finish|complet|ended|done|fix|geschlossen|gelöst|erledigt|abgeschlossen|ferm|clôtur|résol|cerrad"
    r"|resuel|chius|risol|fechad|resolv|encerrad|gesloten|opgelost",
    re.IGNORECASE,
)


def ask_for_ticket_fields(naming: Naming, times: Times) -> None:
    """Add a question for each decisive field that is not mapped: without it, figures would be empty or wrong."""
    if naming.kind != "tickets" or naming.known_source is not None or not naming.rows.columns:
        return
    asked = (
        ("status", {"status"}, "the status of the ticket", _states(naming)),
        (
            "created_at",
            {"created_at"},
            "the time at which the ticket was opened",
            _timed(naming, times, _CREATED),
        ),
        (
            "solved_at",
            {"solved_at", "closed_at", "resolution_minutes"},
            "the time at which the ticket was solved or closed",
            _timed(naming, times, _CLOSED),
        ),
    )
    for field, enough, what, columns in asked:
        if columns and not enough & {*naming.mapping, *naming.left_out}:
            listed = "; ".join(map(repr, columns[:_SHOWN]))
            naming.questions.append(
                Question(
                    f"which column is {what}? ({listed})",
                    f"--column {field}=COLUMN, or --column {field}= for none",
                )
            )


def _states(naming: Naming) -> list[str]:
    return [
        column
        for column in naming.free_columns()
        if _STATUS.search(column) and 1 <= len({*naming.sample[column]}) <= _MOST_STATES
    ]


def _timed(naming: Naming, times: Times, words: re.Pattern[str]) -> list[str]:
    return [column for column in naming.free_columns() if words.search(column) and times.holds_times(column)]
