"""Protects `ces export postgres` on a real server: equal rows, no reader disturbed, nothing lost, nothing left over."""

import os
import pwd
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline import pipeline
from ces_pipeline.dashboards import postgres
from ces_pipeline.dashboards.postgres import ALWAYS, AUDIT, PostgresError, copied_tables, load
from ces_pipeline.errors import CesError, RegistryError
from ces_pipeline.home import Home
from ces_pipeline.registry import load_registry
from ces_pipeline.registry.settings import PostgresExport
from ces_pipeline.storage import last_results
from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.drills.test_killed import CHILDREN
from ces_pipeline_tests.lake_days import (
    NOON,
    SmallHome,
    days_from,
    rejected,
    response,
    small_home,
    ticket,
)
from ces_pipeline_tests.postgres_server import (
    READER,
    READER_SECRET,
    Server,
    as_rows,
    postgres_server,
    programs,
    schema_columns,
)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(programs() is None, reason="needs PostgreSQL")]

LOADS = 20
EXPORT = PostgresExport(url="CES_PG", readers=(READER,))
HOSTILE = "a\0b 'quoted' \\ \"x\" $ces$ \u2028 😀"
_, NEXT = days_from(NOON.date(), 8)[0], days_from(NOON.date(), 8)[-1]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_server() as found:
        yield found


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    """Two days of answers, one with a hostile channel, and a ticket; published."""
    small = small_home(tmp_path_factory.mktemp("home"))
    answers = [response(key, ease=75.0, channel=HOSTILE, comment="words of a customer") for key in "abcd"]
    small.clean("survey", answers, [rejected("x", landed="words of a customer")])
    small.clean("survey", [response("e", NEXT, ticket_id="T")], day=NEXT)
    small.clean("tickets", [ticket("T", solved_at=NOON, resolution_minutes=90.0, flags=["a", "b"])])
    assert small.publish().published
    return small


@pytest.fixture
def small(published: SmallHome, tmp_path: Path) -> SmallHome:
    """A home of the test's own."""
    return published.copied(tmp_path / "home")


@pytest.fixture
def database(server: Server, request: pytest.FixtureRequest) -> str:
    """An empty database of the test's own."""
    return server.new_database(f"d{abs(hash(request.node.nodeid)) % 10**9}")


def environment(server: Server, database: str) -> dict[str, str]:
    return {"CES_PG": server.address(database)}


def test_every_copied_table_has_the_rows_and_the_comments_of_the_published_file(
    small: SmallHome, server: Server, database: str
) -> None:
    done = load(small.home, replace_export(has_core=True), environment(server, database))
    assert done.is_new
    with open_published(small.home.published) as connection:
        tables = copied_tables(connection, has_core=True)
        assert {table.schema for table in tables} == {"mart", "reference", "audit", "bi", "core"}
        for table in tables:
            there = server.rows(
                f"SELECT {', '.join(table.columns)} FROM {table.schema}.{table.name}", database=database
            )
            assert as_rows(there) == as_rows(connection.execute(table.query).fetchall()), table.name
        assert done.tables == len(tables)
    comments = server.rows(
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_attribute a ON "
        "attrelid = c.oid WHERE nspname IN ('mart', 'bi', 'core') AND relkind = 'r' AND attnum > 0 AND "
        "col_description(c.oid, attnum) IS NULL",
        database=database,
    )
    assert comments == [(0,)]


def replace_export(**keys: Any) -> PostgresExport:
    return PostgresExport.model_validate({**EXPORT.model_dump(), **keys})


def test_the_words_of_customers_never_leave_and_other_types_become_plain(
    small: SmallHome, server: Server, database: str
) -> None:
    load(small.home, replace_export(has_core=True), environment(server, database))
    core = schema_columns(server, "core", database)
    assert "responses" in core
    assert {name for columns in core.values() for name in columns} & {"comment", "landed"} == set()
    kinds = {
        kind
        for schema in ("mart", "reference", "audit", "bi", "core")
        for columns in schema_columns(server, schema, database).values()
        for kind in columns.values()
    }
    assert kinds <= {
        "bigint",
        "boolean",
        "date",
        "double precision",
        "text",
        "timestamp with time zone",
        "timestamp without time zone",
    }
    assert server.rows("SELECT flags FROM core.tickets", database=database) == [('["a","b"]',)]
    # A text of PostgreSQL holds no NUL.
    assert server.rows(
        "SELECT DISTINCT channel FROM core.responses WHERE channel <> 'unknown'", database=database
    ) == [(HOSTILE.replace("\0", "\ufffd"),)]
    assert set(schema_columns(server, "audit", database)) == set(AUDIT)


def test_core_is_copied_only_while_it_is_asked_for(small: SmallHome, server: Server, database: str) -> None:
    at = environment(server, database)
    load(small.home, EXPORT, at)
    assert server.schemas(database) == ["audit", "bi", "mart", "reference"]
    load(small.home, replace_export(has_core=True), at)
    assert server.schemas(database) == ["audit", "bi", "core", "mart", "reference"]
    load(small.home, EXPORT, at)
    assert server.schemas(database) == ["audit", "bi", "mart", "reference"]


def test_a_publication_is_copied_once(small: SmallHome, server: Server, database: str) -> None:
    at = environment(server, database)
    assert load(small.home, EXPORT, at).is_new
    assert not load(small.home, EXPORT, at).is_new
    small.clean("survey", [response("new", NEXT)], day=NEXT)
    small.publish("run-2")
    assert load(small.home, EXPORT, at).is_new
    assert server.rows("SELECT run_id FROM audit.publication", database=database) == [("run-2",)]


def test_a_reader_in_a_loop_sees_no_error_and_never_half_of_a_load(
    published: SmallHome, server: Server, database: str, tmp_path: Path
) -> None:
    at, seen, errors, stop = environment(server, database), list[Any](), list[str](), threading.Event()
    other = published.copied(tmp_path / "other")
    other.clean("survey", [response("new", NEXT), response("newer", NEXT)], day=NEXT)
    other.publish("run-2")
    load(published.home, EXPORT, at)

    def read() -> None:
        with server.connected(READER, READER_SECRET, database) as connection, connection.cursor() as cursor:
            while not stop.is_set():
                try:
                    # Two tables of one schema: both must be of the same load.
                    cursor.execute(
                        "SELECT (SELECT sum(n) FROM mart.ces_daily), (SELECT sum(n) FROM mart.ces_weekly)"
                    )
                    seen.extend(cursor.fetchall())
                except Exception as problem:
                    errors.append(str(problem))
                    return

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(LOADS):
            assert load((other, published)[number % 2].home, EXPORT, at).is_new
    finally:
        stop.set()
        reader.join()
    assert errors == []
    assert len(seen) > LOADS
    assert {daily == weekly for daily, weekly in seen} == {True}
    # It read both publications.
    assert len(set(seen)) == 2
    assert server.schemas(database) == ["audit", "bi", "mart", "reference"]


KILLED = {
    "before it creates tables": ("lay_out", 1),
    "while it copies rows": ("fill", 40),
    "before it commits": ("complete", 1),
}


def load_until_killed(root: str, where: tuple[str, int], address: str) -> None:
    """Load in this process, which is killed at the nth call of a method of the load."""
    name, left = where
    method = getattr(postgres._Database, name)
    calls = 0

    def killed(self: Any, *given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == left:
            os.kill(os.getpid(), signal.SIGKILL)
        return method(self, *given)

    setattr(postgres._Database, name, killed)
    load(Home(Path(root)), EXPORT, {"CES_PG": address})


@pytest.mark.parametrize("where", KILLED)
def test_a_load_that_is_killed_leaves_the_old_data_and_the_next_one_replaces_it(
    small: SmallHome, server: Server, database: str, where: str
) -> None:
    at = environment(server, database)
    load(small.home, EXPORT, at)
    before = server.rows("SELECT sum(n) FROM mart.ces_daily", database=database)
    small.clean("survey", [response("new", NEXT), response("newer", NEXT)], day=NEXT)
    small.publish("run-2")
    child = CHILDREN.Process(target=load_until_killed, args=(str(small.root), KILLED[where], at["CES_PG"]))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    after = server.rows(
        "SELECT sum(n) FROM mart.ces_daily", role=READER, secret=READER_SECRET, database=database
    )
    assert after == before
    assert load(small.home, EXPORT, at).is_new
    assert server.schemas(database) == ["audit", "bi", "mart", "reference"]
    assert server.rows("SELECT run_id FROM audit.publication", database=database) == [("run-2",)]


def test_readers_may_read_and_change_nothing_and_other_grants_are_kept(
    small: SmallHome, server: Server, database: str
) -> None:
    at, how = environment(server, database), {"role": READER, "secret": READER_SECRET, "database": database}
    load(small.home, replace_export(readers=()), at)
    with pytest.raises(Exception, match="permission denied"):
        server.rows("SELECT n FROM mart.ces_daily", **how)
    server.run(
        f"GRANT USAGE ON SCHEMA mart TO {READER}",
        f"GRANT SELECT ON mart.ces_daily TO {READER}",
        database=database,
    )
    small.clean("survey", [response("new", NEXT)], day=NEXT)
    small.publish("run-2")
    load(small.home, replace_export(readers=()), at)
    # What was granted by hand is still granted, and no more.
    assert server.rows("SELECT sum(n) FROM mart.ces_daily", **how)
    with pytest.raises(Exception, match="permission denied"):
        server.rows("SELECT n FROM mart.ces_weekly", **how)
    load(small.home, EXPORT, at)
    assert server.rows("SELECT count(*) FROM bi.weeks", **how)
    for statement in (
        "DELETE FROM mart.ces_daily",
        "DROP TABLE mart.ces_daily",
        "CREATE TABLE mart.x (a int)",
    ):
        with pytest.raises(Exception, match=r"permission denied|must be owner"):
            server.run(statement, **how)


@pytest.mark.parametrize(
    ("statements", "named"),
    [
        (("CREATE SCHEMA mart",), "schema mart"),
        (("CREATE SCHEMA reference",), "schema reference"),
    ],
)
def test_a_schema_that_others_made_is_left_alone(
    small: SmallHome, server: Server, database: str, statements: tuple[str, ...], named: str
) -> None:
    server.run(*statements, database=database)
    with pytest.raises(PostgresError, match=named):
        load(small.home, EXPORT, environment(server, database))
    assert len(server.schemas(database)) == 1


def test_a_transaction_of_a_reader_delays_nothing_and_keeps_what_it_saw(
    small: SmallHome, server: Server, database: str
) -> None:
    at = environment(server, database)
    load(small.home, EXPORT, at)
    small.clean("survey", [response("new", NEXT)], day=NEXT)
    small.publish("run-2")
    with server.connected(READER, READER_SECRET, database) as connection, connection.cursor() as cursor:
        connection.adbc_connection.set_autocommit(False)
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

        def run_id() -> Any:
            cursor.execute("SELECT run_id FROM audit.publication")
            return cursor.fetchall()

        before = run_id()
        assert load(small.home, EXPORT, at).is_new
        assert run_id() == before != [("run-2",)]
        connection.adbc_connection.commit()
        assert run_id() == [("run-2",)]


def test_what_others_built_stays_and_is_named_where_it_is_in_the_way(
    small: SmallHome, server: Server, database: str
) -> None:
    at, how = environment(server, database), {"database": database, "role": "postgres"}
    load(small.home, replace_export(has_core=True), at)
    server.run(
        "CREATE TABLE mart.mine AS SELECT 7 AS a",
        "CREATE VIEW public.weeks AS SELECT n FROM mart.ces_weekly",
        "CREATE VIEW public.answers AS SELECT response_key FROM core.responses",
        **how,
    )
    small.clean("survey", [response("new", NEXT)], day=NEXT)
    small.publish("run-2")
    load(small.home, replace_export(has_core=True), at)
    assert server.rows("SELECT a FROM mart.mine", **how) == [(7,)]
    weeks = server.rows("SELECT sum(n) FROM public.weeks", **how)
    assert weeks == server.rows("SELECT sum(n) FROM mart.ces_weekly", **how)
    # `core` is no longer asked for, but a view reads it.
    with pytest.raises(PostgresError, match="a view or table of yours"):
        load(small.home, EXPORT, at)
    server.run("DROP VIEW public.answers", **how)
    load(small.home, EXPORT, at)
    assert server.schemas(database) == ["audit", "bi", "mart", "reference"]


def test_a_table_of_others_under_a_name_of_ces_is_left_alone(
    small: SmallHome, server: Server, database: str
) -> None:
    at, how = environment(server, database), {"database": database, "role": "postgres"}
    load(small.home, EXPORT, at)
    server.run("DROP TABLE mart.ces_daily", "CREATE TABLE mart.ces_daily AS SELECT 7 AS a", **how)
    small.clean("survey", [response("new", NEXT)], day=NEXT)
    small.publish("run-2")
    with pytest.raises(PostgresError, match=r"mart\.ces_daily"):
        load(small.home, EXPORT, at)
    assert server.rows("SELECT a FROM mart.ces_daily", **how) == [(7,)]


def test_tables_of_an_older_release_get_the_columns_of_this_one(
    small: SmallHome, server: Server, database: str
) -> None:
    at, how = environment(server, database), {"database": database, "role": "postgres"}
    load(small.home, EXPORT, at)
    layout = {schema: schema_columns(server, schema, database) for schema in ALWAYS}
    key = next(iter(layout["bi"]["weeks"]))
    server.run(
        "ALTER TABLE mart.ces_daily ADD COLUMN gone int, DROP COLUMN n, ALTER survey_id TYPE varchar(500)",
        f"ALTER TABLE bi.weeks DROP COLUMN {key}",
        "CREATE TABLE mart.gone (a int)",
        "COMMENT ON TABLE mart.gone IS 'A mart of an older release.'",
        "DROP TABLE mart.ces_weekly",
        "COMMENT ON COLUMN mart.month_changes.n IS 'Words of an older release.'",
        "COMMENT ON SCHEMA mart IS 'Made by `ces export postgres`. Load older'",
        **how,
    )
    load(small.home, EXPORT, at)
    for schema, tables in layout.items():
        now = schema_columns(server, schema, database)
        assert {name: dict(sorted(columns.items())) for name, columns in now.items()} == {
            name: dict(sorted(columns.items())) for name, columns in tables.items()
        }
    with open_published(small.home.published) as connection:
        for table in copied_tables(connection, has_core=False):
            there = server.rows(f"SELECT {', '.join(table.columns)} FROM {table.target}", database=database)
            assert as_rows(there) == as_rows(connection.execute(table.query).fetchall()), table.name
        words = connection.execute(
            "SELECT comment FROM duckdb_columns() WHERE table_name = 'month_changes' AND column_name = 'n'"
        ).fetchall()
    query = "SELECT col_description('mart.month_changes'::regclass, attnum) FROM pg_attribute "
    query += "WHERE attrelid = 'mart.month_changes'::regclass AND attname = 'n'"
    assert server.rows(query, database=database) == words
    assert server.rows(
        "SELECT count(*) FROM mart.ces_weekly", role=READER, secret=READER_SECRET, database=database
    )


def test_a_reader_that_does_not_exist_is_named(small: SmallHome, server: Server, database: str) -> None:
    with pytest.raises(PostgresError, match="role nobody_like_this"):
        load(small.home, replace_export(readers=("nobody_like_this",)), environment(server, database))
    assert server.schemas(database) == []


def test_what_is_wrong_with_an_address_is_said_without_the_address(small: SmallHome, server: Server) -> None:
    secret = "hunter2-hunter2"
    wrong = {
        "password": (server.address(secret=secret), "user or the password"),
        "role": (server.address(role="stranger", secret=secret), "user or the password"),
        "database": (server.address("no_such_database"), "does not exist"),
        "server": (f"postgresql://owner:{secret}@127.0.0.1:1/ces", "no server listens"),
        "form": (f"postgresql://owner:{secret}@127.0.0.1:port/ces", "it was refused"),
        "host": (
            f"postgresql://owner:{secret}@no-such-host.invalid/ces",
            "no connection to no-such-host.invalid",
        ),
        "keywords": (
            f"host=127.0.0.1 port={server.port} user=owner password={secret} dbname=ces",
            "password is wrong",
        ),
    }
    for address, expected in wrong.values():
        with pytest.raises(PostgresError) as refused:
            load(small.home, EXPORT, {"CES_PG": address})
        line = str(refused.value)
        assert expected in line
        assert "\n" not in line
        assert secret not in line
        assert "s3cret" not in line
    with pytest.raises(PostgresError, match="CES_PG is not set"):
        load(small.home, EXPORT, {})


def test_a_role_that_may_not_create_schemas_is_told_so(
    small: SmallHome, server: Server, database: str
) -> None:
    address = server.address(database, READER, READER_SECRET)
    with pytest.raises(PostgresError, match="grant it CREATE"):
        load(small.home, replace_export(readers=()), {"CES_PG": address})


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MB, which the server may write."""
    folder = Path("/tmp") / f"ces-tiny-{os.getpid()}"
    folder.mkdir()
    options = "size=32m,mode=0700" + (f",uid={pwd.getpwnam('postgres').pw_uid}" if os.geteuid() == 0 else "")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("needs to mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


def test_a_full_disk_keeps_the_old_data(small: SmallHome, server: Server, tiny_disk: Path) -> None:
    server.run(f"CREATE TABLESPACE tiny LOCATION '{tiny_disk}'", database="postgres", role="postgres")
    database = server.new_database("tiny", "tiny")
    at = environment(server, database)
    load(small.home, EXPORT, at)
    before = server.rows("SELECT sum(n) FROM mart.ces_daily", database=database)
    small.clean("survey", [response("new", NEXT)], day=NEXT)
    small.publish("run-2")
    # After it, files that are no longer used are deleted.
    server.run("CHECKPOINT", database="postgres", role="postgres")
    filling = tiny_disk / "filling"
    with filling.open("wb") as file:
        free = os.statvfs(tiny_disk)
        file.write(b"\0" * (free.f_bavail * free.f_frsize - 300_000))
    with pytest.raises(PostgresError, match="disk of the server is full"):
        load(small.home, EXPORT, at)
    filling.unlink()
    assert server.rows("SELECT sum(n) FROM mart.ces_daily", database=database) == before
    assert load(small.home, EXPORT, at).is_new
    assert server.schemas(database) == ["audit", "bi", "mart", "reference"]
    server.run(
        "DROP DATABASE tiny WITH (FORCE)", "DROP TABLESPACE tiny", database="postgres", role="postgres"
    )


def test_a_failed_copy_fails_no_publish_and_is_recorded_until_one_succeeds(
    tmp_path: Path, server: Server, database: str
) -> None:
    small = small_home(tmp_path, exports={"postgres": {"url": "CES_PG"}, "bi_files": True})
    small.clean("survey", [response("a")])
    assert small.publish().published
    wrong = {"CES_PG": f"postgresql://owner:wrong@127.0.0.1:{server.port}/{database}"}
    failures = pipeline.export(small.home, small.registry, wrong)
    assert list(failures) == ["postgres", "bi"]
    assert "password is wrong" in failures["postgres"][0]
    assert failures["bi"] == []
    assert (tmp_path / "exports" / "bi" / "weeks.parquet").is_file()
    (kept,) = last_results.last_results(small.lake)
    assert (kept.step, kept.failures[""]) == ("export-postgres", failures["postgres"])
    assert pipeline.export(small.home, small.registry, environment(server, database)) == {
        "postgres": [],
        "bi": [],
    }
    assert last_results.last_results(small.lake) == []


def test_without_a_publication_or_a_setting_nothing_is_copied(tmp_path: Path) -> None:
    small = small_home(tmp_path)
    with pytest.raises(CesError, match="nothing is published"):
        load(small.home, EXPORT, {"CES_PG": "postgresql://h/d"})
    with pytest.raises(RegistryError, match=r"exports\.postgres"):
        pipeline.export_postgres(small.home, load_registry(small.home.registry), {})
