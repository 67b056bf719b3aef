"""Why a pull fails, in a person's words. Texts name host, path without query, status; never a token or a record."""

from ces_pipeline.errors import CesError


class PullError(CesError):
    """A feed could not be pulled to its end. `is_transient`: trying again later, unchanged, may succeed."""

    is_transient = False


class MissingVariableError(PullError):
    """An environment variable that the registry names is not set; nothing was requested."""


class UnavailableError(PullError):
    """The vendor did not answer as it should, however often and patiently it was asked.

    may_have_arrived: whether it may have taken what a request said all the same.
    """

    is_transient = True
    may_have_arrived = True


class RefusedError(PullError):
    """The vendor refused: wrong credentials, rights, path or parameters. `status` is its HTTP status."""

    def __init__(self, text: str, status: int):
        super().__init__(text)
        self.status = status


class BadAnswerError(PullError):
    """The vendor's answer is not of the documented shape, or goes beyond a bound."""
