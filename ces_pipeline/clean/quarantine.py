"""The landed values of rejected rows as JSON, for the quarantine tables."""

import pandas as pd
import pyarrow as pa

from ces_pipeline.storage.quote import quote_name, quote_text
from ces_pipeline.storage.scratch import scratch


def landed_json(rows: pd.DataFrame, columns: list[str]) -> pd.Series:
    """The non-null values of these columns of each row as a JSON object of texts, in column order."""
    # Most columns are null in every row. At least one column is kept, because a table without columns has no rows.
    filled = [name for name in columns if rows[name].notna().any()] or columns[:1]
    members = ", ".join(
        f"{quote_text(chr(34) + name + chr(34) + ':')} || to_json({quote_name(name)}::VARCHAR)"
        for name in filled
    )
    table = pa.Table.from_pandas(rows[filled], preserve_index=False)
    with scratch() as connection:
        connection.register("landed_rows", table)
        found = connection.sql(
            f"SELECT '{{' || concat_ws(',', {members}) || '}}' AS landed FROM landed_rows"
        ).to_arrow_table()
    landed: pd.Series = found["landed"].to_pandas().astype("str").set_axis(rows.index)
    return landed
