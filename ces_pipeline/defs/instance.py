"""The Dagster instance of a home: writes its settings files and opens it."""

import os
import re
import shutil
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path

import dagster as dg
import sqlalchemy.exc
import yaml
from dagster._core.instance import InstanceRef

from ces_pipeline.defs.history_files import drop_repeated_versions, set_aside, set_aside_damaged
from ces_pipeline.errors import HomeError
from ces_pipeline.home import HOME_VARIABLE, Home
from ces_pipeline.storage.local_files import damaged_suffix, replace_file
from ces_pipeline.storage.locks import exclusive

WORKSPACE_FILE = "workspace.yaml"
_SETTINGS_FILE = "dagster.yaml"
_EVENT_LOG = ("ces_pipeline.defs.event_log", "HeldOpenEventLog")
_DISK = ("disk is full", "disk I/O error", "readonly database", "read-only", "unable to open database file")
"""Texts of errors of SQLite that a damaged file does not cause."""
_LITTLE_SPACE_BYTES = 1_000_000
_SETTINGS = """\
# ces writes this file once. You may edit it.
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


def prepare(home: Home, note: Callable[[str], None] = warnings.warn) -> dict[str, str]:
    """Make the instance ready for Dagster's own processes; returns the variables that point them to it.

    Its databases exist afterwards: processes that make them at the same time would damage them.
    """
    with open_instance(home, note):
        return _variables(home)


@contextmanager
def open_instance(home: Home, note: Callable[[str], None] = warnings.warn) -> Iterator[dg.DagsterInstance]:
    """The home's instance, closed at the end of the block. Inside the block, the environment names the home.

    Damaged files of Dagster are set aside and made anew; `note` gets a line about it. Raises HomeError if Dagster
    cannot use its files: they are damaged in a way that only shows in use, or the disk is full or cannot be written.
    """
    wanted = _variables(home)
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        with _usable(home), _locked(home):
            for line in (*_write_settings(home), set_aside_damaged(home.dagster)):
                if line:
                    note(line)
            drop_repeated_versions(home.dagster)
            instance = _instance(home)
        with _usable(home), instance:
            yield instance
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _variables(home: Home) -> dict[str, str]:
    return {"DAGSTER_HOME": str(home.dagster), HOME_VARIABLE: str(home.root)}


def _locked(home: Home) -> AbstractContextManager[None]:
    """One process at a time makes the instance's files."""
    return exclusive(home.dagster / ".instance.lock")


@contextmanager
def _usable(home: Home) -> Iterator[None]:
    """Turn errors of Dagster's databases and settings into a HomeError of one line."""
    try:
        yield
    except dg.DagsterInvalidConfigError as problem:
        raise HomeError(
            f"{home.dagster / _SETTINGS_FILE} is not what Dagster accepts ({problem.errors[0].message.splitlines()[0]})"
            f". Correct it, or delete it: `ces run` writes it anew"
        ) from None
    except (sqlalchemy.exc.DatabaseError, sqlite3.DatabaseError) as problem:
        why = str(getattr(problem, "orig", None) or problem).splitlines()[0]
        # A damaged file that raises one of these is found by the check at the next start.
        if any(word in why for word in _DISK) or shutil.disk_usage(home.dagster).free < _LITTLE_SPACE_BYTES:
            raise HomeError(
                f"{home.dagster} cannot be written ({why}). Free disk space or correct its permissions, then run again"
            ) from None
        with _locked(home):
            line = set_aside(home.dagster, [f"history ({why})"])
        raise HomeError(f"{line}. Run `ces run` again") from None


def _write_settings(home: Home) -> Iterator[str]:
    """Write the settings files that are missing or damaged; yields a line about each that was damaged."""
    for name, text in ((_SETTINGS_FILE, _SETTINGS), (WORKSPACE_FILE, _WORKSPACE)):
        path = home.dagster / name
        try:
            if path.exists() and not _is_damaged(path, text):
                _name_own_event_log(path)
                continue
            if path.exists():
                aside = path.with_name(f"{name}{damaged_suffix()}")
                path.replace(aside)
                yield (
                    f"{home.dagster.name}/{name}: damaged, so it was written anew with the settings of ces. The old "
                    f"one is now {home.dagster.name}/{aside.name}"
                )
            replace_file(path, text.encode())
        except OSError as problem:
            raise HomeError(
                f"{path} cannot be written ({problem.strerror or problem}): correct its permissions or free space"
            ) from problem


def _is_damaged(path: Path, text: str) -> bool:
    """Whether a settings file was cut short or cannot be read. An edited one is not damaged."""
    try:
        found = path.read_bytes().decode()
        parsed = yaml.safe_load(found)
    except PermissionError:
        raise
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return True
    return not isinstance(parsed, dict) or (text.startswith(found) and found != text)


def _name_own_event_log(path: Path) -> None:
    """Put this package's event log in place of one of its names that no longer exists; the rest stays as edited."""
    text = path.read_text(encoding="utf-8")
    named = (yaml.safe_load(text) or {}).get("event_log_storage")
    module, name = (named.get("module"), named.get("class")) if isinstance(named, dict) else (None, None)
    if not str(module).startswith("ces_pipeline.") or _has_class(str(module), str(name)):
        return
    for old, new in ((module, _EVENT_LOG[0]), (name, _EVENT_LOG[1])):
        text = re.sub(
            rf"(:\s*){re.escape(str(old))}(\s*)$", rf"\g<1>{new}\g<2>", text, count=1, flags=re.MULTILINE
        )
    replace_file(path, text.encode())


def _instance(home: Home) -> dg.DagsterInstance:
    """The instance of the home; with Dagster's own event log if the class in `dagster.yaml` is not installed."""
    settings = yaml.safe_load((home.dagster / _SETTINGS_FILE).read_text(encoding="utf-8")) or {}
    named = settings.get("event_log_storage")
    module, name = (named.get("module"), named.get("class")) if isinstance(named, dict) else (None, None)
    if not module or _has_class(str(module), str(name)):
        return dg.DagsterInstance.get()
    warnings.warn(
        f"{home.dagster / _SETTINGS_FILE} names the event log class {module}.{name}, which is not installed. This run "
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
