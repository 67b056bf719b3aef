"""Pulls Qualtrics responses by export jobs (start, poll, download, unzip), one per window of RecordedDate.

A window includes its start and not its end, so the next window starts at the same instant. Every export starts some
time before its window, since unfinished responses are recorded only when their session times out; landing drops the
copies. `reader.py` decides what the CSV's columns mean.
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
"""Responses of the last minutes may not be in the vendor's exports yet."""
_SHORTEST_SPAN = timedelta(hours=1)
_UNPACKED_BYTES = MAX_BODY_BYTES
_TRIES = 6
_FIRST_POLL_SECONDS = 1.0
_LONGEST_POLL_SECONDS = 15.0
_JOB_SECONDS = 3600.0
# The vendor publishes contradictory rate limits; this is below all of them.
_BETWEEN_STARTS_SECONDS = 5.0
_HEADER_ROWS = 3
_LONGEST_NOTICE = 200
_BLOCK = 8 << 20
_TAG = re.compile(r"<[^>]*>")
_QUESTION_ID = re.compile(r'"ImportId"\s*:\s*"(QID\d+)(?:_\d+)?"')
# If a question allows several answers, each has a column that only says whether it was chosen: no code to replace.
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
        "survey": "the survey's id, SV_...; required",
        "labels": "true: every answer as its label; a list of question names or QIDs: only these as labels; else codes",
        "time_zone": "time zone of the export's times, by the vendor's name; UTC by default",
        "window_days": "days of responses per export; 30 by default",
        "overlap_days": "how many days before its window an export starts; 1 by default",
        "continuation": "true: continue by continuation token, and by date only if the vendor refuses the token",
    }

    def check(self, api: Api) -> None:
        _Settings.of(api)

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """One page per export. state: `until`, the end of the last window; and the `continuation` token, if any."""
        settings = _Settings.of(api)
        exports = _Exports(http, settings)
        end = (now - _LAG).replace(microsecond=0)
        begin = _instant(state["until"]) if state else datetime.combine(api.since, time.min, UTC)
        if begin >= end:
            return
        labels = _Labels.fetch(http, settings) if settings.labelled else None
        if settings.continues and "continuation" in state:
            export = exports.continued(state["continuation"])
            if export is not None:
                yield _page(export, labels, end)
                return
        while begin < end:
            until = min(begin + settings.window, end)
            # A token continues its own export: if that had an end date, nothing new would ever come.
            is_open = settings.continues and until == end
            for export, span in exports.between(begin - settings.overlap, until, is_open=is_open):
                yield _page(export, labels, max(begin, span.until), span)
            begin = until

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        settings = _Settings.of(api)
        http.get("/API/v3/whoami")
        yield Finding(True, "the credentials are accepted")
        definition = _definition(http, settings)
        if definition.get("isActive") is False:
            yield Finding(False, f"survey {settings.survey} is closed, so it gets no new responses: open it")
        else:
            yield Finding(True, f"survey {settings.survey} can be read")
        if settings.labelled:
            absent = sorted(settings.labelled - _Labels.of(definition, settings.labelled).names)
            yield Finding(
                not absent,
                f"the survey has no single-choice question called {', '.join(absent)}: correct api.options.labels"
                if absent
                else "the questions of api.options.labels exist",
            )


@dataclass(frozen=True)
class _Settings:
    """api.options, checked. labelled: the questions whose codes are replaced by labels here."""

    survey: str
    all_labels: bool
    labelled: frozenset[str]
    time_zone: str
    window: timedelta
    overlap: timedelta
    continues: bool

    @classmethod
    def of(cls, api: Api) -> "_Settings":
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
    """One finished export: its CSV, the token that continues it (if requested), and the vendor's notices."""

    content: bytes
    continuation: str | None
    notice: str = ""


class _TooLargeError(Exception):
    """The export is too large for memory."""


@dataclass
class _Exports:
    """Export jobs of one survey, one after the other. notices: the vendor's notices about the last job."""

    http: Http
    settings: _Settings
    notices: list[str] = field(default_factory=list, init=False)
    _started: float | None = field(default=None, init=False)

    def between(self, since: datetime, until: datetime, *, is_open: bool) -> Iterator[tuple[_Export, Window]]:
        """(Export, its span) for exports that together hold all responses recorded from `since` until before `until`.

        is_open: the last export has no end date, and a token that continues it. A span whose export is too large is
        halved.
        """
        span: dict[str, Any] = {"startDate": _text(since)}
        span |= {"allowContinuation": True} if is_open else {"endDate": _text(until)}
        try:
            export = self._export(span)
        except _TooLargeError:
            if until - since <= _SHORTEST_SPAN:
                raise BadResponseError(
                    f"the export of one hour of {self.settings.survey} from {_text(since)} on is larger than "
                    f"{_UNPACKED_BYTES >> 20} MB: deliver this span as a file"
                ) from None
            middle = (since + (until - since) / 2).replace(microsecond=0)
            yield from self.between(since, middle, is_open=False)
            yield from self.between(middle, until, is_open=is_open)
            return
        if export is None:
            raise UnavailableError(
                f"the export job of {self.settings.survey} failed {_TRIES} times: "
                "nothing is lost, the next pull tries again"
            )
        yield export, Window(since, until)

    def continued(self, token: str) -> _Export | None:
        """The responses since the export that the token is from; None if the token is refused or the export fails."""
        try:
            return self._export({"allowContinuation": True, "continuationToken": token})
        except RefusedError as problem:
            if problem.status not in (400, 404):
                raise
        except _TooLargeError:
            pass
        return None

    def _export(self, parameters: Mapping[str, Any]) -> _Export | None:
        """One export; None if its job failed in all attempts."""
        for _ in range(_TRIES):
            self.notices.clear()
            result = self._finished(self._start(parameters))
            if result is not None:
                content = self._download(result["fileId"])
                return _Export(
                    content, result.get("continuationToken"), "; ".join(dict.fromkeys(self.notices))
                )
        return None

    def _keep_notice(self, data: Any) -> None:
        """Keep the notice in a response, if any, redacted."""
        meta = data.get("meta") if isinstance(data, dict) else None
        if isinstance(meta, dict) and meta.get("notice"):
            self.notices.append(redact_text(str(meta["notice"]))[:_LONGEST_NOTICE])

    def _start(self, parameters: Mapping[str, Any]) -> str:
        if self._started is not None:
            self.http.wait(max(0.0, self._started + _BETWEEN_STARTS_SECONDS - self.http.seconds()))
        self._started = self.http.seconds()
        response = self.http.request(
            "POST",
            f"{self.settings.path}/export-responses",
            json_body={
                "format": "csv",
                "timeZone": self.settings.time_zone,
                "useLabels": self.settings.all_labels,
                **parameters,
            },
            repeatable=True,
        )
        self._keep_notice(response.data)
        return str(_result(response.data, "progressId")["progressId"])

    def _finished(self, job: str) -> dict[str, Any] | None:
        """The job's result once its status is complete; None if it failed or is no longer known.

        A failed job has HTTP status 200 and may show 100 percent; so may a job that still runs.
        """
        deadline = self.http.seconds() + _JOB_SECONDS
        pause = _FIRST_POLL_SECONDS
        while self.http.seconds() < deadline:
            self.http.wait(pause)
            pause = min(2 * pause, _LONGEST_POLL_SECONDS)
            response = self.http.get(f"{self.settings.path}/export-responses/{job}", accept=(404,))
            if response.status == 404:
                return None
            self._keep_notice(response.data)
            result = _result(response.data, "status")
            if result["status"] == "complete":
                return _result(response.data, "fileId")
            if result["status"] == "failed":
                return None
        raise UnavailableError(
            f"the export job of {self.settings.survey} was not finished after {_JOB_SECONDS / 60:.0f} minutes: "
            "nothing is lost, the next pull tries again; shorter exports (api.options.window_days) take less time"
        )

    def _download(self, file_id: str) -> bytes:
        """The single file in the zip, unpacked in memory: its name is the survey's title, which may be any text.

        A zip that arrives damaged is downloaded again; HTTP does not detect the damage.
        """
        for tries in range(_TRIES):
            if tries:
                self.http.wait(_FIRST_POLL_SECONDS * 2**tries)
            path = f"{self.settings.path}/export-responses/{file_id}/file"
            response = self.http.get(path, expects="bytes")
            try:
                return _only_member(response.body)
            except (zipfile.BadZipFile, zlib.error, EOFError):
                continue
        raise UnavailableError(
            f"the export of {self.settings.survey} arrived damaged {_TRIES} times: "
            "nothing is lost, the next pull tries again"
        )


def _only_member(packed: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            raise BadResponseError(
                f"the export's zip holds {len(members)} files, expected one: deliver this span as a file"
            )
        if members[0].file_size > _UNPACKED_BYTES:
            raise _TooLargeError
        return archive.read(members[0])


def _page(export: _Export, labels: "_Labels | None", until: datetime, span: Window | None = None) -> Page:
    """span: the recorded dates of which the export holds all responses; an open export may hold later ones too."""
    state: State = {"until": _text(until)}
    if export.continuation:
        state["continuation"] = export.continuation
    records = _count(export.content)
    covers = None if export.continuation else span
    content = labels.replace_codes(export.content) if records and labels else export.content
    notice = f"Qualtrics says: {export.notice}" if export.notice else None
    return Page(content if records else b"", records, state, covers, notice)


def _count(content: bytes) -> int:
    """The number of rows below the header rows; a line break in a quoted cell does not start a row."""
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
        rows: int = sum(batch.num_rows for batch in read) + skipped[0] - _HEADER_ROWS
        return max(0, rows)
    except pa.ArrowInvalid:
        raise BadResponseError(
            "the export is not a CSV with three header rows: check api.options.survey"
        ) from None


@dataclass(frozen=True)
class _Labels:
    """Answer labels. by_question: question's id -> code -> label. names: ids and names of these questions."""

    by_question: dict[str, dict[str, str]]
    names: frozenset[str]

    @classmethod
    def fetch(cls, http: Http, settings: _Settings) -> "_Labels":
        """Raises PullError if a question does not exist or has no choices."""
        labels = cls.of(_definition(http, settings), settings.labelled)
        if absent := sorted(settings.labelled - labels.names):
            raise PullError(
                f"survey {settings.survey} has no single-choice question called {', '.join(absent)}: "
                "correct api.options.labels"
            )
        return labels

    @classmethod
    def of(cls, definition: Mapping[str, Any], wanted: Collection[str]) -> "_Labels":
        """Labels of the wanted questions, by recode: an export's codes may differ from the order on the screen."""
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

    def replace_codes(self, content: bytes) -> bytes:
        """The CSV with the codes of these questions replaced by labels. A code without a label stays.

        Row by row, since rows that do not fit the header must stay unchanged.
        """
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"), newline=""))
        labelled = io.StringIO(newline="")
        writer = csv.writer(labelled, lineterminator="\n")
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
        return labelled.getvalue().encode("utf-8")


def _definition(http: Http, settings: _Settings) -> dict[str, Any]:
    return _result(http.get(settings.path).data, "questions")


def _result(data: Any, needed: str) -> dict[str, Any]:
    """The `result` of a response. Raises BadResponseError if the needed key is missing in it."""
    result = data.get("result") if isinstance(data, dict) else None
    if not isinstance(result, dict) or not result.get(needed):
        raise BadResponseError(f"Qualtrics' response has no result.{needed}: check api.base_url")
    return result


def _plain(text: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
