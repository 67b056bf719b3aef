"""The audit of a cleaned day in Markdown: what became of each landed row, for the page of the day in Dagster."""

from ces_pipeline.clean.day import DayResult


def day_audit(result: DayResult) -> str:
    """What became of the rows of a day: the book of the day, and the rejected and suspect rows by reason."""
    lines = [
        f"**{result.day}: {result.landed:,} landed rows of kind `{result.kind}`**",
        "",
        "| what became of them | rows |",
        "| --- | ---: |",
        *(
            f"| {name} | {rows:,} |"
            for name, rows in (
                ("accepted", result.accepted),
                ("rejected, in quarantine", result.rejected),
                ("delivered again", result.redelivered),
                ("superseded by a newer version", result.superseded),
            )
        ),
        "",
        f"{result.suspect:,} of the accepted rows are suspect. A row may have several reasons.",
    ]
    if result.reasons:
        by_rows = sorted(result.reasons.items(), key=lambda item: (-item[1], item[0]))
        lines += ["", "| reason | rows |", "| --- | ---: |"]
        lines += [f"| `{reason}` | {rows:,} |" for reason, rows in by_rows]
    lines += ["", f"Rows and reasons: `ces quarantine --from {result.day} --to {result.day}`"]
    return "\n".join(lines)
