"""Protects published rows: a delivery that is gone from the ledger stops the publish, unless a command took it back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ces_pipeline.errors import CesError
from ces_pipeline.publish.vanished import refuse_vanished
from ces_pipeline.schemas.audit import CORRECTIONS, DELIVERIES
from ces_pipeline_tests.builders import WEB, inbox_home

PUBLISHED = {("web", "a" * 64): ("a.csv", 3), ("web", "b" * 64): ("b.csv", 0)}


def deliveries(*ids: tuple[str, str]) -> pa.Table:
    rows = [{"source_id": source_id, "delivery_id": delivery_id} for source_id, delivery_id in ids]
    return pa.Table.from_pylist(rows, schema=DELIVERIES.arrow)


def corrections(**given: Any) -> pa.Table:
    row = {"command": "unland", "source_id": "web", "made_at": datetime(2026, 3, 4, tzinfo=UTC), **given}
    return pa.Table.from_pylist([row] if given else [], schema=CORRECTIONS.arrow)


@pytest.mark.parametrize(
    ("now", "corrected", "is_refused"),
    [
        ([("web", "a" * 64)], {}, False),
        ([], {}, True),
        ([("desk", "a" * 64)], {}, True),
        ([], {"delivery_id": "a" * 64}, False),
        ([], {"delivery_id": "a" * 64, "command": "forget"}, True),
        ([], {"delivery_id": "c" * 64}, True),
    ],
)
def test_a_published_delivery_must_be_in_the_ledger_or_taken_back(
    tmp_path: Path, now: list[tuple[str, str]], corrected: dict[str, Any], is_refused: bool
) -> None:
    registry = inbox_home(tmp_path).registry
    arguments = (PUBLISHED, deliveries(*now), corrections(**corrected), registry)
    if not is_refused:
        refuse_vanished(*arguments)
        return
    with pytest.raises(CesError, match="a" * 12):
        refuse_vanished(*arguments)


def test_a_renamed_source_keeps_its_deliveries(tmp_path: Path) -> None:
    renamed = inbox_home(tmp_path, {**WEB, "id": "site", "formerly": ["web"]}).registry
    refuse_vanished(PUBLISHED, deliveries(("site", "a" * 64)), corrections(), renamed)
    with pytest.raises(CesError):
        refuse_vanished(PUBLISHED, deliveries(), corrections(), renamed)
