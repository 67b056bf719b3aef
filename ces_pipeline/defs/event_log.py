"""Dagster's own SQLite event log, with its database files kept open between events.

Every home's `dagster.yaml` names this module and `HeldOpenEventLog`: never move or rename either.

Dagster opens a file again for each of about five statements per event and waits for the disk each time. That is most
of the cost of an event, and a run here has hundreds of events for a few seconds of work. Content and place of the
files are unchanged, so an installation can switch back to Dagster's class at any time. After a power cut the last
events of a run may be missing, but the file is intact (write-ahead log); no landed, cleaned or published row depends
on events. The class uses private members of Dagster. If a Dagster version lacks them, a warning is shown and Dagster's
own class is used.
"""

import warnings
from pathlib import Path
from typing import Any, Self

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData

try:
    from ces_pipeline.defs.held_open import HeldOpenFiles
except ImportError as problem:
    warnings.warn(
        f"Dagster {dg.__version__} is not the version that ces is tested with ({problem}), so Dagster's own, slower "
        f"event log is used. Install the versions of .ci/constraints.txt to change that.",
        stacklevel=1,
    )

    class HeldOpenFiles(SqliteEventLogStorage):  # type: ignore[no-redef]
        """Dagster's own class."""


class HeldOpenEventLog(HeldOpenFiles):
    """The event log in `history/runs` of a Dagster home, the same place that Dagster uses."""

    @classmethod
    def config_type(cls) -> Any:
        return {"dagster_home": dg.StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        return cls(str(Path(config_value["dagster_home"], "history", "runs")), inst_data)
