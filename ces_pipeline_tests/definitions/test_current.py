"""Protects that steps and sensors of a running daemon see an edit of the registry, and an error in it."""

from pathlib import Path

import pytest

from ces_pipeline.defs.current import current_registry
from ces_pipeline.errors import RegistryError
from ces_pipeline_tests.builders import WEB, inbox_home


def test_an_edit_is_seen_at_the_next_step_and_an_error_until_it_is_corrected(tmp_path: Path) -> None:
    found = inbox_home(tmp_path)
    first = current_registry(found.home)
    assert current_registry(found.home) is first
    found.write_registry(WEB, {**WEB, "id": "site"})
    assert list(current_registry(found.home).sources) == ["web", "site"]
    path = found.home.registry / "sources.yaml"
    good = path.read_text()
    path.write_text("- {id: web, id: site}\n")
    with pytest.raises(RegistryError, match=r"sources\.yaml, line 1: .*id"):
        current_registry(found.home)
    path.write_text(good)
    assert list(current_registry(found.home).sources) == ["web", "site"]


def test_an_edit_of_the_same_length_is_seen(tmp_path: Path) -> None:
    found = inbox_home(tmp_path, {**WEB, "time_zone": "Europe/London"})
    assert current_registry(found.home).sources["web"].time_zone == "Europe/London"
    found.write_registry({**WEB, "time_zone": "Europe/Madrid"})
    assert current_registry(found.home).sources["web"].time_zone == "Europe/Madrid"


def test_a_file_that_appears_or_goes_is_seen(tmp_path: Path) -> None:
    found = inbox_home(tmp_path)
    products = found.home.registry / "products.yaml"
    products.write_text("- {id: kiosk}\n")
    assert [product.id for product in current_registry(found.home).products] == ["kiosk"]
    products.unlink()
    assert current_registry(found.home).products == ()
