"""Reads Zigpoll responses from JSON: one record per answered slide becomes one row per participant and poll.

Each slide becomes a column `slide:<slideId>`; the registry says which slide is the score and which the comment.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.contract import Export, Reader, UnreadableRow, map_columns
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.json_records import (
    JsonFile,
    cell_text,
    export_records,
    flatten,
    names_in_head,
    numbered_records,
)
from ces_pipeline.registry.sources import Source

MAX_BYTES = 512 << 20
"""The answers of a response may be anywhere in a file, so all answers are held in memory."""

_FIELDS = {
    "response_id": ("response_id",),
    "survey": ("pollId",),
    "submitted_at": ("createdAt",),
    "respondent": ("metadata.email", "metadata.customer_email", "metadata.customerEmail", "participantId"),
    "device": ("participantId",),
    "ticket_id": ("metadata.ticket_id", "metadata.ticketId"),
    "channel": ("metadata.channel",),
    "product": ("metadata.product",),
    "language": ("metadata.language", "metadata.locale"),
}


def read_zigpoll(file: DeliveredFile, _source: Source | None) -> Export:
    """Pages `{"data": [...]}`, a list, or JSON Lines of either or of single answers.

    A participant's newest answer to a slide counts; earlier answers are kept as JSON in `earlier_answers`. `createdAt`
    is that of the newest answer. An answer without a participant is a response of its own. A row has the number of its
    first answer.
    Raises UnreadableFileError above 512 MB, and if no record is an answer to a slide.
    """
    if file.size > MAX_BYTES:
        raise UnreadableFileError(
            f"{file.name}: {file.size >> 20} MB of Zigpoll answers, more than the limit of "
            f"{MAX_BYTES >> 20} MB: export shorter spans of time"
        )
    unreadable: list[UnreadableRow] = []
    responses: dict[tuple[str, str], _Response] = {}
    answers = 0
    for number, answer in numbered_records(JsonFile(file), _answers, unreadable):
        if "slideId" not in answer:
            unreadable.append(UnreadableRow(number, "not an answer to a slide", cell_text(answer) or ""))
            continue
        answers += 1
        key = _key(answer)
        responses.setdefault(key, _Response(number)).answers.append(answer)
    if unreadable and not responses:
        raise UnreadableFileError(
            f"{file.name}: no Zigpoll answers (records with slideId): check the source's `reader`"
        )

    def rows(unreadable_rows: list[UnreadableRow]) -> Iterator[tuple[int, dict[str, Any]]]:
        unreadable_rows.extend(unreadable)
        for (participant, _), response in responses.items():
            yield response.row_number, flatten(response.pivoted(participant))

    export = export_records(rows, file.name)
    export.mapping = map_columns(export.columns, _FIELDS)
    export.time_zone = "UTC"
    export.notes.append(f"{answers:,} slide answers make {len(responses):,} responses")
    return export


def _answers(document: Any) -> list[Any]:
    if isinstance(document, list):
        return document
    if "slideId" not in document and isinstance(document.get("data"), list):
        return list(document["data"])
    return [document]


def _key(answer: dict[str, Any]) -> tuple[str, str]:
    participant = answer.get("participantId")
    if not participant:
        return "", str(answer.get("_id"))
    return str(participant), str(answer.get("pollId") or "")


@dataclass
class _Response:
    """The slide answers of one participant to one poll, in the order of the file."""

    row_number: int
    answers: list[dict[str, Any]] = field(default_factory=list)

    def pivoted(self, participant: str) -> dict[str, Any]:
        """One record: a column per slide; for each key of the metadata the newest value."""
        in_time = sorted(self.answers, key=lambda answer: str(answer.get("createdAt") or ""))
        newest = in_time[-1]
        slides: dict[str, Any] = {}
        earlier: list[dict[str, Any]] = []
        metadata: dict[str, Any] = {}
        for answer in in_time:
            column = f"slide:{answer['slideId']}"
            if column in slides:
                earlier.append({column: slides[column]})
            slides[column] = _answer_text(answer)
            metadata.update(
                {key: value for key, value in (answer.get("metadata") or {}).items() if value is not None}
            )
        poll = newest.get("pollId")
        return {
            "response_id": f"{participant}:{poll}" if participant else newest.get("_id"),
            "accountId": newest.get("accountId"),
            "pollId": poll,
            "participantId": participant or None,
            "createdAt": newest.get("createdAt"),
            **dict(sorted(slides.items())),
            "earlier_answers": earlier,
            "metadata": metadata,
        }


def _answer_text(answer: dict[str, Any]) -> str | None:
    """The answer's display text; if it is blank, the chosen answers."""
    text = cell_text(answer.get("response"))
    if text:
        return text
    chosen = answer.get("answers") or []
    texts = [cell_text(item.get("title") if isinstance(item, dict) else item) or "" for item in chosen]
    return "; ".join(texts) or None


ZIGPOLL_JSON = Reader(
    name="zigpoll_json",
    title="Zigpoll responses",
    kind="survey",
    read=read_zigpoll,
    recognises=lambda file: 98 if {"pollId", "slideId", "participantId"} <= names_in_head(file) else 0,
    reads_json_lines=True,
)
