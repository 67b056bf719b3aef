"""A delivered file as bytes: unpacked, hashed, with its encoding; a workbook's sheets as text.

It does not know what the content means.
"""

import codecs
import errno
import gzip
import hashlib
import io
import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, cast

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.encodings import Guess, guess, lines_with_letters
from ces_pipeline.formats.workbook import read_sheet
from ces_pipeline.privacy.shown import shown_name

_CHUNK = 1 << 20
HEAD_BYTES = 1 << 20
"""Enough for the header rows of the widest surveys, whose question texts take hundreds of kilobytes."""
_MOST_CONTENT = 1 << 30
_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, lzma.LZMAError)
_SPREADSHEETS = {".xlsx", ".xlsm"}
_SHEET_HEAD_ROWS = 100
_SAMPLE_CHUNKS = 4
_FEW_ZEROS = 8
_BINARY = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF-", b"\x7fELF")
"""How pictures, documents and programs begin."""
_OLD_EXCEL = bytes.fromhex("d0cf11e0a1b11ae1")


@dataclass(frozen=True)
class DeliveredFile:
    """One file of an inbox: plain, `.gz`, or a `.zip` that holds one file. It is only read, never changed.

    content_in_memory: the bytes of a page from an API, which is never written to a file, since it holds people.
    given_encoding: the encoding that the source's entry states; found by the content if None.
    """

    path: Path
    content_in_memory: bytes | None = field(default=None, repr=False)
    given_encoding: str | None = None

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
        """The unpacked bytes as a stream. Raises UnreadableFileError if it is no file, or packed and damaged."""
        content = self.content_in_memory
        if content is None:
            self._refuse_what_is_no_file()
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
        except (*_DAMAGE, OSError) as problem:
            # A zip whose directory is damaged names a place before the file's start.
            if (
                isinstance(problem, OSError)
                and problem.errno != errno.EINVAL
                and not isinstance(problem, _DAMAGE)
            ):
                raise
            raise UnreadableFileError(
                f"{self.name}: the file is damaged or was cut off while it was copied "
                f"({type(problem).__name__}): deliver it again"
            ) from problem
        except NotImplementedError as problem:
            raise UnreadableFileError(
                f"{self.name}: the zip is packed in a way that cannot be read here ({problem}): pack it again with "
                "the usual method (Deflate), or deliver it unpacked"
            ) from None
        except RuntimeError as problem:
            # zipfile raises a plain RuntimeError for a member that needs a password.
            if "encrypted" not in str(problem):
                raise
            raise UnreadableFileError(
                f"{self.name}: the zip is protected by a password: deliver it unpacked"
            ) from None

    def _refuse_what_is_no_file(self) -> None:
        """Raise UnreadableFileError for a folder, a link to nothing or a pipe, and for a name that is no text."""
        try:
            self.path.name.encode()
        except UnicodeEncodeError:
            raise UnreadableFileError(
                f"{self.name}: its name is not UTF-8, so logs and tables cannot hold it: rename the file"
            ) from None
        try:
            mode = self.path.stat().st_mode
        except OSError:
            if not self.path.is_symlink():
                raise
            raise UnreadableFileError(
                f"{self.name}: it is a link to a file that does not exist: deliver the file itself"
            ) from None
        if stat.S_ISDIR(mode):
            raise UnreadableFileError(f"{self.name}: it is a folder: deliver the files in it one by one")
        if not stat.S_ISREG(mode):
            # Reading a pipe would wait for ever.
            raise UnreadableFileError(f"{self.name}: it is a pipe or a device: replace it by a file")

    @contextmanager
    def open_utf8(self) -> Iterator[BinaryIO]:
        """The text as a stream of UTF-8 bytes without byte order mark, transcoded from the file's own encoding.

        Bytes that the encoding does not define become U+FFFD; zero bytes are left out.
        Raises UnreadableFileError if the encoding is not known.
        """
        encoding = self.encoding
        with self.open() as stream:
            if encoding == "utf-8" and not self._facts.is_damaged:
                yield stream
            elif encoding == "utf-8-sig" and not self._facts.is_damaged:
                yield cast(BinaryIO, io.BufferedReader(_Without(stream, codecs.BOM_UTF8), _CHUNK))
            else:
                yield cast(BinaryIO, io.BufferedReader(_Transcoded(stream, encoding), _CHUNK))

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
    def _facts(self) -> "_Facts":
        """One pass over the unpacked bytes."""
        digest, size, zeros = hashlib.sha256(), 0, 0
        marked: str | None = None
        decoder: codecs.IncrementalDecoder | None = None
        # Chunks that show the encoding of a file that is not UTF-8: the first with letters, and those at the fault.
        letters: list[bytes] = []
        is_utf8 = True
        with self.open() as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                if size == 0:
                    marked = _marked_encoding(chunk)
                    if marked in (None, "utf-8-sig"):
                        decoder = codecs.getincrementaldecoder("utf-8")()
                size += len(chunk)
                zeros += b"\0" in chunk
                # A chunk of ASCII is valid UTF-8 (if no letter is cut at its start), and `isascii` is nearly free.
                if chunk.isascii() and not (decoder and decoder.getstate()[0]):
                    continue
                if not letters or (not is_utf8 and len(letters) < _SAMPLE_CHUNKS):
                    letters.append(chunk)
                if decoder is not None:
                    try:
                        decoder.decode(chunk)
                    except UnicodeDecodeError:
                        decoder, is_utf8 = None, False
                        letters += [chunk] if letters[-1] is not chunk else []
            if decoder is not None and decoder.getstate()[0]:
                is_utf8 = False
        if marked is None:
            found = Guess("utf-8", is_sure=True) if is_utf8 else guess(lines_with_letters(letters))
        else:
            found = Guess(marked, is_sure=True)
        is_zeroed = bool(zeros) and marked in (None, "utf-8-sig")
        return _Facts(digest.hexdigest(), size, found, is_zeroed or not is_utf8, is_zeroed)

    @property
    def sha256(self) -> str:
        """SHA-256 of the unpacked content: the same export compressed differently is the same delivery."""
        return self._facts.sha256

    @property
    def size(self) -> int:
        """Unpacked bytes."""
        return self._facts.size

    @property
    def encoding(self) -> str:
        """Python's name of the text's encoding: the given one, else the one that the content shows.

        Raises UnreadableFileError if the content shows none.
        """
        if self.given_encoding is not None:
            marked = _marked_encoding(self.head)
            return (
                "utf-8-sig"
                if marked == "utf-8-sig" and self.given_encoding == "utf-8"
                else self.given_encoding
            )
        found = self._facts.found
        if found.encoding is None:
            perhaps = f" (perhaps {found.perhaps})" if found.perhaps else ""
            raise UnreadableFileError(
                f"{self.name}: the text is not UTF-8, and its encoding cannot be detected{perhaps}: "
                "export it as UTF-8, or name its encoding with options.encoding of the source"
            )
        return found.encoding

    def text_notes(self) -> tuple[list[str], list[str]]:
        """(What was found about the text's encoding, what of it is not sure), in words."""
        if self.given_encoding is not None:
            return [], []
        found, doubts = self._facts.found, []
        if found.encoding == "utf-8" and not found.is_sure:
            doubts.append("some bytes are not UTF-8, unlike the rest of the text: they are shown as \ufffd")
        elif not found.is_sure:
            doubts.append(
                f"the text is not UTF-8 and was read as {found.encoding}, which is not sure: "
                "if letters look wrong, set options.encoding of the source"
            )
        if self._facts.is_zeroed:
            doubts.append("zero bytes in the text were left out")
        is_other = found.encoding is not None and found.is_sure and not found.encoding.startswith("utf")
        return ([f"the text is not UTF-8: read as {found.encoding}"] if is_other else []), doubts

    @property
    def found_encoding(self) -> str | None:
        """The encoding that the content shows and no mark states; None for UTF-8 and if one is given."""
        found = None if self.given_encoding is not None else self._facts.found.encoding
        return None if found is None or found.startswith("utf") else found

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
        """The first bytes as text without byte order mark; bytes that cannot be decoded become U+FFFD.

        Zero bytes are left out. A head of ASCII shows its text without a pass over the file. A workbook has no text.
        Raises UnreadableFileError if the encoding is not known.
        """
        if self.head.startswith(b"PK\x03\x04"):
            return ""
        is_plain = self.head.isascii() and self.given_encoding is None and not _marked_encoding(self.head)
        encoding = "utf-8" if is_plain else self.encoding
        text = codecs.getincrementaldecoder(encoding)("replace").decode(self.head)
        return text.removeprefix("\ufeff").replace("\0", "")

    def encoded_as(self, encoding: str | None) -> "DeliveredFile":
        """The same file, read in this encoding; the file itself for None."""
        return replace(self, given_encoding=encoding) if encoding else self

    def content(self) -> bytes:
        """All unpacked bytes, for formats that cannot be streamed. Raises UnreadableFileError for more than 1 GB."""
        with self.open() as stream:
            found = stream.read(_MOST_CONTENT + 1)
        if len(found) > _MOST_CONTENT:
            raise UnreadableFileError(
                f"{self.name}: it is larger than {_MOST_CONTENT >> 30} GB, more than is read of such a file: deliver "
                "it as CSV or in parts"
            )
        return found

    def sheet(self, name: str | None = None, rows: int | None = None) -> "SheetAsText":
        """A sheet of this workbook as comma separated text: the named one, else the first that is a table.

        rows: how many of its rows; all if None.
        """
        sheet = read_sheet(self.name, self.content(), name, rows)
        return SheetAsText(
            self.path, sheet.text, None, sheet.name, () if name else sheet.others, sheet.passed_over
        )

    @cached_property
    def sheet_head(self) -> "SheetAsText":
        """The first rows of the sheet that is read if none is named."""
        return self.sheet(rows=_SHEET_HEAD_ROWS)

    def refuse_binary(self) -> None:
        """Raise UnreadableFileError if the content is empty or clearly not text."""
        if not self.head:
            raise UnreadableFileError(f"{self.name}: the file is empty: deliver it again, or remove it")
        if self.head.startswith(_OLD_EXCEL):
            raise UnreadableFileError(
                f"{self.name}: a workbook of Excel before 2007: save it as .xlsx or CSV and deliver that"
            )
        # A zero byte in a cell is damage; a file with many is no text.
        zeros = self.head.count(0) if _marked_encoding(self.head) in (None, "utf-8-sig") else 0
        is_text = self.given_encoding is not None and self.given_encoding.startswith(
            ("utf_16", "utf-16", "utf-32")
        )
        is_binary = self.head.startswith(_BINARY) or zeros > max(_FEW_ZEROS, len(self.head) // 1000)
        if not is_text and is_binary:
            raise UnreadableFileError(
                f"{self.name}: this is a binary file, not a text export: check the file in the inbox"
            )


@dataclass(frozen=True)
class _Facts:
    """What one pass over a file's bytes shows.

    is_zeroed: text that holds zero bytes. is_damaged: that, or not UTF-8.
    """

    sha256: str
    size: int
    found: Guess
    is_damaged: bool
    is_zeroed: bool


@dataclass(frozen=True)
class SheetAsText(DeliveredFile):
    """A sheet of a workbook as comma separated text.

    others: the names of the other sheets, if none was named. passed_over: the first sheet, if it is no table.
    """

    sheet_name: str = ""
    others: tuple[str, ...] = ()
    passed_over: str | None = None


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
            text = self._decoder.decode(chunk, final=self._ended).replace("\0", "")
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
