"""Findings about each source's API: credentials, fields and answers, and the vendor's clock."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing

from ces_pipeline.clean.answers import OFF_SCALE, UNKNOWN, read_answer
from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.http.client import RetryPolicy
from ces_pipeline.http.clock import SystemClock
from ces_pipeline.http.request_log import RequestLog
from ces_pipeline.land.pull import open_http
from ces_pipeline.registry import Registry
from ces_pipeline.registry.sources import Source
from ces_pipeline.vendors.catalog import CONNECTORS
from ces_pipeline.vendors.contract import Finding

_SKEW_SECONDS = 120.0
_SHORT = RetryPolicy(attempts=2, waiting_seconds=20.0, read_seconds=20.0)
"""Short, because a person waits for the verdict."""


def api(home: Home, registry: Registry, source: Source) -> Iterator[Finding]:
    """Verdicts on a source's API, from a few requests, which are not stored in `audit.requests`."""
    assert source.api is not None
    name = f"api of {source.id}"
    log = RequestLog(source.id, "doctor")
    try:
        with closing(
            open_http(home, source, log, clock=SystemClock(), environment=os.environ, retry_policy=_SHORT)
        ) as http:
            connector = CONNECTORS[source.api.connector]
            for finding in connector.probe(http, source.api):
                yield Finding(finding.is_well, f"{name}: {finding.text.removeprefix(f'{source.id}: ')}")
            if problem := _off_scale(registry, source, connector.answers(http, source.api)):
                yield Finding(False, f"{name}: {problem}")
            skew = http.skew_seconds
            if skew is not None and abs(skew) > _SKEW_SECONDS:
                yield Finding(
                    False,
                    f"{name}: this machine's clock differs from the vendor's by {abs(skew):.0f} s. Set the clock",
                )
    except CesError as error:
        yield Finding(False, f"{name}: {str(error).removeprefix(f'{source.id}: ')}")


def _off_scale(registry: Registry, source: Source, answers: Sequence[str]) -> str | None:
    """A line about the answers that the vendor's field offers but the survey's scale does not have; None if all fit."""
    survey = registry.surveys.get(source.survey or "")
    if survey is None or survey.scale is None:
        return None
    scale = registry.scales[survey.scale]
    translated = {old.lower(): new for old, new in source.values.get("score", {}).items()}
    off = [
        answer
        for answer in answers
        if read_answer(translated.get(answer.lower(), answer), scale)[1] in (OFF_SCALE, UNKNOWN)
    ]
    if not off:
        return None
    return (
        f"its field offers {', '.join(off)}, but scale {scale.id} does not have these answers, so they would be "
        f"rejected. Translate them under `values` of {source.id} in sources.yaml, or correct the scale of {survey.id}"
    )
