"""Dagster's own SQLite event log, with its database files held open between events.

Every home's `dagster.yaml` names this module and `HeldOpenEventLog`: never move or rename either.

Dagster opens a file anew for each of the five or so statements of an event and waits for the disk at each, which is
most of what an event costs, and a run of this project has hundreds of events for a few seconds of work. What is stored,
and where, is unchanged: an installation can name Dagster's class instead at any time. After a power cut the last events
of a run may be missing, never the file, which is written ahead; no landed, cleaned or published row depends on them.
The class uses members that Dagster does not promise to keep. With a Dagster that lacks them it says so, and is
Dagster's own class.
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
        f"Dagster {dg.__version__} is not the version that ces was made for ({problem}): its history is written by "
        f"Dagster's own class, which is slower. Install the pinned versions of .ci/constraints.txt to change that.",
        stacklevel=1,
    )

    class HeldOpenFiles(SqliteEventLogStorage):  # type: ignore[no-redef]
        """Dagster's own class."""


class HeldOpenEventLog(HeldOpenFiles):
    """The event log in `history/runs` of a Dagster home, where Dagster itself would keep it."""

    @classmethod
    def config_type(cls) -> Any:
        return {"dagster_home": dg.StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        return cls(str(Path(config_value["dagster_home"], "history", "runs")), inst_data)
