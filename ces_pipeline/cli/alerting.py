"""The work of `ces alert` and `ces ack`."""

from ces_pipeline import pipeline
from ces_pipeline.cli import console
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.failed_runs import failed_runs
from ces_pipeline.home import Home
from ces_pipeline.reports.incidents import incident_lines, incidents_as_json, sent_line
from ces_pipeline.watch.acknowledge import acknowledge as acknowledge_incident
from ces_pipeline.watch.messages import headline


def alert(home: Home, is_dry: bool, as_json: bool) -> bool:
    """Send what is due, or print it. True if no channel failed."""
    registry = current_registry(home)
    done = pipeline.alert(home, registry, is_dry=is_dry, failed_runs=failed_runs(home.dagster))
    if as_json:
        due = {name: [title for title, _ in texts] for name, texts in done.due.items()}
        console.as_json({**incidents_as_json(done), ("due" if is_dry else "reported"): due})
        return not done.failures
    lines = incident_lines(done) or [("incidents", "none is open")]
    if not is_dry:
        lines.append(("alerts", sent_line(done)))
    elif not done.due:
        lines.append(("alerts", "nothing would be sent"))
    console.facts(lines)
    if is_dry:
        for channel, texts in done.due.items():
            for title, body in texts:
                console.out.print(f"\nwould be sent to {channel}: {title}", markup=False)
                console.out.print(body, markup=False)
    for failure in done.failures:
        console.err.print(f"FAILED: {failure}", markup=False)
    return not done.failures


def acknowledge(home: Home, incident_id: str, by: str | None, note: str | None, as_json: bool) -> bool:
    """Acknowledge an incident. True: it is open; False: it was over already."""
    incident = acknowledge_incident(home, current_registry(home), incident_id, by=by, note=note)
    if as_json:
        console.as_json(
            {
                "incident_id": incident.incident_id,
                "state": incident.state,
                "acknowledged_by": incident.acknowledged_by,
            }
        )
    else:
        over = "" if incident.is_open else " (it is over already)"
        console.facts(
            [
                (
                    "acknowledged",
                    f"{incident.incident_id} by {incident.acknowledged_by}{over}: {headline(incident)}",
                )
            ]
        )
    return incident.is_open
