"""A seeded source for each connector and its fake vendor, for tests that must hold for every connector."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ces_pipeline.http.fakes.faults import PAGING
from ces_pipeline.http.fakes.server import FakeResponse, FakeVendor
from ces_pipeline.land.pull import read_pull_state, write_pull_state
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.vendors.contract import State
from ces_pipeline.vendors.freshdesk import fake_server as freshdesk
from ces_pipeline.vendors.generic import fake_server as rest
from ces_pipeline.vendors.medallia import fake_server as medallia
from ces_pipeline.vendors.qualtrics import fake_server as qualtrics
from ces_pipeline.vendors.servicenow import fake_server as servicenow
from ces_pipeline.vendors.zendesk import fake_server as zendesk
from ces_pipeline.vendors.zigpoll import fake_server as zigpoll
from ces_pipeline_tests.builders import InboxHome, inbox_home

SINCE = "2026-03-01"
_START = datetime(2026, 3, 2, 9, tzinfo=UTC)
_STEP = timedelta(hours=5)
COUNT = 23
PAGE_SIZE = 4


@dataclass(frozen=True)
class ApiSource:
    """A connector's source.

    make: creates its vendor with COUNT records, five hours apart, all before the vendor's clock. ids: the ids that must
    land, as in the lake, in the order of time. columns: the source's mapping. auth, options: of its `api` block.
    environment: its secrets. without: removes records with these ids from a response's list, like a lost page. earlier:
    the state that a pull before the test's pull saved.
    """

    connector: str
    kind: str
    reader: str
    make: Callable[[], FakeVendor]
    ids: Callable[[FakeVendor], list[str]]
    auth: dict[str, Any]
    environment: dict[str, str]
    without: Callable[[FakeResponse, set[str]], FakeResponse] | None = None
    columns: dict[str, str] | None = None
    options: dict[str, Any] | None = None
    paging: tuple[str, ...] = PAGING
    earlier: State = field(default_factory=dict)

    def home(self, folder: Path, vendor: FakeVendor, **more: Any) -> InboxHome:
        """A home with this source only, pulled from the vendor."""
        home = inbox_home(folder, self.entry(vendor.url, **more))
        if self.earlier:
            source = home.registry.sources[self.connector]
            write_pull_state(
                home.lake, source, replace(read_pull_state(home.lake, source), state=self.earlier)
            )
        return home

    def entry(self, url: str, **more: Any) -> dict[str, Any]:
        """The source's entry in sources.yaml; its id is the connector's name."""
        api = {
            "connector": self.connector,
            "base_url": url,
            "since": SINCE,
            "page_size": PAGE_SIZE,
            "auth": {
                name: f"{url}{value}" if name == "token_url" else value for name, value in self.auth.items()
            },
            "options": self.options or {},
        }
        survey = {"survey": "after_chat"} if self.kind in ("survey", "events") else {}
        entry = {"id": self.connector, "kind": self.kind, "reader": self.reader, **survey, "api": api}
        return entry | ({"columns": self.columns} if self.columns else {}) | more

    @property
    def id_column(self) -> str:
        return KINDS[self.kind].own_id


def _moments() -> list[datetime]:
    return [_START + number * _STEP for number in range(COUNT)]


def _basic(user: str, password: str = "") -> tuple[dict[str, Any], dict[str, str]]:
    named = {"user": "VENDOR_USER", **({"password": "VENDOR_PASSWORD"} if password else {})}
    secrets = {"VENDOR_USER": user, **({"VENDOR_PASSWORD": password} if password else {})}
    return {"kind": "basic_token", **named}, secrets


def _less(*keys: str, named: str = "id") -> Callable[[FakeResponse, set[str]], FakeResponse]:
    """Takes records out of the list under `keys`."""

    def without(reply: FakeResponse, ids: set[str]) -> FakeResponse:
        found = reply.data
        # The id of a Zigpoll response is its participant and poll.
        gone = {id_.partition(":")[0] for id_ in ids}
        for key in keys[:-1]:
            found = found.get(key) if isinstance(found, dict) else None
        if keys and isinstance(found, dict) and isinstance(found.get(keys[-1]), list):
            found[keys[-1]] = [record for record in found[keys[-1]] if str(record.get(named)) not in gone]
        elif not keys and isinstance(found, list):
            return FakeResponse(
                reply.status,
                [record for record in found if str(record.get(named)) not in gone],
                headers=reply.headers,
            )
        return reply

    return without


def _zendesk() -> zendesk.FakeZendesk:
    vendor = zendesk.FakeZendesk(
        [
            zendesk.ticket(
                number,
                generated=int(at.timestamp()),
                custom_fields=[{"id": 4711, "value": str(1 + number % 5)}],
            )
            for number, at in enumerate(_moments(), start=1)
        ]
    )
    for number, at in enumerate(_moments(), start=1):
        time = zendesk.iso(at.timestamp())
        vendor.ratings.append(
            {"id": number, "ticket_id": number, "score": "good", "created_at": time, "updated_at": time}
        )
        answer = {"type": "rating_scale", "rating": 4, "created_at": time, "updated_at": time}
        vendor.survey_responses.append(
            {"id": f"R{number}", "survey_id": "S", "created_at": time, "answers": [answer]}
        )
    return vendor


def _freshdesk() -> freshdesk.FakeFreshdesk:
    times = [at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in _moments()]
    vendor = freshdesk.FakeFreshdesk(
        [freshdesk.ticket(number, at) for number, at in enumerate(times, start=1)]
    )
    vendor.csat_responses = {
        "S1": [
            freshdesk.csat_response(f"c{number}", number, 4, at) for number, at in enumerate(times, start=1)
        ],
        "S2": [],
    }
    return vendor


def _servicenow() -> servicenow.FakeServiceNow:
    rows = [
        servicenow.incident(number, f"{at:%Y-%m-%d %H:%M:%S}")
        for number, at in enumerate(_moments(), start=1)
    ]
    return servicenow.FakeServiceNow({"incident": rows})


def _medallia() -> medallia.FakeMedallia:
    return medallia.FakeMedallia(
        [medallia.medallia_record(f"m{number:03d}", at) for number, at in enumerate(_moments())]
    )


def _qualtrics() -> qualtrics.FakeQualtrics:
    return qualtrics.FakeQualtrics(
        [qualtrics.QualtricsAnswer(f"R_{number}", at) for number, at in enumerate(_moments())]
    )


def _zigpoll() -> zigpoll.FakeZigpoll:
    return zigpoll.FakeZigpoll(
        [
            zigpoll.zigpoll_answer(number, f"p{number}", zigpoll.EASE, "4", at)
            for number, at in enumerate(_moments())
        ]
    )


def _polls() -> zigpoll.FakeZigpoll:
    vendor = zigpoll.FakeZigpoll([])
    vendor.polls = [zigpoll.zigpoll_poll(f"p{number}", 1 + number) for number in range(COUNT)]
    return vendor


def _tool() -> rest.FakeSurveyTool:
    return rest.FakeSurveyTool(
        [{"id": f"r{number}", "changed": at.isoformat(), "score": 4} for number, at in enumerate(_moments())],
        "cursor",
    )


_ZENDESK_AUTH, _ZENDESK_SECRETS = _basic(zendesk.EMAIL, zendesk.TOKEN)
_FRESHDESK_AUTH, _FRESHDESK_SECRETS = _basic(freshdesk.KEY)
_SERVICENOW_AUTH, _SERVICENOW_SECRETS = _basic(servicenow.USER, servicenow.PASSWORD)

API_SOURCES: dict[str, ApiSource] = {
    source.connector: source
    for source in (
        ApiSource(
            "zendesk",
            "tickets",
            "zendesk_json",
            _zendesk,
            lambda vendor: [str(ticket["id"]) for ticket in vendor.tickets],  # type: ignore[attr-defined]
            _ZENDESK_AUTH,
            _ZENDESK_SECRETS,
            _less("tickets"),
        ),
        ApiSource(
            "zendesk_field",
            "survey",
            "json",
            _zendesk,
            lambda vendor: [str(ticket["id"]) for ticket in vendor.tickets],  # type: ignore[attr-defined]
            _ZENDESK_AUTH,
            _ZENDESK_SECRETS,
            columns={"response_id": "id", "score": "score", "submitted_at": "answered_at"},
            options={"field_id": 4711},
        ),
        ApiSource(
            "zendesk_ratings",
            "survey",
            "json",
            _zendesk,
            lambda vendor: [str(rating["id"]) for rating in vendor.ratings],  # type: ignore[attr-defined]
            _ZENDESK_AUTH,
            _ZENDESK_SECRETS,
            _less("satisfaction_ratings"),
            columns={"response_id": "id", "csat": "score", "recorded_at": "updated_at"},
        ),
        ApiSource(
            "zendesk_survey_responses",
            "survey",
            "json",
            _zendesk,
            lambda vendor: [response["id"] for response in vendor.survey_responses],  # type: ignore[attr-defined]
            _ZENDESK_AUTH,
            _ZENDESK_SECRETS,
            columns={"response_id": "id", "csat": "rating", "recorded_at": "updated_at"},
        ),
        ApiSource(
            "qualtrics",
            "survey",
            "qualtrics_csv",
            _qualtrics,
            lambda vendor: [answer.id for answer in vendor.answers],  # type: ignore[attr-defined]
            {"kind": "header_key", "header": "X-API-TOKEN", "key": "VENDOR_KEY"},
            {"VENDOR_KEY": qualtrics.TOKEN},
            columns={"score": "Q3"},
            options={"survey": qualtrics.SURVEY, "window_days": 2},
        ),
        ApiSource(
            "zigpoll",
            "survey",
            "zigpoll_json",
            _zigpoll,
            lambda vendor: [f"{answer['participantId']}:{answer['pollId']}" for answer in vendor.answers],  # type: ignore[attr-defined]
            {"kind": "header_key", "header": "Authorization", "key": "VENDOR_KEY"},
            {"VENDOR_KEY": zigpoll.KEY},
            _less("data", named="participantId"),
            columns={"score": f"slide:{zigpoll.EASE}"},
            options={"account": zigpoll.ACCOUNT, "window_days": 2},
        ),
        ApiSource(
            "zigpoll_counters",
            "events",
            "json",
            _polls,
            lambda vendor: [f"{poll['_id']}:{_START.isoformat()}" for poll in vendor.polls],  # type: ignore[attr-defined]
            {"kind": "header_key", "header": "Authorization", "key": "VENDOR_KEY"},
            {"VENDOR_KEY": zigpoll.KEY},
            columns={
                "event_id": "id",
                "event_type": "event_type",
                "value": "views",
                "occurred_at": "occurred_at",
            },
            options={"account": zigpoll.ACCOUNT, "counter": "counts.presentation"},
            paging=("changed",),
            earlier={"read_at": _START.isoformat(), "counters": {}},
        ),
        ApiSource(
            "medallia",
            "survey",
            "medallia_json",
            _medallia,
            lambda vendor: [record["a_surveyid"] for record in vendor.records],  # type: ignore[attr-defined]
            {
                "kind": "oauth_client",
                "token_url": medallia.TOKEN_PATH,
                "client_id": "VENDOR_CLIENT",
                "client_secret": "VENDOR_SECRET",
            },
            {"VENDOR_CLIENT": medallia.CLIENT, "VENDOR_SECRET": medallia.SECRET},
            _less("data", "feedback", "nodes"),
            columns={"response_id": "a_surveyid", "score": "q_ces", "recorded_at": medallia.DATE_FIELD},
            options={"fields": ["q_ces"]},
        ),
        ApiSource(
            "freshdesk",
            "tickets",
            "freshdesk_json",
            _freshdesk,
            lambda vendor: [str(ticket) for ticket in vendor.tickets],  # type: ignore[attr-defined]
            _FRESHDESK_AUTH,
            _FRESHDESK_SECRETS,
            _less(),
        ),
        ApiSource(
            "freshdesk_csat",
            "survey",
            "json",
            _freshdesk,
            lambda vendor: [response["id"] for response in vendor.csat_responses["S1"]],  # type: ignore[attr-defined]
            _FRESHDESK_AUTH,
            _FRESHDESK_SECRETS,
            columns={"response_id": "id", "score": "answers.Q_1", "recorded_at": "updated_at"},
        ),
        ApiSource(
            "servicenow",
            "tickets",
            "servicenow",
            _servicenow,
            lambda vendor: [row["number"] for row in vendor.tables["incident"]],  # type: ignore[attr-defined]
            _SERVICENOW_AUTH,
            _SERVICENOW_SECRETS,
            _less("result", named="number"),
            paging=("repeated_page", "changed", "broken_off"),
        ),
        ApiSource(
            "rest",
            "survey",
            "json",
            _tool,
            lambda vendor: [record["id"] for record in vendor.records],  # type: ignore[attr-defined]
            {"kind": "header_key", "header": "X-Key", "key": "VENDOR_KEY"},
            {"VENDOR_KEY": rest.KEY},
            _less("data", "items"),
            columns={"response_id": "id", "score": "score", "recorded_at": "changed"},
            options={
                "path": rest.PATH,
                "paging": "cursor",
                "cursor_param": "after",
                "next_path": "next",
                "record_path": "data.items",
                "size_param": "size",
                "since_param": "since",
                "time_field": "changed",
                "total_path": "total",
            },
        ),
    )
}
"""Connector's name -> its source."""
