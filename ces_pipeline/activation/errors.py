"""Errors of an export. Their texts name host, path and status, never a secret or a person."""

from ces_pipeline.errors import CesError
from ces_pipeline.http.errors import BadResponseError, PullError, RefusedError


class ExportError(CesError):
    """An export failed. The ledger has the items sent before; the next export continues from there."""


def export_error(name: str, what: str, problem: PullError) -> ExportError:
    """The HTTP client's error, reworded for an export. The client's own texts are about pulls and sources."""
    if isinstance(problem, RefusedError):
        advice = {
            401: "check the variables that its `auth` names",
            403: "the user of its `auth` has no permission to write this",
            404: "check its `base_url`",
        }.get(problem.status, "check its entry in the registry")
        return ExportError(f"{name}: {what} was refused with {problem.status}: {advice}")
    if isinstance(problem, BadResponseError):
        return ExportError(f"{name}: {str(problem).removeprefix(f'{name}: ')}")
    return ExportError(
        f"{name}: {what} got no valid response. What was sent before is recorded. Run the export again later"
    )
