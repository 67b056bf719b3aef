"""Protects the README: every command, query, program and registry entry of it works, and its lists are complete.

The install line is run as it stands by `.ci/run`; here it is compared with what that runs. `ces ui` is started
by `test_backfill_ui.py`.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from packaging.requirements import Requirement

from ces_pipeline.defs.instance import open_instance
from ces_pipeline.home import Home
from ces_pipeline.publish.checks import all_checks
from ces_pipeline.registry import load_registry
from ces_pipeline.registry.load import load_exports
from ces_pipeline.registry.surveys import ResponseRules
from ces_pipeline.rules.catalog import DEFAULT_SEVERITIES
from ces_pipeline.storage.sql_files import SqlFile, sql_files
from ces_pipeline.vendors.catalog import READERS
from ces_pipeline_tests.benchmarks.marts import QUESTION_LIMIT_MS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
ANSWERS = yaml.safe_load(Path(__file__).with_name("cookbook_answers.yaml").read_text(encoding="utf-8"))
"""Of every question: how many rows it has on the sample, and the first three."""
INSTALL, TESTS = "python3 -m venv ", ".venv/bin/pytest"


def blocks(language: str) -> list[str]:
    """The README's fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """The text below a heading, down to the next one. (A single # is a comment in a block.)"""
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##+ |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, title
    return found.group(1)


def table_rows(text: str) -> list[list[str]]:
    """The cells of a Markdown table's body."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def run(command: list[object], cwd: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**environment(cwd), **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


def environment(cwd: Path) -> dict[str, str]:
    """What a person has who has just activated the environment; `~` is the folder of the test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CES_")}
    return kept | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(cwd),
        "PYTHONIOENCODING": "utf-8",
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the README is followed: it has the checkout's sql/ and the export that the README shows."""
    place = tmp_path_factory.mktemp("readme")
    (place / "sql").symlink_to(ROOT / "sql")
    (export,) = blocks("csv")
    (place / "effort.csv").write_text(export, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def demo(place: Path) -> "subprocess.CompletedProcess[str]":
    return run(["ces", "demo"], place, CES_HOME=str(place / "data"))


@pytest.fixture
def published(place: Path, demo: object) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(place / "data/demo/warehouse/ces.duckdb"), read_only=True) as connection:
        yield connection


def test_the_two_commands_are_one_line_each_and_the_ones_that_ci_runs() -> None:
    first, second = blocks("bash")[:2]
    assert first.startswith(INSTALL)
    assert first.count("\n") == second.count("\n") == 1
    assert second == f"{TESTS}\n"
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    patterns = re.findall(r"readme_command '(.*)'", script)
    found = [[line for line in README.splitlines() if re.match(one, line)] for one in patterns]
    assert found == [[first.strip()], [second.strip()]]
    assert " -c .ci/constraints.txt && .venv/bin/ces demo\n" in first


def test_the_pins_are_names_and_versions_that_the_project_accepts() -> None:
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.!+]*", line)] == []
    pins = {normal(name): version for name, version in (line.split("==") for line in lines)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [
        Requirement(one) for one in (*project["dependencies"], *(one for extra in extras for one in extra))
    ]
    assert len(wanted) > 20
    for one in wanted:
        if one.name != project["name"]:
            assert one.specifier.contains(pins[normal(one.name)]), one


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_demo_prints_what_the_readme_shows(demo: "subprocess.CompletedProcess[str]") -> None:
    assert demo.returncode == 0, demo.stderr
    shown = next(block for block in blocks("text") if "every number is as planted" in block)
    printed = [" ".join(re.findall(r"[^\s│┃]+", line)) for line in demo.stdout.splitlines()]
    for line in shown.splitlines():
        told = " ".join(line.split())
        if told.startswith("warning:"):
            assert told.removesuffix("...") in demo.stderr
        elif told.startswith("published: "):
            assert any(one.endswith(told.split("...")[1]) for one in printed)
        else:
            assert told in printed


def test_every_command_works_in_the_order_of_the_readme(place: Path) -> None:
    lines = [line for block in blocks("bash")[2:] for line in block.splitlines() if line != "ces ui"]
    assert sum(line.startswith("ces ") for line in lines) >= 6
    followed = run(["bash", "-euo", "pipefail", "-c", "\n".join(lines)], place)
    assert followed.returncode == 0, followed.stderr
    assert "added to" in followed.stdout
    assert "landed 1 new files, 3 new or changed rows" in followed.stdout
    assert "MEND" not in followed.stdout
    with duckdb.connect(str(place / "ces/warehouse/ces.duckdb"), read_only=True) as connection:
        answers = connection.execute(
            "SELECT score, comment FROM core.responses ORDER BY response_id"
        ).fetchall()
    assert answers == [(6, "Quick answer"), (2, "Called twice, then wrote to [email]"), (7, None)]
    assert "wrote 3 events to journeys.jsonl; 0 of people not known are left out" in followed.stdout
    assert "mixpanel: would send 3 new events and 0 revised answers" in followed.stdout
    assert sorted(load_exports(place / "ces/registry")) == ["amplitude", "mixpanel"]


def test_every_question_is_listed_and_what_is_shown_is_what_ships() -> None:
    listed = table_rows(section("Asking questions"))
    assert sorted(listed) == sorted(
        [f"{file.title.split('?')[0]}?", f"[`{file.name}`](sql/queries/{file.name}.sql)"]
        for file in sql_files("queries")
    )
    assert len(listed) >= 20
    shown = {block.rstrip() for block in blocks("sql")}
    assert len(shown) == 2
    assert shown <= {file.text.rstrip() for file in sql_files("queries")}


def test_every_question_has_an_answer_written_down() -> None:
    assert sorted(ANSWERS) == [file.name for file in sql_files("queries")]


@pytest.mark.parametrize("file", sql_files("queries"), ids=lambda file: file.name)
def test_every_question_answers_as_written_down_and_quickly(
    file: SqlFile, published: duckdb.DuckDBPyConnection
) -> None:
    rows = published.sql(file.query).to_arrow_table().to_pylist()
    expected = ANSWERS[file.name]
    assert len(rows) == expected["rows"]
    assert len(expected["first"]) == min(len(rows), 3)
    for row, told in zip(rows, expected["first"], strict=False):
        assert {name: row[name] for name in told} == told
    assert min(timed(published, file.query) for _ in range(3)) <= QUESTION_LIMIT_MS / 1000


def timed(connection: duckdb.DuckDBPyConnection, query: str) -> float:
    started = time.perf_counter()
    connection.execute(query).fetchall()
    return time.perf_counter() - started


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_every_program_runs(number: int, place: Path, demo: object) -> None:
    ran = run([sys.executable, "-c", blocks("python")[number]], place)
    assert ran.returncode == 0, ran.stderr
    assert "support_case_solved" in ran.stdout


def test_the_registry_examples_load_together_and_name_every_reader(tmp_path: Path) -> None:
    entries: dict[str, Any] = {}
    for block in blocks("yaml"):
        first, _, rest = block.partition("\n")
        name, told = first.removeprefix("# registry/"), yaml.safe_load(rest)
        entries[name] = [*entries.get(name, []), *told] if isinstance(told, list) else told
    assert {"sources.yaml", "surveys.yaml", "segments.yaml", "restatements.yaml"} <= entries.keys()
    for name, told in entries.items():
        (tmp_path / name).write_text(yaml.safe_dump(told), encoding="utf-8")
    registry = load_registry(tmp_path)
    assert {source.survey for source in registry.sources.values()} == {"after_ticket", "after_call", None}
    assert registry.survey_names["64f0c2a7e1b2d30012a4c501"] == "after_checkout"
    text = section("The registry")
    assert [name for name in READERS if f"`{name}`" not in text] == []
    scales = re.search(r"Scales that ship: (.*?)\.\n", text, re.DOTALL)
    assert scales
    assert sorted(re.findall(r"`(\w+)`", scales.group(1))) == sorted(registry.scales)


def test_every_table_of_the_file_is_listed(published: duckdb.DuckDBPyConnection) -> None:
    names = published.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() "
        "UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal"
    ).fetchall()
    listed = [name for row in table_rows(section("Tables")) for name in re.findall(r"`([\w.]+)`", row[0])]
    assert sorted(listed) == sorted(name for (name,) in names)


def test_every_reason_is_listed_with_its_severity_and_defaults() -> None:
    rows = table_rows(section("How answers are judged"))
    assert [(row[0].strip("`"), row[1]) for row in rows] == list(DEFAULT_SEVERITIES.items())
    defaults = {name: field.default for name, field in ResponseRules.model_fields.items()}
    settings = " ".join(row[3] for row in rows)
    told = re.findall(r"`rules\.(\w+)`, ([\d.]+|none)", settings)
    assert len(told) >= 6
    assert {name: None if value == "none" else float(value) for name, value in told} == {
        name: defaults[name] for name, _ in told
    }
    assert set(re.findall(r"`rules\.(\w+)", settings)) == set(defaults) - {"severities"}


def test_every_check_is_listed_where_it_belongs() -> None:
    found = re.search(r"Blocking: (.*?)\. Warnings: (.*?)\.\n", section("The web page"), re.DOTALL)
    assert found
    for told, blocking in zip(found.groups(), (True, False), strict=True):
        expected = [check.name for check in all_checks() if check.is_blocking is blocking]
        assert re.findall(r"`(\w+)`", told) == expected


def test_the_home_looks_as_drawn(place: Path, demo: object) -> None:
    (drawn,) = re.findall(r"```text\n(.*?)```", section("What lands where"), re.DOTALL)
    names = [
        name for line in drawn.splitlines()[1:] for name in re.findall(r"^[\s]*(\S+)|  (lake/\S+)", line)
    ]
    paths = [(first or second).replace("<feed>/", "") for first, second in names]
    assert len(paths) >= 9
    assert [path for path in paths if not (place / "data/demo" / path).exists()] == []


def test_the_tree_is_the_tree() -> None:
    (drawn,) = re.findall(r"```text\n(.*?)```", section("The tree"), re.DOTALL)
    named: set[Path] = set()
    for line in drawn.splitlines():
        names = [
            part for part in re.split(r"\s{2,}", line.strip()) if re.fullmatch(r"[\w./]*[./][\w./]*", part)
        ]
        base = ROOT / "ces_pipeline" if line.startswith(" ") else ROOT
        named.add(base / names[0])
        named |= {(base if line.startswith(" ") else base / names[0]) / name for name in names[1:]}
    assert [path for path in named if not path.exists()] == []
    packages = {path.parent for path in ROOT.glob("ces_pipeline/*/__init__.py")}
    assert packages <= named


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_a_killed_run_gives_way_after_the_time_that_is_told(tmp_path: Path) -> None:
    with open_instance(Home(tmp_path)) as instance:
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_runtime_seconds == 2 * 3600
    assert "It holds up\nthe runs behind it for two hours at most" in section("Every night, for real")


@pytest.mark.slow
def test_the_services_start_and_find_the_schedule(place: Path, demo: object) -> None:
    home = place / "services"
    shutil.copytree(place / "data" / "demo", home)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])

    def here(text: str) -> str:
        told = text.replace("/opt/ces/.venv/bin", str(BIN)).replace("/var/lib/ces", str(home))
        return told.replace("-p 3000", f"-p {port}")

    settings, *units = (here(block) for block in blocks("ini"))
    # The demo's home made its own key; the variable takes what that file holds.
    settings = re.sub(r"(?<=CES_PSEUDONYM_KEY=).*", (home / "pseudonym.key").read_text().strip(), settings)
    variables = dict(line.split("=", 1) for line in settings.split())
    commands = []
    for unit in units:
        parser = ConfigParser()
        parser.optionxform = str
        parser.read_string(unit)
        commands.append(parser["Service"]["ExecStart"].split())
    assert [Path(command[0]).name for command in commands] == ["dagster-daemon", "dagster-webserver"]
    with started(commands, home, variables) as logs:
        wait_for(lambda: "nightly" in answer(port) and "BackfillDaemon" in logs[0].read_text(), logs)


@contextmanager
def started(commands: list[list[str]], home: Path, variables: dict[str, str]) -> Iterator[list[Path]]:
    logs = [home / f"service_{number}.log" for number in range(len(commands))]
    processes = []
    try:
        for command, log in zip(commands, logs, strict=True):
            with log.open("wb") as out:
                processes.append(
                    subprocess.Popen(
                        command,
                        cwd=home,
                        env={**environment(home), **variables},
                        stdin=subprocess.DEVNULL,
                        stdout=out,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )
        yield logs
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answer(port: str) -> str:
    query = b'{"query": "{ schedulesOrError(repositorySelector: {repositoryName: \\"__repository__\\", '
    query += b'repositoryLocationName: \\"ces_pipeline\\"}) { ... on Schedules { results { name } } } }"}'
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", query, headers)
    with suppress(OSError), urllib.request.urlopen(request, timeout=10) as told:
        return str(told.read().decode())
    return ""


def wait_for(is_so: Callable[[], bool], logs: list[Path]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if is_so():
            return
        time.sleep(1)
    raise AssertionError("\n".join(log.read_text()[-2000:] for log in logs))
