"""Protects who may send: secrets come from the environment, earlier ids still work, and a wrong entry stops the start."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.errors import HomeError, RegistryError
from ces_pipeline.receive.senders import senders_of
from ces_pipeline.receive.server import Senders
from ces_pipeline_tests.builders import inbox_home

NOW = datetime(2026, 3, 20, tzinfo=UTC)
FORM: dict[str, Any] = {
    "id": "form",
    "kind": "survey",
    "reader": "json",
    "survey": "after_chat",
    "columns": {"response_id": "id", "score": "score"},
    "receive": {"signature": "typeform", "secret": "FORM_SECRET"},
}


def with_receive(**keys: Any) -> dict[str, Any]:
    return {**FORM, "receive": {**FORM["receive"], **keys}}


def test_a_source_is_reached_by_its_id_and_its_earlier_ids_until_it_ends(tmp_path: Path) -> None:
    ended = {**FORM, "id": "ended", "ended_on": "2026-03-19"}
    registry = inbox_home(tmp_path, {**FORM, "formerly": ["old_form"]}, ended).registry
    found = senders_of(registry, {"FORM_SECRET": "text"}, NOW)
    assert {name: sender.source_id for name, sender in found.items()} == {"form": "form", "old_form": "form"}
    assert found["form"].secrets == ("text",)
    assert "text" not in repr(found)


def test_the_secret_before_is_accepted_as_well(tmp_path: Path) -> None:
    registry = inbox_home(tmp_path, with_receive(previous_secret="FORM_SECRET_OLD")).registry
    environment = {"FORM_SECRET": "new", "FORM_SECRET_OLD": "old"}
    assert senders_of(registry, environment, NOW)["form"].secrets == ("new", "old")


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_secret_names_its_variable(tmp_path: Path, value: str | None) -> None:
    registry = inbox_home(tmp_path, FORM).registry
    environment = {} if value is None else {"FORM_SECRET": value}
    with pytest.raises(HomeError, match="FORM_SECRET is not set"):
        senders_of(registry, environment, NOW)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (with_receive(signature="typeforms"), "receive.signature.*no such signature"),
        (with_receive(secret="s3cret-value"), "receive.secret.*NAME of an environment variable"),
        (with_receive(header="X-Signature"), "receive.header.*Typeform-Signature"),
        (with_receive(signature="shared_secret"), "receive.header.*needs the name"),
        (with_receive(header="two words"), "receive.header"),
        (with_receive(requests_per_minute=0), "receive.requests_per_minute"),
        (with_receive(max_body_kb=10**6), "receive.max_body_kb"),
        (with_receive(sekret="A"), "receive.sekret.*did you mean secret"),
        ({**FORM, "reader": "csv"}, "reader.*JSON Lines"),
        ({**FORM, "inbox": "*.json"}, "inbox.*received payloads"),
    ],
)
def test_a_wrong_entry_is_one_line_with_its_key(tmp_path: Path, entry: dict[str, Any], message: str) -> None:
    home = inbox_home(tmp_path, entry)
    with pytest.raises(RegistryError, match=message) as raised:
        _ = home.registry
    assert "\n" not in str(raised.value)
    assert "entry form" in str(raised.value)
    assert "s3cret-value" not in str(raised.value)


def test_senders_follow_the_registry_and_keep_the_last_good_one(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, FORM)
    senders = Senders(lambda: home.registry, {"FORM_SECRET": "text"})
    home.write_registry(FORM, {**FORM, "id": "second"})
    senders.read_again()
    assert set(senders.known) == {"form", "second"}
    home.write_registry({**FORM, "kind": "nothing"})
    senders.read_again()
    assert set(senders.known) == {"form", "second"}
