"""The work of `ces export metrics`, `bi`, `postgres` and `grafana`: prints what was written."""

import os
from pathlib import Path

from ces_pipeline import pipeline
from ces_pipeline.cli import console
from ces_pipeline.dashboards.grafana import PASSWORD, write_provisioning
from ces_pipeline.dashboards.metrics import families, metrics_text, write_metrics
from ces_pipeline.defs.current import current_registry
from ces_pipeline.home import Home
from ces_pipeline.registry.load import load_settings


def export_metrics(home: Home, path: Path | None) -> bool:
    """Write the metrics to `path`, else to the file of the settings, else print them."""
    named = load_settings(home.registry).exports.metrics_file
    if path is None and named is None:
        console.out.print(metrics_text(families(home)), end="")
        return True
    target = path or home.root / str(named)
    console.out.print(f"wrote {write_metrics(home, target):,} series to {target}")
    return True


def export_bi(home: Home, folder: Path | None) -> bool:
    """Write the Parquet files of `bi` and the files of Power BI and Tableau."""
    registry = current_registry(home)
    for path in pipeline.export_bi(home, registry, folder=folder):
        console.out.print(f"wrote {path}")
    database = registry.settings.exports.postgres
    if database is None:
        console.out.print("no file for PostgreSQL: settings.yaml has no `exports.postgres`")
    elif database.url not in os.environ:
        console.out.print(f"no file for PostgreSQL: the environment variable {database.url} is not set")
    return True


def export_postgres(home: Home) -> bool:
    """Copy the published tables to PostgreSQL, or say that it has them already."""
    with console.working("copying to PostgreSQL"):
        done = pipeline.export_postgres(home, current_registry(home))
    if not done.is_new:
        console.out.print("nothing to do: the database has this publication already")
        return True
    console.out.print(f"copied {done.rows:,} rows of {done.tables:,} tables in {done.seconds:.1f} s")
    for schema, (rows, seconds) in done.copied.items():
        console.out.print(f"{schema}: {rows:,} rows, {rows / max(seconds, 0.001):,.0f} a second")
    return True


def export_grafana(home: Home, folder: Path, path: str | None) -> bool:
    """Write the provisioning of a Grafana."""
    for written in write_provisioning(current_registry(home), os.environ, folder, path):
        console.out.print(f"wrote {written}")
    console.out.print(f"Grafana needs the password of the reader in its environment, as {PASSWORD}")
    return True
