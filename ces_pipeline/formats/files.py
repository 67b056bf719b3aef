"""A delivered file as bytes: unpacked, hashed, with its encoding; a workbook's sheets as text.

It does not know what the content means.
"""

import codecs
import gzip
import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, cast

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.workbook import sheet_text
from ces_pipeline.privacy.shown import shown_name

_CHUNK = 1 << 20
HEAD_BYTES = 1 << 20
"""Enough for the header rows of the widest surveys, whose question texts take hundreds of kilobytes."""
_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, lzma.LZMAError)
_SPREADSHEETS = {".xlsx", ".xlsm"}
_SHEET_HEAD_ROWS = 100
_OLD_EXCEL = bytes.fromhex("d0cf11e0a1b11ae1")


@dataclass(frozen=True)
class DeliveredFile:
    """One file of an inbox: plain, `.gz`, or a `.zip` that holds one file. It is only read, never changed.

    content_in_memory: the bytes of a page from an API, which is never written to a file, since it holds people.
    """

    path: Path
    content_in_memory: bytes | None = field(default=None, repr=False)

    @classmethod
    def in_memory(cls, name: str, content: bytes) -> "DeliveredFile":
        """Content that is treated as a file called `name`."""
        return cls(Path(name), content)

    @property
    def name(self) -> str:
        """The file's name as messages and the ledger show it, without people and control characters."""
        return shown_name(self.path.name)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The unpacked bytes as a stream. Raises UnreadableFileError if the compressed file is damaged."""
        content = self.content_in_memory
        try:
            with self.path.open("rb") if content is None else io.BytesIO(content) as packed:
                magic = packed.read(4)
                packed.seek(0)
                if magic[:2] == b"\x1f\x8b":
                    with gzip.open(packed, "rb") as stream:
                        yield cast(BinaryIO, stream)
                elif magic == b"PK\x03\x04" and not self.is_spreadsheet:
                    with (
                        zipfile.ZipFile(packed) as archive,
                        archive.open(self._only_member(archive)) as member,
                    ):
                        yield cast(BinaryIO, member)
                else:
                    yield packed
        except _DAMAGE as problem:
            raise UnreadableFileError(
                f"{self.name}: the file is damaged or was cut off while it was copied "
                f"({type(problem).__name__}): deliver it again"
            ) from problem
        except RuntimeError as problem:
            # zipfile raises a plain RuntimeError for a member that needs a password.
            if "encrypted" not in str(problem):
                raise
            raise UnreadableFileError(
                f"{self.name}: the zip is protected by a password: deliver it unpacked"
            ) from None

    @contextmanager
    def open_utf8(self) -> Iterator[BinaryIO]:
        """The text as a stream of UTF-8 bytes without byte order mark, transcoded from the file's own encoding.

        Bytes that the encoding does not define become U+FFFD.
        """
        with self.open() as stream:
            if self.encoding == "utf-8":
                yield stream
            elif self.encoding == "utf-8-sig":
                yield cast(BinaryIO, io.BufferedReader(_Without(stream, codecs.BOM_UTF8), _CHUNK))
            else:
                yield cast(BinaryIO, io.BufferedReader(_Transcoded(stream, self.encoding), _CHUNK))

    @property
    def is_spreadsheet(self) -> bool:
        """Whether the name is an Excel file's: such a file is itself a zip and must not be unpacked."""
        return self.path.suffix.lower() in _SPREADSHEETS

    def _only_member(self, archive: zipfile.ZipFile) -> str:
        members = [
            info.filename
            for info in archive.infolist()
            if not info.is_dir() and not info.filename.startswith("__MACOSX/")
        ]
        if len(members) != 1:
            raise UnreadableFileError(
                f"{self.name}: the zip holds {len(members)} files, expected one: "
                "unpack it and deliver them one by one"
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
                # A chunk of ASCII is valid UTF-8 (if no letter is cut at its start), and `isascii` is nearly free.
                if decoder is not None and (decoder.getstate()[0] or not chunk.isascii()):
                    try:
                        decoder.decode(chunk)
                    except UnicodeDecodeError:
                        encoding, decoder = "cp1252", None
        return digest.hexdigest(), size, encoding or "utf-8"

    @property
    def sha256(self) -> str:
        """SHA-256 of the unpacked content: the same export compressed differently is the same delivery."""
        return self._facts[0]

    @property
    def size(self) -> int:
        """Unpacked bytes."""
        return self._facts[1]

    @property
    def encoding(self) -> str:
        """`utf-8`, `utf-8-sig`, `utf-16`, `utf-16-le` or `utf-16-be`; `cp1252` if the content is none of these."""
        return self._facts[2]

    @cached_property
    def head(self) -> bytes:
        """The first bytes, unpacked."""
        with self.open() as stream:
            return stream.read(HEAD_BYTES)

    @property
    def head_is_all(self) -> bool:
        """Whether `head` is the full content."""
        return len(self.head) < HEAD_BYTES

    @cached_property
    def head_text(self) -> str:
        """The first bytes as text without byte order mark; bytes that cannot be decoded become U+FFFD."""
        encoding = _marked_encoding(self.head) or ("utf-8" if _is_utf8(self.head) else "cp1252")
        return codecs.getincrementaldecoder(encoding)("replace").decode(self.head).removeprefix("\ufeff")

    def content(self) -> bytes:
        """All unpacked bytes, for formats that cannot be streamed."""
        with self.open() as stream:
            return stream.read()

    def sheet(self, name: str | None = None, rows: int | None = None) -> "SheetAsText":
        """A sheet of this workbook as comma separated text: the named one, else the first.

        rows: how many of its rows; all if None.
        """
        text, sheets = sheet_text(self.name, self.content(), name, rows)
        return SheetAsText(self.path, text, sheets if name is None else 1)

    @cached_property
    def sheet_head(self) -> "SheetAsText":
        """The first rows of the first sheet."""
        return self.sheet(rows=_SHEET_HEAD_ROWS)

    def refuse_binary(self) -> None:
        """Raise UnreadableFileError if the content is empty or clearly not text."""
        if not self.head:
            raise UnreadableFileError(f"{self.name}: the file is empty: deliver it again, or remove it")
        if self.head.startswith(_OLD_EXCEL):
            raise UnreadableFileError(
                f"{self.name}: a workbook of Excel before 2007: save it as .xlsx or CSV and deliver that"
            )
        if _marked_encoding(self.head) in (None, "utf-8-sig") and b"\x00" in self.head:
            raise UnreadableFileError(
                f"{self.name}: this is a binary file, not a text export: check the file in the inbox"
            )


@dataclass(frozen=True)
class SheetAsText(DeliveredFile):
    """A sheet of a workbook as comma separated text. first_of: the number of sheets, if none was named."""

    first_of: int = 1


class _Transcoded(io.RawIOBase):
    """A stream in another encoding, read as UTF-8."""

    def __init__(self, stream: BinaryIO, encoding: str):
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ready = memoryview(b"")
        self._ended = False
        self._started = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            chunk = self._stream.read(_CHUNK)
            self._ended = not chunk
            text = self._decoder.decode(chunk, final=self._ended)
            if text and not self._started:
                self._started = True
                text = text.removeprefix("\ufeff")
            # A lone UTF-16 surrogate decodes to U+FFFD, so this cannot fail.
            self._ready = memoryview(text.encode("utf-8"))
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


class _Without(io.RawIOBase):
    """A stream without the mark that it starts with."""

    def __init__(self, stream: BinaryIO, mark: bytes):
        self._stream = stream
        stream.read(len(mark))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _marked_encoding(start: bytes) -> str | None:
    """The encoding that the first bytes show: by a byte order mark, or by the zero bytes of UTF-16."""
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = start[:2000]
    if len(sample) >= 4:
        even, odd = sample[0::2], sample[1::2]
        if odd.count(0) > 0.8 * len(odd) and not even.count(0):
            return "utf-16-le"
        if even.count(0) > 0.8 * len(even) and not odd.count(0):
            return "utf-16-be"
    return None


def _is_utf8(start: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True
