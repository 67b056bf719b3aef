"""Qualtrics: response exports as jobs (start, poll, download, unzip), one per window of RecordedDate.

A window's start belongs to it and its end does not, so windows are chained on the same instant. Every window is
exported from some time before its start: unfinished answers are recorded when their session times out, and what is
read twice landing drops. What the CSV's columns mean is in `sources/qualtrics.py`.
"""

import csv
import html
import io
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.csv as pa_csv

from ces_pipeline.http.client import MAX_BODY_BYTES, Http
from ces_pipeline.http.errors import BadResponseError, PullError, RefusedError, UnavailableError
from ces_pipeline.privacy.redaction import redact_text
from ces_pipeline.registry.api import Api
from ces_pipeline.vendors.contract import Connector, Finding, Page, State, Window

_LAG = timedelta(minutes=10)
"""Answers of the last minutes may still be on their way into the vendor's exports."""
_SHORTEST_SPAN = timedelta(hours=1)
_UNPACKED_BYTES = MAX_BODY_BYTES
_TRIES = 6
_FIRST_POLL_SECONDS = 1.0
_LONGEST_POLL_SECONDS = 15.0
_JOB_SECONDS = 3600.0
# Published figures for the vendor's limits contradict one another; this is below all of them.
_BETWEEN_STARTS_SECONDS = 5.0
_HEADER_ROWS = 3
_LONGEST_NOTICE = 200
_BLOCK = 8 << 20
_TAG = re.compile(r"<[^>]*>")
_QUESTION_ID = re.compile(r'"ImportId"\s*:\s*"(QID\d+)(?:_\d+)?"')
# A column of a question with several answers says whether one of them was chosen: it holds no code to be replaced.
_SEVERAL_ANSWERS = re.compile(r"MA|MSB|MultipleAnswer")
_SURVEY_ID = re.compile(r"SV_[A-Za-z0-9]+")


class Qualtrics(Connector):
    """Responses of one survey."""

    name = "qualtrics"
    readers = ("qualtrics_csv",)
    joinable = False
    counts = "responses"
    counted_how = "export"
    options: ClassVar[dict[str, str]] = {
        "survey": "the survey's id, SV_...; needed",
        "labels": "true: every answer as its label; a list of question names or QIDs: these alone; else codes",
        "time_zone": "zone that the export's times are asked for in, as the vendor names it; UTC unless set",
        "window_days": "days of answers per export; 30 unless set",
        "overlap_days": "how far before its window an export begins; 1 unless set",
        "continuation": "true: ask by continuation token, and by date only where the vendor refuses it",
    }

    def check(self, api: Api) -> None:
        _Asked.of(api)

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """One page per export. state: `until`, the end of the last window; and the `continuation` token, if any."""
        asked = _Asked.of(api)
        exports = _Exports(http, asked)
        end = (now - _LAG).replace(microsecond=0)
        begin = _instant(state["until"]) if state else datetime.combine(api.since, time.min, UTC)
        if begin >= end:
            return
        labels = _Labels.fetch(http, asked) if asked.labelled else None
        if asked.continues and "continuation" in state:
            export = exports.continued(state["continuation"])
            if export is not None:
                yield _page(export, labels, end)
                return
        while begin < end:
            until = min(begin + asked.window, end)
            # A token continues the export it came with: one with an end date would never bring anything new.
            is_open = asked.continues and until == end
            for export, span in exports.between(begin - asked.overlap, until, is_open=is_open):
                yield _page(export, labels, max(begin, span.until), span)
            begin = until

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        asked = _Asked.of(api)
        http.get("/API/v3/whoami")
        yield Finding(True, "the credentials are accepted")
        definition = _definition(http, asked)
        if definition.get("isActive") is False:
            yield Finding(False, f"survey {asked.survey} is closed: it gets no new answers")
        else:
            yield Finding(True, f"survey {asked.survey} can be read")
        if asked.labelled:
            absent = sorted(asked.labelled - _Labels.of(definition, asked.labelled).names)
            yield Finding(
                not absent,
                f"api.options.labels names {', '.join(absent)}, which is no single-choice question of it"
                if absent
                else "the questions of api.options.labels are there",
            )


@dataclass(frozen=True)
class _Asked:
    """The feed's options. labelled: the questions whose codes are replaced here."""

    survey: str
    all_labels: bool
    labelled: frozenset[str]
    time_zone: str
    window: timedelta
    overlap: timedelta
    continues: bool

    @classmethod
    def of(cls, api: Api) -> "_Asked":
        survey = api.options.get("survey")
        if not isinstance(survey, str) or not _SURVEY_ID.fullmatch(survey):
            raise ValueError(
                "options.survey must be the survey's id such as SV_0abc: "
                "the survey's address in the editor ends with it"
            )
        labels = api.options.get("labels", False)
        if not isinstance(labels, bool | list):
            raise ValueError("options.labels must be true, false or a list of questions")
        return cls(
            survey=survey,
            all_labels=labels is True,
            labelled=frozenset(map(str, labels)) if isinstance(labels, list) else frozenset(),
            time_zone=str(api.options.get("time_zone", "UTC")),
            window=_days(api, "window_days", 30),
            overlap=_days(api, "overlap_days", 1),
            continues=bool(api.options.get("continuation", False)),
        )

    @property
    def path(self) -> str:
        return f"/API/v3/surveys/{self.survey}"


def _days(api: Api, name: str, default: float) -> timedelta:
    days = api.options.get(name, default)
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 < days <= 3660:
        raise ValueError(f"options.{name} must be a number of days above 0")
    return timedelta(days=days)


@dataclass(frozen=True)
class _Export:
    """One finished export: its CSV, the token that continues it where one was asked for, the vendor's notices."""

    content: bytes
    continuation: str | None
    notice: str = ""


class _TooLargeError(Exception):
    """The export is larger than memory should hold."""


@dataclass
class _Exports:
    """Export jobs of one survey, one after the other. notices: what the vendor said beside the last one."""

    http: Http
    asked: _Asked
    notices: list[str] = field(default_factory=list, init=False)
    _started: float | None = field(default=None, init=False)

    def between(self, since: datetime, until: datetime, *, is_open: bool) -> Iterator[tuple[_Export, Window]]:
        """Exports that together hold all answers recorded from `since` until before `until`, and each one's span.

        is_open: the last one has no end, and a token that continues it. An export that is too large is halved.
        """
        told: dict[str, Any] = {"startDate": _text(since)}
        told |= {"allowContinuation": True} if is_open else {"endDate": _text(until)}
        try:
            export = self._export(told)
        except _TooLargeError:
            if until - since <= _SHORTEST_SPAN:
                raise BadResponseError(
                    f"an hour of {self.asked.survey} from {_text(since)} on is more than "
                    f"{_UNPACKED_BYTES >> 20} MB: deliver this span as a file"
                ) from None
            middle = (since + (until - since) / 2).replace(microsecond=0)
            yield from self.between(since, middle, is_open=False)
            yield from self.between(middle, until, is_open=is_open)
            return
        if export is None:
            raise UnavailableError(
                f"the export job of {self.asked.survey} failed {_TRIES} times: "
                "nothing is lost, the next pull asks again"
            )
        yield export, Window(since, until)

    def continued(self, token: str) -> _Export | None:
        """What is new since the export that gave the token; None where it is refused or does not work out."""
        try:
            return self._export({"allowContinuation": True, "continuationToken": token})
        except RefusedError as problem:
            if problem.status not in (400, 404):
                raise
        except _TooLargeError:
            pass
        return None

    def _export(self, told: Mapping[str, Any]) -> _Export | None:
        """One export; None where its job failed however often it was started."""
        for _ in range(_TRIES):
            self.notices.clear()
            result = self._finished(self._start(told))
            if result is not None:
                content = self._download(result["fileId"])
                return _Export(
                    content, result.get("continuationToken"), "; ".join(dict.fromkeys(self.notices))
                )
        return None

    def _hear(self, data: Any) -> None:
        """Keep the notice that an answer may carry, without what a person could be told by."""
        meta = data.get("meta") if isinstance(data, dict) else None
        if isinstance(meta, dict) and meta.get("notice"):
            self.notices.append(redact_text(str(meta["notice"]))[:_LONGEST_NOTICE])

    def _start(self, told: Mapping[str, Any]) -> str:
        if self._started is not None:
            self.http.wait(max(0.0, self._started + _BETWEEN_STARTS_SECONDS - self.http.seconds()))
        self._started = self.http.seconds()
        answer = self.http.request(
            "POST",
            f"{self.asked.path}/export-responses",
            json_body={
                "format": "csv",
                "timeZone": self.asked.time_zone,
                "useLabels": self.asked.all_labels,
                **told,
            },
            repeatable=True,
        )
        self._hear(answer.data)
        return str(_result(answer.data, "progressId")["progressId"])

    def _finished(self, job: str) -> dict[str, Any] | None:
        """The job's result once its status is complete; None where it failed or is no longer known.

        A failed job is answered with HTTP 200 and may show 100 percent, as one that still runs may.
        """
        deadline = self.http.seconds() + _JOB_SECONDS
        pause = _FIRST_POLL_SECONDS
        while self.http.seconds() < deadline:
            self.http.wait(pause)
            pause = min(2 * pause, _LONGEST_POLL_SECONDS)
            answer = self.http.get(f"{self.asked.path}/export-responses/{job}", accept=(404,))
            if answer.status == 404:
                return None
            self._hear(answer.data)
            result = _result(answer.data, "status")
            if result["status"] == "complete":
                return _result(answer.data, "fileId")
            if result["status"] == "failed":
                return None
        raise UnavailableError(
            f"the export job of {self.asked.survey} was not done after {_JOB_SECONDS / 60:.0f} minutes: "
            "nothing is lost, the next pull asks again; shorter exports (api.options.window_days) are done sooner"
        )

    def _download(self, file_id: str) -> bytes:
        """The one file in the zip, unpacked in memory: its name is the survey's title, which may be any text.

        A zip that arrived damaged is fetched again, since nothing in HTTP tells that it is.
        """
        for tries in range(_TRIES):
            if tries:
                self.http.wait(_FIRST_POLL_SECONDS * 2**tries)
            answer = self.http.get(f"{self.asked.path}/export-responses/{file_id}/file", expects="bytes")
            try:
                return _only_member(answer.body)
            except (zipfile.BadZipFile, zlib.error, EOFError):
                continue
        raise UnavailableError(
            f"the export of {self.asked.survey} arrived damaged {_TRIES} times: the next pull asks again"
        )


def _only_member(packed: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            raise BadResponseError(f"the export's zip holds {len(members)} files, one is documented")
        if members[0].file_size > _UNPACKED_BYTES:
            raise _TooLargeError
        return archive.read(members[0])


def _page(export: _Export, labels: "_Labels | None", until: datetime, span: Window | None = None) -> Page:
    """span: the recorded dates all of whose answers the export holds; an open one may hold younger ones too."""
    state: State = {"until": _text(until)}
    if export.continuation:
        state["continuation"] = export.continuation
    records = _count(export.content)
    covers = None if export.continuation else span
    content = labels.put_into(export.content) if records and labels else export.content
    notice = f"Qualtrics says: {export.notice}" if export.notice else None
    return Page(content if records else b"", records, state, covers, notice)


def _count(content: bytes) -> int:
    """Rows below the header rows; line breaks in quoted cells are no rows."""
    skipped = [0]

    def skip(_row: pa_csv.InvalidRow) -> str:
        skipped[0] += 1
        return "skip"

    try:
        read = pa_csv.open_csv(
            io.BytesIO(content),
            read_options=pa_csv.ReadOptions(
                autogenerate_column_names=True, block_size=_BLOCK, use_threads=False
            ),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
            convert_options=pa_csv.ConvertOptions(include_columns=["f0"], column_types={"f0": pa.binary()}),
        )
        return max(0, sum(batch.num_rows for batch in read) + skipped[0] - _HEADER_ROWS)
    except pa.ArrowInvalid:
        raise BadResponseError(
            "the export is no CSV with three header rows: check api.options.survey"
        ) from None


@dataclass(frozen=True)
class _Labels:
    """Answer labels of single questions. by_question: question's id -> code -> label; names: what they go by."""

    by_question: dict[str, dict[str, str]]
    names: frozenset[str]

    @classmethod
    def fetch(cls, http: Http, asked: _Asked) -> "_Labels":
        """Raises PullError where a question is not there or has no choices."""
        labels = cls.of(_definition(http, asked), asked.labelled)
        if absent := sorted(asked.labelled - labels.names):
            raise PullError(
                f"survey {asked.survey} has no single-choice question called {', '.join(absent)}: "
                "mend api.options.labels"
            )
        return labels

    @classmethod
    def of(cls, definition: Mapping[str, Any], wanted: Collection[str]) -> "_Labels":
        """Labels of the wanted questions, by their recodes: the code in an export need not follow the screen."""
        by_question: dict[str, dict[str, str]] = {}
        names: set[str] = set()
        for question_id, question in definition["questions"].items():
            spelled = {question_id, str(question.get("questionName"))}
            choices = question.get("choices")
            kind = question.get("questionType") or {}
            is_several = any(
                _SEVERAL_ANSWERS.match(str(kind.get(name))) for name in ("selector", "subSelector")
            )
            if choices and not is_several and spelled & set(wanted):
                names |= spelled
                by_question[question_id] = {
                    str(choice.get("recode", key)): _plain(choice.get("choiceText") or choice["description"])
                    for key, choice in choices.items()
                }
        return cls(by_question, frozenset(names))

    def put_into(self, content: bytes) -> bytes:
        """The CSV with the codes of these questions replaced. A code without a label stays as it is.

        Row by row, since rows that do not fit the header have to pass as they are.
        """
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"), newline=""))
        told = io.StringIO(newline="")
        writer = csv.writer(told, lineterminator="\n")
        places: dict[int, dict[str, str]] = {}
        for number, row in enumerate(rows, start=1):
            if number == _HEADER_ROWS:
                found = {place: _QUESTION_ID.search(cell) for place, cell in enumerate(row)}
                places = {
                    place: self.by_question[match.group(1)]
                    for place, match in found.items()
                    if match and match.group(1) in self.by_question
                }
            for place, labels in places.items():
                if number > _HEADER_ROWS and place < len(row):
                    row[place] = labels.get(row[place], row[place])
            writer.writerow(row)
        return told.getvalue().encode("utf-8")


def _definition(http: Http, asked: _Asked) -> dict[str, Any]:
    return _result(http.get(asked.path).data, "questions")


def _result(data: Any, needed: str) -> dict[str, Any]:
    """The `result` of an answer. Raises BadResponseError where it lacks what is needed."""
    result = data.get("result") if isinstance(data, dict) else None
    if not isinstance(result, dict) or not result.get(needed):
        raise BadResponseError(f"Qualtrics' answer has no result.{needed}: check api.base_url")
    return result


def _plain(text: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
