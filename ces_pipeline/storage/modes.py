"""Who may read the folders that hold comments: the owner alone, unless the settings share them.

A folder's own mode decides, since a folder that is closed to a person closes every file below it. Files get
the same mode, so that one that is moved elsewhere stays closed.
"""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from ces_pipeline.errors import HomeError

SharedWith = Literal["nobody", "group", "everyone"]
_FOLDER_MODES: dict[SharedWith, int] = {"nobody": 0o700, "group": 0o750, "everyone": 0o755}
_ALL = 0o777


def share(folders: Iterable[Path], shared_with: SharedWith) -> None:
    """Let these folders and what is in them be read by the owner and by `shared_with` only.

    Does nothing where the folder's mode is right already. Raises HomeError if the mode is wrong and cannot be set.
    """
    mode = _FOLDER_MODES[shared_with]
    for folder in folders:
        if os.name == "nt" or not folder.is_dir() or stat.S_IMODE(folder.stat().st_mode) & _ALL == mode:
            continue
        try:
            # The folder last: a call that is stopped does its work again.
            for path in folder.rglob("*"):
                # Another process may be writing: its temporary files come and go.
                with suppress(FileNotFoundError):
                    if not path.is_symlink():
                        path.chmod(mode if path.is_dir() else mode & 0o666)
            folder.chmod(mode)
        except OSError as problem:
            raise HomeError(
                f"{folder} is not readable by the right people, and its mode cannot be set "
                f"({problem.strerror or type(problem).__name__}). Let its owner run `chmod {mode:o} {folder}`, or "
                f"correct shared_with in settings.yaml"
            ) from problem


def file_mode(folder: Path) -> int:
    """The mode of a new file below a folder: readable by those who may open the folder."""
    return stat.S_IMODE(folder.stat().st_mode) & 0o666
