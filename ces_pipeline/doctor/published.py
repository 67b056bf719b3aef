"""Findings about the published file: that it is as it was published, up to date, and what its checks warn of."""

from collections.abc import Iterator

from ces_pipeline.doctor.failed_steps import failed_steps
from ces_pipeline.home import Home
from ces_pipeline.pipeline import publish_inputs
from ces_pipeline.publish.checksum import problem
from ces_pipeline.publish.step import is_behind
from ces_pipeline.registry import Registry
from ces_pipeline.storage.duck import open_published
from ces_pipeline.vendors.contract import Finding

_WARNINGS = """
    SELECT check_name, detail FROM audit.check_results
    WHERE NOT passed AND run_id = (SELECT run_id FROM audit.publication)
    ORDER BY check_name
"""


def published_file(home: Home, registry: Registry) -> Iterator[Finding]:
    """Whether the published file can be trusted."""
    if not home.published.exists():
        yield Finding(False, "published file: it does not exist yet. Run `ces run`, which creates it")
        return
    if not home.published.is_file():
        yield Finding(False, f"published file: {home.published} is no file. Remove it and run `ces run`")
        return
    if damage := problem(home.published):
        yield Finding(False, f"published file: {damage}")
        return
    if is_behind(home, registry, publish_inputs(home, registry)):
        failed = [result.step for result in failed_steps(home)]
        advice = (
            "The last run could not publish: see its failure in this list"
            if "publish" in failed
            else "Run `ces run`, which updates it"
        )
        yield Finding(False, f"published file: the lake or the registry is newer. {advice}")
    else:
        yield Finding(True, f"published file: {home.published} is as it was published and up to date")
    with open_published(home.published) as connection:
        for name, detail in connection.execute(_WARNINGS).fetchall():
            yield Finding(True, f"check {name}: {detail}", is_warning=True)
