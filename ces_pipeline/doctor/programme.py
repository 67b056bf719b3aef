"""The programme's checklist: ten items, each done, not done or not known in this installation, with what to do next.

An item looks at the registry and at the newest value of its metrics in the published file. It is about the programme,
not about faults: it does not change the exit status of `ces doctor`.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from ces_pipeline.home import Home
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.reports.answers import answer, published

State = Literal["done", "not done", "not known"]
_MEASURED = "measured"


@dataclass(frozen=True)
class Item:
    """One item. text: what is known of it here. to_do: what to do next; empty if it is done."""

    number: int
    title: str
    state: State
    text: str
    to_do: str = ""


@dataclass(frozen=True)
class Evidence:
    """What the published file says. metrics: metric -> its rows of `program_today`. counts: rows of some tables.

    silent: surveys without an answer for longer than the settings allow. persona_share: share of answers with a known
    persona; None without answers. rejected_share: of the answers of the last four weeks; None without answers.
    """

    metrics: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    persona_share: float | None = None
    rejected_share: float | None = None


Verdict = tuple[State, str, str]
"""State, what is known, what to do."""


def checklist(home: Home) -> Iterator[Item]:
    """The ten items, in order. An item whose evidence cannot be read is not known. Never raises."""
    registry, evidence = None, None
    # What is wrong with them is in the first part of the doctor's list.
    with suppress(Exception):
        registry = load_registry(home.registry)
        evidence = read_evidence(home)
    for number, (title, judge) in enumerate(ITEMS.items(), start=1):
        if registry is None or evidence is None:
            why = "the published file cannot be read" if registry else "the registry cannot be read"
            yield Item(number, title, "not known", why, "Correct what the first part of this list names")
            continue
        state, text, to_do = judge(registry, evidence)
        yield Item(number, title, state, text, "" if state == "done" else to_do)


def read_evidence(home: Home) -> Evidence:
    """Read the evidence from the published file. Raises CesError if there is none or it cannot be read."""
    metrics: dict[str, list[dict[str, Any]]] = {}
    for row in answer(home, "program_today").rows:
        metrics.setdefault(row["metric"], []).append(row)
    with published(home) as connection:
        tables = ("core.responses", "core.invitations", "core.tickets", "core.follow_ups")
        counts = {
            name: int((connection.execute(f"SELECT count(*) FROM {name}").fetchone() or (0,))[0])
            for name in tables
        }
        silent = connection.execute(
            "SELECT DISTINCT survey_id FROM mart.response_rates WHERE days_silent IS NULL OR days_silent > "
            "(SELECT silent_touchpoint_days FROM reference.settings) ORDER BY 1"
        ).fetchall()
        (share,) = connection.execute(
            "SELECT sum(known) / sum(responses) FROM mart.tag_coverage_daily WHERE tag = 'persona'"
        ).fetchone() or (None,)
        (rejected,) = connection.execute(
            "SELECT sum(rejected) / nullif(sum(accepted + rejected), 0) FROM audit.load_audit WHERE is_current "
            "AND kind = 'survey' AND day > (SELECT max(day) FROM core.responses) - 28"
        ).fetchone() or (None,)
    return Evidence(metrics, counts, tuple(row[0] for row in silent), share, rejected)


def _touchpoints(registry: Registry, evidence: Evidence) -> Verdict:
    if not registry.surveys:
        return "not done", "no survey is registered", "Register each survey with `ces inspect FILE --write`"
    if not evidence.counts["core.responses"]:
        return (
            "not done",
            f"{len(registry.surveys)} surveys, but no answer yet",
            "Deliver an export and run `ces run`",
        )
    silent = [survey for survey in evidence.silent if survey in registry.surveys]
    if silent:
        return (
            "not done",
            f"without answers lately: {', '.join(silent)}",
            "Ask the owner of each survey for its export, or give it `live_to` in surveys.yaml",
        )
    return "done", f"{len(registry.surveys)} surveys, each with answers", ""


def _segments(registry: Registry, evidence: Evidence) -> Verdict:
    if not registry.segments:
        return "not done", "no persona rule", "Write the rules of your personas into segments.yaml"
    if evidence.persona_share is None:
        return "not known", "no answer yet", "Deliver an export and run `ces run`"
    text = f"{100 * evidence.persona_share:.0f} % of the answers have a persona"
    if evidence.persona_share < registry.settings.tag_coverage_warning:
        return "not done", text, "Deliver accounts or map the columns that the rules of segments.yaml ask for"
    return "done", text, ""


def _tickets(registry: Registry, evidence: Evidence) -> Verdict:
    if not registry.sources_of("tickets"):
        return "not done", "no source of tickets", "Add the ticket system to sources.yaml: `ces docs sources`"
    return _measured(
        evidence,
        "responses_linked_share",
        "of the answers of a day belong to a ticket",
        "Map `ticket_id` in the survey's source, so that answers find their tickets",
        least=0.01,
    )


def _dashboards(registry: Registry, evidence: Evidence) -> Verdict:
    if not any(rule.channels for rule in registry.alerts.rules):
        return (
            "not done",
            "no rule of alerts.yaml names a channel, so no message is sent",
            "Add a channel, and name it in the rules whose incidents somebody must hear of: `ces docs alerts`",
        )
    return _measured(
        evidence,
        "alerts",
        "alerts on the newest day",
        "Connect a dashboard to the published file (`ces docs analysts`) and decide who is alerted at which figure",
    )


def _triggers(registry: Registry, evidence: Evidence) -> Verdict:
    if not evidence.counts["core.invitations"]:
        return (
            "not done",
            "no invitation is delivered, so it is not known who was asked, and when",
            "Send the survey upon the event (`ces docs triggers`), and deliver the invitations",
        )
    return (
        "done",
        f"{evidence.counts['core.invitations']:,} invitations; `ces show time_to_publish` shows how soon they are sent",
        "",
    )


def _prediction(registry: Registry, evidence: Evidence) -> Verdict:
    return _measured(
        evidence,
        "model_precision_share",
        "precision of the model on later days",
        "Collect answers that are linked to tickets first: a prediction learns from these",
    )


def _comments(registry: Registry, evidence: Evidence) -> Verdict:
    return _measured(
        evidence,
        "commented_share",
        "of the answers of a day have a comment",
        "Ask an optional open question and map its column as `comment` in sources.yaml",
        least=0.000_1,
    )


def _quality(registry: Registry, evidence: Evidence) -> Verdict:
    share = evidence.rejected_share
    if share is None:
        return "not known", "no answer yet", "Deliver an export and run `ces run`"
    text = f"{100 * share:.1f} % of the answers of the last four weeks were rejected"
    if share > registry.settings.reject_share_warning:
        return "not done", text, "Look at `ces quarantine` and correct the export, the survey or the registry"
    return "done", text, ""


def _journeys(registry: Registry, evidence: Evidence) -> Verdict:
    lacking = sorted(survey.id for survey in registry.surveys.values() if survey.journey_stage == "unknown")
    if not registry.surveys or lacking:
        return (
            "not done",
            f"no journey stage: {', '.join(lacking)}" if lacking else "no survey is registered",
            "Give each survey its `journey_stage` and `process` in surveys.yaml",
        )
    return _measured(evidence, "mean_ease_0_100", "mean ease of a stage", "Deliver answers of each stage")


def _improvement(registry: Registry, evidence: Evidence) -> Verdict:
    if not registry.fixes:
        return (
            "not done",
            "no fix is registered",
            "Choose one with `ces show what_to_fix_first`, and write it into fixes.yaml with its date",
        )
    return _measured(
        evidence,
        "fix_effort_change_0_100",
        "points of effort after a fix",
        "Wait until enough answers follow the fix: `ces show did_the_fix_help` says how many are missing",
    )


ITEMS: dict[str, Callable[[Registry, Evidence], Verdict]] = {
    "every touchpoint is registered and answers": _touchpoints,
    "answers are divided by persona": _segments,
    "answers are linked to tickets": _tickets,
    "dashboards and alerts are in use": _dashboards,
    "surveys follow an event at once": _triggers,
    "high effort is predicted and checked": _prediction,
    "customers say why, in comments": _comments,
    "answers are judged every night": _quality,
    "effort is followed along the journey": _journeys,
    "fixes are chosen by effort, and measured": _improvement,
}
"""The ten items, in order, and how each is judged."""


def _measured(
    evidence: Evidence, metric: str, means: str, to_do: str, *, least: float | None = None
) -> Verdict:
    """Done if the metric has a value (of at least `least`); its reason for none is what is known otherwise."""
    row = _newest(evidence, metric)
    if row is None:
        return "not known", f"{metric} is not in the published file", to_do
    if row["state"] != _MEASURED or row["value"] is None:
        return "not done", str(row["why_null"] or row["state"]), to_do
    value = f"{100 * row['value']:.1f} %" if row["unit"] == "share" else f"{row['value']:,.1f}"
    text = f"{value} {means} ({row['segment']}, {row['day']}, n = {row['n'] if row['n'] is not None else 'not known'})"
    return ("not done" if least is not None and row["value"] < least else "done"), text, to_do


def _newest(evidence: Evidence, metric: str) -> dict[str, Any] | None:
    """The newest row of a metric, with a value if any segment has one."""
    rows = evidence.metrics.get(metric, [])
    return max(rows, key=lambda row: (row["state"] == _MEASURED, row["day"]), default=None)
