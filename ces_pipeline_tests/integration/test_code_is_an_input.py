"""Protects that a change of code or registry makes exactly what depends on it stale, and that a second run does nothing.

The package is copied, one line of the copy is changed, and a full night runs with the copy.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from ces_pipeline.storage.sql_files import derived_files

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
_NIGHT = """
import json, sys
from pathlib import Path
import ces_pipeline
from ces_pipeline import Home, clean, land, load_registry, publish, stale_days
from ces_pipeline.publish.publication import read_publication

assert ces_pipeline.__file__.startswith(sys.argv[2]), ces_pipeline.__file__

home = Home(Path(sys.argv[1]))
registry = load_registry(home.registry)
landed = {outcome.source_id: outcome.files_new for outcome in land(home, registry)}
cleaned = {}
for kind in registry.kinds:
    cleaned[kind] = [day.isoformat() for day in stale_days(home, registry, kind)]
    results = clean(home, registry, kind, stale_days(home, registry, kind), run_id="night")
    assert not [problem for result in results for problem in result.problems]
published = read_publication(home.published)
before = {name: found.inputs for name, found in published.tables.items()} if published else {}
result = publish(home, registry, run_id="night")
assert result.published, result.blocking_failures
stale = sorted(name for name, inputs in result.fingerprints.items() if before.get(name) != inputs)
print(json.dumps({"landed": landed, "cleaned": cleaned, "stale": stale, "unchanged": result.unchanged}))
"""
_SURVEYS: list[dict[str, Any]] = [
    {"id": "after_chat", "title": "After a chat", "scale": "ease_1_5"},
    {"id": "after_call", "title": "After a call", "scale": "ces1_effort_1_5"},
]
_SOURCES = [
    {
        "id": "web", "kind": "survey", "reader": "csv", "survey_column": "about",
        "columns": {"response_id": "id", "score": "score", "recorded_at": "at"},
    },
    {
        "id": "forms", "kind": "survey", "reader": "google_forms_csv", "survey": "after_chat",
        "columns": {"score": "How easy?"},
    },
    {
        "id": "desk", "kind": "tickets", "reader": "csv",
        "columns": {"ticket_id": "number", "status": "state", "updated_at": "updated"},
    },
]  # fmt: skip
_FILES = {
    "web/a.csv": "id,score,about,at\n"
    + "".join(f"c{n},{n},after_chat,2026-03-0{n}T10:00:00Z\n" for n in (1, 2))
    + "".join(f"p{n},{n},after_call,2026-03-0{n}T10:00:00Z\n" for n in (2, 4)),
    "forms/a.csv": "Timestamp,How easy?\n3/20/2026 10:00:00,4\n3/21/2026 10:00:00,2\n",
    "desk/a.csv": "number,state,updated\nT1,solved,2026-03-02T09:00:00Z\nT2,open,2026-03-03T09:00:00Z\n",
}
CHAT_DAYS, CALL_DAYS, FORM_DAYS = (
    ["2026-03-01", "2026-03-02"],
    ["2026-03-02", "2026-03-04"],
    ["2026-03-20", "2026-03-21"],
)
NOTHING = {
    "landed": {"web": 0, "forms": 0, "desk": 0},
    "cleaned": {"tickets": [], "survey": []},
    "stale": [],
    "unchanged": True,
}


@dataclass
class Installation:
    """A copy of the package, and a home that it has run on."""

    package: Path
    home: Path

    def night(self) -> dict[str, Any]:
        """Land, clean what is stale and publish with the copied package; what each step did."""
        ran = self.run_night()
        assert ran.returncode == 0, ran.stderr[-2000:]
        found: dict[str, Any] = json.loads(ran.stdout)
        return found

    def run_night(self) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "PYTHONPATH": str(self.package), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", _NIGHT, str(self.home), str(self.package)]
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=self.home, timeout=120
        )

    def change(self, file: str, old: str, new: str) -> None:
        """Change one place of the copied package."""
        path = self.package / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, (file, old, text.count(old))
        path.write_text(text.replace(old, new), encoding="utf-8")

    def register(self, *surveys: dict[str, Any]) -> None:
        (self.home / "registry" / "surveys.yaml").write_text(yaml.safe_dump(list(surveys)))


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("installation")
    package, home = folder / "package", folder / "home"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "ces_pipeline", package / "ces_pipeline", ignore=ignored)
    shutil.copytree(ROOT / "sql", package / "sql", ignore=ignored)
    shutil.copytree(ROOT / "data" / "registry", package / "data" / "registry")
    (home / "registry").mkdir(parents=True)
    (home / "registry" / "sources.yaml").write_text(yaml.safe_dump(_SOURCES))
    for name, text in _FILES.items():
        path = home / "inbox" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    installation = Installation(package, home)
    installation.register(*_SURVEYS)
    done = installation.night()
    assert done["landed"] == {"web": 1, "forms": 1, "desk": 1}
    assert done["cleaned"]["survey"] == ["2026-03-01", "2026-03-02", "2026-03-04", *FORM_DAYS]
    assert installation.night() == NOTHING
    return installation


@pytest.fixture
def installation(first_night: Installation, tmp_path: Path) -> Installation:
    for name in ("package", "home"):
        shutil.copytree(getattr(first_night, name), tmp_path / name)
    return Installation(tmp_path / "package", tmp_path / "home")


def below(table: str) -> list[str]:
    """The table and every derived table that reads it, directly or through others."""
    found = {table}
    for file in derived_files():
        if file.reads & found:
            found.add(file.table)
    # They read when the file was published, so they are stale in every publish.
    found |= {file.table for file in derived_files() if "audit.publication" in file.reads}
    for file in derived_files():
        if file.reads & found:
            found.add(file.table)
    return sorted(found & {file.table for file in derived_files()})


def test_a_line_of_a_rule_makes_every_day_of_answers_stale_and_no_ticket_day(
    installation: Installation,
) -> None:
    installation.change("ces_pipeline/rules/too_fast.py", "check=at_least(0)", "check=at_least(0.5)")
    done = installation.night()
    assert done["landed"] == NOTHING["landed"]
    assert done["cleaned"] == {
        "tickets": [],
        "survey": ["2026-03-01", "2026-03-02", "2026-03-04", *FORM_DAYS],
    }
    assert installation.night() == NOTHING


def test_a_line_of_a_reader_lands_its_own_deliveries_again_and_cleans_their_days(
    installation: Installation,
) -> None:
    installation.change(
        "ces_pipeline/vendors/google_forms/reader.py",
        "GOOGLE_FORMS_CSV = Reader(",
        "_NEW = 1\nGOOGLE_FORMS_CSV = Reader(",
    )
    done = installation.night()
    assert done["landed"] == {"web": 0, "forms": 1, "desk": 0}
    assert done["cleaned"] == {"tickets": [], "survey": FORM_DAYS}
    assert installation.night() == NOTHING


def test_a_line_of_a_mart_fills_it_and_what_reads_it(installation: Installation) -> None:
    mart = installation.package / "sql" / "mart" / "ces_weekly.sql"
    mart.write_text(mart.read_text().rstrip().removesuffix(";") + "\nlimit 1000000;\n")
    done = installation.night()
    assert (done["landed"], done["cleaned"]) == (NOTHING["landed"], NOTHING["cleaned"])
    assert done["stale"] == below("mart.ces_weekly")
    assert len(done["stale"]) < len(derived_files()) / 2
    assert installation.night() == NOTHING


def test_a_line_of_a_marts_function_fills_it_alone(installation: Installation) -> None:
    path = installation.package / "ces_pipeline" / "statistics" / "kpis.py"
    path.write_text(path.read_text() + "\n_NEW = 1\n")
    done = installation.night()
    assert (done["landed"], done["cleaned"]) == (NOTHING["landed"], NOTHING["cleaned"])
    assert done["stale"] == below("mart.kpi_association")
    assert installation.night() == NOTHING


def test_a_line_of_the_code_of_one_kind_makes_its_days_stale(installation: Installation) -> None:
    installation.change(
        "ces_pipeline/clean/tickets.py", "def clean_tickets(", "_NEW = 1\n\n\ndef clean_tickets("
    )
    done = installation.night()
    assert done["cleaned"] == {"tickets": ["2026-03-02", "2026-03-03"], "survey": []}
    assert installation.night() == NOTHING


def test_comments_and_docstrings_make_nothing_stale(installation: Installation) -> None:
    for folder, comment in (
        ("ces_pipeline", "# A comment.\n"),
        ("sql/mart", "-- A comment.\n"),
        ("sql/core", "-- A comment.\n"),
    ):
        for path in (installation.package / folder).rglob("*.*"):
            if path.suffix == ".py":
                path.write_text(
                    path.read_text(encoding="utf-8") + f'\n{comment}"""And a text."""\n', encoding="utf-8"
                )
            elif path.suffix == ".sql":
                path.write_text(path.read_text(encoding="utf-8") + f"\n{comment}", encoding="utf-8")
    assert installation.night() == NOTHING


def test_what_decides_nothing_makes_no_day_stale(installation: Installation) -> None:
    chat, call = _SURVEYS
    installation.register({**chat, "title": "Chat", "owner": "care", "wording": "How easy?"}, call)
    done = installation.night()
    assert (done["landed"], done["cleaned"]) == (NOTHING["landed"], NOTHING["cleaned"])
    assert installation.night() == NOTHING


def test_a_scale_makes_only_the_days_of_its_survey_stale(installation: Installation) -> None:
    chat, call = _SURVEYS
    installation.register(chat, {**call, "scale": "ease_1_5"})
    done = installation.night()
    assert done["landed"] == NOTHING["landed"]
    assert done["cleaned"] == {"tickets": [], "survey": CALL_DAYS}
    assert installation.night() == NOTHING


_MART = """-- One row per survey with an answer.
select
    survey_id,
    count(*) as n
from core.responses
group by survey_id
order by survey_id;
"""
_MART_SCHEMA = """

ANSWERS_BY_SURVEY = Table(
    "mart.answers_by_survey",
    "One row per survey with an answer.",
    ("survey_id",),
    {"survey_id": column(TEXT, "The survey."), "n": column(INTEGER, "Answers.")},
)
"""


def add(installation: Installation, *, with_query: bool = True, with_schema: bool = True) -> None:
    """Add a mart: one SQL file and one entry in a schema file."""
    if with_query:
        (installation.package / "sql" / "mart" / "answers_by_survey.sql").write_text(_MART)
    if with_schema:
        path = installation.package / "ces_pipeline" / "schemas" / "mart" / "kpis.py"
        path.write_text(path.read_text() + _MART_SCHEMA)


def test_a_mart_is_one_query_and_one_schema_entry(installation: Installation) -> None:
    add(installation)
    done = installation.night()
    assert (done["landed"], done["cleaned"]) == (NOTHING["landed"], NOTHING["cleaned"])
    assert "mart.answers_by_survey" in done["stale"]
    with duckdb.connect(str(installation.home / "warehouse" / "ces.duckdb"), read_only=True) as published:
        assert published.execute("FROM mart.answers_by_survey").fetchall() == [
            ("after_call", 2),
            ("after_chat", 4),
        ]
    assert installation.night() == NOTHING


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            {"with_schema": False},
            ["sql/mart/answers_by_survey.sql", "no schema", "ces_pipeline/schemas/mart"],
        ),
        ({"with_query": False}, ["mart.answers_by_survey", "no query", "sql/mart/answers_by_survey.sql"]),
    ],
)
def test_a_forgotten_part_of_a_mart_is_named(
    installation: Installation, parts: dict[str, bool], words: list[str]
) -> None:
    add(installation, **parts)
    ran = installation.run_night()
    assert ran.returncode != 0
    assert [word for word in words if word not in ran.stderr] == []
