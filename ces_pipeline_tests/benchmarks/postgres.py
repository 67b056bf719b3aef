"""Measures `ces export postgres`: rows a second by schema, into a server on loopback that starts for it.

    python -m ces_pipeline_tests.benchmarks.postgres HOME

HOME has a published file, which is only read. The server has the settings of a new cluster but for `fsync`, which is on.
"""

import argparse
from pathlib import Path

from ces_pipeline.dashboards.postgres import load
from ces_pipeline.home import Home
from ces_pipeline.registry.settings import PostgresExport
from ces_pipeline_tests.postgres_server import postgres_server

_LEAST = {"mart": 60_000, "core": 150_000}
"""Rows a second that are aimed at."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("home", type=Path)
    home = Home(parser.parse_args().home)
    with postgres_server(fsync="on") as server:
        done = load(home, PostgresExport(url="CES_PG", has_core=True), {"CES_PG": server.address()})
    for schema, (rows, seconds) in done.copied.items():
        aim = f" (aim {_LEAST[schema]:,})" if schema in _LEAST else ""
        print(f"{schema}: {rows:,} rows in {seconds:.1f} s, {rows / seconds:,.0f} rows a second{aim}")
    print(f"all: {done.rows:,} rows of {done.tables:,} tables in {done.seconds:.1f} s")


if __name__ == "__main__":
    main()
