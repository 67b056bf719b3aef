"""The sample by API: simulated vendors on this machine, a registry that pulls from them, and the known answers.

The vendors' data depends only on a seed and the last day, so it can be served again. `vendors/` contains the simulated
servers. The known answers follow from the planted data, not from the pipeline's rules.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import yaml

from ces_pipeline.demo.known import COUNTS, Ints, KnownAnswers, Tally, reason_bit
from ces_pipeline.home import Home
from ces_pipeline.http.clock import Clock, SystemClock
from ces_pipeline.http.fakes.server import FakeVendor
from ces_pipeline.vendors.freshdesk import fake_server as freshdesk
from ces_pipeline.vendors.generic import fake_server as rest
from ces_pipeline.vendors.medallia import fake_server as medallia
from ces_pipeline.vendors.qualtrics import fake_server as qualtrics
from ces_pipeline.vendors.servicenow import fake_server as servicenow
from ces_pipeline.vendors.zendesk import fake_server as zendesk
from ces_pipeline.vendors.zigpoll import fake_server as zigpoll

FILE_NAME = "known_answers_by_api.json"
COMPARED = tuple(name for name in COUNTS if name not in ("landed", "redelivered"))
"""Pulls overlap by design, so the number of deliveries of a row depends on the number of pulls."""

_SCORE_FIELD = 4711
_TICKETS = {"zendesk_support": 400, "freshdesk_care": 300, "servicenow_it": 300}
SECRETS = {
    "DEMO_ZENDESK_USER": zendesk.EMAIL,
    "DEMO_ZENDESK_TOKEN": zendesk.TOKEN,
    "DEMO_QUALTRICS_TOKEN": qualtrics.TOKEN,
    "DEMO_ZIGPOLL_KEY": zigpoll.KEY,
    "DEMO_MEDALLIA_ID": medallia.CLIENT,
    "DEMO_MEDALLIA_SECRET": medallia.SECRET,
    "DEMO_FRESHDESK_KEY": freshdesk.KEY,
    "DEMO_SERVICENOW_USER": servicenow.USER,
    "DEMO_SERVICENOW_PASSWORD": servicenow.PASSWORD,
    "DEMO_SURVEY_TOOL_KEY": rest.KEY,
}
"""Environment variable -> credential that the simulated vendors accept."""


@dataclass(frozen=True)
class _Survey:
    """A survey: its source, its scale, and its number of answers.

    off_scale: how many answers have a score that is not on the scale. tests: how many answers are previews.
    """

    survey_id: str
    source_id: str
    title: str
    channel: str
    scale: str
    highest: int
    is_easier: bool
    neutral: int
    answers: int
    off_scale: int = 0
    tests: int = 0


_SURVEYS = (
    _Survey(
        "case_solved",
        "qualtrics_support",
        "Case solved",
        "email",
        "ces2_agreement_1_7",
        7,
        True,
        4,
        500,
        tests=20,
    ),
    _Survey("ticket_effort", "zendesk_effort", "Ticket closed", "web", "effort_1_7", 7, False, 4, 250),
    _Survey("checkout_ease", "zigpoll_checkout", "Checkout", "web", "ease_1_5", 5, True, 3, 350),
    _Survey("call_effort", "medallia_calls", "Call", "phone", "ces1_effort_1_5", 5, False, 3, 300),
    _Survey("app_ease", "survey_tool", "App", "in_app", "ease_1_7", 7, True, 4, 200, off_scale=15),
)


@dataclass
class ApiSample:
    """The vendors' data of the `days` up to `last_day` (included), which should be before the day of the pull."""

    last_day: date
    days: int = 14
    seed: int = 7
    clock: Clock = field(default_factory=SystemClock)
    known: KnownAnswers = field(init=False)
    _vendors: dict[str, FakeVendor] = field(init=False)

    def __post_init__(self) -> None:
        tally = Tally(self.last_day)
        scores = {survey.source_id: self._scores(survey, tally) for survey in _SURVEYS}
        self._vendors = {
            "zendesk": self._zendesk(scores["zendesk_effort"], tally),
            "qualtrics": self._qualtrics(scores["qualtrics_support"]),
            "zigpoll": self._zigpoll(scores["zigpoll_checkout"]),
            "medallia": self._medallia(scores["medallia_calls"]),
            "freshdesk": self._freshdesk(tally),
            "servicenow": self._servicenow(tally),
            "survey_tool": self._survey_tool(scores["survey_tool"]),
        }
        self.known = tally.known(
            responses=sum(survey.answers for survey in _SURVEYS),
            seed=self.seed,
            first_day=self.first_day,
            last_day=self.last_day,
        )

    @property
    def first_day(self) -> date:
        return self.last_day - timedelta(days=self.days - 1)

    @contextmanager
    def serving(self) -> Iterator[dict[str, str]]:
        """Run each vendor on its own local port. Yields vendor -> URL."""
        with ExitStack() as stack:
            yield {name: stack.enter_context(vendor).url for name, vendor in self._vendors.items()}

    def write_registry(self, home: Home, urls: Mapping[str, str]) -> None:
        """Replace the sources and surveys of the starter registry."""
        files = {"sources": self._sources(urls), "surveys": _survey_entries()}
        for name, entries in files.items():
            text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True)
            (home.registry / f"{name}.yaml").write_text(
                f"# Written by `ces demo --api`. The vendors only run during the demo.\n{text}",
                encoding="utf-8",
            )
        (home.registry / "segments.yaml").write_text("[]\n", encoding="utf-8")

    def _moments(self, count: int, seed: object) -> Ints:
        """Seconds since 1970, sorted and spread over the days. No second occurs twice."""
        begin = int(datetime.combine(self.first_day, time.min, UTC).timestamp())
        chance = np.random.default_rng([self.seed, *str(seed).encode()])
        return np.sort(chance.choice(self.days * 86_400, count, replace=False)) + begin

    def _scores(self, survey: _Survey, tally: Tally) -> list[tuple[int, int, bool]]:
        """(Second, score, whether it is a preview) of each answer. Adds the expected counts to `tally`."""
        seconds = self._moments(survey.answers, survey.survey_id)
        chance = np.random.default_rng([self.seed, *survey.survey_id.encode()])
        score = chance.integers(1, survey.highest + 1, survey.answers)
        index = np.arange(survey.answers)
        is_test = index < survey.tests
        is_off = (index >= survey.tests) & (index < survey.tests + survey.off_scale)
        score[is_off] = survey.highest + 2
        accepted = ~(is_test | is_off)
        once = np.ones(survey.answers, np.int64)
        tally.rows(
            "survey",
            survey.source_id,
            seconds,
            {"landed": once, "accepted": accepted, "rejected": ~accepted},
            is_test * reason_bit("test_response") + is_off * reason_bit("score_off_scale"),
        )
        kept = score[accepted]
        share = (kept - 1) / (survey.highest - 1)
        sign = 1 if survey.is_easier else -1
        tally.scores(
            survey.survey_id,
            100 * (share if survey.is_easier else 1 - share),
            sign * np.sign(kept - survey.neutral),
        )
        return list(zip(seconds.tolist(), score.tolist(), is_test.tolist(), strict=True))

    def _ticket_seconds(self, source_id: str, tally: Tally, deleted: int) -> list[int]:
        """The second of each ticket's last change. The first `deleted` tickets are deleted."""
        seconds = self._moments(_TICKETS[source_id], source_id)
        once = np.ones(len(seconds), np.int64)
        tally.rows("tickets", source_id, seconds, {"landed": once, "accepted": once})
        tally.tickets(source_id, unique=len(seconds), deleted=deleted)
        return list(map(int, seconds))

    def _zendesk(self, scores: list[tuple[int, int, bool]], tally: Tally) -> FakeVendor:
        """The tickets. The newest of them have an effort score in a custom field."""
        deleted = 10
        seconds = self._ticket_seconds("zendesk_support", tally, deleted)
        tickets = [
            zendesk.ticket(number, generated=at, status="deleted" if number <= deleted else "solved")
            for number, at in enumerate(seconds, start=1)
        ]
        scored = tickets[-len(scores) :]
        # Customers answer when their ticket is solved.
        for ticket, (_, score, _) in zip(scored, scores, strict=True):
            ticket["custom_fields"] = [{"id": _SCORE_FIELD, "value": str(score)}]
            ticket["requester_id"] = 9000 + ticket["id"]
        vendor = zendesk.FakeZendesk(tickets, clock=self.clock)
        vendor.users = {9000 + n: {"id": 9000 + n, "email": f"person{n}@example.org"} for n in range(1000)}
        vendor.metrics = {
            ticket["id"]: {"ticket_id": ticket["id"], "solved_at": zendesk.iso(at), "reopens": 0}
            for ticket, (at, _, _) in zip(scored, scores, strict=True)
        }
        vendor.fields = {_SCORE_FIELD: {"id": _SCORE_FIELD, "active": True}}
        tally.links("ticket_id", len(scores))
        return vendor

    def _qualtrics(self, scores: list[tuple[int, int, bool]]) -> FakeVendor:
        return qualtrics.FakeQualtrics(
            [
                qualtrics.QualtricsAnswer(
                    f"R_{number}", _instant(at), str(score), "about an invoice", "1" if is_test else "0"
                )
                for number, (at, score, is_test) in enumerate(scores)
            ],
            self.clock,
        )

    def _zigpoll(self, scores: list[tuple[int, int, bool]]) -> FakeVendor:
        return zigpoll.FakeZigpoll(
            [
                zigpoll.zigpoll_answer(number, f"visitor{number}", zigpoll.EASE, str(score), _instant(at))
                for number, (at, score, _) in enumerate(scores)
            ],
            self.clock,
        )

    def _medallia(self, scores: list[tuple[int, int, bool]]) -> FakeVendor:
        return medallia.FakeMedallia(
            [
                medallia.medallia_record(f"m{number:05d}", _instant(at), str(score), "about an invoice")
                for number, (at, score, _) in enumerate(scores)
            ],
            self.clock,
        )

    def _freshdesk(self, tally: Tally) -> FakeVendor:
        deleted = 8
        seconds = self._ticket_seconds("freshdesk_care", tally, deleted)
        return freshdesk.FakeFreshdesk(
            [
                freshdesk.ticket(
                    500_000 + number,
                    zendesk.iso(at),
                    status=4,
                    **({"deleted": True} if number < deleted else {}),
                )
                for number, at in enumerate(seconds)
            ],
            clock=self.clock,
        )

    def _servicenow(self, tally: Tally) -> FakeVendor:
        seconds = self._ticket_seconds("servicenow_it", tally, 0)
        rows = [
            servicenow.incident(number, f"{_instant(at):%Y-%m-%d %H:%M:%S}", state="7")
            for number, at in enumerate(seconds)
        ]
        return servicenow.FakeServiceNow({"incident": rows}, clock=self.clock)

    def _survey_tool(self, scores: list[tuple[int, int, bool]]) -> FakeVendor:
        records = [
            {"id": f"r{number}", "changed": _instant(at).isoformat(), "score": score}
            for number, (at, score, _) in enumerate(scores)
        ]
        return rest.FakeSurveyTool(records, "cursor", clock=self.clock)

    def _sources(self, urls: Mapping[str, str]) -> list[dict[str, Any]]:
        def api(vendor: str, connector: str, auth: dict[str, str], **options: Any) -> dict[str, Any]:
            entry = {"connector": connector, "base_url": urls[vendor], "since": self.first_day, "auth": auth}
            return entry | ({"options": options} if options else {})

        def survey_source(
            source_id: str, reader: str, columns: dict[str, str], api: dict[str, Any]
        ) -> dict[str, Any]:
            (survey_id,) = (survey.survey_id for survey in _SURVEYS if survey.source_id == source_id)
            entry = {"id": source_id, "kind": "survey", "reader": reader, "survey": survey_id}
            return {**entry, "columns": columns, "api": api}

        administrator = _basic("DEMO_ZENDESK_USER", "DEMO_ZENDESK_TOKEN")
        client = {
            "kind": "oauth_client",
            "token_url": f"{urls['medallia']}{medallia.TOKEN_PATH}",
            "client_id": "DEMO_MEDALLIA_ID",
            "client_secret": "DEMO_MEDALLIA_SECRET",
        }
        tickets = (
            ("zendesk_support", "zendesk_json", "zendesk", "zendesk", administrator),
            ("freshdesk_care", "freshdesk_json", "freshdesk", "freshdesk", _basic("DEMO_FRESHDESK_KEY")),
            (
                "servicenow_it",
                "servicenow",
                "servicenow",
                "servicenow",
                _basic("DEMO_SERVICENOW_USER", "DEMO_SERVICENOW_PASSWORD"),
            ),
        )
        answered = {
            "response_id": "id",
            "ticket_id": "ticket_id",
            "score": "score",
            "respondent": "requester",
        }
        own = {"response_id": "id", "score": "score", "recorded_at": "changed"}
        dated = {"response_id": "a_surveyid", "score": "q_ces", "recorded_at": medallia.DATE_FIELD}
        key = _key("X-Key", "DEMO_SURVEY_TOOL_KEY")
        paging = {
            "path": rest.PATH,
            "record_path": "data.items",
            "paging": "cursor",
            "cursor_param": "after",
            "next_path": "next",
            "size_param": "size",
            "since_param": "since",
            "time_field": "changed",
            "total_path": "total",
        }
        return [
            *(
                {"id": source_id, "kind": "tickets", "reader": reader, "api": api(vendor, connector, auth)}
                for source_id, reader, vendor, connector, auth in tickets
            ),
            survey_source(
                "qualtrics_support",
                "qualtrics_csv",
                {"score": "Q3", "comment": "Q4"},
                api(
                    "qualtrics",
                    "qualtrics",
                    _key("X-API-TOKEN", "DEMO_QUALTRICS_TOKEN"),
                    survey=qualtrics.SURVEY,
                ),
            ),
            survey_source(
                "zendesk_effort",
                "json",
                {**answered, "submitted_at": "answered_at"},
                api("zendesk", "zendesk_field", administrator, field_id=_SCORE_FIELD),
            )
            | {"ignore": ["updated_at"]},
            survey_source(
                "zigpoll_checkout",
                "zigpoll_json",
                {"score": f"slide:{zigpoll.EASE}"},
                api("zigpoll", "zigpoll", _key("Authorization", "DEMO_ZIGPOLL_KEY"), account=zigpoll.ACCOUNT),
            ),
            survey_source(
                "medallia_calls",
                "medallia_json",
                dated,
                api("medallia", "medallia", client, fields=["q_ces"]),
            ),
            survey_source(
                "survey_tool",
                "json",
                own,
                api("survey_tool", "rest", key, **paging),
            ),
        ]


def _survey_entries() -> list[dict[str, Any]]:
    # All answers of these vendors take the same time, so none of them is fast.
    return [
        {
            "id": survey.survey_id,
            "title": survey.title,
            "scale": survey.scale,
            "channel": survey.channel,
            "rules": {"severities": {"fast_for_survey": "off"}},
        }
        for survey in _SURVEYS
    ]


def _basic(user: str, password: str | None = None) -> dict[str, str]:
    return {"kind": "basic_token", "user": user, **({"password": password} if password else {})}


def _key(header: str, variable: str) -> dict[str, str]:
    return {"kind": "header_key", "header": header, "key": variable}


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
