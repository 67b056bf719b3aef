"""Protects the Grafana boards: each query runs as the reader on a real server, and says what the published file says."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ces_pipeline.cli import runs
from ces_pipeline.dashboards import boards as boards_source
from ces_pipeline.dashboards.boards import BOARDS, SOURCE, UID
from ces_pipeline.dashboards.grafana import PASSWORD, boards, write_provisioning
from ces_pipeline.dashboards.postgres import load
from ces_pipeline.errors import RegistryError
from ces_pipeline.home import Home
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.registry.settings import PostgresExport
from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.lake_days import SmallHome, days_from, response, small_home, ticket
from ces_pipeline_tests.postgres_server import (
    READER,
    READER_SECRET,
    Server,
    as_rows,
    postgres_server,
    programs,
)

needs_server = pytest.mark.skipif(programs() is None, reason="needs PostgreSQL")
SHIPPED = {name: json.loads(text) for name, text in boards().items()}
FROM, TO = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
"""A macro as the PostgreSQL data source finds it: the argument ends at the first closing bracket."""


def expanded(query: str, variables: dict[str, str]) -> str:
    """A query as the data source sends it. variables: name -> its text in SQL. Fails on a sign that stays."""

    def macro(found: re.Match[str]) -> str:
        assert found[1] == "__timeFilter", found[0]
        assert "," not in found[2]
        return f"{found[2].strip()} BETWEEN '{FROM:%Y-%m-%dT%H:%M:%SZ}' AND '{TO:%Y-%m-%dT%H:%M:%SZ}'"

    for name, value in variables.items():
        query = re.sub(rf"\$(?:{name}\b|{{{name}}})", lambda _: value, query)  # noqa: B023
    query = _MACRO.sub(macro, query)
    assert "$" not in query, query
    return query


def variables_of(board: dict[str, Any]) -> dict[str, str]:
    """The variables with All chosen: Grafana puts `allValue` in as it is."""
    return {variable["name"]: variable["allValue"] for variable in board["templating"]["list"]}


def queries_of(board: dict[str, Any]) -> list[str]:
    """Every query of a board: of its panels, annotations and variables."""
    found = [target["rawSql"] for panel in board["panels"] for target in panel["targets"]]
    found += [annotation["target"]["rawSql"] for annotation in board["annotations"]["list"]]
    return found + [variable["query"] for variable in board["templating"]["list"]]


def registry_with(home: Home, **rules: Any) -> Registry:
    """A registry of the home, with a database and a reader in its settings."""
    settings = yaml.safe_load((home.registry / "settings.yaml").read_text()) or {}
    settings["exports"] = {"postgres": {"url": "CES_PG", "readers": [READER]}}
    (home.registry / "settings.yaml").write_text(yaml.safe_dump(settings))
    return load_registry(home.registry)


def answers_alike(home: Home, server: Server, database: str, folder: Path) -> dict[str, int]:
    """Board -> rows of all its queries, each asked of the database as the reader and of the published file."""
    at = {"CES_PG": server.address(database)}
    registry = registry_with(home)
    assert load(home, PostgresExport(url="CES_PG", readers=(READER,)), at).is_new
    write_provisioning(registry, at, folder, None)
    rules = yaml.safe_load((folder / "alerting" / "ces.yaml").read_text())["groups"][0]["rules"]
    asked = {
        name: [(query, variables_of(board)) for query in queries_of(board)] for name, board in SHIPPED.items()
    }
    asked["alerting"] = [(rule["data"][0]["model"]["rawSql"], {}) for rule in rules]
    how = {"role": READER, "secret": READER_SECRET, "database": database}
    counts = {}
    with open_published(home.published) as published:
        for name, queries in asked.items():
            counts[name] = 0
            for query, variables in queries:
                sql = expanded(query, variables)
                there, here = server.rows(sql, **how), published.execute(sql).fetchall()
                assert as_rows(there) == as_rows(here), sql
                if sql.startswith("select (") and " as time" in sql and "order by 1" in sql:
                    assert [row[0] for row in there] == sorted(row[0] for row in there)
                counts[name] += len(there)
    return counts


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_server() as found:
        yield found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    small = small_home(tmp_path_factory.mktemp("home"))
    for number, day in enumerate(days_from(datetime(2026, 3, 2, tzinfo=UTC).date(), 20)):
        kept = [
            response(
                f"{day}-{part}",
                day,
                ease=(100.0, 75.0, 0.0)[part],
                channel='it\'s a "chat"',
                ticket_id=f"T{number}",
            )
            for part in range(3)
        ]
        small.clean("survey", kept, day=day)
        small.clean(
            "tickets",
            [ticket(f"T{number}", day, category="billing", updated_at=datetime(2026, 3, 2, tzinfo=UTC))],
            day=day,
        )
    assert small.publish().published
    return small


@needs_server
def test_each_query_says_what_the_file_says(small: SmallHome, server: Server, tmp_path: Path) -> None:
    counts = answers_alike(small.home, server, server.new_database("small"), tmp_path)
    assert counts["week_by_week.json"] > 20
    assert counts["alerting"] >= 1


@pytest.mark.slow
@needs_server
def test_each_query_runs_on_an_empty_installation(server: Server, tmp_path: Path) -> None:
    empty = small_home(tmp_path / "home")
    assert empty.publish().published
    answers_alike(empty.home, server, server.new_database("nothing"), tmp_path / "out")


@needs_server
@pytest.mark.slow
@pytest.mark.parametrize("which", ["demo", "story"])
def test_each_query_says_what_the_file_says_for_the_demos(server: Server, tmp_path: Path, which: str) -> None:
    home = Home(tmp_path / "home")
    assert {"demo": runs.demo, "story": runs.demo_story}[which](home)
    counts = answers_alike(home, server, server.new_database(which), tmp_path / "out")
    empty = {"journey_and_fixes.json"} if which == "demo" else set()
    assert {name for name, rows in counts.items() if not rows} <= empty


@needs_server
def test_a_chosen_value_is_quoted_as_grafana_quotes_it(small: SmallHome, server: Server) -> None:
    chosen = {"survey": "'after_chat'", "channel": "'it''s a \"chat\"'", "persona": "'unassigned'"}
    (query,) = [
        target["rawSql"]
        for panel in SHIPPED["week_by_week.json"]["panels"]
        if panel["title"].startswith("Ease by channel")
        for target in panel["targets"]
    ]
    assert small.rows(expanded(query, chosen)) == small.rows(
        expanded(query, variables_of(SHIPPED["week_by_week.json"]))
    )


@needs_server
def test_the_reader_can_delete_nothing(small: SmallHome, server: Server) -> None:
    database = server.new_database("refused")
    load(small.home, PostgresExport(url="CES_PG", readers=(READER,)), {"CES_PG": server.address(database)})
    with pytest.raises(Exception, match="permission denied"):
        server.run("DELETE FROM mart.week_changes", role=READER, secret=READER_SECRET, database=database)


def test_the_boards_that_ship_are_up_to_date() -> None:
    assert boards() == boards_source.pages(), "run `python -m ces_pipeline.dashboards.boards`"
    assert len(BOARDS) == 5


@pytest.mark.parametrize("name", SHIPPED)
def test_a_board_has_the_data_source_places_and_ids_that_grafana_needs(name: str) -> None:
    board = SHIPPED[name]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    assert 8 <= len(board["uid"]) <= 40
    assert (board["timezone"], board["refresh"]) == ("utc", "5m")
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells
        for target in panel["targets"]:
            assert target["datasource"] == SOURCE
            assert target["refId"]
            assert target["format"] in ("table", "time_series")
    used = {variable for query in queries_of(board) for variable in re.findall(r"\$\{?([a-z]+)", query)}
    assert used == set(variables_of(board))
    assert {variable["datasource"]["uid"] for variable in board["templating"]["list"]} <= {UID}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_board_is_of_the_form_of_grafana_11_6(name: str) -> None:
    pytest.importorskip("grafana_foundation_sdk")
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()
    board = json.loads(json.dumps(SHIPPED[name]))
    for annotation in board["annotations"]["list"]:
        # The types know only the target of Grafana's own annotations.
        del annotation["target"]
    read = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(board)))
    assert left_out(board, read) == []


def left_out(given: Any, read: Any, place: str = "") -> list[str]:
    """Places of what was given that the types do not know, or read as something else."""
    if isinstance(given, dict) and isinstance(read, dict):
        return [line for key in given for line in left_out(given[key], read.get(key), f"{place}/{key}")]
    if isinstance(given, list) and isinstance(read, list) and len(given) == len(read):
        return [
            line
            for number, value in enumerate(given)
            for line in left_out(value, read[number], f"{place}/{number}")
        ]
    return [] if given == read else [f"{place}: {given!r} became {read!r}"]


def test_a_key_that_the_form_does_not_have_is_found() -> None:
    assert left_out({"a": 1, "b": [{"c": 2}]}, {"a": 1, "b": [{}]}) == ["/b/0/c: 2 became None"]


def test_the_provisioning_holds_no_password_and_names_what_grafana_asks_for(tmp_path: Path) -> None:
    small = small_home(tmp_path / "home")
    (small.home.registry / "alerts.yaml").write_text(
        yaml.safe_dump(
            {
                "rules": [
                    {
                        "id": "hard",
                        "owner": "the $TEAM",
                        "severity": "critical",
                        "threshold": {"figure": "mean_effort_0_100", "above": 45},
                    },
                    {"id": "a" * 60, "owner": "b", "severity": "warning", "runs": "all"},
                ]
            }
        )
    )
    registry = registry_with(small.home)
    at = {"CES_PG": "postgresql://owner:s3cret@db.example.org:6543/ces?sslmode=verify-full"}
    written = write_provisioning(registry, at, tmp_path / "out", "/etc/grafana/provisioning")
    assert "s3cret" not in "".join(path.read_text() for path in written)
    (source,) = yaml.safe_load((tmp_path / "out/datasources/ces.yaml").read_text())["datasources"]
    assert (source["uid"], source["url"], source["user"], source["jsonData"]["database"]) == (
        UID,
        "db.example.org:6543",
        READER,
        "ces",
    )
    assert source["jsonData"]["sslmode"] == "verify-full"
    assert source["secureJsonData"] == {"password": f"${PASSWORD}"}
    (provider,) = yaml.safe_load((tmp_path / "out/dashboards/ces.yaml").read_text())["providers"]
    assert provider["options"]["path"] == "/etc/grafana/provisioning/boards"
    rules = yaml.safe_load((tmp_path / "out/alerting/ces.yaml").read_text())["groups"][0]["rules"]
    assert [rule["labels"]["severity"] for rule in rules] == ["critical", "warning", "critical"]
    assert rules[0]["labels"]["owner"] == "the $$TEAM"
    assert len({rule["uid"] for rule in rules}) == 3
    assert all(len(rule["uid"]) <= 40 for rule in rules)


def test_without_a_database_or_a_reader_it_says_what_to_set(tmp_path: Path) -> None:
    small = small_home(tmp_path / "home", exports={"postgres": {"url": "CES_PG"}})
    with pytest.raises(RegistryError, match="readers"):
        write_provisioning(small.registry, {"CES_PG": "postgresql://h/d"}, tmp_path / "out", None)
    with pytest.raises(RegistryError, match="CES_PG is not set"):
        write_provisioning(registry_with(small.home), {}, tmp_path / "out", None)
