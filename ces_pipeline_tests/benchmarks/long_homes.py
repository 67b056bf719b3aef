"""Homes with years of history for the benchmark of a night: made-up exports, one file per day and feed.

DuckDB writes the exports. The same day and size always give the same bytes.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import yaml

from ces_pipeline.home import Home
from ces_pipeline.storage.quote import quote_text

LAST_DAY = date(2025, 12, 31)
"""The last day of every home; nights bring the days after it."""
ANSWERS, TICKETS = "answers", "tickets"
_MADE = "made.json"
_CUSTOMERS = 200_000
_SURVEYS = [
    {"id": f"survey_{number}", "scale": "ces2_agreement_1_7", "owner": f"team_{number % 3}"}
    for number in range(8)
]
_SOURCES = [
    {
        "id": ANSWERS,
        "kind": "survey",
        "reader": "csv",
        "survey_column": "survey",
        "columns": {
            "response_id": "id",
            "respondent": "email",
            "ticket_id": "ticket",
            "recorded_at": "recorded",
            "duration_seconds": "seconds",
            **{name: name for name in ("channel", "product", "language", "score", "comment")},
        },
    },
    {
        "id": TICKETS,
        "kind": "tickets",
        "reader": "csv",
        "columns": {
            "ticket_id": "number",
            "requester": "email",
            "group_name": "team",
            "created_at": "created",
            "first_reply_at": "replied",
            "solved_at": "solved",
            "updated_at": "updated",
            **{name: name for name in ("status", "priority", "category", "channel", "product")},
            **{name: name for name in ("reopens", "handoffs", "replies")},
        },
    },
]
_ROWS = {
    # A tenth of the tickets of a day are later versions of tickets of the week before.
    TICKETS: """
        WITH drawn AS (
            SELECT
                i, $day::DATE AS day, i % 10 = 9 AS is_later, hash($number, i, 1) AS a, hash($number, i, 2) AS b,
                CASE WHEN is_later THEN $number - 1 - (a % 6)::BIGINT ELSE $number END AS opened,
                CASE WHEN is_later THEN (b % ($rows - $rows // 10))::BIGINT ELSE i - i // 10 END AS place,
                hash(opened, place, 3) AS c, hash(opened, place, 4) AS d
            FROM range($rows) AS numbers(i)
        ),
        timed AS (
            SELECT
                *, ($day::DATE - ($number - opened)::INTEGER)::TIMESTAMP + to_seconds((c % 70000)::BIGINT) AS created,
                CASE
                    WHEN is_later THEN $day::DATE::TIMESTAMP + to_seconds((a // 8 % 86000)::BIGINT)
                    ELSE created + to_seconds(60 + (d % 14000)::BIGINT)
                END AS solved
            FROM drawn
        )
        SELECT
            printf('T%d-%d', opened, place) AS number, 'user' || (c // 512 % $customers) || '@example.com' AS email,
            'solved' AS status, (['low', 'normal', 'high'])[1 + (c % 3)::INTEGER] AS priority,
            CASE WHEN d % 20 > 0 THEN 'category ' || CASE WHEN is_later AND a % 3 = 0 THEN 1 ELSE d % 20 END END
                AS category,
            (['email', 'chat', 'phone', 'web'])[1 + (d // 32 % 4)::INTEGER] AS channel,
            'product ' || (c // 4 % 5) AS product, 'team ' || (d // 128 % 6) AS team, created,
            created + to_seconds(30 + (c // 16 % 3600)::BIGINT) AS replied, solved, solved AS updated,
            is_later::INTEGER AS reopens, c // 64 % 3 AS handoffs, d // 1024 % 6 AS replies
        FROM timed
        ORDER BY i
    """,
    # Half of the answers name a ticket of their day, whose customer gives them.
    ANSWERS: """
        WITH drawn AS (
            SELECT
                i, hash($number, i, 5) AS a, hash($number, i, 6) AS b, (hash($number, i, 7) % $tickets)::BIGINT AS place,
                i % 2 = 0 AS names_ticket
            FROM range($rows) AS numbers(i)
        )
        SELECT
            printf('R%d-%d', $number, i) AS id, 'survey_' || (a % 8) AS survey,
            'user' || (CASE WHEN names_ticket THEN hash($number, place, 3) // 512 ELSE b END % $customers)
                || '@example.com' AS email,
            CASE WHEN names_ticket THEN printf('T%d-%d', $number, place) END AS ticket,
            (['email', 'chat', 'phone', 'web'])[1 + (b % 4)::INTEGER] AS channel,
            'product ' || (b // 4 % 5) AS product, (['en', 'de', 'fr'])[1 + (b // 32 % 3)::INTEGER] AS language,
            1 + (a // 64 % 7) AS score,
            CASE WHEN a // 1024 % 10 = 0 THEN 'It took too long and was difficult' END AS comment,
            $day::DATE::TIMESTAMP + to_seconds((b // 256 % 86000)::BIGINT) AS recorded, 10 + a // 2048 % 200 AS seconds
        FROM drawn
        ORDER BY i
    """,
}


@dataclass(frozen=True)
class Size:
    """Years of history, and rows of a day."""

    years: float
    responses: int = 1_000
    tickets: int = 2_000

    @property
    def days(self) -> int:
        return round(self.years * 365)

    @property
    def name(self) -> str:
        return f"{self.years:g}y"


def write_days(home: Home, first: date, days: int, responses: int, tickets: int) -> None:
    """Write exports of these days into the inbox: so many answers and tickets of each day."""
    with duckdb.connect(config={"threads": 1, "memory_limit": "500MB"}) as connection:
        connection.execute("SET enable_progress_bar = false")
        for feed, rows in ((ANSWERS, responses), (TICKETS, tickets)):
            folder = home.inbox / feed
            folder.mkdir(exist_ok=True)
            for day in (first + timedelta(days=number) for number in range(days)):
                # Ids count from a fixed day, so that a home of more years has the same days and more.
                values = {
                    "number": (day - LAST_DAY).days + 100_000,
                    "day": day,
                    "rows": rows,
                    "tickets": tickets - tickets // 10,
                    "customers": _CUSTOMERS,
                }
                used = {name: value for name, value in values.items() if f"${name}" in _ROWS[feed]}
                target = quote_text(str(folder / f"{day}.csv"))
                connection.execute(f"COPY ({_ROWS[feed]}) TO {target} (FORMAT csv, HEADER)", used)


def write_home(root: Path, size: Size) -> Home:
    """A home with the exports of a size in its inbox; nothing has landed."""
    home = Home(root).make()
    # A fix needs weeks before and after it.
    changed_on = LAST_DAY - timedelta(days=min(60, size.days // 2))
    fix = {"id": "fix", "title": "Fix", "live_on": changed_on, "categories": ["category 2"]}
    for name, entries in (
        ("surveys", _SURVEYS),
        ("sources", _SOURCES),
        ("settings", {"first_day": date(2015, 1, 1), "business_time_zone": "Europe/Berlin"}),
        ("fixes", [fix]),
        ("releases", [{"id": "release", "title": "Release", "day": changed_on}]),
    ):
        (home.registry / f"{name}.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    write_days(home, LAST_DAY - timedelta(days=size.days - 1), size.days, size.responses, size.tickets)
    return home


def is_made(root: Path, size: Size) -> bool:
    """Whether a home of this size is complete below `root`. Raises ValueError if one of another size is there."""
    noted = root / _MADE
    if not noted.exists():
        return False
    found = json.loads(noted.read_text(encoding="utf-8"))
    if found != asdict(size):
        raise ValueError(f"{root} holds a home of {found}: name another folder, or delete it")
    return True


def note_made(root: Path, size: Size) -> None:
    (root / _MADE).write_text(json.dumps(asdict(size)), encoding="utf-8")


def copy_home(home: Home, to: Path) -> Home:
    """A copy of a home. Files that are replaced but never changed in place get a second name instead of a copy."""
    shutil.rmtree(to, ignore_errors=True)
    for entry in home.root.iterdir():
        if entry.is_dir():
            link = entry == home.inbox
            shutil.copytree(entry, to / entry.name, copy_function=_linked if link else _copied)
        else:
            to.mkdir(parents=True, exist_ok=True)
            shutil.copy2(entry, to / entry.name)
    return Home(to)


def _linked(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _copied(source: str, target: str) -> None:
    if source.endswith(".parquet"):
        _linked(source, target)
    else:
        shutil.copy2(source, target)
