"""Random nights on a small home: after each, the published file must equal one that is made anew from the lake.

`python -m ces_pipeline_tests.nights [--seeds 20] [--nights 50] [--first-seed 0] [--keep FOLDER]` runs so many nights of
each seed and prints one line per seed. On a difference it prints the tables, rows and columns that differ, and the
steps of every night so far, keeps both homes in FOLDER (if given), and exits 1.

Both files are published at one moment of a frozen clock under one run id, so that they differ in no column but those of
`HOW_IT_WAS_MADE`. In the homes of odd seeds every table counts as large: only rows that differ are written. In those
of seeds 2, 6, 10 and so on, the file is written again without its unused space after most nights.
"""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import time_machine

from ces_pipeline import pipeline
from ces_pipeline.corrections.people import erase
from ces_pipeline.corrections.unland import take_delivery_back, undo
from ces_pipeline.home import Home
from ces_pipeline.privacy.pseudonyms import KEY_VARIABLE
from ces_pipeline.publish import compaction, incremental
from ces_pipeline.publish.step import PublishResult
from ces_pipeline.publish.stored_tables import STORED_TABLES
from ces_pipeline.registry import Registry
from ces_pipeline.reports.probe import probe
from ces_pipeline.schemas.incidents import ALERT_DELIVERIES
from ces_pipeline.storage.journal import ALL_SOURCES, add_rows
from ces_pipeline.storage.lake import Lake
from ces_pipeline.watch import log
from ces_pipeline_tests.compare_published import Difference, compare
from ces_pipeline_tests.every_source import CATEGORIES, PEOPLE, Sent, World

FIRST = date(2026, 3, 5)
FIRST_DAYS = 24
_HOUR = time(3, tzinfo=UTC)
HOW_IT_WAS_MADE = {
    "audit.publication": {"rebuilt_size_bytes", "rebuilt_rows"},
    "audit.published_tables": {"inputs", "filled_by_run"},
}
"""Table -> columns that may differ: which run filled a table last, and from what it was filled."""
OF_REQUESTS = frozenset({"audit.requests", "audit.pulls", "audit.pull_windows", "mart.requests_daily"})
"""Tables without rows here: nothing asks an API."""


_LANDED = ("raw", "index")


class DifferenceError(AssertionError):
    """The file that was brought up to date is not the one that is made anew."""


# Steps: each changes the world or the home, and returns what it did, or None if there was nothing to do it to.


def newest_day(nights: "Nights") -> str:
    """The rows of yesterday, of some or all sources."""
    world = nights.world
    day = nights.yesterday
    sources = () if world.random.random() < 0.7 else world.random.sample(_SOURCE_IDS, 4)
    world.day(day, world.random.choice([0.3, 1.0, 1.0]), sources)
    world.newest = max(world.newest, day)
    return f"rows of {day}{' of ' + ', '.join(sources) if sources else ''}"


def late_rows(nights: "Nights") -> str:
    world = nights.world
    days = [nights.yesterday - timedelta(days=world.random.randint(1, 8)) for _ in range(3)]
    for day in days:
        world.day(day, 0.2, world.random.sample(_SOURCE_IDS, 3))
    return f"late rows of {', '.join(map(str, days))}"


def a_day_far_back(nights: "Nights") -> str:
    """Rows of a day weeks ago, now and then earlier than any other."""
    world = nights.world
    day = nights.yesterday - timedelta(days=world.random.randint(20, 60))
    world.day(day, 0.4, world.random.sample(_SOURCE_IDS, 5))
    return f"rows of {day}, far back"


def unusable_rows(nights: "Nights") -> str:
    nights.world.unusable(nights.yesterday)
    return "unusable rows"


def audited(nights: "Nights") -> str:
    """An audit of all days, by the registry as it is now: a night may have changed it."""
    found = pipeline.audit(nights.world.home, nights.registry, run_id=f"audit-{nights.now:%m-%d}")
    return f"an audit with {len(found.findings)} findings"


def changed_export(nights: "Nights") -> str:
    """Another column, the same under another name, or another value in the exports of `web` from now on."""
    world = nights.world
    world.more = world.random.choice([{}, {"browser": "x"}, {"agent": "x"}, {"kind_of_device": "watch"}])
    return f"exports of web with {world.more or 'the usual columns'}"


def revised_answers(nights: "Nights") -> str:
    """Answers with other scores, tickets or people; some move to another day, which may empty their day."""
    world, pick = nights.world, nights.world.random
    changed = []
    for source, column in (("web", "recorded"), ("app", "at")):
        for row in world.some(source, 3):
            row |= {"score": pick.choice("12345"), "changed": nights.now.isoformat()}
            if source == "web":
                row |= {
                    "ticket": world.about(),
                    "email": pick.choice(PEOPLE),
                    "area": pick.choice(["App", ""]),
                }
            if pick.random() < 0.3:
                row[column] = world.at(nights.some_day()).isoformat()
            world.deliver(source, row["id"], row)
            changed.append(row["id"])
    return f"answers {', '.join(changed)} revised"


def revised_tickets(nights: "Nights") -> str | None:
    """Later versions of tickets: another category, customer, state, time of solving or count."""
    world, pick = nights.world, nights.world.random
    changed = []
    for ticket in world.some("desk", 5):
        values: dict[str, Any] = pick.choice(
            [
                {"topic": pick.choice(CATEGORIES)},
                {"email": pick.choice(PEOPLE)},
                {"state": "open", "solved": "", "reopens": int(ticket["reopens"]) + 1},
                {"solved": world.at(nights.some_day()).isoformat(), "replies": pick.randint(0, 9)},
                {"state": "pending", "solved": "", "way": pick.choice(["email", "phone"]), "rating": "bad"},
            ]
        )
        world.next_version(ticket, nights.some_day(recent=True), **values)
        changed.append(ticket["number"])
    for row in world.some("help", 2):
        row |= {"subject": pick.choice(CATEGORIES), "stars": pick.choice([1, 5])}
        world.deliver("help", row["id"], row | {"updated": world.at(nights.yesterday).isoformat()})
        changed.append(row["id"])
    return f"tickets {', '.join(changed)} revised"


def corrected_versions(nights: "Nights") -> str:
    """The same update of a ticket again with other content: its old day changes."""
    world, pick = nights.world, nights.world.random
    changed = []
    for ticket in world.some("desk", 3):
        ticket |= {"topic": pick.choice(CATEGORIES), "email": pick.choice(PEOPLE), "order": "order1"}
        world.deliver("desk", ticket["number"], {**ticket, "version": int(ticket["version"]) + 1})
        changed.append(ticket["number"])
    return f"updates of tickets {', '.join(changed)} corrected"


def deleted_tickets(nights: "Nights") -> str:
    """Tickets that were deleted, marked as spam or merged into another, and some that come back."""
    world, pick = nights.world, nights.world.random
    changed = []
    others = sorted(world.rows["desk"])
    for ticket in world.some("desk", 4):
        values = pick.choice(
            [
                {"state": "deleted"},
                {"state": "deleted"},
                {"state": "spam"},
                {"state": "closed", "merged_into": pick.choice(others)},
                {"state": "open", "merged_into": "", "solved": ""},
            ]
        )
        world.next_version(ticket, nights.yesterday, **values)
        changed.append(f"{ticket['number']} {values['state']}")
    for row in world.some("help", 1):
        world.deliver("help", row["id"], row | {"trashed": True, "updated": nights.last_minute.isoformat()})
        changed.append(f"{row['id']} trashed")
    return f"tickets {', '.join(changed)}"


def delivery_taken_back(nights: "Nights") -> str | None:
    held = [sent for sent in nights.world.sent if not sent.is_taken_back and len(sent.days) <= 8]
    return nights.take_back([nights.world.random.choice(held)]) if held else None


def delivery_returned(nights: "Nights") -> str | None:
    """A delivery that was taken back lands again."""
    gone = [sent for sent in nights.world.sent if sent.is_taken_back]
    if not gone:
        return None
    sent = nights.world.random.choice(gone)
    undo(nights.world.home, sent.name, source_id=sent.source)
    sent.is_taken_back = False
    nights.to_land.add(sent.source)
    return f"{sent.name} lands again"


def emptied_day(nights: "Nights") -> str | None:
    """Every small delivery of a day is taken back."""
    day = nights.some_day(recent=True)
    held = [sent for sent in nights.world.sent if day in sent.days and nights.is_small(sent)]
    return nights.take_back(held) if held else None


def newest_day_moves_back(nights: "Nights") -> str | None:
    """Every small delivery with rows of the newest day is taken back."""
    held = [sent for sent in nights.world.sent if nights.is_small(sent)]
    if not held:
        return None
    newest = max(max(sent.days) for sent in held)
    return nights.take_back([sent for sent in held if newest in sent.days])


def forgotten_person(nights: "Nights") -> str:
    person = nights.world.random.choice(PEOPLE)
    erase(nights.world.home, nights.registry, person)
    return f"{person} forgotten"


def accounts(nights: "Nights") -> str:
    """New versions of accounts, today's and earlier ones, and other attributes in known versions."""
    world, pick = nights.world, nights.world.random
    for _ in range(pick.randint(1, 3)):
        world.crm(nights.some_day(recent=True))
    for row in world.some("crm", 2):
        row |= {"plan": pick.choice(["SMB", "Enterprise"]), "region": pick.choice(["EU", "APAC"])}
        world.deliver("crm", f"{row['email']} {row['since']}", row)
    return "accounts"


def invitations(nights: "Nights") -> str:
    """Late invitations, and other states and answers of known ones."""
    world, pick = nights.world, nights.world.random
    world.day(nights.some_day(recent=True), 0.5, ["mails"])
    for row in world.some("mails", 4):
        row |= {"state": pick.choice(["completed", "refused", "bounced", "opened"])}
        if pick.random() < 0.5:
            row["answer"] = pick.choice(sorted(world.rows["web"]))
        world.deliver("mails", row["id"], row)
    return "invitations"


def events(nights: "Nights") -> str:
    """Late events, and known ones with other values or times."""
    world, pick = nights.world, nights.world.random
    world.day(nights.some_day(recent=True), 0.5, ["chats", "views"])
    for row in world.some("chats", 3):
        row |= {"value": pick.randint(1, 99), "who": pick.choice(PEOPLE)}
        if pick.random() < 0.3:
            row["at"] = world.at(nights.some_day()).isoformat()
        world.deliver("chats", row["id"], row)
    return "events"


def follow_ups(nights: "Nights") -> str:
    """New follow-ups, and further steps of known ones."""
    world, pick = nights.world, nights.world.random
    world.calls(nights.yesterday)
    for row in world.some("calls", 3):
        row |= {
            "state": pick.choice(["contacted", "resolved", "done"]),
            "at": world.at(nights.yesterday).isoformat(),
        }
        world.deliver("calls", row["id"], row)
    return "follow-ups"


def cleaning_stopped(nights: "Nights") -> str:
    """The days of one kind wait for the next night: the file is published without them."""
    nights.uncleaned = nights.world.random.choice(nights.registry.kinds)
    return f"no cleaning of {nights.uncleaned} tonight"


def setting(nights: "Nights") -> str:
    pick, settings = nights.world.random, nights.world.registry_files["settings"]
    name, values = pick.choice(_SETTINGS)
    settings[name] = pick.choice([value for value in values if value != settings.get(name)])
    nights.follow_registry("settings")
    return f"setting {name}: {settings[name]}"


def registry_entry(nights: "Nights") -> str:
    """An entry of another file of the registry: changed, added or removed."""
    change = nights.world.random.choice(_ENTRIES)
    change(nights)
    nights.follow_registry(*nights.world.registry_files)
    return f"registry: {change.__name__.strip('_')}"


def nothing(nights: "Nights") -> str:
    return "nothing"


_SETTINGS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("minimum_n", (1, 2, 3, 5)),
    ("repeat_contact_days", (3, 7, 14)),
    ("journey_window_days", (10, 30, 365)),
    ("effort_half_life_days", (5, 10, 90)),
    ("invitation_window_days", (2, 5, 30)),
    ("invite_window_days", (1, 2, 5)),
    ("follow_up_window_days", (3, 7, 14)),
    ("reopen_window_days", (2, 7, 10)),
    ("contact_limit", (1, 2, 3)),
    ("contact_window_days", (7, 30)),
    ("priority_window_days", (10, 20, 90)),
    ("fix_window_weeks", (3, 4, 8)),
    ("release_window_days", (3, 5, 14)),
    ("most_lag_days", (2, 7)),
    ("outcome_window_days", (28, 30)),
    ("silent_touchpoint_days", (1, 7)),
    ("smallest_effect_0_100", (2, 5)),
    ("smallest_ticket_change", (0.1, 0.3)),
    ("tag_coverage_warning", (0.2, 0.5)),
    ("reject_share_warning", (0.1, 0.25)),
    ("speed_window_days", (7, 28)),
    ("survey_ineligible", ({}, {"channel": ["phone"]}, {"category": ["App"], "priority": ["low"]})),
    ("holiday_calendars", ([], ["DE-BE"], ["AT"])),
    ("holidays", ([], ["2026-03-18"], ["2026-03-18", "2026-04-03"])),
    ("business_hours", ({"monday": {"opens": "08:00", "closes": "20:00"}}, {"friday": {"opens": "09:00", "closes": "24:00"}})),
    ("effort_index", ({"version": "1"}, {"version": "2", "replies": {"weight": 5, "full_at": 3}})),
    ("business_time_zone", ("Europe/Berlin", "UTC")),
)  # fmt: skip


def _survey(nights: "Nights") -> None:
    """Words and expectations of a touchpoint, and what links and judges its answers."""
    pick = nights.world.random
    entry = pick.choice(nights.world.registry_files["surveys"])
    entry |= pick.choice(
        [
            {"title": f"Title {nights.world.number()}"},
            {"owner": pick.choice(["sales", "support", "product"])},
            {"expected_per_day": pick.randint(1, 20)},
            {"link_window_days": pick.choice([1, 5, 14])},
            {"wording_version": "2", "wording_changes": {"2": nights.some_day()}},
            {"trigger_event": pick.choice(["chat_closed", "latency_ms"])},
            {"process": pick.choice(["support", "renewal"])},
            {"live_to": nights.yesterday},
            {"rules": {"min_duration_seconds": pick.choice([0, 40])}},
        ]
    )


def _alias(nights: "Nights") -> None:
    """The answers of a form whose name no survey had are judged anew, or lose their survey again."""
    parcel = next(entry for entry in nights.world.registry_files["surveys"] if entry["id"] == "parcel")
    parcel["also_known_as"] = ["Parcel"] if "Kiosk" in parcel["also_known_as"] else ["Parcel", "Kiosk"]


def _scale(nights: "Nights") -> None:
    (scale,) = nights.world.registry_files["scales"]
    scale["easy"] = [6] if scale["easy"] == [5, 6] else [5, 6]


def _scale_of_survey(nights: "Nights") -> None:
    call = next(entry for entry in nights.world.registry_files["surveys"] if entry["id"] == "after_call")
    call["scale_changes"] = {} if call.get("scale_changes") else {nights.some_day(): "ease_1_7"}


def _product(nights: "Nights") -> None:
    products = nights.world.registry_files["products"]
    if len(products) == 2:
        products.append({"id": "kiosk", "title": "Kiosk", "also_known_as": ["Kiosk"]})
    else:
        products.pop()


def _segment(nights: "Nights") -> None:
    big = nights.world.registry_files["segments"][0]
    by_region = {"account.plan": "Enterprise", "account.region": "EU"}
    big["when"] = by_region if len(big["when"]) == 1 else {"account.plan": "Enterprise"}


def _handling(nights: "Nights") -> None:
    staff = nights.world.registry_files["segments"][-1]
    staff["when"] = {"group_name": "First line"} if "replies" in staff["when"] else {"replies": [1, 2, 3]}


def _restatement(nights: "Nights") -> None:
    entries = nights.world.registry_files["restatements"]
    if entries:
        entries.clear()
    else:
        day = nights.some_day(recent=True)
        last = day + timedelta(days=3)
        entries.append({"id": "moved", "first_day": day, "last_day": last, "as_of": nights.yesterday})


def _fix(nights: "Nights") -> None:
    entry = {"id": "new_bill", "title": "New bill", "live_on": nights.some_day(), "categories": ["Billing"]}
    entry |= {"cost": nights.world.random.randint(1, 9)}
    nights.world.registry_files["fixes"][1:] = [entry]


def _release(nights: "Nights") -> None:
    day, releases = nights.some_day(), nights.world.registry_files["releases"]
    releases[2:] = [{"id": "summer", "day": day, "title": "Summer"}]


def _priorities(nights: "Nights") -> None:
    costs = nights.world.registry_files["priorities"]["category_costs"]
    costs["Delivery"] = nights.world.random.randint(1, 9)


def _objective(nights: "Nights") -> None:
    objectives = nights.world.registry_files["objectives"]
    objectives[0]["target"] = nights.world.random.randint(60, 99)
    objectives[0]["segment"] = nights.world.random.choice(["after_chat", "after_call"])


def _source(nights: "Nights") -> None:
    """What the words of a system mean: its exports land again."""
    desk = next(entry for entry in nights.world.registry_files["sources"] if entry["id"] == "help")
    desk["values"] = {} if desk.get("values") else {"category": {"Returns": "Delivery"}}


_ENTRIES: tuple[Callable[["Nights"], None], ...] = (
    *(_survey, _survey, _alias, _scale, _scale_of_survey, _product, _segment, _handling, _restatement),
    *(_fix, _release, _priorities, _objective, _source),
)
_SOURCE_IDS = (
    "web",
    "forms",
    "app",
    "desk",
    "help",
    "events_of_it",
    "crm",
    "mails",
    "chats",
    "views",
    "calls",
)
STEPS: Mapping[Callable[["Nights"], str | None], int] = {
    newest_day: 12, late_rows: 6, a_day_far_back: 2, revised_answers: 5, revised_tickets: 6, corrected_versions: 3,
    deleted_tickets: 4, delivery_taken_back: 3, delivery_returned: 3, emptied_day: 2, newest_day_moves_back: 3,
    forgotten_person: 1, accounts: 3, invitations: 3, events: 3, follow_ups: 3, cleaning_stopped: 1, setting: 3, unusable_rows: 2, changed_export: 2, audited: 1,
    registry_entry: 3, nothing: 2,
}  # fmt: skip
"""Step -> how often it is drawn, in proportion."""
WAYS = ("updated", "made anew", "unchanged")


@dataclass
class Nights:
    """One seed's nights. copied: folder of the home whose file is made anew each night.

    log: what each night did. ways: how often the file was updated, made anew, or unchanged. steps: how often each
    step was taken. filled: tables that had rows in some night.
    """

    world: World
    copied: Home
    seed: int
    now: datetime
    registry: Registry
    log: list[str] = field(default_factory=list)
    ways: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    filled: set[str] = field(default_factory=set)
    to_land: set[str] = field(default_factory=set)
    uncleaned: str | None = None
    published_as: tuple[str, datetime] | None = None
    """Run id and moment of the publish that wrote the file."""

    @classmethod
    def begin(cls, folder: Path, seed: int) -> "Nights":
        """Publish a home of FIRST_DAYS days below `folder`."""
        world = World.begin(folder / "home", seed, FIRST)
        days = [FIRST + timedelta(days=number) for number in range(FIRST_DAYS)]
        sent: list[Sent] = []
        for number, day in enumerate(days, start=1):
            world.day(day)
            if number == FIRST_DAYS:
                world.unusable(day)
            if number == FIRST_DAYS - 2:
                world.more = {"browser": "x"}
            # A large delivery first, then one of the newest days.
            if number in (FIRST_DAYS - 2, FIRST_DAYS):
                sent += world.send()
        world.newest = days[-1]
        now = datetime.combine(days[-1] + timedelta(days=1), _HOUR)
        nights = cls(world, Home(folder / "copied"), seed, now, world.write_registry())
        nights.to_land.update(export.source for export in sent)
        with time_machine.travel(now, tick=False):
            nights._land()
            # A home without channels sends no message: one that another run sent.
            message = {
                "message_id": "m1",
                "channel_id": "chat",
                "kind": "digest",
                "event_ids": ["e1"],
                "status": "sent",
            }
            times = {"created_at": now, "sent_at": now}
            add_rows(
                Lake(world.home.lake),
                ALERT_DELIVERIES,
                ALL_SOURCES,
                now,
                [{**message, **times, "incident_count": 1, "attempts": 1}],
            )
            nights.run("begin")
            # Published with the nights after this day.
            probe(world.home, nights.registry.settings.probe_limit_seconds)
            # By another scale, which the home does not get, so that there are findings.
            effort = nights.registry.surveys["in_app"].model_copy(update={"scale": "ease_1_7"})
            other = nights.registry.model_copy(
                update={"surveys": {**nights.registry.surveys, "in_app": effort}}
            )
            assert pipeline.audit(world.home, other, run_id="audit-begin", first=days[-1]).findings
        nights.ways.clear()
        return nights

    @property
    def yesterday(self) -> date:
        return self.now.date() - timedelta(days=1)

    @property
    def last_minute(self) -> datetime:
        return self.now - timedelta(minutes=1)

    def some_day(self, *, recent: bool = False) -> date:
        """A day before tonight; recent: one of the last ten."""
        days = 10 if recent else (self.yesterday - FIRST).days
        return self.yesterday - timedelta(days=self.world.random.randint(0, days - 1))

    def is_small(self, sent: Sent) -> bool:
        return not sent.is_taken_back and 0 < len(sent.days) <= 4

    def take_back(self, held: Sequence[Sent]) -> str:
        for sent in held:
            take_delivery_back(self.world.home, self.registry, sent.name, source_id=sent.source)
            sent.is_taken_back = True
        return f"taken back: {', '.join(sent.name for sent in held)}"

    def night(self) -> PublishResult:
        """One night: some steps, a run, and the comparison. Raises DifferenceError."""
        self.now += timedelta(days=1)
        number = len(self.log) + 1
        done: list[str] = []
        self.log.append(f"night {number}")
        with time_machine.travel(self.now, tick=False):
            for _ in range(self.world.random.randint(1, 4)):
                (step,) = self.world.random.choices([*STEPS], [*STEPS.values()])
                if (text := step(self)) is not None:
                    done.append(text)
                    self.log[-1] = f"night {number}: {'; '.join(done)}"
                    self.steps[step.__name__] += 1
                    # A later step of this night may take back what this one delivered.
                    self._land()
            result = self.run(f"night-{number}")
        self.log[-1] += f" -> {_way(result)}"
        self.make_anew()
        self.compare(_way(result))
        return result

    def run(self, run_id: str) -> PublishResult:
        """Clean and publish what has landed."""
        for kind in self.registry.kinds:
            if kind != self.uncleaned:
                days = pipeline.stale_days(self.world.home, self.registry, kind)
                cleaned = [*pipeline.clean(self.world.home, self.registry, kind, days, run_id=run_id)]
                problems = [problem for result in cleaned for problem in result.problems]
                assert problems == [], self.report(problems)
        self.uncleaned = None
        result = pipeline.publish(self.world.home, self.registry, run_id=run_id)
        failed = [f"{check.check.name}: {check.detail}" for check in result.blocking_failures]
        assert result.published, self.report(failed)
        self.ways[_way(result)] += 1
        if not result.unchanged:
            self.published_as = run_id, self.now
        self.filled |= {name for name, rows in result.rows.items() if rows}
        return result

    def follow_registry(self, *names: str) -> None:
        """Write these files of the registry and read it: every source may land again."""
        self.registry = self.world.write_registry(*names)
        self.to_land.update(self.registry.sources)

    def _land(self) -> None:
        """Land the exports that were sent since, and what a step named."""
        self.to_land.update(sent.source for sent in self.world.send())
        landings = pipeline.land(self.world.home, self.registry, sorted(self.to_land))
        self.to_land.clear()
        failures = [failure for landing in landings for failure in landing.failures]
        assert failures == [], self.report(failures)

    def make_anew(self) -> None:
        """Publish a file from a copy of the home's lake, as the run did that wrote the home's file."""
        assert self.published_as
        run_id, at = self.published_as
        copy_lake(self.world.home, self.copied)
        forget_events_since(Lake(self.copied.lake), at)
        with time_machine.travel(at, tick=False):
            anew = pipeline.publish(self.copied, self.registry, run_id=run_id)
        assert anew.published
        assert anew.rebuilt

    def compare(self, way: str) -> None:
        """Compare the home's file and lake with those that were made anew. way: what the night did to the file.

        Raises DifferenceError with the tables, keys and columns that differ.
        """
        differences = [
            entry
            for entry in compare(self.world.home.published, self.copied.published, left_out=HOW_IT_WAS_MADE)
            if not entry.is_equal
        ]
        problems = [
            *(line for entry in differences for line in shown(entry)),
            *(f"lake/{path}: not the rows of the table" for path in self._other_lake_files()),
        ]
        if problems:
            raise DifferenceError(self.report([f"the file was {way}", *problems]))

    def _other_lake_files(self) -> list[str]:
        """The day files of derived tables that differ between the two lakes."""
        lakes = Lake(self.world.home.lake), Lake(self.copied.lake)
        found = []
        for name in STORED_TABLES:
            days = [set(lake.days(name)) for lake in lakes]
            paths = [lakes[0].day_file(name, day) for day in sorted(days[0] | days[1])]
            for path in paths:
                # The folder of a day without rows may stay.
                rows = [lake.read_table(path) if lake.exists(path) else None for lake in lakes]
                if rows[0] != rows[1]:
                    found.append(path)
        return found

    def report(self, problems: Sequence[str]) -> str:
        """The seed, what every night did, the problems, and the command that runs these nights again."""
        again = f"again: python -m ces_pipeline_tests.nights --first-seed {self.seed} --seeds 1 --nights {len(self.log)}"
        return "\n".join([f"seed {self.seed}", *self.log, *problems, again])


def _way(result: PublishResult) -> str:
    return "unchanged" if result.unchanged else "made anew" if result.rebuilt else "updated"


def copy_lake(home: Home, copied: Home) -> None:
    """Copy a home's lake to `copied`, which has no published file then."""
    shutil.rmtree(copied.root, ignore_errors=True)
    copied.make()
    shutil.rmtree(copied.lake)
    shutil.copytree(home.lake, copied.lake, ignore=shutil.ignore_patterns("*.lock", *_LANDED))
    for name in _LANDED:
        # Landed rows are replaced, never changed in place, so a second name for their files is enough.
        shutil.copytree(home.lake / name, copied.lake / name, copy_function=os.link)


def forget_events_since(lake: Lake, at: datetime) -> None:
    """Leave only the events of incidents that were logged before a moment: a publish at that moment must find its own."""
    events = log.read_events(lake)
    shutil.rmtree(Path(str(lake.local)) / "audit" / "incident_events", ignore_errors=True)
    log.add_events(lake, [event for event in events if event["logged_at"] < at])


def shown(entry: Difference) -> Iterator[str]:
    """What differs in a table, in lines."""
    yield f"{entry.table}: " + (
        entry.problem
        or f"{entry.only_before} rows only in the file of the nights, {entry.only_after} only in the file made anew"
    )
    yield from (f"  {example}" for example in entry.examples)


@contextmanager
def with_key() -> Iterator[None]:
    """A pseudonym key in the environment: both homes need the same."""
    before = os.environ.get(KEY_VARIABLE)
    os.environ[KEY_VARIABLE] = "0123456789abcdef" * 4
    try:
        yield
    finally:
        if before is None:
            del os.environ[KEY_VARIABLE]
        else:
            os.environ[KEY_VARIABLE] = before


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A folder that ends with the block, in memory where the system has one: a night syncs hundreds of small files."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="ces-nights-", dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def run_nights(folder: Path, seed: int, count: int) -> Nights:
    """The nights of a seed on a home below `folder`. Raises DifferenceError at the first difference."""
    small = 0 if seed % 2 else incremental.SMALL_TABLE_ROWS
    unused = 0 if seed % 4 == 2 else compaction.UNUSED_BYTES
    with (
        with_key(),
        patch.object(incremental, "SMALL_TABLE_ROWS", small),
        patch.object(compaction, "UNUSED_BYTES", unused),
    ):
        nights = Nights.begin(folder, seed)
        for _ in range(count):
            try:
                nights.night()
            except AssertionError:
                raise
            except Exception as problem:
                problem.add_note(nights.report(["the night failed"]))
                raise
    return nights


@dataclass(frozen=True)
class Outcome:
    """What the nights of a seed came to. ways, steps, filled: as in `Nights`. problem: None if all were equal."""

    seed: int
    ways: Counter[str]
    steps: Counter[str]
    filled: frozenset[str]
    problem: str | None = None


def outcome(seed: int, count: int, keep: Path | None = None) -> Outcome:
    """Run the nights of a seed in a folder of its own. keep: where both homes are copied to if they differ."""
    with folder_in_memory() as folder:
        try:
            nights = run_nights(folder, seed, count)
        except Exception as problem:
            is_compared = isinstance(problem, AssertionError)
            text = str(problem) if is_compared else "".join(traceback.format_exception(problem))
            if keep:
                text += f"\nboth homes are in {shutil.copytree(folder, keep / f'seed-{seed}', dirs_exist_ok=True)}"
            return Outcome(seed, Counter(), Counter(), frozenset(), text)
    return Outcome(seed, nights.ways, nights.steps, frozenset(nights.filled))


def outcomes(seeds: Sequence[int], count: int, keep: Path | None = None) -> Iterator[Outcome]:
    """The nights of several seeds, one process per core, in the order of the seeds."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(len(seeds), os.cpu_count() or 1), mp_context=context) as pool:
        yield from pool.map(partial(outcome, count=count, keep=keep), seeds)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Random nights: the updated file against one made anew.")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--nights", type=int, default=50)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for both homes of a seed that differs")
    given = parser.parse_args(arguments)
    ways: Counter[str] = Counter()
    differing = []
    for found in outcomes(range(given.first_seed, given.first_seed + given.seeds), given.nights, given.keep):
        if found.problem:
            differing.append(found.seed)
            print(found.problem, flush=True)
        else:
            ways += found.ways
            print(f"seed {found.seed}: {given.nights} nights equal ({_counted(found.ways)})", flush=True)
    print(f"{ways.total()} nights equal ({_counted(ways)}); seeds that differ: {differing or 'none'}")
    return 1 if differing else 0


def _counted(ways: Counter[str]) -> str:
    return ", ".join(f"{ways[way]} {way}" for way in WAYS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
