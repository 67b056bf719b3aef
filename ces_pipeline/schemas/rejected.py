"""What the quarantines of all kinds of rows but answers have in common."""

from typing import Any

from ces_pipeline.schemas.table import DAY, INSTANT, INTEGER, TEXT, TEXTS, Table, column


def rejected_table(name: str, what: str, identity: dict[str, Any], time: str, time_means: str) -> Table:
    """The table of rejected landed rows of a kind. identity: its first columns, the key first."""
    return Table(
        name,
        f"One row per rejected landed {what} row.",
        (),
        {
            **identity,
            "landed": column(TEXT, "The landed values as JSON: people as keyed hashes, texts redacted."),
            "reasons": column(TEXTS, "Every reason that applies; never empty."),
            time: column(INSTANT, f"{time_means}, UTC; null: no usable time.", nullable=True),
            "rule_version": column(TEXT, "Version of the rules that judged it."),
            "delivery_id": column(TEXT, "The earliest delivery that holds this content."),
            "row_number": column(INTEGER, "Its row in that delivery's file, as a spreadsheet shows it."),
            "day": column(DAY, f"Partition: business-zone date of {time}, else of the delivery's receipt."),
        },
        sort=(next(iter(identity)), "delivery_id", "row_number"),
    )
