"""Small homes for tests of what follows cleaning: day files written directly, with their commit markers."""

import hashlib
import json
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from ces_pipeline.home import Home
from ces_pipeline.publish.checks import POISONED_ROWS_CAUGHT, CheckResult
from ces_pipeline.publish.inputs import LOGS, PublishInputs, stored_rows
from ces_pipeline.publish.step import Prove, PublishResult, publish_state, rebuild
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.lake import Lake
from ces_pipeline.watch.step import PublishWatch

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_ACCEPTED = {"survey": "core.responses", "tickets": "core.ticket_versions"}
_REJECTED = {"survey": "core.rejected_responses", "tickets": "core.rejected_tickets"}


def proved() -> CheckResult:
    """What a publish needs; `unit/proof` protects how it comes about."""
    return CheckResult(POISONED_ROWS_CAUGHT, 0, None)


def registry(folder: Path, **settings: Any) -> Registry:
    """A survey source (`web`), a ticket source (`desk`), one survey on the 1-5 ease scale; minimum n 2."""
    folder.mkdir(parents=True, exist_ok=True)
    survey = {"id": "after_chat", "title": "After a chat", "scale": "ease_1_5", "link_window_days": 7}
    sources = [
        {"id": "web", "kind": "survey", "reader": "csv", "survey": "after_chat"},
        {"id": "desk", "kind": "tickets", "reader": "csv"},
    ]
    files = {
        "surveys": [survey],
        "sources": sources,
        "settings": {"minimum_n": 2, "first_day": DAY, **settings},
    }
    for name, entries in files.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    return load_registry(folder)


def response(key: str, day: date = DAY, *, ease: float | None = 75.0, **values: Any) -> dict[str, Any]:
    """An accepted response on the 1-5 ease scale."""
    return {
        "response_key": key,
        "source_id": "web",
        "survey_id": "after_chat",
        "response_id": key,
        **dict.fromkeys(("channel", "product", "device", "journey_stage", "process", "language"), "unknown"),
        "persona": "unassigned",
        "scale_id": "ease_1_5",
        "score": None if ease is None else round(1 + ease / 25),
        "effort_0_100": None if ease is None else 100 - ease,
        "ease_0_100": ease,
        "effort_band": None
        if ease is None
        else "easy"
        if ease >= 75
        else "neutral"
        if ease == 50
        else "difficult",
        "recorded_at": datetime.combine(day, time(12), UTC),
        "is_suspect": False,
        "flags": [],
        "revision": 1,
        "delivery_id": "d1",
        "day": day,
        **values,
    }


def rejected(
    key: str, day: date = DAY, *, reasons: tuple[str, ...] = ("too_fast",), **values: Any
) -> dict[str, Any]:
    """A rejected response."""
    return {
        "response_key": key,
        "source_id": "web",
        "response_id": key,
        "landed": "{}",
        "reasons": list(reasons),
        "rule_version": "1",
        "delivery_id": "d1",
        "row_number": 2,
        "day": day,
        **values,
    }


def ticket(key: str, day: date = DAY, **values: Any) -> dict[str, Any]:
    """A ticket version; its id is its key unless given. It is resolved if it has a time of solving or closing."""
    return {
        "ticket_key": key,
        "source_id": "desk",
        "ticket_id": key,
        "channel": "unknown",
        "product": "unknown",
        "updated_at": datetime.combine(day, time(12), UTC),
        "resolved_at": values.get("solved_at", values.get("closed_at")),
        "is_deleted": False,
        "delivery_id": "d2",
        "day": day,
        **values,
    }


@dataclass
class SmallHome:
    """A home whose lake is filled day by day.

    `clean` does what landing and cleaning leave behind for one source and day: the day files, the commit marker
    and the ledger's counts. Each call is one minute later than the one before.
    """

    root: Path
    registry: Registry
    pending: tuple[tuple[str, date], ...] = ()
    cleanings: int = 0
    delivery_days: dict[tuple[str, date], dict[str, Any]] = field(default_factory=dict)
    logs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def home(self) -> Home:
        return Home(self.root)

    @property
    def lake(self) -> Lake:
        return Lake(self.home.lake)

    def clean(
        self,
        kind: str,
        accepted: list[dict[str, Any]],
        refused: list[dict[str, Any]] | None = None,
        *,
        day: date = DAY,
        superseded: int = 0,
        redelivered: int = 0,
    ) -> None:
        refused = refused or []
        self.cleanings += 1
        outputs = {}
        for name, rows in ((_ACCEPTED[kind], accepted), (_REJECTED[kind], refused)):
            table = pa.Table.from_pylist(rows, schema=TABLES[name].arrow).sort_by(
                [(column, "ascending") for column in TABLES[name].sort]
            )
            stored = self.lake.write_table(self.lake.day_file(name, day), table)
            outputs[name] = {"path": stored.path, "size": stored.size, "sha256": stored.sha256}
        source = "web" if kind == "survey" else "desk"
        landed = len(accepted) + len(refused) + superseded
        self.delivery_days[kind, day] = {
            "delivery_id": "d1" if kind == "survey" else "d2",
            "source_id": source,
            "kind": kind,
            "day": day,
            "rows_landed": landed,
            "rows_redelivered": redelivered,
        }
        marker = {
            "kind": kind,
            "day": day,
            "source_id": source,
            "landed": landed + redelivered,
            "redelivered": redelivered,
            "landed_again": 0,
            "superseded": superseded,
            "accepted": len(accepted),
            "rejected": len(refused),
            "suspect": sum(row.get("is_suspect", False) for row in accepted),
            "run_id": "test",
            "rule_version": "1",
            "inputs": hashlib.sha256(repr((accepted, refused)).encode()).hexdigest(),
            "outputs": json.dumps(outputs),
            "cleaned_at": NOON + timedelta(minutes=self.cleanings),
            "is_current": True,
        }
        path = f"audit/load_audit/kind={kind}/day={day.isoformat()}/part-0.parquet"
        audit = TABLES["audit.load_audit"]
        history = self.lake.read_table(path).to_pylist() if self.lake.exists(path) else []
        rows = [*({**row, "is_current": False} for row in history), marker]
        self.lake.write_table(path, pa.Table.from_pylist(rows, schema=audit.arrow))

    def publish(self, run_id: str = "run-1", prove: Prove = proved) -> PublishResult:
        """Publish what was cleaned."""
        return publish_state(
            self.home,
            self.registry,
            self.state(),
            run_id=run_id,
            prove=prove,
            watcher=PublishWatch(self.registry),
        )

    def rebuild(self, run_id: str = "compared") -> PublishResult:
        """Publish, rebuild and compare."""
        return rebuild(
            self.home,
            self.registry,
            self.state,
            run_id=run_id,
            prove=proved,
            watcher=PublishWatch(self.registry),
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The answer of the published file."""
        with open_published(self.home.published) as connection:
            return connection.execute(query).fetchall()

    def copied(self, root: Path) -> "SmallHome":
        """A copy below `root`, which must not exist: a test may change it and leave this home as it is."""
        shutil.copytree(self.root, root)
        days = {key: dict(values) for key, values in self.delivery_days.items()}
        logs = {name: list(rows) for name, rows in self.logs.items()}
        return replace(self, root=root, delivery_days=days, logs=logs)

    def state(self) -> PublishInputs:
        days = [self.delivery_days[key] for key in sorted(self.delivery_days)]
        return PublishInputs(
            load_audit=stored_rows(self.lake, TABLES["audit.load_audit"]),
            deliveries=TABLES["audit.deliveries"].arrow.empty_table(),
            delivery_days=pa.Table.from_pylist(days, schema=TABLES["audit.delivery_days"].arrow),
            pending=self.pending,
            logs={
                name: pa.concat_tables(
                    [
                        stored_rows(self.lake, TABLES[name]),
                        pa.Table.from_pylist(self.logs.get(name, []), schema=TABLES[name].arrow),
                    ]
                )
                for name in LOGS
            },
        )


def small_home(root: Path, **settings: Any) -> SmallHome:
    """An empty small home below `root`."""
    Home(root).make()
    return SmallHome(root, registry(root / "registry", **settings))


def days_from(first: date, count: int) -> list[date]:
    """`count` days in a row."""
    return [first + timedelta(days=number) for number in range(count)]
