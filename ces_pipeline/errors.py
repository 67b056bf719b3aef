"""Errors that a person can cause and correct.

All of them derive from `CesError`. Their text states what is wrong, where (file, row, column or entry) and what to do.
It never contains a person's value. Programming errors are not here.
"""


class CesError(Exception):
    """An error that a person can correct; the command line prints its text without a traceback."""


class RegistryError(CesError):
    """The registry or a command's arguments are wrong; commands exit with status 2."""


class HomeError(CesError):
    """The home folder is missing, not writable or full; commands exit with status 2."""


class UnreadableFileError(CesError):
    """A delivery cannot be read; its source fails, the other sources continue."""


class MemoryLimitError(CesError):
    """DuckDB needs more memory than the installation allows it to use."""
