"""The Dagster instance of a home: writes its settings files and opens it."""

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
# ces writes this file once and never changes it. You may edit it.
telemetry:
  enabled: false
# No newsletter pop-up.
nux:
  enabled: false
event_log_storage:
  # Dagster's own history files, kept open between events: a run of a few days takes about half the time.
  module: ces_pipeline.defs.event_log
  class: HeldOpenEventLog
  config:
    dagster_home:
      env: DAGSTER_HOME
concurrency:
  pools:
    # Runs of this home execute one after the other.
    default_limit: 1
    granularity: run
  runs:
    max_concurrent_runs: 2
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  # A run whose process was killed blocks all other runs until this time has passed.
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
    """Write the instance's settings files if they are missing; returns the variables that point Dagster to them."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    for name, text in (("dagster.yaml", _SETTINGS), (WORKSPACE_FILE, _WORKSPACE)):
        path = home.dagster / name
        if not path.exists():
            path.write_text(text, encoding="utf-8")
    return {"DAGSTER_HOME": str(home.dagster), HOME_VARIABLE: str(home.root)}


@contextmanager
def open_instance(home: Home) -> Iterator[dg.DagsterInstance]:
    """The home's instance, closed at the end of the block. Inside the block, the environment names the home."""
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
    """The instance of the home; with Dagster's own event log if the class in `dagster.yaml` is not installed."""
    settings = yaml.safe_load((home.dagster / "dagster.yaml").read_text(encoding="utf-8")) or {}
    named = settings.get("event_log_storage") or {}
    module, name = named.get("module"), named.get("class")
    if not module or _has_class(str(module), str(name)):
        return dg.DagsterInstance.get()
    warnings.warn(
        f"{home.dagster / 'dagster.yaml'} names the event log class {module}.{name}, which is not installed. This run "
        f"uses Dagster's own class. Delete `event_log_storage` from that file, or install the package with the class.",
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
