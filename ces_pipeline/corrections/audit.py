"""The audit: cleans published days again on the side and reports what would change. It changes no day.

`ces restate` makes the changes. The audit only adds its report to `audit.audits` and `audit.audit_findings`.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from ces_pipeline.clean.inputs import Planner, read_commit_markers
from ces_pipeline.clean.judged_by import rule_version
from ces_pipeline.clean.step import would_change
from ces_pipeline.home import Home
from ces_pipeline.registry import Registry
from ces_pipeline.schemas.audit import AUDIT_FINDINGS, AUDITS
from ces_pipeline.storage.journal import ALL_SOURCES, add_rows
from ces_pipeline.storage.lake import Lake


@dataclass(frozen=True)
class Audit:
    """The result of an audit: rows of `audit.audits` and of `audit.audit_findings`."""

    audits: tuple[dict[str, Any], ...]
    findings: tuple[dict[str, Any], ...]

    @property
    def days(self) -> int:
        """Days that were compared, counted once per kind of source."""
        return sum(row["days"] for row in self.audits)

    @property
    def rows(self) -> int:
        return sum(row["rows"] for row in self.audits)

    @property
    def days_that_would_change(self) -> int:
        return sum(row["days_that_would_change"] for row in self.audits)

    def by_change(self) -> list[tuple[str, str, int, int, date, date]]:
        """(Kind, change, days, rows, first day, last day), most rows first."""
        days: dict[tuple[str, str], list[date]] = {}
        rows: Counter[tuple[str, str]] = Counter()
        for row in self.findings:
            days.setdefault((row["kind"], row["change"]), []).append(row["day"])
            rows[row["kind"], row["change"]] += row["rows"]
        listed = ((*key, len(found), rows[key], min(found), max(found)) for key, found in days.items())
        return sorted(listed, key=lambda line: (-line[3], line[0], line[1]))

    def as_json(self) -> dict[str, Any]:
        return {
            "days": self.days,
            "rows": self.rows,
            "days_that_would_change": self.days_that_would_change,
            "findings": [
                {"kind": row["kind"], "day": row["day"].isoformat()}
                | {name: row[name] for name in ("change", "rows", "is_stale")}
                for row in self.findings
            ],
        }


def audit(
    home: Home,
    registry: Registry,
    *,
    run_id: str,
    first: date | None = None,
    last: date | None = None,
) -> Audit:
    """Compare the cleaned days (those from `first` to `last`) with what today's registry and code make of their rows.

    Adds the report to the log.
    """
    lake, now = Lake(home.lake), datetime.now(UTC)
    audits, findings = [], []
    for kind in registry.kinds:
        cleaned = read_commit_markers(lake, kind).keys()
        days = [
            day
            for day in sorted(cleaned)
            if (first is None or day >= first) and (last is None or day <= last)
        ]
        if not days:
            continue
        stale = set(Planner(lake, registry, kind).stale_days())
        rows, changed_days, changed_rows = 0, 0, 0
        for plan, changes in would_change(home, registry, kind, days):
            rows += plan.rows
            changed_days += bool(changes)
            changed_rows += sum(changes.values())
            findings += [
                {
                    "run_id": run_id,
                    "kind": kind,
                    "day": plan.day,
                    "change": change,
                    "rows": n,
                    "is_stale": plan.day in stale,
                    "audited_at": now,
                }
                for change, n in sorted(changes.items())
            ]
        audits.append(
            {
                "run_id": run_id,
                "kind": kind,
                "first_day": days[0],
                "last_day": days[-1],
                "days": len(days),
                "rows": rows,
                "days_that_would_change": changed_days,
                "rows_that_would_change": changed_rows,
                "rule_version": rule_version(kind),
                "audited_at": now,
            }
        )
    add_rows(lake, AUDIT_FINDINGS, ALL_SOURCES, now, findings)
    add_rows(lake, AUDITS, ALL_SOURCES, now, audits)
    return Audit(tuple(audits), tuple(findings))
