"""The errors of a pull. Messages name host, path without query, and status; never a token or a record."""

from ces_pipeline.errors import CesError


class PullError(CesError):
    """A source could not be pulled to its end. `is_transient`: the same pull may succeed later."""

    is_transient = False


class MissingVariableError(PullError):
    """An environment variable that the registry names is not set; nothing was requested."""


class UnavailableError(PullError):
    """The vendor gave no usable response, after all attempts.

    may_have_arrived: whether the vendor may have carried out the request nevertheless.
    """

    is_transient = True
    may_have_arrived = True


class RefusedError(PullError):
    """The vendor refused: wrong credentials, rights, path or parameters. `status` is its HTTP status."""

    def __init__(self, text: str, status: int):
        super().__init__(text)
        self.status = status


class BadResponseError(PullError):
    """The vendor's response does not have the documented shape, or is too large."""
