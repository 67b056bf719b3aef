"""Protects that a vendor's folder without an entry point is named."""

from pathlib import Path

import pytest

from ces_pipeline.errors import HomeError
from ces_pipeline.registry import installed


def test_a_folder_without_an_entry_point_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "__init__.py").write_text("")
    monkeypatch.setattr(installed, "_FOLDER", tmp_path)
    with pytest.raises(HomeError, match=r"acme = \"ces_pipeline.vendors.acme:VENDOR\""):
        installed.installed_vendors.__wrapped__()


def test_every_folder_of_the_package_is_installed_and_the_general_one_comes_last() -> None:
    names = [vendor.name for vendor in installed.installed_vendors()]
    folders = {path.parent.name for path in installed._FOLDER.glob("*/__init__.py")}
    assert folders <= set(names)
    assert names == [*sorted(set(names) - {"generic"}), "generic"]
