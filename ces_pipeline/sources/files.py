"""A delivered file as bytes: unpacked, identified, and its encoding found. Knows nothing of any format inside."""

import codecs
import gzip
import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

from ces_pipeline.errors import UnreadableFileError

_CHUNK = 1 << 20
HEAD_BYTES = 256 << 10
_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, lzma.LZMAError)


@dataclass(frozen=True)
class DeliveredFile:
    """One file of an inbox, plain, `.gz` or a `.zip` that holds one file. Only ever read."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The unpacked bytes as a stream. Raises UnreadableFileError where the packing is damaged."""
        try:
            with self.path.open("rb") as packed:
                magic = packed.read(4)
                packed.seek(0)
                if magic[:2] == b"\x1f\x8b":
                    with gzip.open(packed, "rb") as stream:
                        yield cast(BinaryIO, stream)
                elif magic == b"PK\x03\x04" and not self._is_spreadsheet:
                    with zipfile.ZipFile(packed) as archive, archive.open(self._only_member(archive)) as stream:
                        yield cast(BinaryIO, stream)
                else:
                    yield packed
        except _DAMAGE as problem:
            raise UnreadableFileError(
                f"{self.name}: the file is damaged or was cut off while it was copied "
                f"({type(problem).__name__}): deliver it again"
            ) from problem

    @property
    def _is_spreadsheet(self) -> bool:
        return self.path.suffix.lower() in {".xlsx", ".xlsm"}

    def _only_member(self, archive: zipfile.ZipFile) -> str:
        members = [
            info.filename
            for info in archive.infolist()
            if not info.is_dir() and not info.filename.startswith("__MACOSX/")
        ]
        if len(members) != 1:
            raise UnreadableFileError(
                f"{self.name}: the zip holds {len(members)} files, expected one: unpack it and deliver them one by one"
            )
        return members[0]

    @cached_property
    def _facts(self) -> tuple[str, int, str]:
        """(SHA-256, size, encoding) of the unpacked bytes, in one pass."""
        digest, size = hashlib.sha256(), 0
        encoding: str | None = None
        decoder: codecs.IncrementalDecoder | None = None
        with self.open() as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                if size == 0:
                    encoding = _marked_encoding(chunk)
                    if encoding in (None, "utf-8-sig"):
                        decoder = codecs.getincrementaldecoder("utf-8")()
                size += len(chunk)
                if decoder is not None:
                    try:
                        decoder.decode(chunk)
                    except UnicodeDecodeError:
                        encoding, decoder = "cp1252", None
        return digest.hexdigest(), size, encoding or "utf-8"

    @property
    def sha256(self) -> str:
        """SHA-256 of the unpacked content: the same export packed twice is the same delivery."""
        return self._facts[0]

    @property
    def size(self) -> int:
        return self._facts[1]

    @property
    def encoding(self) -> str:
        """`utf-8`, `utf-8-sig`, `utf-16`, or `cp1252` for whatever is none of those."""
        return self._facts[2]

    @cached_property
    def head(self) -> bytes:
        """The first bytes, unpacked."""
        with self.open() as stream:
            return stream.read(HEAD_BYTES)

    @property
    def head_text(self) -> str:
        """The first bytes as text; what cannot be decoded shows as U+FFFD."""
        encoding = _marked_encoding(self.head) or ("utf-8" if _is_utf8(self.head) else "cp1252")
        return codecs.getincrementaldecoder(encoding)("replace").decode(self.head)

    def content(self) -> bytes:
        """All unpacked bytes, for formats that cannot be streamed."""
        with self.open() as stream:
            return stream.read()

    def text(self) -> str:
        """All of it as text, without a byte order mark."""
        return io.TextIOWrapper(io.BytesIO(self.content()), encoding=self.encoding, errors="replace", newline="").read()

    def refuse_binary(self) -> None:
        """Raise UnreadableFileError where the content is empty or plainly not text."""
        if not self.head:
            raise UnreadableFileError(f"{self.name}: the file is empty: deliver it again, or remove it")
        if _marked_encoding(self.head) is None and b"\x00" in self.head:
            raise UnreadableFileError(
                f"{self.name}: this is a binary file, not a text export: check what was dropped into the inbox"
            )


def _marked_encoding(start: bytes) -> str | None:
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return None


def _is_utf8(start: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True
