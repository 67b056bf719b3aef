"""Why an export stops, in a person's words. Texts name host, path and status; never a secret or a person."""

from ces_pipeline.errors import CesError
from ces_pipeline.http.errors import BadResponseError, PullError, RefusedError


class ExportError(CesError):
    """An export could not be brought to its end. What was sent before is noted; the next one goes on from there."""


def told(name: str, what: str, problem: PullError) -> ExportError:
    """The client's error in an export's words: its own speak of pulls, and of the keys of a feed."""
    if isinstance(problem, RefusedError):
        advice = {
            401: "check the variables that its auth names",
            403: "the user behind its auth lacks the right to write this",
            404: "check its base_url",
        }.get(problem.status, "check its entry in the registry")
        return ExportError(f"{name}: {what} was refused with {problem.status}: {advice}")
    if isinstance(problem, BadResponseError):
        return ExportError(f"{name}: {str(problem).removeprefix(f'{name}: ')}")
    return ExportError(
        f"{name}: {what} was not answered as it should be: what was sent before is noted, run it again later"
    )
