"""Small homes for tests of what happens before cleaning: a registry, exports in the inbox, landed rows back.

Day files written directly, for tests of what comes after cleaning, are made in `lake_days.py`.
"""

import csv
import io
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from string import hexdigits
from typing import Any

import pyarrow.parquet as pq
import yaml

from ces_pipeline.home import Home
from ces_pipeline.land.ledger import Delivery, Ledger
from ces_pipeline.land.paths import raw_file
from ces_pipeline.land.step import SourceLanding, land_source
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.storage.lake import Lake

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
"""When deliveries of these tests are received, unless they say otherwise."""

SURVEYS: list[dict[str, Any]] = [{"id": "after_chat", "scale": "ease_1_5"}]
WEB: dict[str, Any] = {
    "id": "web",
    "kind": "survey",
    "reader": "csv",
    "survey": "after_chat",
    "columns": {
        "response_id": "id",
        "score": "score",
        "comment": "comment",
        "respondent": "email",
        "recorded_at": "recorded",
    },
}
DESK: dict[str, Any] = {
    "id": "desk",
    "kind": "tickets",
    "reader": "csv",
    "columns": {"ticket_id": "number", "status": "state", "updated_at": "updated", "requester": "email"},
}


def without(entry: Mapping[str, Any], *fields: str) -> dict[str, Any]:
    """A source's entry without the mapping of these fields."""
    columns = {name: column for name, column in entry["columns"].items() if name not in fields}
    return {**entry, "columns": columns}


def csv_text(rows: Sequence[Mapping[str, Any]], delimiter: str = ",") -> str:
    """Rows as delimited text under the names of the first; None is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def answer(number: int | str, **values: Any) -> dict[str, Any]:
    """One row of source `web`, recorded at noon UTC of 2026-03-02 unless said otherwise."""
    return {
        "id": f"r{number}",
        "score": 4,
        "comment": "fine",
        "email": f"person{number}@example.org",
        "recorded": "2026-03-02T12:00:00Z",
        **values,
    }


@dataclass
class InboxHome:
    """A home in a test's folder. `write_registry` first; then drop files and land them."""

    home: Home

    @property
    def lake(self) -> Lake:
        return Lake(self.home.lake)

    @property
    def registry(self) -> Registry:
        return load_registry(self.home.registry)

    def write_registry(self, *sources: Mapping[str, Any], **files: Any) -> "InboxHome":
        """`sources.yaml` with these sources, `surveys.yaml` with one survey, and the files in `files`."""
        for name, content in {"sources": list(sources), "surveys": SURVEYS, **files}.items():
            self.home.registry.mkdir(parents=True, exist_ok=True)
            path = self.home.registry / f"{name}.yaml"
            path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return self

    def copied(self, root: Path) -> "InboxHome":
        """A copy below `root`, which must not exist: a test may change it and leave this home as it is."""
        shutil.copytree(self.home.root, root)
        return InboxHome(Home(root))

    def drop(
        self, name: str, content: str | bytes | Sequence[Mapping[str, Any]], source_id: str = "web"
    ) -> Path:
        """A file in the source's inbox: bytes or text as they are, rows as CSV."""
        path = self.home.inbox / source_id / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, bytes):
            content = (content if isinstance(content, str) else csv_text(content)).encode()
        path.write_bytes(content)
        return path

    def land(self, source_id: str = "web", now: datetime = NOW) -> SourceLanding:
        registry = self.registry
        return land_source(self.home, registry, registry.sources[source_id], now=now)

    def land_all(self) -> list[SourceLanding]:
        return [land_source(self.home, self.registry, source) for source in self.registry.sources.values()]

    def deliveries(self, source_id: str = "web") -> list[Delivery]:
        return Ledger.read(self.lake).of_source(source_id)

    def rows(self, source_id: str = "web") -> list[dict[str, Any]]:
        """The landed rows of committed deliveries, by day and row; people as hex, `extra` as a dict."""
        files = {
            raw_file(source_id, delivery.delivery_id, day): (day, delivery.delivery_id)
            for delivery in self.deliveries(source_id)
            for day, (landed, _) in delivery.days.items()
            if landed
        }
        found = []
        for path, (day, delivery_id) in files.items():
            for row in self.lake.read_table(path).to_pylist():
                shown = {
                    name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()
                }
                shown["extra"] = json.loads(shown["extra"]) if shown["extra"] else {}
                found.append({**shown, "day": day, "delivery_id": delivery_id})
        return sorted(found, key=lambda row: (row["day"], row["delivery_id"], row["row_number"]))

    def row(self, source_id: str = "web") -> dict[str, Any]:
        """The only landed row."""
        (row,) = self.rows(source_id)
        return row

    def state(self, source_id: str = "web") -> list[dict[str, Any]]:
        """All that landing decided, in an order of its own: equal for homes with the same landing.

        Without the files' checksums: the order of the rows in a file decides nothing.
        """
        entries = [
            json.loads(replace(delivery, checksums={}).to_json()) for delivery in self.deliveries(source_id)
        ]
        return [*entries, *self.rows(source_id)]

    def everything_written(self) -> Iterator[tuple[str, str]]:
        """(Path, text) of every file of the home but the inbox: its bytes, and of Parquet the values too."""
        for path in sorted(self.home.root.rglob("*")):
            if not path.is_file() or self.home.inbox in path.parents:
                continue
            text = path.read_bytes().decode("utf-8", "replace")
            if path.suffix == ".parquet":
                rows = pq.ParquetFile(path).read().to_pylist()
                text += json.dumps(rows, default=_shown, ensure_ascii=False)
            yield str(path.relative_to(self.home.root)), text

    def find(self, *canaries: str) -> list[tuple[str, str]]:
        """(Path, canary) of every planted value that was written outside the inbox, in any letter case.

        Keys are hex and Parquet is compressed, so that chance writes any short text somewhere: refuses those.
        """
        too_short = [
            canary
            for canary in canaries
            if len(canary) < 6 or (len(canary) < 8 and set(canary) <= set(hexdigits))
        ]
        assert not too_short, f"found by chance as well: {too_short}"
        return [
            (path, canary)
            for path, text in self.everything_written()
            for canary in canaries
            if canary.lower() in text.lower() or canary.lower() in path.lower()
        ]


def _shown(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def inbox_home(folder: Path, *sources: Mapping[str, Any], **files: Any) -> InboxHome:
    """A home below `folder` with a registry of these sources (`web` unless given)."""
    return InboxHome(Home(folder)).write_registry(*(sources or (WEB,)), **files)
