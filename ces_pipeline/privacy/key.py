"""Where the installation's key comes from: the environment (`CES_PSEUDONYM_KEY`), else a file with mode 0600.

The file is created on first use. The lake keeps a proof of the key (a hash made with it, never the key), so that a
lake is never continued with another key. The proof is stored twice, each time with a check value, so that a damaged
proof is not taken for the proof of another key.
"""

import hashlib
import os
import re
import secrets
import stat
from pathlib import Path
from typing import Literal

import pyarrow.fs as pa_fs

from ces_pipeline.errors import CesError, HomeError
from ces_pipeline.privacy.pseudonyms import KEY_VARIABLE, Pseudonyms
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.local_files import sync_folder

KEY_FILE = "pseudonym.key"
_PROOFS = ("ledger/key_proof", ".key_proof")
"""The proof and its copy. Lakes of earlier releases have no copy, and no check value in the proof."""
_KEY_LENGTH = 64

_Stored = Literal["missing", "damaged", "same", "other", "other or damaged"]


def load_pseudonyms(home: Path, lake: Lake) -> Pseudonyms:
    """The pseudonyms of this installation; the key is created on first use. A damaged proof is written again.

    Raises HomeError if the key cannot be read, if others can read it, or if the lake was written with another key (a
    person's rows from before and after would no longer belong together), or if that cannot be known.
    """
    pseudonyms = _pseudonyms(home, lake)
    _prove(lake, pseudonyms)
    return pseudonyms


def repair_proof(home: Path, lake: Lake) -> str | None:
    """Write a damaged or missing proof again, if its copy proves the key; a line that says so, or None.

    Does nothing if the lake was never written, or if the key is not proven: landing says why.
    """
    if not _was_written(lake):
        return None
    damaged = [name for name, stored in _stored(lake, None).items() if stored == "damaged"]
    try:
        load_pseudonyms(home, lake)
    except CesError:
        return None
    if not damaged:
        return None
    return f"{', '.join(_shown(name) for name in damaged)}: damaged; its copy proves the key, so it was written again"


def key_problem(home: Path, lake: Lake) -> str | None:
    """What is wrong with the key, or with the proof that the lake keeps of it; None if nothing is. Changes nothing."""
    if not _was_written(lake):
        return None
    try:
        pseudonyms = _pseudonyms(home, lake)
        stored = _stored(lake, pseudonyms)
        _refuse_unproven(pseudonyms, stored)
    except CesError as problem:
        return str(problem)
    damaged = [_shown(name) for name, state in stored.items() if state == "damaged"]
    return f"{', '.join(damaged)}: damaged. Run `ces run`, which writes it again" if damaged else None


def _pseudonyms(home: Path, lake: Lake) -> Pseudonyms:
    given = os.environ.get(KEY_VARIABLE)
    return Pseudonyms(given.encode() if given else _key_from_file(home / KEY_FILE, lake))


def _prove(lake: Lake, pseudonyms: Pseudonyms) -> None:
    stored = _stored(lake, pseudonyms)
    _refuse_unproven(pseudonyms, stored)
    for name in _PROOFS:
        if stored[name] != "same":
            lake.write_bytes(name, _written(_proof(pseudonyms)))


def _refuse_unproven(pseudonyms: Pseudonyms, stored: dict[str, _Stored]) -> None:
    """Raise HomeError if no proof says that the key is the lake's, and one is there."""
    states = set(stored.values())
    if "other" not in states and ("same" in states or states == {"missing"}):
        return
    name = next(name for name in _PROOFS if stored[name] != "missing")
    where = KEY_VARIABLE if os.environ.get(KEY_VARIABLE) else KEY_FILE
    if states <= {"damaged", "missing"}:
        raise HomeError(
            f"{_shown(name)} is damaged, so ces cannot know whether {where} is the key of this lake. Restore "
            f"{_shown(name)} from your backup. If you are sure that {where} is the key, delete {_shown(name)} and run "
            f"again: ces makes it anew"
        )
    cut = where == KEY_FILE and len(pseudonyms.key) != _KEY_LENGTH
    maybe = (
        f"{where} has {len(pseudonyms.key)} characters and ces writes {_KEY_LENGTH}: it may be cut. "
        if cut
        else ""
    )
    if "other" in states:
        raise HomeError(
            f"the pseudonym key is not the one that this lake was written with, or it is damaged. {maybe}Restore "
            f"{KEY_VARIABLE} or {KEY_FILE} from your backup, or start a new home"
        )
    raise HomeError(
        f"{_shown(name)} does not belong to {where}: either {where} is another key or damaged, or {_shown(name)} is "
        f"damaged. {maybe}Restore both from your backup, or start a new home"
    )


def _was_written(lake: Lake) -> bool:
    """Whether a key was used for this lake: a proof is there (or a folder in its place), or landed rows are."""
    there = [info.type != pa_fs.FileType.NotFound for info in lake.files.get_file_info(list(_PROOFS))]
    return any(there) or bool(lake.list("raw"))


def _stored(lake: Lake, pseudonyms: Pseudonyms | None) -> dict[str, _Stored]:
    """The state of the proof and of its copy, compared with this key. None: any key."""
    return {name: _state(lake, name, pseudonyms) for name in _PROOFS}


def _state(lake: Lake, name: str, pseudonyms: Pseudonyms | None) -> _Stored:
    info = lake.files.get_file_info(name)
    if info.type == pa_fs.FileType.NotFound:
        return "missing"
    try:
        text = lake.read_bytes(name).decode("ascii")
    except (OSError, UnicodeDecodeError):
        return "damaged"
    found = re.fullmatch(r"([0-9a-f]{32})( [0-9a-f]{8})?", text)
    if found is None or (found[2] and _written(found[1]).decode() != text):
        return "damaged"
    if pseudonyms is None or found[1] == _proof(pseudonyms):
        return "same"
    return "other" if found[2] else "other or damaged"


def _proof(pseudonyms: Pseudonyms) -> str:
    return pseudonyms.of("ces_pipeline")[:32]


def _written(proof: str) -> bytes:
    """The proof as it is stored: with a check value."""
    return f"{proof} {hashlib.sha256(proof.encode()).hexdigest()[:8]}".encode()


def _shown(name: str) -> str:
    return f"lake/{name}"


def _key_from_file(path: Path, lake: Lake) -> bytes:
    try:
        if not path.exists():
            if _was_written(lake):
                raise HomeError(
                    f"{path} is missing but the lake was written with a key: "
                    f"restore it from your backup, or set {KEY_VARIABLE}"
                )
            _create_key(path)
        if path.is_dir():
            raise HomeError(
                f"{path} is a folder: remove it and restore the file from your backup, or set {KEY_VARIABLE}"
            )
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise HomeError(f"{path} can be read by others: run `chmod 600` on it")
        key = path.read_bytes().strip()
        if not key:
            raise HomeError(f"{path} is empty: restore it from your backup, or set {KEY_VARIABLE}")
        return key
    except OSError as problem:
        raise HomeError(f"{path} cannot be used ({problem.strerror}): correct its permissions") from problem


def _create_key(path: Path) -> None:
    """Write a new key to a temporary file and rename it: a killed process never leaves an empty or partial key."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    with os.fdopen(
        os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
    ) as stream:
        stream.write(secrets.token_hex(32))
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    sync_folder(path.parent)
