"""Cleans days: read raw rows, judge, validate, write each day's files, then its commit marker."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from ces_pipeline.clean.account_attributes import with_accounts
from ces_pipeline.clean.accounts import clean_accounts
from ces_pipeline.clean.context import DayContext, SpeedLimit
from ces_pipeline.clean.day_changes import day_changes
from ces_pipeline.clean.events import clean_events
from ces_pipeline.clean.follow_ups import clean_follow_ups
from ces_pipeline.clean.inputs import commit_marker_file
from ces_pipeline.clean.invitations import clean_invitations
from ces_pipeline.clean.outcomes import CleanedDays
from ces_pipeline.clean.plan import DayPlan
from ces_pipeline.clean.raw_files import damaged_files, differs
from ces_pipeline.clean.raw_rows import read_cross_day_revisions, read_rows
from ces_pipeline.clean.responses import clean_responses
from ces_pipeline.clean.tickets import clean_tickets
from ces_pipeline.clean.unknown_words import UnknownWords
from ces_pipeline.clean.verdict_changes import changes_of_day, store_changes
from ces_pipeline.errors import MemoryLimitError
from ces_pipeline.land.ledger import DayCounts
from ces_pipeline.land.paths import CROSS_DAY_SUFFIX
from ces_pipeline.registry.registry import Registry
from ces_pipeline.schemas.audit import LOAD_AUDIT
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.storage.lake import DAMAGED, UNREADABLE, Lake, unreadable_files
from ces_pipeline.storage.memory import give_back_after

_WRITING = 3
_CLEAN_VERSIONED = {
    "accounts": clean_accounts,
    "follow_ups": clean_follow_ups,
    "tickets": clean_tickets,
}
_CLEAN_REVISED = {"invitations": clean_invitations, "events": clean_events}


@dataclass(frozen=True)
class DayResult:
    """The result of cleaning one day: row counts, rows by reason, and problems (empty if the day was written)."""

    kind: str
    day: date
    landed: int
    redelivered: int
    superseded: int
    accepted: int
    rejected: int
    suspect: int
    reasons: dict[str, int]
    problems: tuple[str, ...] = ()


def clean_days(
    lake: Lake,
    plans: Sequence[DayPlan],
    registry: Registry,
    limits: dict[date, dict[str, SpeedLimit]],
    run_id: str,
) -> list[DayResult]:
    """Clean some days of one kind together and write each.

    A day is not written if its rows do not reconcile or one of its raw files is missing or damaged. No day is written
    if a table breaks its schema. Such a day keeps its old files, stays stale, and its result states the problem.
    """
    try:
        raw = {file.path: file for plan in plans for file in plan.raw_files}
        if any(differs(lake, file) for file in raw.values()):
            raise OSError("a raw file is not as it was written")
        cleaned = _cleaned(lake, plans, registry, limits)
    except (*UNREADABLE, duckdb.Error, MemoryLimitError):
        if len(plans) > 1:
            return [day for plan in plans for day in clean_days(lake, [plan], registry, limits, run_id)]
        if lost := _lost_files(lake, plans[0]):
            return [_not_cleaned(plans[0], lost)]
        raise
    written = len(cleaned.accepted) + len(cleaned.rejected)
    give_back_after(written)
    rows = _in_tables(plans[0].kind, cleaned)
    cleaned = cleaned.without_rows()
    broken = [problem for name, table in rows.items() for problem in TABLES[name].broken(table)]
    tables = {} if broken else {name: TABLES[name].by_day(rows.pop(name)) for name in list(rows)}
    give_back_after(written)
    now = datetime.now(UTC)
    # Days are separate files: while one is written, the next is compressed.
    with ThreadPoolExecutor(_WRITING) as writing:
        return list(
            writing.map(lambda plan: _finish(lake, plan, cleaned, tables, broken, run_id, now), plans)
        )


def changed_verdicts(
    lake: Lake,
    plans: Sequence[DayPlan],
    registry: Registry,
    limits: dict[date, dict[str, SpeedLimit]],
) -> pd.DataFrame:
    """The responses of some days that would be judged otherwise than they are: `verdict_changes.changes`, with `day`.

    Writes nothing. Raises an error of UNREADABLE if a raw file is missing or damaged.
    """
    tables = {
        name: TABLES[name].by_day(table)
        for name, table in _in_tables("survey", _cleaned(lake, plans, registry, limits)).items()
    }
    found = [changes_of_day(lake, plan.day, tables) for plan in plans]
    return pd.concat(found, ignore_index=True)


def would_change(
    lake: Lake,
    plans: Sequence[DayPlan],
    registry: Registry,
    limits: dict[date, dict[str, SpeedLimit]],
) -> dict[date, dict[str, int]]:
    """Day -> what cleaning it again would change (`day_changes`); writes nothing.

    A day that cannot be cleaned or whose files cannot be read says so, in place of its changes.
    """
    try:
        tables = _in_tables(plans[0].kind, _cleaned(lake, plans, registry, limits))
    except (*UNREADABLE, duckdb.Error, MemoryLimitError):
        if len(plans) > 1:
            return {
                day: changes
                for plan in plans
                for day, changes in would_change(lake, [plan], registry, limits).items()
            }
        if not _lost_files(lake, plans[0]):
            raise
        return {plans[0].day: {"landed rows are missing or damaged": plans[0].rows}}
    by_day = {name: TABLES[name].by_day(table) for name, table in tables.items()}
    found = {}
    for plan in plans:
        before, now = [], []
        for name in KINDS[plan.kind].tables:
            schema, path = TABLES[name].arrow, lake.day_file(name, plan.day)
            rows, damaged = lake.read_tables([path] if lake.exists(path) else [], schema)
            if damaged:
                found[plan.day] = {f"the file of {name} is damaged": plan.rows}
            before.append(rows)
            now.append(by_day[name].get(plan.day, schema.empty_table()))
        if plan.day not in found:
            found[plan.day] = day_changes(plan.kind, (before[0], before[1]), (now[0], now[1]))
    return found


def _in_tables(kind: str, cleaned: CleanedDays) -> dict[str, pa.Table]:
    """Table -> its rows of all days."""
    frames = zip(KINDS[kind].tables, (cleaned.accepted, cleaned.rejected), strict=True)
    return {name: TABLES[name].in_arrow(frame) for name, frame in frames}


def _finish(
    lake: Lake,
    plan: DayPlan,
    cleaned: CleanedDays,
    tables: dict[str, dict[date, pa.Table]],
    broken: list[str],
    run_id: str,
    now: datetime,
) -> DayResult:
    """Write one day's files, then its commit marker; nothing if there are problems."""
    days = cleaned.counts.index.get_level_values("day")
    counts = cleaned.counts[days == plan.day].droplevel("day")
    problems = [*broken, *_unreconciled(plan, counts)]
    if not problems:
        if plan.kind == "survey":
            store_changes(lake, plan, tables, run_id, now)
        outputs = {}
        for name in KINDS[plan.kind].tables:
            path = lake.day_file(name, plan.day)
            if plan.day in tables[name]:
                stored = lake.write_table(path, tables[name][plan.day])
                outputs[name] = {"path": stored.path, "size": stored.size, "sha256": stored.sha256}
            else:
                lake.delete(path)
        _write_commit_marker(lake, plan, counts, outputs, cleaned.unknown, run_id, now)
    total = counts.sum()
    reasons = cleaned.reasons.loc[plan.day].to_dict() if plan.day in cleaned.reasons.index else {}
    return DayResult(
        kind=plan.kind,
        day=plan.day,
        landed=sum(counted.total for counted in plan.counts_by_source.values()),
        redelivered=sum(counted.redelivered for counted in plan.counts_by_source.values())
        + int(total["landed_again"]),
        superseded=int(total["superseded"]),
        accepted=int(total["accepted"]),
        rejected=int(total["rejected"]),
        suspect=int(total["suspect"]),
        reasons={str(name): int(count) for name, count in reasons.items() if count},
        problems=tuple(problems),
    )


def _lost_files(lake: Lake, plan: DayPlan) -> list[str]:
    """A line for each missing or damaged file that the day is cleaned from."""
    raw = {file.path: file for file in plan.raw_files}
    owners = {path: (file.source_id, file.delivery_id) for path, file in raw.items()}
    for source_id, path in plan.cross_day_files:
        owners[path] = (source_id, path.rpartition("/")[2].removesuffix(CROSS_DAY_SUFFIX))
    damaged = damaged_files(lake, raw.values()) | set(
        unreadable_files(lake, sorted(owners.keys() - raw.keys()))
    )
    return [
        *(
            f"{plan.day} {owners[path][0]}: lake file {path} is missing or damaged. Delete it if it is there, and run "
            f"`ces run` again: it lands that export again, or takes its rows from a later export. If both are gone, "
            f"restore the file from a backup, or give its rows up with `ces unland {owners[path][1][:12]}`"
            for path in sorted(damaged)
        ),
        *(
            f"{plan.day}: lake file {path}, which the personas of that day depend on, is missing or damaged. "
            f"Run `ces run` again, which cleans it again"
            for path in unreadable_files(lake, plan.account_files)
        ),
    ]


def _not_cleaned(plan: DayPlan, problems: list[str]) -> DayResult:
    return DayResult(
        kind=plan.kind,
        day=plan.day,
        landed=sum(counted.total for counted in plan.counts_by_source.values()),
        redelivered=sum(counted.redelivered for counted in plan.counts_by_source.values()),
        superseded=0,
        accepted=0,
        rejected=0,
        suspect=0,
        reasons={},
        problems=tuple(problems),
    )


def _cleaned(
    lake: Lake, plans: Sequence[DayPlan], registry: Registry, limits: dict[date, dict[str, SpeedLimit]]
) -> CleanedDays:
    kind, rule_version = plans[0].kind, plans[0].rule_version
    if not any(plan.files for plan in plans):
        return _nothing(kind)
    rows = read_rows(lake, plans)
    give_back_after(len(rows))
    if KINDS[kind].is_versioned:
        return _CLEAN_VERSIONED[kind](rows, registry, rule_version)
    revisions = read_cross_day_revisions(lake, plans)
    if len(revisions):
        key = ["source_id", "key_hi", "key_lo"]
        revisions = revisions.merge(rows[[*key, KINDS[kind].key]].drop_duplicates(), on=key)
    if kind == "survey":
        rows = with_accounts(lake, registry, plans[0], rows)
        context = DayContext(registry, limits, rule_version, plans[0].asked)
        return clean_responses(rows, revisions, context)
    return _CLEAN_REVISED[kind](rows, revisions, registry, rule_version)


def _nothing(kind: str) -> CleanedDays:
    accepted, rejected = (pd.DataFrame(columns=list(TABLES[name].columns)) for name in KINDS[kind].tables)
    columns = ["stored", "landed_again", "superseded", "accepted", "rejected", "suspect"]
    index = pd.MultiIndex.from_arrays([[], []], names=["day", "source_id"])
    return CleanedDays(
        accepted, rejected, pd.DataFrame(columns=columns, index=index, dtype="int64"), pd.DataFrame()
    )


def _unreconciled(plan: DayPlan, counts: pd.DataFrame) -> list[str]:
    """A line for each source whose landed rows are not redelivered + superseded + accepted + rejected."""
    found = []
    for source_id in sorted({*plan.counts_by_source, *counts.index}):
        landed = plan.counts_by_source.get(source_id, DayCounts()).landed
        counted = counts.loc[source_id] if source_id in counts.index else dict.fromkeys(counts.columns, 0)
        kept = sum(counted[name] for name in ("landed_again", "superseded", "accepted", "rejected"))
        if not landed == counted["stored"] == kept:
            found.append(
                f"{plan.day} {source_id}: the rows do not reconcile: {landed} landed by the ledger, "
                f"{counted['stored']} in the raw files, {kept} after cleaning. Delete that day from "
                f"raw/{source_id} in the lake and run `ces run` again, which lands its exports again. If they are "
                f"gone, restore the day from a backup"
            )
    return found


def _write_commit_marker(
    lake: Lake,
    plan: DayPlan,
    counts: pd.DataFrame,
    outputs: dict[str, dict[str, Any]],
    unknown: UnknownWords,
    run_id: str,
    now: datetime,
) -> None:
    path = commit_marker_file(plan.kind, plan.day)
    history: list[dict[str, Any]] = []
    if lake.exists(path):
        try:
            history = [{**row, "is_current": False} for row in lake.read_table(path).to_pylist()]
        except DAMAGED:
            # The history in a damaged commit marker is lost; the ledger and the day's files are intact.
            history = []
    sources = sorted({*plan.counts_by_source, *counts.index} or {row["source_id"] for row in history})
    rows = []
    for source_id in sources:
        ledger = plan.counts_by_source.get(source_id, DayCounts())
        counted = (
            counts.loc[source_id].to_dict() if source_id in counts.index else dict.fromkeys(counts.columns, 0)
        )
        rows.append(
            {
                "kind": plan.kind,
                "day": plan.day,
                "source_id": source_id,
                "landed": ledger.total,
                "redelivered": ledger.redelivered + counted["landed_again"],
                "landed_again": counted["landed_again"],
                "superseded": counted["superseded"],
                "accepted": counted["accepted"],
                "rejected": counted["rejected"],
                "unlanded": ledger.unlanded,
                "erased": ledger.erased,
                "suspect": counted["suspect"],
                "unknown_words": _as_json(unknown.get((plan.day, source_id))),
                "run_id": run_id,
                "rule_version": plan.rule_version,
                "inputs": plan.inputs,
                "outputs": json.dumps(outputs, sort_keys=True),
                "cleaned_at": now,
                "is_current": True,
            }
        )
    lake.write_table(path, pa.Table.from_pylist([*history, *rows], schema=LOAD_AUDIT.arrow))


def _as_json(words: dict[str, dict[str, int]] | None) -> str | None:
    return json.dumps(words, ensure_ascii=False, sort_keys=True) if words else None
