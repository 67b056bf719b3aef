"""A small home with every kind of source, and the rows that its systems would deliver: made up, from one seed.

`World` keeps what the systems know (answers, tickets, people), so that later deliveries can revise it. It writes exports
into the inbox; it lands, cleans and publishes nothing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import yaml

from ces_pipeline.home import Home
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline_tests.builders import csv_text

PEOPLE = tuple(f"person{number}@example.org" for number in range(40))
CATEGORIES = ("Login", "Login", "login ", "Billing", "Billing", "Delivery", "Returns", "App", None)
PRODUCTS = ("Shop", "web_shop", "App", "Kiosk", None)
CHANNELS = ("email", "chat", "phone", "web", None)

_ANSWER = {"response_id": "id", "score": "score", "comment": "comment", "respondent": "email"}
SOURCES: tuple[dict[str, Any], ...] = (
    {
        "id": "web",
        "kind": "survey",
        "reader": "csv",
        "survey": "after_chat",
        "columns": {
            **_ANSWER,
            "csat": "csat",
            "nps": "nps",
            "ticket_id": "ticket",
            "external_id": "order",
            "recorded_at": "recorded",
            "modified_at": "changed",
            "product": "area",
            "channel": "way",
            "device_type": "kind_of_device",
            "device": "device",
            "language": "language",
            "finished": "finished",
            "duration_seconds": "seconds",
        },
    },
    {
        "id": "forms",
        "kind": "survey",
        "reader": "csv",
        "survey_column": "form",
        "time_zone": "Europe/Berlin",
        "columns": {**_ANSWER, "nps": "nps", "csat": "csat", "ticket_id": "ticket", "recorded_at": "sent"},
    },
    {
        "id": "app",
        "kind": "survey",
        "reader": "json",
        "survey": "in_app",
        "columns": {
            **_ANSWER,
            "respondent": "user.email",
            "recorded_at": "at",
            "modified_at": "changed",
            "journey_stage": "screen",
        },
    },
    {
        "id": "desk",
        "kind": "tickets",
        "reader": "csv",
        "columns": {
            "ticket_id": "number",
            "external_id": "order",
            "status": "state",
            "priority": "priority",
            "category": "topic",
            "channel": "way",
            "product": "area",
            "requester": "email",
            "group_name": "team",
            "created_at": "created",
            "first_reply_at": "replied",
            "solved_at": "solved",
            "updated_at": "updated",
            "version": "version",
            "reopens": "reopens",
            "handoffs": "handoffs",
            "replies": "replies",
            "merged_into": "merged_into",
            "csat": "rating",
        },
    },
    {
        "id": "help",
        "kind": "tickets",
        "reader": "json",
        "csat_scale": "csat_1_5",
        "columns": {
            "ticket_id": "id",
            "status": "status",
            "category": "subject",
            "requester": "from",
            "created_at": "opened",
            "closed_at": "closed",
            "updated_at": "updated",
            "resolution_hours": "hours",
            "csat": "stars",
            "is_deleted": "trashed",
            "is_spam": "spam",
        },
    },
    # An event log: no time of opening, several updates of a ticket in one delivery.
    {
        "id": "events_of_it",
        "kind": "tickets",
        "reader": "csv",
        "columns": {
            "ticket_id": "incident",
            "status": "state",
            "category": "topic",
            "requester": "caller",
            "updated_at": "at",
        },
    },
    {
        "id": "crm",
        "kind": "accounts",
        "reader": "csv",
        "columns": {"person": "email", "account": "company", "valid_from": "since", "valid_to": "until"},
    },
    {
        "id": "mails",
        "kind": "invitations",
        "reader": "csv",
        "survey_column": "form",
        "columns": {
            "invitation_id": "id",
            "person": "email",
            "response_id": "answer",
            "ticket_id": "ticket",
            "event_id": "event",
            "channel": "way",
            "status": "state",
            "sent_at": "sent",
        },
    },
    {
        "id": "chats",
        "kind": "events",
        "reader": "json",
        "columns": {
            "event_id": "id",
            "event_type": "name",
            "person": "who",
            "ticket_id": "ticket",
            "category": "topic",
            "value": "value",
            "occurred_at": "at",
        },
    },
    {
        "id": "views",
        "kind": "events",
        "reader": "csv",
        "survey": "in_app",
        "columns": {"event_id": "id", "event_type": "name", "person": "who", "occurred_at": "at"},
    },
    {
        "id": "calls",
        "kind": "follow_ups",
        "reader": "csv",
        "columns": {
            "follow_up_id": "id",
            "response_id": "answer",
            "ticket_id": "ticket",
            "agent": "agent",
            "state": "state",
            "changed_at": "at",
        },
    },
)
IN_JSON = {entry["id"] for entry in SOURCES if entry["reader"] == "json"}


def registry_of(first: date) -> dict[str, Any]:
    """Every file of the registry of such a home. first: its first day of data."""
    fix_day = first + timedelta(days=12)
    return {
        "sources": [dict(entry) for entry in SOURCES],
        "surveys": [
            {
                "id": "after_chat",
                "title": "After a chat",
                "scale": "ease_1_5",
                "csat_scale": "csat_1_5",
                "has_nps": True,
                "channel": "chat",
                "process": "support",
                "trigger_event": "chat_closed",
                "owner": "support",
                "expected_per_day": 6,
                "wording_version": "2",
                "wording_changes": {"2": fix_day},
            },
            {
                "id": "after_call",
                "also_known_as": ["Call"],
                "scale": "ces2_agreement_1_7",
                "process": "support",
                "owner": "support",
                "link_window_days": 5,
                "scale_changes": {fix_day: "ease_1_7"},
            },
            {
                "id": "welcome",
                "also_known_as": ["Welcome"],
                "scale": "our_scale",
                "has_nps": True,
                "journey_stage": "onboarding",
                "owner": "sales",
            },
            {
                "id": "parcel",
                "also_known_as": ["Parcel"],
                "csat_scale": "csat_1_5",
                "required": ["csat"],
                "product": "web_shop",
            },
            {
                "id": "in_app",
                "scale": "effort_1_7",
                "product": "app",
                "journey_stage": "use",
                "process": "self_service",
            },
        ],
        "scales": [
            {
                "id": "our_scale",
                "title": "Ease, 1 to 6",
                "min": 1,
                "max": 6,
                "higher_means": "easier",
                "easy": [5, 6],
                "difficult": [1, 2],
            }
        ],
        "segments": [
            {"id": "big", "value": "enterprise", "when": {"account.plan": "Enterprise"}},
            {"id": "small", "value": "smb", "when": {"account.plan": ["SMB", "Free"]}},
            {
                "id": "buying",
                "assigns": "journey_stage",
                "value": "purchase",
                "when": {"product": "web_shop"},
            },
            {"id": "bot", "assigns": "handling", "value": "automated", "when": {"replies": 0}},
            {"id": "staff", "assigns": "handling", "value": "human", "when": {"replies": [1, 2, 3, 4, 5, 6]}},
        ],
        "products": [
            {
                "id": "web_shop",
                "title": "Web shop",
                "also_known_as": ["Shop"],
                "area": "web",
                "owner": "sales",
            },
            {"id": "app", "title": "App", "also_known_as": ["App"]},
        ],
        "settings": {
            "business_time_zone": "Europe/Berlin",
            "first_day": "2020-01-01",
            "minimum_n": 2,
            "fix_window_weeks": 3,
            "release_window_days": 5,
            "priority_window_days": 20,
            "outcome_window_days": 28,
            "journey_window_days": 30,
            "effort_half_life_days": 10,
            "contact_limit": 2,
            "holidays": ["2026-03-06"],
            "survey_ineligible": {"category": ["App"], "priority": ["low"]},
        },
        "restatements": [
            {"id": "moved", "first_day": fix_day, "last_day": fix_day + timedelta(days=2), "as_of": fix_day}
        ],
        "fixes": [
            {
                "id": "faster_login",
                "title": "Faster login",
                "live_on": fix_day,
                "categories": ["Login"],
                "lever": "slow_api",
                "cost": 3,
            }
        ],
        "releases": [
            {"id": "spring", "day": fix_day, "title": "Spring", "products": ["web_shop"]},
            {"id": "new_form", "day": fix_day, "title": "New form", "touchpoints": ["after_call"]},
        ],
        "priorities": {
            "value_weights": {"enterprise": 3, "smb": 1},
            "category_costs": {"Login": 2, "Billing": 5},
            "quick_win_cost": 3,
        },
        "alerts": {
            "rules": [
                {"id": rule_id, "owner": "team", "severity": "warning", **condition}
                for rule_id, condition in (
                    ("unusual", {"anomaly": {}}),
                    ("checks", {"checks": "all"}),
                    (
                        "hard",
                        {
                            "threshold": {"figure": "mean_effort_0_100", "above": 30, "dimension": "channel"},
                            "minimum_n": 3,
                        },
                    ),
                    ("rejected", {"threshold": {"metric": "rejected_share", "above": 0.05}}),
                )
            ]
        },
        "objectives": [
            {
                "id": "easier",
                "title": "Easier chats",
                "figure": "mean_ease_0_100",
                "dimension": "survey",
                "segment": "after_chat",
                "baseline": 50,
                "baseline_day": first,
                "target": 70,
                "target_day": first + timedelta(days=90),
            },
            {
                "id": "answered",
                "title": "More answered tickets",
                "metric": "tickets_answered_share",
                "baseline": 0.1,
                "baseline_day": first,
                "target": 0.3,
                "target_day": first + timedelta(days=90),
            },
        ],
    }


def written(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()


@dataclass
class Sent:
    """An export that was put into the inbox. days: the days (UTC) of its rows."""

    source: str
    name: str
    days: frozenset[date]
    is_taken_back: bool = False


@dataclass
class World:
    """The systems around a home.

    newest: the newest day of which there are rows. rows: source -> id -> its rows as they were last delivered.
    waiting: source -> rows of the next export. sent: every export so far. more: cells of columns that the rows of `web`
    have besides its usual ones, or in place of them.
    """

    home: Home
    random: Random
    newest: date
    registry_files: dict[str, Any]
    rows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    waiting: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    more: dict[str, str] = field(default_factory=dict)
    count: int = 0

    @classmethod
    def begin(cls, root: Path, seed: int, first: date) -> "World":
        """A home below `root` without rows."""
        world = cls(Home(root).make(), Random(seed), first, registry_of(first))
        world.write_registry(*world.registry_files)
        return world

    def write_registry(self, *names: str) -> Registry:
        """Write these files of the registry. Raises RegistryError if they are not valid."""
        for name in names:
            text = yaml.safe_dump(self.registry_files[name], sort_keys=False)
            (self.home.registry / f"{name}.yaml").write_text(text, encoding="utf-8")
        return load_registry(self.home.registry)

    def number(self) -> int:
        self.count += 1
        return self.count

    def at(self, day: date) -> datetime:
        """A moment of the day, early enough to be no other day in Berlin."""
        return datetime.combine(day, time(2), UTC) + timedelta(minutes=self.random.randrange(19 * 60))

    def some(self, source: str, most: int) -> list[dict[str, Any]]:
        """Up to `most` rows that the source delivered before."""
        known = self.rows.get(source, {})
        keys = self.random.sample(sorted(known), min(len(known), self.random.randint(1, most)))
        return [dict(known[key]) for key in keys]

    def deliver(self, source: str, key: str, row: Mapping[str, Any]) -> None:
        """Add a row to the next export of the source; `key` identifies what it is about."""
        self.rows.setdefault(source, {})[key] = dict(row)
        self.waiting.setdefault(source, []).append(dict(row))

    def send(self) -> list[Sent]:
        """Write the waiting rows as exports, one per source, into the inbox."""
        sent = []
        for source, rows in self.waiting.items():
            name = f"{source}-{self.number():06}.{'jsonl' if source in IN_JSON else 'csv'}"
            path = self.home.inbox / source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if source in IN_JSON:
                text = "\n".join(map(json.dumps, rows))
            else:
                blank = {name: "" for row in rows for name in row}
                text = csv_text([blank | row for row in rows])
            path.write_text(text, encoding="utf-8")
            sent.append(Sent(source, name, frozenset(_days(source, rows))))
        self.waiting = {}
        self.sent += sent
        return sent

    def unusable(self, day: date) -> None:
        """One row of every kind that no rule accepts."""
        early = "2019-05-05T12:00:00Z"
        wrong = {"web": {"id": ""}, "crm": {"since": "soon"}, "calls": {"answer": "", "ticket": ""}}
        wrong |= {"mails": {"sent": early}, "views": {"at": early}}
        wrong["desk"] = dict.fromkeys(("updated", "created", "replied", "solved"), early)
        for source, values in wrong.items():
            getattr(self, source)(day)
            self.rows[source].popitem()
            self.waiting[source][-1] |= values

    # What happens in the systems on a day.

    def day(self, day: date, share: float = 1.0, sources: Iterable[str] = ()) -> None:
        """An ordinary day of these sources (all unless given); share: of the usual number of rows."""
        chosen = set(sources)
        for source, usual in _USUAL.items():
            if not chosen or source in chosen:
                for _ in range(max(1, round(usual * share))):
                    getattr(self, source)(day)
        if not chosen or "desk" in chosen:
            for ticket in self.some("desk", 6):
                self.next_version(ticket, day)

    def about(self, source: str = "desk") -> str:
        """The id of a ticket, often none."""
        known = self.rows.get(source)
        return self.random.choice(sorted(known)) if known and self.random.random() < 0.4 else ""

    def web(self, day: date) -> None:
        pick, number = self.random, self.number()
        at = self.at(day)
        row: dict[str, Any] = {
            "id": f"w{number}",
            "score": pick.choice(["1", "2", "3", "4", "5", "5", "Very easy", "", "9"]),
            "csat": pick.choice(["1", "3", "5", ""]),
            "nps": pick.choice(["0", "6", "8", "10", ""]),
            "comment": pick.choice(["very easy", "It took ages", "terrible, so slow", ""]),
            "email": pick.choice((*PEOPLE, "")),
            "ticket": self.about(),
            "order": pick.choice(["", "", f"order{number % 30}"]),
            "recorded": written(at),
            "changed": written(at),
            "area": pick.choice(PRODUCTS),
            "way": pick.choice(CHANNELS),
            "kind_of_device": pick.choice(["mobile", "desktop", ""]),
            "device": f"d{number % 17}",
            "language": pick.choice(["en", "de", ""]),
            "finished": pick.choice(["true", "true", "true", "false"]),
            "seconds": pick.choice([1, 30, 45, 90]),
            **self.more,
        }
        self.deliver("web", row["id"], row)

    def forms(self, day: date) -> None:
        pick = self.random
        row: dict[str, Any] = {
            "id": f"f{self.number()}",
            "form": pick.choice(["Call", "Call", "Welcome", "Parcel", "Kiosk"]),
            "score": pick.choice("123456"),
            "csat": pick.choice("12345"),
            "nps": pick.choice(["2", "9", ""]),
            "comment": pick.choice(["fine", "difficult to reach", ""]),
            "email": pick.choice(PEOPLE),
            "ticket": self.about("help"),
            # Without a zone: that of the source.
            "sent": self.at(day).strftime("%Y-%m-%d %H:%M:%S"),
        }
        self.deliver("forms", row["id"], row)

    def app(self, day: date) -> None:
        pick, at = self.random, self.at(day)
        row: dict[str, Any] = {
            "id": f"a{self.number()}",
            "score": pick.choice("1234567"),
            "comment": pick.choice(["ok", "confusing", ""]),
            "user": {"email": pick.choice(PEOPLE)},
            "at": written(at),
            "changed": written(at),
            "screen": pick.choice(["search", "checkout", ""]),
        }
        self.deliver("app", row["id"], row)

    def desk(self, day: date) -> None:
        pick, number, at = self.random, self.number(), self.at(day)
        row: dict[str, Any] = {
            "number": str(number),
            "order": pick.choice(["", f"order{number % 30}"]),
            "state": "open",
            "priority": pick.choice(["low", "normal", "high", ""]),
            "topic": pick.choice(CATEGORIES),
            "way": pick.choice(CHANNELS),
            "area": pick.choice(PRODUCTS),
            "email": pick.choice((*PEOPLE, "")),
            "team": pick.choice(["first line", "second line", ""]),
            "created": written(at),
            "replied": written(at + timedelta(minutes=pick.randint(1, 600))) if pick.random() < 0.8 else "",
            "solved": "",
            "updated": written(at),
            "version": 1,
            "reopens": 0,
            "handoffs": pick.randint(0, 3),
            "replies": pick.randint(0, 6),
            "merged_into": "",
            "rating": pick.choice(["", "good", "bad"]),
        }
        if pick.random() < 0.5:
            row |= {"state": "solved", "solved": written(at + timedelta(minutes=pick.randint(5, 240)))}
        self.deliver("desk", row["number"], row)

    def next_version(self, ticket: dict[str, Any], day: date, **values: Any) -> None:
        """A later version of a ticket of `desk`, solved unless `values` say otherwise."""
        at = self.at(day)
        changed = {
            "state": "solved",
            "solved": written(at),
            "updated": written(at),
            "version": int(ticket["version"]) + 1,
            **values,
        }
        self.deliver("desk", ticket["number"], {**ticket, **changed})

    def help(self, day: date) -> None:
        pick, at = self.random, self.at(day)
        hours = pick.choice([1, 2.5, 20, None])
        row: dict[str, Any] = {
            "id": f"h{self.number()}",
            "status": "closed" if hours else "pending",
            "subject": pick.choice(CATEGORIES),
            "from": pick.choice(PEOPLE),
            "opened": written(at - timedelta(hours=hours or 0)),
            "closed": written(at) if hours else None,
            "updated": written(at),
            "hours": hours,
            "stars": pick.choice([1, 3, 5, None]),
            "trashed": pick.choice([False, False, None]),
            "spam": pick.choice([False, False, False, True]),
        }
        self.deliver("help", row["id"], row)

    def events_of_it(self, day: date) -> None:
        pick, key = self.random, f"INC{self.number()}"
        base = {"incident": key, "topic": pick.choice(CATEGORIES), "caller": pick.choice(PEOPLE)}
        moments = sorted(self.at(day) for _ in range(3))
        for at, state in zip(
            moments, ["new", "in progress", pick.choice(["closed", "on hold"])], strict=True
        ):
            self.deliver("events_of_it", key, {**base, "state": state, "at": written(at)})

    def crm(self, day: date) -> None:
        pick = self.random
        person = pick.choice(PEOPLE)
        row: dict[str, Any] = {
            "email": person,
            "company": f"company {PEOPLE.index(person) % 7}",
            "since": day.isoformat(),
            "until": pick.choice(["", "", "", (day + timedelta(days=9)).isoformat()]),
            "plan": pick.choice(["SMB", "Enterprise", "Free", ""]),
            "region": pick.choice(["EU", "US"]),
        }
        self.deliver("crm", f"{person} {day}", row)

    def mails(self, day: date) -> None:
        pick = self.random
        events = sorted(self.rows.get("chats", {}))
        answers = sorted(self.rows.get("web", {}))
        row: dict[str, Any] = {
            "id": f"i{self.number()}",
            "form": pick.choice(["after_chat", "after_chat", "Call", "Welcome"]),
            "email": pick.choice(PEOPLE),
            "answer": pick.choice(answers) if answers and pick.random() < 0.2 else "",
            "ticket": self.about(),
            "event": pick.choice(events) if events and pick.random() < 0.7 else "",
            "way": pick.choice(CHANNELS),
            "state": pick.choice(["sent", "delivered", "opened", "bounced", "out of scope"]),
            "sent": written(self.at(day)),
        }
        self.deliver("mails", row["id"], row)

    def chats(self, day: date) -> None:
        pick = self.random
        is_measure = pick.random() < 0.4
        row: dict[str, Any] = {
            "id": f"e{self.number()}",
            "name": "latency_ms" if is_measure else "chat_closed",
            "who": None if is_measure else pick.choice(PEOPLE),
            "ticket": None if is_measure else self.about(),
            "topic": pick.choice(["Login", "Billing"]) if is_measure else None,
            "value": pick.randint(50, 900) if is_measure else None,
            "at": written(self.at(day)),
        }
        self.deliver("chats", row["id"], row)

    def views(self, day: date) -> None:
        row: dict[str, Any] = {
            "id": f"v{self.number()}",
            "name": self.random.choice(["view", "prompt_shown"]),
            "who": self.random.choice(PEOPLE),
            "at": written(self.at(day)),
        }
        self.deliver("views", row["id"], row)

    def calls(self, day: date) -> None:
        pick = self.random
        answers = sorted(self.rows.get("web", {}))
        names_answer = bool(answers) and pick.random() < 0.7
        row: dict[str, Any] = {
            "id": f"c{self.number()}",
            "answer": pick.choice(answers) if names_answer else "",
            "ticket": "" if names_answer else self.about() or "1",
            "agent": f"agent{pick.randint(1, 3)}@example.org",
            "state": "assigned",
            "at": written(self.at(day)),
        }
        self.deliver("calls", row["id"], row)


_USUAL = {
    "crm": 2, "chats": 6, "views": 4, "web": 6, "forms": 5, "app": 3, "desk": 6, "help": 3, "events_of_it": 1,
    "mails": 6, "calls": 3,
}  # fmt: skip
"""Source -> rows of a usual day."""
_TIMES = {
    "web": "recorded", "forms": "sent", "app": "at", "desk": "updated", "help": "updated", "events_of_it": "at",
    "crm": "since", "mails": "sent", "chats": "at", "views": "at", "calls": "at",
}  # fmt: skip
"""Source -> the column that decides the day of a row."""


def _days(source: str, rows: Sequence[Mapping[str, Any]]) -> Iterable[date]:
    times = (str(row[_TIMES[source]]) for row in rows)
    return {date.fromisoformat(at[:10]) for at in times if at[:2] == "20"}
