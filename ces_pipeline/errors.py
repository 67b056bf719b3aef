"""The errors a person can cause and mend.

Everything raised on purpose towards a user derives from `CesError`: its text says what is wrong, where
(file, row, column or entry) and what to do, and never carries a person's value. Programming errors are not here.
"""


class CesError(Exception):
    """Something a person can mend; the command line prints its text and no traceback."""


class RegistryError(CesError):
    """The registry (or a command's words) cannot be used; commands exit with status 2."""


class HomeError(CesError):
    """The home folder is missing, unwritable or full; commands exit with status 2."""


class UnreadableFileError(CesError):
    """One delivery cannot be read at all; the feed fails, every other feed goes on."""
