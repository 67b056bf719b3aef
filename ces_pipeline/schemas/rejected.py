"""The columns that all quarantine tables share, except the one of answers."""

from typing import Any

from ces_pipeline.schemas.table import DAY, INSTANT, INTEGER, TEXT, TEXTS, Table, column


def rejected_table(name: str, what: str, identity: dict[str, Any], time: str, time_means: str) -> Table:
    """The table of rejected landed rows of a kind. identity: its first columns, beginning with the key."""
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
            "delivery_id": column(TEXT, "The earliest delivery with this content."),
            "row_number": column(
                INTEGER, "Row number in the file of that delivery, as a spreadsheet shows it."
            ),
            "day": column(
                DAY, f"Partition: business-zone date of {time}, else of the receipt of the delivery."
            ),
        },
        sort=(next(iter(identity)), "delivery_id", "row_number"),
    )
