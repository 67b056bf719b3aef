"""Protects landing into a lake on an object store: a second delivery is compared with the first."""

from pathlib import Path
from uuid import uuid4

import pytest

from ces_pipeline.land import step
from ces_pipeline.land.ledger import Ledger
from ces_pipeline.storage.lake import Lake
from ces_pipeline_tests.builders import answer, inbox_home


def test_a_second_delivery_lands_and_its_repeated_rows_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = Lake(f"memory://{uuid4().hex}")
    monkeypatch.setattr(step, "Lake", lambda _root: remote)
    small = inbox_home(tmp_path)
    small.drop("1.csv", [answer(1), answer(2)])
    assert small.land().failures == ()
    small.drop("2.csv", [answer(2), answer(3), answer(4)])
    second = small.land()
    assert second.failures == ()
    assert (second.rows_landed, second.rows_redelivered) == (2, 1)
    assert [delivery.rows_landed for delivery in Ledger.read(remote).of_source("web")] == [2, 2]
