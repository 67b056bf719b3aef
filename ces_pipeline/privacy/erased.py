"""The people who were erased: a keyed mark of each, so that a later export cannot bring them back.

The mark is made from the keyed hash that rows hold of a person, with the key again. It is in no row, so a home without
the key says nothing about who was erased.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from ces_pipeline.errors import HomeError
from ces_pipeline.privacy.pseudonyms import Pseudonyms
from ces_pipeline.storage.lake import Lake

_FILE = "erased/people.json"
_NOTE = "erased/README.txt"


@dataclass(frozen=True)
class Erased:
    """The marks of erased people. True if there are any."""

    pseudonyms: Pseudonyms
    marks: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def load(cls, lake: Lake, pseudonyms: Pseudonyms) -> "Erased":
        """Raises HomeError if the file is damaged: without it, erased people would come back."""
        if not lake.exists(_FILE):
            if lake.list("erased"):
                raise HomeError(_damaged(lake))
            return cls(pseudonyms)
        try:
            stored = json.loads(lake.read_bytes(_FILE))
            marks = frozenset(stored["marks"])
            is_intact = stored["check"] == pseudonyms.of("".join(sorted(marks)))
        except (ValueError, KeyError, TypeError, OSError):
            is_intact = False
        if not is_intact:
            raise HomeError(_damaged(lake))
        return cls(pseudonyms, marks)

    def __bool__(self) -> bool:
        return bool(self.marks)

    def mark_of(self, key: str) -> str:
        """The mark of a person. key: the person's keyed hash, in hex."""
        return self.pseudonyms.of(f"erased {key}")

    def with_person(self, key: str) -> "Erased":
        return Erased(self.pseudonyms, self.marks | {self.mark_of(key)})

    def save(self, write: Callable[[str, bytes], object]) -> None:
        """Store the marks. write: writes bytes to a path of the lake."""
        marks = sorted(self.marks)
        stored = {"marks": marks, "check": self.pseudonyms.of("".join(marks))}
        # Next to the file, so that a lost file is not taken for a home without erased people.
        write(_NOTE, b"Keyed marks of erased people. Keep this folder in backups.\n")
        write(_FILE, json.dumps(stored).encode())

    def keys_among(self, keys: list[str]) -> list[str]:
        """Those of the keyed hashes (hex) whose person was erased."""
        marks = self.pseudonyms.of_all(f"erased {key}" for key in keys)
        return [key for key, mark in zip(keys, marks, strict=True) if mark in self.marks]


def erased_fingerprint(lake: Lake) -> str:
    """Changes with every erased person; empty if there are none."""
    return hashlib.sha256(lake.read_bytes(_FILE)).hexdigest()[:16] if lake.exists(_FILE) else ""


def _damaged(lake: Lake) -> str:
    return (
        f"{lake.root}/{_FILE}, which marks the people who were erased, is missing or damaged. Restore it from a "
        "backup. If you have none, delete the folder of the file and run `ces forget` again for each of them: until "
        "then, later exports would bring them back"
    )
