"""A PostgreSQL server of a test's own: a new cluster in a temporary folder, on loopback, stopped and deleted at the end.

PostgreSQL does not run as root, so the commands run as the user `postgres` there.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ces_pipeline_tests.drills.test_killed_receiver import free_port

OWNER, SECRET = "owner", "s3cret-of-the-owner"
READER, READER_SECRET = "reader", "s3cret-of-the-reader"
"""A role that may create schemas in its database, and one that may only log in."""


def programs() -> Path | None:
    """The folder of the newest installed server's programs; None if there is none, or no driver."""
    if find_spec("adbc_driver_postgresql") is None:
        return None
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return debian[-1].parent if debian else Path(found).resolve().parent if found else None


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int

    def address(self, database: str = "ces", role: str = OWNER, secret: str = SECRET) -> str:
        """The address of a database for a role."""
        return f"postgresql://{role}:{secret}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def connected(self, role: str = OWNER, secret: str = SECRET, database: str = "ces") -> Iterator[Any]:
        """A connection whose statements commit one by one."""
        from adbc_driver_postgresql import dbapi

        with dbapi.connect(self.address(database, role, secret), autocommit=True) as connection:
            yield connection

    def rows(self, query: str, **how: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self.connected(**how) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def run(self, *statements: str, **how: str) -> None:
        """Run statements."""
        with self.connected(**how) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def schemas(self, database: str = "ces") -> list[str]:
        """The schemas of a database that are not the server's own."""
        query = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1"
        names = [name for (name,) in self.rows(query, database=database)]
        return [name for name in names if name not in ("information_schema", "public")]

    def new_database(self, name: str, tablespace: str = "pg_default") -> str:
        """An empty database of the owner; returns its name."""
        self.run(
            f"CREATE DATABASE {name} OWNER {OWNER} TABLESPACE {tablespace}",
            database="postgres",
            role="postgres",
        )
        return name


@contextmanager
def postgres_server(**given: str) -> Iterator[Server]:
    """A server with the database `ces` of the owner, which asks for passwords. given: further settings."""
    bin_folder = programs()
    assert bin_folder is not None, "needs PostgreSQL"
    folder = Path(tempfile.mkdtemp(prefix="ces-postgres-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def do(*command: str) -> None:
        subprocess.run(
            [str(bin_folder / command[0]), *command[1:]],
            check=True,
            capture_output=True,
            user=user,
            cwd=folder,
        )

    (folder / "secret").write_text(SECRET)
    (folder / "secret").chmod(0o644)
    data, server = folder / "data", Server(free_port())
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": server.port,
        "unix_socket_directories": "",
        "fsync": "off",
        **given,
    }
    try:
        do(
            "initdb",
            "-D",
            str(data),
            "-U",
            "postgres",
            "-A",
            "scram-sha-256",
            f"--pwfile={folder / 'secret'}",
            "-E",
            "UTF8",
            "-N",
        )
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        do("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "start")
        try:
            admin = {"role": "postgres", "database": "postgres"}
            server.run(
                f"CREATE ROLE {OWNER} LOGIN PASSWORD '{SECRET}'",
                f"CREATE ROLE {READER} LOGIN PASSWORD '{READER_SECRET}'",
                f"CREATE DATABASE ces OWNER {OWNER}",
                **admin,
            )
            yield server
        finally:
            do("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def schema_columns(server: Server, schema: str, database: str = "ces") -> dict[str, dict[str, str]]:
    """Table -> column -> type, of a schema."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in server.rows(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        f"WHERE table_schema = '{schema}' ORDER BY ordinal_position",
        database=database,
    ):
        found.setdefault(table, {})[column] = kind
    return found


def as_rows(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Rows in an order of their own, as texts that compare."""
    return sorted(
        repr([value.isoformat() if isinstance(value, date) else value for value in row]) for row in rows
    )
