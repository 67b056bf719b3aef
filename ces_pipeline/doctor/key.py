"""Findings about the pseudonym key: that it is there and belongs to this lake, who can read it, and its backup."""

import os
import stat
from collections.abc import Iterator

from ces_pipeline.home import Home
from ces_pipeline.privacy.key import KEY_FILE, key_problem
from ces_pipeline.privacy.pseudonyms import KEY_VARIABLE
from ces_pipeline.storage.lake import Lake
from ces_pipeline.vendors.contract import Finding

BACKUP_MARKER = f"{KEY_FILE}.backed-up"
"""An empty file that a person creates after the backup."""


def key(home: Home) -> Iterator[Finding]:
    """Without the key, no later delivery can be joined to the people of earlier ones."""
    path = home.root / KEY_FILE
    if problem := key_problem(home.root, Lake(home.lake)):
        yield Finding(False, f"pseudonym key: {problem}")
    is_given = bool(os.environ.get(KEY_VARIABLE))
    if not is_given and not path.exists():
        yield Finding(True, "pseudonym key: created when the first delivery lands")
        return
    if not is_given and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding(False, f"pseudonym key: other users can read {path}. Run `chmod 600 {path}`")
        return
    where = f"in the variable {KEY_VARIABLE}" if is_given else f"{path}, which only its owner can read"
    if (home.root / BACKUP_MARKER).exists():
        yield Finding(True, f"pseudonym key: {where}; {BACKUP_MARKER} says that it is backed up")
    else:
        yield Finding(
            True,
            f"pseudonym key: {where}. It is not known whether it is backed up, and nothing can replace it. Copy it to "
            f"a safe place outside of {home.root}, then run `touch {home.root / BACKUP_MARKER}`",
            is_warning=True,
        )
