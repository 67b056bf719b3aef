"""The work of the commands that correct what has landed: change, clean, publish, and say which figures changed."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from ces_pipeline.cli import console, runs
from ces_pipeline.corrections import people
from ces_pipeline.corrections import replay as judged_again
from ces_pipeline.corrections import unland as unlanding
from ces_pipeline.corrections.restated import RestatedDay, restated_by_last_publish
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.partitions import calendar_ends
from ces_pipeline.errors import RegistryError
from ces_pipeline.home import Home
from ces_pipeline.reports.run_report import RunReport

_SHOWN_DAYS = 20


def unland(
    home: Home,
    named: str,
    source_id: str | None,
    why: str | None,
    is_dry: bool,
    gives_up: bool,
    as_json: bool,
) -> bool:
    """Take a delivery back, clean and publish. True if nothing failed."""
    done = unlanding.take_delivery_back(
        home, current_registry(home), named, source_id=source_id, why=why, is_dry=is_dry, gives_up=gives_up
    )
    verb = "would leave" if is_dry else "leave"
    span = f" on {len(done.days):,} days ({done.days[0]} to {done.days[-1]})" if done.days else ""
    lines = [
        (
            "delivery",
            f"{done.delivery.delivery_id[:12]} of source {done.delivery.source_id}: {done.delivery.file_name}",
        ),
        ("rows", f"{done.rows:,} {verb} the tables{span}"),
        *(("returned", f"{rows:,} rows count as rows of {name}") for name, rows in done.returned.items()),
        *(("landed again", name) for name in done.landed_again),
        *(("given up", f"rows of {name} that repeated it, if there are any") for name in done.given_up),
    ]
    if done.was_lost:
        lines.append(
            ("lost", "its files in the lake were gone before, so no later delivery could get rows from them")
        )
    return _finish(home, lines, done.as_json(), is_dry, as_json)


def undo_unland(home: Home, named: str, source_id: str | None, why: str | None, as_json: bool) -> bool:
    """Let the file of a delivery that was taken back land again. True if the file is in the inbox or was pulled."""
    delivery = unlanding.undo(home, named, source_id=source_id, why=why)
    text = f"{delivery.file_name} lands again at the next `ces run`, if it is in inbox/{delivery.source_id}"
    if as_json:
        console.as_json({"delivery_id": delivery.delivery_id, "undone": True})
    else:
        console.facts([("undone", text)])
    return True


def person(home: Home, value: str, as_json: bool) -> bool:
    """Print what the home holds of a person."""
    held = people.held_of(home, current_registry(home), value)
    if as_json:
        console.as_json(held.as_json())
    else:
        console.facts(_held(held) or [("held", "nothing")])
    return True


def forget(home: Home, value: str, why: str | None, is_dry: bool, as_json: bool) -> bool:
    """Erase a person, clean and publish. True if nothing failed."""
    registry = current_registry(home)
    held = people.held_of(home, registry, value) if is_dry else people.erase(home, registry, value, why=why)
    lines = _held(held) or [("held", "no landed row")]
    if not is_dry:
        lines.append(("erased", f"{held.rows:,} rows. Later exports cannot bring the person back"))
    well = _finish(home, lines, held.as_json(), is_dry, as_json)
    if held.inbox and not as_json:
        console.err.print(
            f"The inbox is never changed: remove the person from these exports yourself: {', '.join(held.inbox)}"
        )
    return well


def replay(
    home: Home,
    source_id: str | None,
    survey_id: str | None,
    reason: str | None,
    first: date | None,
    last: date | None,
    why: str | None,
    is_dry: bool,
    as_json: bool,
) -> bool:
    """Judge the days of quarantined rows again, and publish. True if nothing failed."""
    registry = current_registry(home)
    judging = judged_again.quarantined(
        home, registry, source_id=source_id, survey_id=survey_id, reason=reason, first=first, last=last
    )
    return _judge(home, "replay", judging, why, is_dry, as_json, source_id)


def restate(home: Home, first: date, last: date, why: str | None, is_dry: bool, as_json: bool) -> bool:
    """Judge all rows of some days again, and publish. True if nothing failed. Raises RegistryError for wrong days."""
    registry = current_registry(home)
    earliest, today = registry.settings.first_day, calendar_ends(home, registry)[1]
    if not earliest <= first <= last <= today:
        raise RegistryError(
            f"days {first} to {last} are not within {earliest} to {today}. Change --from and --to"
        )
    judging = judged_again.between(home, registry, first, last)
    return _judge(home, "restate", judging, why, is_dry, as_json)


def _judge(
    home: Home,
    command: Literal["replay", "restate"],
    judging: judged_again.Judging,
    why: str | None,
    is_dry: bool,
    as_json: bool,
    source_id: str | None = None,
) -> bool:
    moved = len(judging.verdicts)
    lines = [
        ("days", f"{judging.n_days:,} days with {judging.rows:,} landed rows are judged again"),
        ("moves", f"{moved:,} responses {'would be' if is_dry else 'are'} judged otherwise"),
        *(("", f"{n:,}: {before} -> {now}") for before, now, n in judging.moves()),
    ]
    if is_dry or not judging.days:
        return _finish(home, lines, judging.as_json(), True, as_json)
    judged_again.record_judging(home, command, judging, why, source_id)
    return finished(home, lines, judging.as_json(), runs.update(home, judging.ranges), as_json)


def _held(held: people.Held) -> list[tuple[str, str]]:
    lines = [
        (f"source {source}", f"{n:,} {kind} rows, {first} to {last}")
        for (source, kind), (n, first, last) in held.by_source().items()
    ]
    lines += [
        (f"sent to {name}", f"{n:,} events. Erase them there too: ces cannot")
        for name, n in held.sent.items()
    ]
    if held.contacts:
        lines.append(("contacts", f"{held.contacts:,} in the store of the trigger handlers"))
    lines += [("inbox", f"{name} holds the address in clear") for name in held.inbox]
    lines += [("inbox", f"{name} cannot be searched") for name in held.unread]
    if held.is_erased:
        lines.append(("erased", "the person was erased before; later exports cannot bring rows back"))
    return lines


def _finish(
    home: Home, lines: list[tuple[str, str]], found: Mapping[str, Any], is_dry: bool, as_json: bool
) -> bool:
    """Clean and publish unless it is a dry run; print what was done and the restated days."""
    if is_dry:
        if as_json:
            console.as_json({**found, "changed": False})
        else:
            console.facts(lines)
        return True
    report = runs.update(home)
    return finished(home, lines, found, report, as_json)


def finished(
    home: Home, lines: list[tuple[str, str]], found: Mapping[str, Any], report: RunReport, as_json: bool
) -> bool:
    """Print what a correction did, the days that it restated, and what failed."""
    restated = restated_by_last_publish(home) if report.publication == "published" else []
    if as_json:
        console.as_json(
            {
                **found,
                "restated_days": [day.as_json() for day in restated],
                "failures": report.failures,
                "publication": report.publication,
            }
        )
        return report.is_well
    console.facts(lines)
    if restated:
        console.out.print()
        console.grid(
            ("day", "table", "rows before", "rows now", "mean ease before (0-100)", "mean ease now (0-100)"),
            [_shown(day) for day in restated[:_SHOWN_DAYS]],
            right=(False, False, True, True, True, True),
        )
        if len(restated) > _SHOWN_DAYS:
            console.out.print(f"and {len(restated) - _SHOWN_DAYS:,} more: see audit.restatements")
    for line in report.problems():
        console.err.print(line)
    return report.is_well


def _shown(day: RestatedDay) -> tuple[str, ...]:
    means = (f"{mean:.1f}" if mean is not None else "-" for mean in (day.mean_ease_before, day.mean_ease_now))
    return (day.day.isoformat(), day.table, f"{day.rows_before:,}", f"{day.rows_now:,}", *means)
