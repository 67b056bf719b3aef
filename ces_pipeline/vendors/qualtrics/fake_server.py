"""A fake Qualtrics brand with one survey: export jobs, their states, zips with awkward names, three header rows."""

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from ces_pipeline.http.clock import Clock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse, FakeVendor

SURVEY = "SV_0abcDEF"
TOKEN = "qualtrics-canary-token"
MEMBER = "../After: chat / how easy?.csv"
LABELS = {"1": "Strongly agree", "2": "Agree", "3": "Neither", "4": "Disagree", "5": "Strongly disagree"}
QUESTION = "How easy was it\nto get help?"


@dataclass(frozen=True)
class QualtricsAnswer:
    """One response. code: the recode of its choice. status: 0 a response, 1 a preview, 8 spam."""

    id: str
    recorded: datetime
    code: str = "4"
    comment: str = "fine, thanks"
    status: str = "0"
    started: datetime | None = None


@dataclass
class _Job:
    states: list[dict[str, Any]]
    body: dict[str, Any]
    content: bytes
    token: str
    packed: bytes | None = None


# States of a job that polling may show; GONE gets status 404.
RUNNING = {"status": "inProgress", "percentComplete": 40.0, "fileId": None}
RUNNING_AT_100 = {"status": "inProgress", "percentComplete": 100.0, "fileId": None}
FAILED_AT_100 = {"status": "failed", "percentComplete": 100.0, "fileId": None}
GONE: dict[str, Any] = {}


class FakeQualtrics(FakeVendor):
    """Paging faults: `repeated_page` shows a running job at 100 %, or sends half a zip; `empty_page` fails the job at
    100 %; `changed` forgets the job, or records a response while an export starts."""

    def __init__(self, answers: list[QualtricsAnswer], clock: Clock | None = None):
        super().__init__(clock, FaultPlan())
        self.answers = answers
        self.jobs: dict[str, _Job] = {}
        self.before_complete: list[list[dict[str, Any]]] = []
        self.tokens: dict[str, int] = {}
        self.starts: list[dict[str, Any]] = []
        self.start_times: list[float] = []
        self.refuses_tokens = False
        self.notice: str | None = None
        self._changes = 0

    def answer(self, asked: FakeRequest) -> FakeResponse:
        if asked.headers.get("x-api-token") != TOKEN:
            return _refused(401, "AUTH_6.0")
        parts = asked.path.removeprefix("/API/v3/").split("/")
        if parts == ["whoami"]:
            return _result({"userId": "UR_1"})
        if parts[:2] != ["surveys", SURVEY]:
            return _refused(404, "Not_Found")
        match parts[2:]:
            case []:
                return _result(self._definition())
            case ["export-responses"] if asked.method == "POST":
                return self._start(asked)
            case ["export-responses", job]:
                return self._progress(job, asked)
            case ["export-responses", file, "file"]:
                return self._file(file, asked)
        return _refused(404, "Not_Found")

    def _definition(self) -> dict[str, Any]:
        choices = {
            str(place): {"recode": code, "description": label, "choiceText": f"<b>{label}</b>&nbsp;"}
            for place, (code, label) in enumerate(reversed(LABELS.items()), start=1)
        }
        question = {
            "questionType": {"type": "MC", "selector": "SAVR", "subSelector": "TX"},
            "questionText": QUESTION,
            "questionName": "Q3",
            "choices": choices,
        }
        text = {
            "questionType": {"type": "TE", "selector": "SL"},
            "questionName": "Q4",
            "questionText": "Why?",
        }
        return {"id": SURVEY, "isActive": True, "questions": {"QID3": question, "QID4": text}}

    def _start(self, asked: FakeRequest) -> FakeResponse:
        body = asked.json
        if asked.fault == "changed":
            self._changes += 1
            now = datetime.fromtimestamp(self.now_s, UTC).replace(microsecond=0)
            self.answers.append(QualtricsAnswer(f"R_late{self._changes}", now))
        if "lastResponseId" in body or body.get("format") != "csv":
            return _refused(400, "Invalid_Parameter")
        if body.get("timeZone", "America/Denver") not in available_timezones():
            return _refused(400, "Invalid_Time_Zone")
        token = body.get("continuationToken")
        if token is not None and (self.refuses_tokens or token not in self.tokens):
            return _refused(400, "Invalid_Continuation_Token")
        self.starts.append(body)
        self.start_times.append(self.clock.monotonic())
        number = len(self.starts)
        issued = f"ct_{number}"
        self.tokens[issued] = len(self.answers)
        chosen = self.answers[self.tokens[token] :] if token else self.answers
        content = self._csv([answer for answer in chosen if self._is_in_span(answer, body)], body)
        states = self.before_complete.pop(0) if self.before_complete else [RUNNING]
        self.jobs[f"ES_{number}"] = _Job(list(states), body, content, issued)
        return _result({"progressId": f"ES_{number}", "percentComplete": 0.0, "status": "inProgress"})

    def _is_in_span(self, answer: QualtricsAnswer, body: dict[str, Any]) -> bool:
        if answer.recorded.timestamp() > self.now_s:
            return False
        start, end = body.get("startDate"), body.get("endDate")
        after_start = start is None or answer.recorded >= datetime.fromisoformat(start)
        return after_start and (end is None or answer.recorded < datetime.fromisoformat(end))

    def _progress(self, name: str, asked: FakeRequest) -> FakeResponse:
        job = self.jobs.get(name)
        if job is None or asked.fault == "changed":
            self.jobs.pop(name, None)
            return _refused(404, "Not_Found")
        if asked.fault == "empty_page":
            del self.jobs[name]
            return _result(FAILED_AT_100)
        if asked.fault == "repeated_page":
            return _result(RUNNING_AT_100)
        if job.states:
            state = job.states.pop(0)
            return _result(state, self.notice) if state else _refused(404, "Not_Found")
        done = {"status": "complete", "percentComplete": 100.0, "fileId": f"file-{name}"}
        return _result(done | ({"continuationToken": job.token} if job.body.get("allowContinuation") else {}))

    def _file(self, name: str, asked: FakeRequest) -> FakeResponse:
        job = self.jobs[name.removeprefix("file-")]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(MEMBER, job.content)
        content = packed.getvalue() if job.packed is None else job.packed
        if asked.fault == "repeated_page":
            content = content[: len(content) // 2]
        return FakeResponse(200, body=content, headers={"Content-Type": "application/zip"})

    def _csv(self, answers: list[QualtricsAnswer], body: dict[str, Any]) -> bytes:
        """The export in the vendor's layout: names, texts (with line breaks), ImportIds, rows."""
        zone = body.get("timeZone", "America/Denver")
        labelled = body.get("useLabels", False)
        times = [("StartDate", "startDate"), ("EndDate", "endDate"), ("RecordedDate", "recordedDate")]
        others = [
            ("Status", "status"),
            ("Finished", "finished"),
            ("Duration (in seconds)", "duration"),
            ("ResponseId", "_recordId"),
            ("Q3", "QID3"),
            ("Q4", "QID4_TEXT"),
        ]
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([name for name, _ in times + others])
        writer.writerow([QUESTION if name == "Q3" else name for name, _ in times + others])
        writer.writerow(
            [json.dumps({"ImportId": id_, "timeZone": zone}) for _, id_ in times]
            + [json.dumps({"ImportId": id_}) for _, id_ in others]
        )
        for answer in answers:
            started = answer.started or answer.recorded - timedelta(seconds=90)
            ended = started + timedelta(seconds=60)
            instants = (started, ended, answer.recorded)
            local = [f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}" for at in instants]
            score = LABELS.get(answer.code, answer.code) if labelled else answer.code
            writer.writerow([*local, answer.status, "1", "60", answer.id, score, answer.comment])
        return text.getvalue().encode()


def _result(result: dict[str, Any], notice: str | None = None) -> FakeResponse:
    meta = {"requestId": "r", "httpStatus": "200 - OK", **({"notice": notice} if notice else {})}
    return FakeResponse(data={"result": result, "meta": meta})


def _refused(status: int, code: str) -> FakeResponse:
    error = {"errorCode": code, "errorMessage": "refused", "instanceId": "i"}
    return FakeResponse(status, {"meta": {"requestId": "r", "httpStatus": f"{status}", "error": error}})
