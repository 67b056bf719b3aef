"""The report as an asset: the pages that follow a publish. A page that cannot be written never fails the publish."""

from collections.abc import Iterator

import dagster as dg

from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.home_resource import HomeResource
from ces_pipeline.defs.metadata import OWNERS
from ces_pipeline.defs.snapshot import PUBLISHED_FILE, snapshot_keys
from ces_pipeline.errors import CesError

REPORT = dg.AssetKey(["report", "pages"])
REPORT_WRITTEN = "report_written"
_OFF = "`reports.after_run` of settings.yaml is off"


def publish_keys() -> list[dg.AssetKey]:
    """The assets of a publish: the derived tables, the file, and the report."""
    return [*snapshot_keys(), REPORT]


def report_asset() -> dg.AssetsDefinition:
    """The pages, after the published file; its check says whether they were written."""

    @dg.multi_asset(
        name="report",
        specs=[
            dg.AssetSpec(
                REPORT,
                deps=[PUBLISHED_FILE],
                group_name="publish",
                kinds={"html"},
                owners=OWNERS,
                skippable=True,
                description="The page of the newest complete period, and older pages whose figures changed: HTML "
                "files in reports/ of the home.",
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(
                REPORT_WRITTEN,
                asset=REPORT,
                description="The report could not be written. The figures are published all the same.",
            )
        ],
    )
    def report(
        context: dg.AssetExecutionContext, home: HomeResource
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        # Jinja2 and the pages, which only this step needs.
        from ces_pipeline.pages.files import ask_of, write_pages

        registry = current_registry(home.home)
        if not registry.settings.reports.after_run:
            yield _checked(passed=True, why=_OFF)
            return
        try:
            pages = write_pages(home.home, registry, ask_of(registry, home.home))
        except CesError as problem:
            yield _checked(passed=False, why=str(problem))
            return
        except Exception as problem:
            # Whatever it is, the file is published. Only the kind is shown: the text may contain values.
            context.log.warning("the report failed: %s", type(problem).__name__)
            yield _checked(passed=False, why=f"internal error ({type(problem).__name__}). This is a bug")
            return
        yield dg.MaterializeResult(
            asset_key=REPORT,
            metadata={
                "path": dg.MetadataValue.path(str(pages[0].path)),
                "size_bytes": pages[0].size_bytes,
                "pages": len(pages),
            },
        )
        yield _checked(passed=True, why=None)

    return report


def _checked(*, passed: bool, why: str | None) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=REPORT,
        check_name=REPORT_WRITTEN,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=why,
    )
