"""Protects the documentation: every command, query, program and registry entry of every page works, generated pages are
current, and links lead somewhere.

The install line is run as it stands by `.ci/run`; here it is compared with what that runs. `ces ui` is started
by `test_backfill_ui.py`. Blocks of language `text` are not run; their tables are compared with the real output.
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
import zipfile
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from filelock import FileLock
from packaging.requirements import Requirement

from ces_pipeline.defs.instance import open_instance
from ces_pipeline.docs import UnknownTopicError, generate, page, topics
from ces_pipeline.home import Home
from ces_pipeline.registry import load as registry_files
from ces_pipeline.registry import load_registry
from ces_pipeline.registry.load import load_exports
from ces_pipeline.registry.surveys import ResponseRules
from ces_pipeline.rules.catalog import DEFAULT_SEVERITIES
from ces_pipeline.storage.sql_files import SqlFile, sql_files
from ces_pipeline.vendors.catalog import CONNECTORS, READERS, SIGNATURES
from ces_pipeline_tests.benchmarks.marts import QUESTION_LIMIT_MS

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
README = ROOT / "README.md"
DOCS = ROOT / "ces_pipeline" / "docs"
VENDORS = ROOT / "ces_pipeline" / "vendors"
PAGES = [
    README,
    *sorted(DOCS.glob("*.md")),
    *sorted(VENDORS.glob("*/README.md")),
    *sorted((ROOT / ".github").glob("*.md")),
    ROOT / "sql" / "DECISIONS.md",
]
TEXTS = {path: path.read_text(encoding="utf-8") for path in PAGES}
ANSWERS = yaml.safe_load(Path(__file__).with_name("cookbook_answers.yaml").read_text(encoding="utf-8"))
"""Of every question: how many rows it has on the sample, and the first three."""
INSTALL, TESTS = "python3 -m venv ", ".venv/bin/pytest"
SERVER = ("ces ui", "systemctl ")
"""Commands that do not end, or need an administrator."""
MOST_README_LINES = 200


def blocks(language: str, *pages: Path) -> list[str]:
    """The fenced blocks of a language of these pages, in order."""
    fence = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [block for path in pages for block in fence.findall(TEXTS[path])]


def numbered(language: str) -> list[Any]:
    """Each block of a language as a parameter that names its page."""
    return [
        pytest.param(block, id=f"{path.relative_to(ROOT)}-{number}")
        for path in PAGES
        for number, block in enumerate(blocks(language, path), start=1)
    ]


def first_cells(text: str) -> list[str]:
    """The first cell of every row of the Markdown tables that begins with a code mark, without it."""
    return [line.split("|")[1].strip().strip("`") for line in text.splitlines() if line.startswith("| `")]


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
    """That of a person who has just activated the environment; `~` is the folder of the test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CES_")}
    return kept | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(cwd),
        "PYTHONIOENCODING": "utf-8",
    }


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pages are followed: a folder with the checkout's sql/ and the demo, shared by all processes."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "docs"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            folder.mkdir()
            (folder / "sql").symlink_to(ROOT / "sql")
            done = run(["ces", "demo"], folder, CES_HOME=str(folder / "data"))
            (folder / "demo.txt").write_text(done.stdout, encoding="utf-8")
            assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def published(place: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(place / "data/demo/warehouse/ces.duckdb"), read_only=True) as connection:
        yield connection


def table_lines(text: str) -> list[str]:
    """The rows of drawn tables, however wide their columns are."""
    return [" ".join(re.findall(r"[^\s│┃]+", line)) for line in text.splitlines() if line[:1] in "│┃"]


# The two commands of the README


def test_the_readme_is_short() -> None:
    assert len(TEXTS[README].splitlines()) <= MOST_README_LINES


def test_the_two_commands_are_one_line_each_and_the_ones_that_ci_runs() -> None:
    first, second = blocks("bash", README)[:2]
    assert first.startswith(INSTALL)
    assert first.count("\n") == second.count("\n") == 1
    assert second == f"{TESTS}\n"
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    patterns = re.findall(r"readme_command '(.*)'", script)
    found = [[line for line in TEXTS[README].splitlines() if re.match(pattern, line)] for pattern in patterns]
    assert found == [[first.strip()], [second.strip()]]
    assert " -c .ci/constraints.txt && .venv/bin/ces demo\n" in first


def test_the_pins_are_names_and_versions_that_the_project_accepts() -> None:
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.!+]*", line)] == []
    pins = {normal(name): version for name, version in (line.split("==") for line in lines)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    listed = (*project["dependencies"], *(text for extra in extras for text in extra))
    wanted = [Requirement(text) for text in listed]
    assert len(wanted) > 20
    for requirement in wanted:
        if requirement.name != project["name"]:
            assert requirement.specifier.contains(pins[normal(requirement.name)]), requirement


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# What the pages show


@pytest.mark.slow
def test_the_demo_prints_the_figures_of_the_readme(place: Path) -> None:
    shown = next(block for block in blocks("text", README) if "┏" in block)
    printed = table_lines((place / "demo.txt").read_text(encoding="utf-8"))
    assert len(table_lines(shown)) >= 5
    assert [line for line in table_lines(shown) if line not in printed] == []


def followed(place: Path, *pages: Path, **more: str) -> str:
    """What the commands of the pages print, run one after the other as one script that stops at the first failure."""
    commands = [block for block in blocks("bash", *pages) if not block.startswith((INSTALL, TESTS, *SERVER))]
    assert commands
    done = run(["bash", "-euo", "pipefail", "-c", "\n".join(commands)], place, **more)
    assert done.returncode == 0, done.stderr
    shown = [line for block in blocks("text", *pages) if "┏" not in block for line in table_lines(block)]
    assert [line for line in shown if line not in table_lines(done.stdout)] == []
    return done.stdout


@pytest.mark.slow
def test_the_commands_of_getting_started_work_and_show_what_it_shows(place: Path) -> None:
    followed(place, DOCS / "getting-started.md")
    with duckdb.connect(str(place / "first/warehouse/ces.duckdb"), read_only=True) as connection:
        links = connection.execute(
            "select method, count(*) from core.response_tickets group by all"
        ).fetchall()
    assert links == [("ticket_id", 3)]


@pytest.fixture
def after_readme(place: Path) -> str:
    """What the commands of the README print. They are followed once; a copy of the published file is kept."""
    printed = place / "readme.txt"
    with FileLock(f"{printed}.lock"):
        if not printed.exists():
            text = followed(place, README)
            shutil.copy(place / "ces/warehouse/ces.duckdb", place / "readme.duckdb")
            printed.write_text(text, encoding="utf-8")
    return printed.read_text(encoding="utf-8")


def test_the_commands_of_the_readme_work_and_publish_its_answers(place: Path, after_readme: str) -> None:
    with duckdb.connect(str(place / "readme.duckdb"), read_only=True) as connection:
        answers = connection.execute(
            "SELECT score, comment FROM core.responses ORDER BY response_id"
        ).fetchall()
    assert answers == [(6, "Quick answer"), (2, "Called twice, then wrote to [email]"), (7, None)]
    assert "after_support" in after_readme


@pytest.mark.slow
@pytest.mark.usefixtures("after_readme")
def test_the_commands_of_all_other_pages_work_after_those_of_the_readme(place: Path) -> None:
    others = [path for path in PAGES if path not in (README, DOCS / "getting-started.md")]
    followed(place, *others, CES_HOME=str(place / "ces"))
    assert sorted(load_exports(place / "ces/registry")) == ["amplitude", "mixpanel"]
    assert len((place / "journeys.jsonl").read_text(encoding="utf-8").splitlines()) == 3


def test_every_command_that_a_page_names_exists() -> None:
    """Also those in sentences: `ces run`, `ces export scores`, with their options."""
    known = set(re.findall(r"^## (ces .*)$", TEXTS[DOCS / "reference-commands.md"], re.MULTILINE))
    options = set(re.findall(r"^\| `(--[a-z-]+)", TEXTS[DOCS / "reference-commands.md"], re.MULTILINE))
    for path, text in TEXTS.items():
        for words in re.findall(r"(?:`|^|/)ces ([a-z][^`\n]*)", text, re.MULTILINE):
            named = f"ces {words}"
            assert any(named == name or named.startswith(f"{name} ") for name in known), (path.name, named)
            assert set(re.findall(r"(?<=\s)--[a-z-]+", words)) <= options | {"--version"}, (path.name, named)


@pytest.mark.parametrize("query", numbered("sql"))
def test_every_query_of_a_page_runs_on_the_demo(query: str, published: duckdb.DuckDBPyConnection) -> None:
    published.execute(query).fetchall()
    shipped = {file.text.splitlines()[0]: file.text.rstrip() for file in sql_files("queries")}
    if query.splitlines()[0] in shipped:
        assert query.rstrip() == shipped[query.splitlines()[0]]


@pytest.mark.parametrize("program", numbered("python"))
def test_every_program_of_a_page_runs(program: str, place: Path) -> None:
    ran = run([sys.executable, "-c", program], place)
    assert ran.returncode == 0, ran.stderr
    assert "support_case_solved" in ran.stdout


def test_the_registry_examples_of_all_pages_load_together(tmp_path: Path) -> None:
    registry = load_registry(examples(tmp_path))
    assert registry.survey_names["64f0c2a7e1b2d30012a4c501"] == "after_checkout"
    assert {source.reader for source in registry.sources.values()} >= set(READERS) - {"parquet", "xlsx"}
    assert {source.api.connector for source in registry.sources.values() if source.api} >= set(CONNECTORS) - {
        "zendesk_ratings"
    }
    assert registry.handling
    assert registry.fixes
    assert registry.objectives


def examples(folder: Path) -> Path:
    """A registry of every `yaml` block, whose first line names its file. An id may come again, with the same entry."""
    entries: dict[str, Any] = {}
    for block in blocks("yaml", *PAGES):
        first, _, rest = block.partition("\n")
        name, shown = first.removeprefix("# registry/"), yaml.safe_load(rest)
        assert name in generate.FILES, first
        if isinstance(shown, dict):
            entries.setdefault(name, {}).update(shown)
            continue
        for entry in shown:
            known = entries.setdefault(name, {}).setdefault(entry["id"], entry)
            assert known == entry, f"two entries {entry['id']} in {name}"
    for name, found in entries.items():
        is_list = generate.FILES[name][1]
        text = yaml.safe_dump([*found.values()] if is_list else found, sort_keys=False)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_the_home_looks_as_drawn(place: Path) -> None:
    (drawn,) = (block for block in blocks("text", DOCS / "getting-started.md") if "registry/" in block)
    paths = [line.split()[0].replace("<source>/", "") for line in drawn.splitlines()[1:]]
    assert len(paths) >= 9
    assert [path for path in paths if not (place / "data/demo" / path).exists()] == []


def test_every_link_leads_somewhere() -> None:
    for path, text in TEXTS.items():
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            target, _, anchor = link.partition("#")
            if target.startswith("http"):
                continue
            file = (path.parent / target).resolve() if target else path
            assert file.exists(), (path.name, link)
            if anchor:
                assert anchor in anchors(file), (path.name, link)


def anchors(file: Path) -> set[str]:
    """What can follow the # of a link to a page: its headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_decisions_name_sql_files_that_exist() -> None:
    named = re.findall(r"`(sql/[\w./]+)`", TEXTS[ROOT / "sql" / "DECISIONS.md"])
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


# The cookbook


def test_the_questions_of_the_readme_are_those_of_their_files() -> None:
    titles = {file.name: f"{file.title.split('?')[0]}?" for file in sql_files("queries")}
    rows = re.findall(r"^\| (.*\?) \| \[`(\w+)`\]\(sql/queries/(\w+)\.sql\) \|$", TEXTS[README], re.MULTILINE)
    assert len(rows) == 8
    for question, name, file in rows:
        assert name == file
        assert titles[name] == question


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
    for row, written in zip(rows, expected["first"], strict=False):
        assert {name: row[name] for name in written} == written
    assert min(timed(published, file.query) for _ in range(3)) <= QUESTION_LIMIT_MS / 1000


def timed(connection: duckdb.DuckDBPyConnection, query: str) -> float:
    started = time.perf_counter()
    connection.execute(query).fetchall()
    return time.perf_counter() - started


# Pages that follow from the code


def test_generated_pages_are_current() -> None:
    stale = [name for name, text in generate.pages().items() if TEXTS.get(DOCS / name) != text]
    assert stale == [], "run `python -m ces_pipeline.docs.generate`"


def test_every_registry_file_is_described_and_every_key_has_a_meaning() -> None:
    source = Path(registry_files.__file__).read_text(encoding="utf-8")
    assert set(generate.FILES) == set(re.findall(r'"(\w+\.yaml)"', source))
    models = {model for file_model, _ in generate.FILES.values() for model in generate.models_of(file_model)}
    keys = {(model, name) for model in models for name in model.model_fields}
    kinds = {(model, name) for model, name in keys if name == "kind" and len(model.model_fields) < 8}
    bare = {
        f"{model.__name__}.{name}" for model, name in keys - kinds if not model.model_fields[name].description
    }
    assert sorted(bare) == []


def test_every_table_and_view_of_the_file_is_listed(published: duckdb.DuckDBPyConnection) -> None:
    names = published.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() "
        "UNION ALL SELECT if(schema_name = 'main', '', schema_name || '.') || view_name FROM duckdb_views() "
        "WHERE NOT internal"
    ).fetchall()
    head, _, _ = TEXTS[DOCS / "reference-tables.md"].partition("\n## ")
    assert sorted(first_cells(head)) == sorted(name for (name,) in names)


def test_every_reason_and_every_setting_of_a_rule_is_explained() -> None:
    text = TEXTS[DOCS / "judging.md"]
    assert [cell for cell in first_cells(text) if cell in DEFAULT_SEVERITIES] == list(DEFAULT_SEVERITIES)
    assert set(re.findall(r"`rules\.(\w+)", text)) == set(ResponseRules.model_fields)


def test_every_shipped_scale_is_named(tmp_path: Path) -> None:
    found = re.search(
        r"^## Scales\n(.*?)^```", TEXTS[DOCS / "surveys-and-scales.md"], re.MULTILINE | re.DOTALL
    )
    assert found
    named = re.findall(r"`(\w+_\w+)`", found.group(1))
    assert sorted(named) == sorted(load_registry(tmp_path).scales)


def test_every_reader_connector_and_signature_is_on_a_page_and_in_the_overview() -> None:
    vendors = "".join(TEXTS[path] for path in VENDORS.glob("*/README.md"))
    for name in (*READERS, *CONNECTORS):
        assert f"`{name}`" in vendors, name
    assert [name for name in READERS if f"`{name}`" not in TEXTS[DOCS / "sources.md"]] == []
    assert [name for name in CONNECTORS if f"`{name}`" not in TEXTS[DOCS / "apis.md"]] == []
    assert [name for name in SIGNATURES if f"`{name}`" not in TEXTS[DOCS / "receiving.md"]] == []


# The pages as a package


def test_a_topic_is_a_page() -> None:
    listed = topics()
    assert set(listed) == {path.stem for path in DOCS.glob("*.md")} | {
        path.parent.name for path in VENDORS.glob("*/README.md")
    }
    assert all(listed.values())
    assert next(iter(listed)) == "getting-started"
    assert page("zendesk") == TEXTS[VENDORS / "zendesk" / "README.md"]
    with pytest.raises(UnknownTopicError, match=r"'cooking'.*getting-started"):
        page("cooking")


def test_reading_a_page_loads_none_of_the_libraries() -> None:
    program = "import sys, ces_pipeline.docs as docs; docs.topics(); print(*sys.modules, sep='\\n')"
    ran = run([sys.executable, "-c", program], ROOT)
    assert ran.returncode == 0, ran.stderr
    assert not {"pandas", "duckdb", "dagster", "pydantic", "click"} & set(ran.stdout.split())


@pytest.mark.slow
def test_the_wheel_carries_every_page(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, ROOT]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=300)
    (built,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        names = set(archive.namelist())
    pages = [*DOCS.glob("*.md"), *VENDORS.glob("*/README.md")]
    assert [path for path in pages if str(path.relative_to(ROOT)) not in names] == []


# Operating


def test_a_killed_run_gives_way_after_the_time_that_the_page_names(tmp_path: Path) -> None:
    with open_instance(Home(tmp_path)) as instance:
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_runtime_seconds == 2 * 3600
    assert "two hours" in page("operating")


@pytest.mark.slow
def test_the_services_start_and_find_the_schedule(place: Path, tmp_path: Path) -> None:
    home = tmp_path / "services"
    shutil.copytree(place / "data" / "demo", home)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])

    def here(text: str) -> str:
        moved = text.replace("/opt/ces/.venv/bin", str(BIN)).replace("/var/lib/ces", str(home))
        return moved.replace("-p 3000", f"-p {port}")

    settings, *units = (here(block) for block in blocks("ini", DOCS / "operating.md"))
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
    with suppress(OSError), urllib.request.urlopen(request, timeout=10) as response:
        return str(response.read().decode())
    return ""


def wait_for(is_so: Callable[[], bool], logs: list[Path]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if is_so():
            return
        time.sleep(1)
    raise AssertionError("\n".join(log.read_text()[-2000:] for log in logs))
