"""Where the installation's key comes from: the environment (`CES_PSEUDONYM_KEY`), else a file with mode 0600.

The file is created on first use. The lake keeps a proof of the key (a hash made with it, never the key), so that a
lake is never continued with another key.
"""

import os
import secrets
import stat
from pathlib import Path

from ces_pipeline.errors import HomeError
from ces_pipeline.privacy.pseudonyms import KEY_VARIABLE, Pseudonyms
from ces_pipeline.storage.lake import Lake, sync_folder

KEY_FILE = "pseudonym.key"
_PROOF = "ledger/key_proof"


def load_pseudonyms(home: Path, lake: Lake) -> Pseudonyms:
    """The pseudonyms of this installation; the key is created on first use.

    Raises HomeError if the key cannot be read, if others can read it, or if the lake was written with another key (a
    person's rows from before and after would no longer belong together).
    """
    given = os.environ.get(KEY_VARIABLE)
    pseudonyms = Pseudonyms(given.encode() if given else _key_from_file(home / KEY_FILE, lake))
    proof = pseudonyms.of("ces_pipeline")[:32].encode()
    if not lake.exists(_PROOF):
        lake.write_bytes(_PROOF, proof)
    elif lake.read_bytes(_PROOF) != proof:
        raise HomeError(
            f"the pseudonym key is not the one that this lake was written with: restore {KEY_VARIABLE} or "
            f"{KEY_FILE} from your backup, or start a new home"
        )
    return pseudonyms


def _key_from_file(path: Path, lake: Lake) -> bytes:
    try:
        if not path.exists():
            if lake.exists(_PROOF):
                raise HomeError(
                    f"{path} is missing but the lake was written with a key: "
                    f"restore it from your backup, or set {KEY_VARIABLE}"
                )
            _create_key(path)
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
