"""The work of `ces export metrics`, `bi`, `postgres` and `grafana`: prints what was written."""

from pathlib import Path

from ces_pipeline.cli import console
from ces_pipeline.dashboards.metrics import families, metrics_text, write_metrics
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
