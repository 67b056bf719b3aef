"""Recognises the format of a file: every reader gives a score, the best comes first."""

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.contract import Reader
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.vendors.catalog import READERS


def recognise(file: DeliveredFile) -> list[tuple[Reader, int]]:
    """The readers that may fit with their scores (1 to 100), best first.

    Raises UnreadableFileError for an empty or damaged file. The list is empty for a text that no reader recognises.
    """
    if not file.head:
        raise UnreadableFileError(f"{file.name}: the file is empty: deliver it again, or remove it")
    scores = [(reader, _score(reader, file)) for reader in READERS.values()]
    return sorted(((reader, score) for reader, score in scores if score), key=lambda found: -found[1])


def _score(reader: Reader, file: DeliveredFile) -> int:
    try:
        return reader.recognises(file)
    except UnreadableFileError:
        return 0
