"""How people leave the data: keyed hashes for identities, redaction for free text, before anything is written.

The key comes from the environment (`CES_PSEUDONYM_KEY`) or a 0600 file made on first use. Which columns hold people
is decided elsewhere (`fields.py`, the registry, `sources/people.py`).
"""

import os
import secrets
import stat
from pathlib import Path

from ces_pipeline.errors import HomeError
from ces_pipeline.privacy.pseudonyms import KEY_VARIABLE, Pseudonyms
from ces_pipeline.storage.lake import Lake, sync_folder
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.scratch import scratch

KEY_FILE = "pseudonym.key"
_PROOF = "ledger/key_proof"

# Each pattern with its mark. Phone numbers need a shape that dates, ids and versions do not have: an international
# prefix, brackets, a leading zero, or the groups of a North American number.
_EMAIL = (r"[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)+", "[email]")
_CARD = (
    r"\b([2-6]\d{3}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}([ -]?\d{1,3})?|3[47]\d{2}[ -]?\d{6}[ -]?\d{5})\b",
    "[card]",
)
_PHONE = (
    r"(\+\d[\d ()./-]{6,17}\d|\(\d{2,5}\) ?\d[\d ./-]{4,12}\d|\b0\d{2,4}[ ./-]?\d{3,4}[ ./-]?\d{3,4}\b"
    r"|\b\d{3}[ .-]\d{3}[ .-]\d{4}\b)",
    "[phone]",
)
# A bare run of digits in a sentence is a phone, order or account number; in a table cell it may be anything.
_NUMBER = (r"\b\d{9,15}\b", "[number]")


def redacted(text: str, *, sentence: bool) -> str:
    """SQL for a VARCHAR without e-mail addresses, card and phone numbers.

    sentence: also bare digit runs of 9 to 15, which in prose are account, order or phone numbers.
    """
    replaced = text
    for pattern, mark in _patterns(sentence):
        replaced = f"regexp_replace({replaced}, {quote_text(pattern)}, '{mark}', 'g')"
    return f"CASE WHEN {may_name_people(text, sentence=sentence)} THEN {replaced} ELSE {text} END"


def may_name_people(text: str, *, sentence: bool) -> str:
    """SQL for whether `redacted` has to look closer: most texts hold nothing, which one pass for all of it tells."""
    any_of_them = "|".join(["@", *(pattern for pattern, _ in _patterns(sentence)[1:])])
    return f"regexp_matches({text}, {quote_text(any_of_them)})"


def _patterns(sentence: bool) -> list[tuple[str, str]]:
    return [_EMAIL, _CARD, _PHONE] + ([_NUMBER] if sentence else [])


def redact_text(text: str) -> str:
    """One text redacted as a sentence, outside any query (file names, rows that do not fit)."""
    with scratch() as connection:
        [(shown,)] = connection.execute(
            f"SELECT {redacted('$text', sentence=True)}", {"text": text}
        ).fetchall()
    return str(shown)


def load_pseudonyms(home: Path, lake: Lake) -> Pseudonyms:
    """The installation's key, made on first use.

    Raises HomeError where the key is unreadable, readable by others, or not the one that the lake was written with
    (a person's answers before and after would no longer belong together).
    """
    given = os.environ.get(KEY_VARIABLE)
    pseudonyms = Pseudonyms(given.encode() if given else _key_from_file(home / KEY_FILE, lake))
    proof = pseudonyms.of("ces_pipeline")[:32].encode()
    if not lake.exists(_PROOF):
        lake.write_bytes(_PROOF, proof)
    elif lake.read_bytes(_PROOF) != proof:
        raise HomeError(
            f"the pseudonym key is not the one that this lake was written with: restore {KEY_VARIABLE} or "
            f"{KEY_FILE}, or start a new home"
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
            _make_key(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise HomeError(f"{path} can be read by others: run `chmod 600` on it")
        key = path.read_bytes().strip()
        if not key:
            raise HomeError(f"{path} is empty: restore it from your backup, or set {KEY_VARIABLE}")
        return key
    except OSError as problem:
        raise HomeError(f"{path} cannot be used ({problem.strerror}): mend its permissions") from problem


def _make_key(path: Path) -> None:
    """Written beside its place and renamed, so that a killed call never leaves an empty or partial key."""
    beside = path.with_name(f".{path.name}.tmp")
    beside.unlink(missing_ok=True)
    with os.fdopen(
        os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
    ) as stream:
        stream.write(secrets.token_hex(32))
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
    sync_folder(path.parent)
