"""The Dagster instance of a home: its folder, its settings file, and opening it."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import dagster as dg
import yaml
from dagster._core.instance import InstanceRef

from ces_pipeline.home import HOME_VARIABLE, Home

WORKSPACE_FILE = "workspace.yaml"
_SETTINGS = """\
# Written once by ces; yours to change from then on.
telemetry:
  enabled: false
# No invitation to a newsletter at the first look.
nux:
  enabled: false
event_log_storage:
  # The history as Dagster keeps it, with its files held open: a run of few days takes about half the time.
  module: ces_pipeline.defs.event_log
  class: HeldOpenEventLog
  config:
    dagster_home:
      env: DAGSTER_HOME
concurrency:
  pools:
    # Runs that work on this home queue behind one another.
    default_limit: 1
    granularity: run
  runs:
    max_concurrent_runs: 2
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  # A run whose process was killed counts as under way, and holds up all others, until this has passed.
  max_runtime_seconds: 7200
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 7
      failure: 30
      success: 90
"""
_WORKSPACE = """\
load_from:
  - python_module:
      module_name: ces_pipeline.definitions
      location_name: ces_pipeline
"""


def prepare(home: Home) -> dict[str, str]:
    """Write the instance's settings where there are none; returns the variables that point Dagster at it."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    for name, text in (("dagster.yaml", _SETTINGS), (WORKSPACE_FILE, _WORKSPACE)):
        path = home.dagster / name
        if not path.exists():
            path.write_text(text, encoding="utf-8")
    return {"DAGSTER_HOME": str(home.dagster), HOME_VARIABLE: str(home.root)}


@contextmanager
def open_instance(home: Home) -> Iterator[dg.DagsterInstance]:
    """The home's instance, closed afterwards; the environment names the home meanwhile."""
    wanted = prepare(home)
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        with _instance(home) as instance:
            yield instance
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _instance(home: Home) -> dg.DagsterInstance:
    """The instance of the home; with Dagster's own event log where the class that `dagster.yaml` names is gone."""
    settings = yaml.safe_load((home.dagster / "dagster.yaml").read_text(encoding="utf-8")) or {}
    named = settings.get("event_log_storage") or {}
    module, name = named.get("module"), named.get("class")
    if not module or _has_class(str(module), str(name)):
        return dg.DagsterInstance.get()
    warnings.warn(
        f"{home.dagster / 'dagster.yaml'} names the event log class {module}.{name}, which is not installed: this run "
        f"uses Dagster's own. Delete `event_log_storage` from that file, or install the package that has the class.",
        stacklevel=2,
    )
    own = {
        "module": "dagster._core.storage.event_log",
        "class": "SqliteEventLogStorage",
        "config": {"base_dir": str(home.dagster / "history" / "runs")},
    }
    return dg.DagsterInstance.from_ref(
        InstanceRef.from_dir(str(home.dagster), overrides={"event_log_storage": own})
    )


def _has_class(module: str, name: str) -> bool:
    try:
        return hasattr(import_module(module), name)
    except ImportError:
        return False
