"""Number of rows that each rule would flag, for the rules that the columns of an export allow."""

from ces_pipeline.formats.contract import map_columns
from ces_pipeline.formats.flags import DELETED, FINISHED, RESPONSE_STATUS, read_word
from ces_pipeline.profiling.naming import Naming
from ces_pipeline.profiling.scales import value_of
from ces_pipeline.profiling.times import Times
from ces_pipeline.registry.scales import Scale
from ces_pipeline.schemas.fields import fields_of

FAST_SECONDS = (2, 30, 60, 100, 120, 200)
SLOW_SECONDS = 800
_LOCATION = {
    "latitude": ("LocationLatitude", "Latitude", "lat"),
    "longitude": ("LocationLongitude", "Longitude", "lon", "lng"),
}


def count_rules(naming: Naming, times: Times, scale: Scale | None) -> dict[str, int]:
    """Rule -> number of rows that it would flag. In a group with a shared value, every row counts."""
    if not naming.rows.columns:
        return {}
    counts: dict[str, int] = {}
    if naming.kind == "tickets":
        counts = _of_tickets(naming, times)
    elif naming.kind == "survey":
        counts = _of_responses(naming, times, scale)
    return {**counts, "repeated_rows": naming.rows.repeated_rows()}


def _of_tickets(naming: Naming, times: Times) -> dict[str, int]:
    rows, mapping = naming.rows, naming.mapping
    counts: dict[str, int] = {}
    if ticket := mapping.get("ticket_id"):
        version = [
            rows.sql(mapping[name]) for name in ("ticket_id", "updated_at", "version") if name in mapping
        ]
        counts["unique_tickets"] = int(rows.scalar(f"count(DISTINCT {rows.sql(ticket)})"))
        counts["unique_versions"] = int(rows.scalar(f"count(DISTINCT concat_ws('|', {', '.join(version)}))"))
        counts["blank_ids"] = rows.count(f"{rows.sql(ticket)} IS NULL")
    if deleted := mapping.get("is_deleted"):
        cells = rows.values(deleted).items()
        counts["deleted_rows"] = sum(count for cell, count in cells if read_word(cell, DELETED) == "true")
    counts |= _in_order(naming, times, "created_at", "solved_at", "solved_before_created")
    return counts | _in_order(naming, times, "created_at", "closed_at", "closed_before_created")


def _of_responses(naming: Naming, times: Times, scale: Scale | None) -> dict[str, int]:
    rows, mapping = naming.rows, naming.mapping
    counts = _coded(naming, "status", "test", RESPONSE_STATUS, "tests")
    counts |= _coded(naming, "finished", "false", FINISHED, "unfinished")
    counts |= _in_order(naming, times, "started_at", "submitted_at", "ends_before_start")
    counts |= _durations(naming, times)
    ip, device = mapping.get("ip_address"), mapping.get("device")
    if ip:
        counts["shared_ip"] = rows.shared([ip])
    if len(location := map_columns(rows.columns, _LOCATION)) == len(_LOCATION):
        counts["shared_location"] = rows.shared(list(location.values()))
    if device:
        counts["shared_device"] = rows.shared([device])
    answers = _answers(naming)
    if (sender := device or ip) and answers:
        counts["identical_answers"] = rows.same_answers(sender, answers)
    if identity := mapping.get("response_id"):
        counts["repeated_ids"] = rows.shared([identity])
        counts["blank_ids"] = rows.count(f"{rows.sql(identity)} IS NULL")
    return counts | _scores(naming, scale)


def _coded(naming: Naming, name: str, wanted: str, words: dict[str, str], rule: str) -> dict[str, int]:
    """Rows whose cell means `wanted`: translated by the format and the source, then read as cleaning reads it."""
    column = naming.mapping.get(name)
    if column is None:
        return {}
    codes = dict(naming.export.values.get(name, {}))
    if naming.known_source:
        codes |= {value.lower(): ours for value, ours in naming.known_source.values.get(name, {}).items()}
    cells = {cell: (cell.strip().lower(), count) for cell, count in naming.rows.values(column).items()}
    return {
        rule: sum(
            count for cell, count in cells.values() if read_word(codes.get(cell, cell), words) == wanted
        )
    }


def _in_order(naming: Naming, times: Times, earlier: str, later: str, rule: str) -> dict[str, int]:
    if not {earlier, later} <= set(naming.mapping):
        return {}
    return {rule: naming.rows.count(f"{times.sql(later)} < {times.sql(earlier)}")}


def _durations(naming: Naming, times: Times) -> dict[str, int]:
    """From the reported duration, which platforms count without pauses, else from start to submit.

    If all times are full minutes or days, durations in seconds are not known and the counts are 0.
    """
    if column := naming.mapping.get("duration_seconds"):
        seconds, to_the_second = f"try_cast({naming.rows.sql(column)} AS DOUBLE)", "true"
    elif {"started_at", "submitted_at"} <= set(naming.mapping):
        start, end = times.sql("started_at"), times.sql("submitted_at")
        seconds = f"(epoch({end}) - epoch({start}))"
        to_the_second = f"max(second({start}) + second({end})) > 0"
    else:
        return {}
    rules = {f"under_{limit}_seconds": f"{seconds} >= 0 AND {seconds} < {limit}" for limit in FAST_SECONDS}
    rules[f"over_{SLOW_SECONDS}_seconds"] = f"{seconds} > {SLOW_SECONDS}"
    has_seconds, *found = naming.rows.row(
        [to_the_second, *(f"count(*) FILTER ({rule})" for rule in rules.values())]
    )
    return dict(zip(rules, found, strict=True)) if has_seconds else dict.fromkeys(rules, 0)


def _answers(naming: Naming) -> list[str]:
    """The columns that respondents filled in: not about the response, and not about the person."""
    about = {column for name, column in naming.mapping.items() if not fields_of(naming.kind)[name].answer}
    return [column for column in naming.rows.columns if column not in about and not naming.is_person(column)]


def _scores(naming: Naming, scale: Scale | None) -> dict[str, int]:
    column = naming.mapping.get("score")
    if column is None:
        return {}
    cells = naming.score_cells.items()
    none = sum(count for cell, count in cells if cell.strip() in naming.missing)
    blank = naming.rows.count(f"nullif(trim({naming.rows.sql(column)}), '') IS NULL")
    counts = {"blank_score": blank + none}
    if scale:
        answers = naming.scores.items()
        counts["off_the_scale"] = sum(count for cell, count in answers if value_of(cell, scale) is None)
    return counts
