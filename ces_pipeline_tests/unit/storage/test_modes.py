"""What holds comments is readable by its owner alone, unless it is shared."""

import os
import stat
from pathlib import Path

import pytest

from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.modes import SharedWith, share

pytestmark = pytest.mark.skipif(os.name == "nt", reason="file modes of Unix")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("shared_with", "folder_mode", "mode_of_file"),
    [("nobody", 0o700, 0o600), ("group", 0o750, 0o640), ("everyone", 0o755, 0o644)],
)
def test_a_folder_is_shared_as_the_settings_say_with_what_is_and_what_will_be_in_it(
    tmp_path: Path, shared_with: SharedWith, folder_mode: int, mode_of_file: int
) -> None:
    folder = tmp_path / "lake"
    (folder / "raw").mkdir(parents=True)
    (folder / "raw" / "old.parquet").write_bytes(b"")
    folder.chmod(0o777)
    share([folder], shared_with)
    assert (mode(folder), mode(folder / "raw"), mode(folder / "raw" / "old.parquet")) == (
        folder_mode,
        folder_mode,
        mode_of_file,
    )
    lake = Lake(folder)
    lake.write_bytes("new.json", b"{}")
    (tmp_path / "staged").write_bytes(b"")
    lake.adopt(tmp_path / "staged", "raw/adopted.parquet")
    assert (mode(folder / "new.json"), mode(folder / "raw" / "adopted.parquet")) == (mode_of_file,) * 2


def test_a_new_lake_is_the_owners_alone(tmp_path: Path) -> None:
    Lake(tmp_path / "home" / "lake")
    assert mode(tmp_path / "home" / "lake") == 0o700
