"""The type of a table: a Pandera schema with a grain, a key, and the Arrow types of its files."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pyarrow as pya
import pyarrow.compute as pc

TEXT: Any = str
INTEGER: Any = pd.Int64Dtype()
NUMBER: Any = pd.Float64Dtype()
FLAG: Any = bool
FLAG_OR_NULL: Any = pd.BooleanDtype()
INSTANT: Any = pd.DatetimeTZDtype("us", "UTC")
DAY: Any = pd.ArrowDtype(pya.date32())
TEXTS: Any = pd.ArrowDtype(pya.list_(pya.string()))

_ARROW = {
    "str": pya.string(),
    "Int64": pya.int64(),
    "Float64": pya.float64(),
    "bool": pya.bool_(),
    "boolean": pya.bool_(),
    "datetime64[us, UTC]": pya.timestamp("us", "UTC"),
    str(DAY): pya.date32(),
    str(TEXTS): pya.list_(pya.string()),
}


def column(kind: Any, means: str, *, nullable: bool = False, checks: Any = None) -> pa.Column:
    """A column with its description. `kind` is one of the types of this module."""
    name = {str: "str", bool: "bool"}.get(kind, str(kind))
    return pa.Column(
        kind,
        nullable=nullable,
        description=means,
        checks=checks,
        coerce=False,
        metadata={"arrow": _ARROW[name]},
    )


@dataclass(frozen=True)
class Table:
    """A published table. `name` is layer and table (`core.responses`); lake, SQL and Dagster use the same name.

    is_view: the published file stores its query instead of its rows, because every row may differ each night.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: dict[str, pa.Column]
    sort: tuple[str, ...] = ()
    is_view: bool = False

    @property
    def layer(self) -> str:
        return self.name.split(".")[0]

    @property
    def short_name(self) -> str:
        return self.name.split(".")[1]

    @property
    def schema(self) -> pa.DataFrameSchema:
        return pa.DataFrameSchema(
            self.columns,
            strict=True,
            ordered=True,
            unique=list(self.key) or None,
            name=self.name,
            description=self.grain,
        )

    @property
    def arrow(self) -> pya.Schema:
        return pya.schema(
            pya.field(name, column.metadata["arrow"], nullable=bool(column.nullable))
            for name, column in self.columns.items()
        )

    @property
    def shape(self) -> list[object]:
        """What rows must match, without descriptions: key, order, and the type and checks of each column."""
        columns = [
            [
                field.name,
                str(field.type),
                field.nullable,
                [
                    [check.name, str(check.error), str(check.statistics)]
                    for check in self.columns[field.name].checks
                ],
            ]
            for field in self.arrow
        ]
        return [self.key, self.sort, columns]

    def in_arrow(self, frame: pd.DataFrame) -> pya.Table:
        """`frame` as Arrow, with the columns and types of this table. Raises ValueError if it has other ones."""
        if list(frame.columns) != list(self.columns):
            raise ValueError(f"{self.name}: the frame has other columns than the schema")
        try:
            table = pya.Table.from_pandas(frame, schema=self.arrow, preserve_index=False)
        except pya.ArrowException:
            # Arrow's message contains a value of the row.
            raise ValueError(f"{self.name}: a column of the frame has another type than the schema") from None
        return table.replace_schema_metadata(None)

    def broken(self, rows: pya.Table) -> list[str]:
        """Which checks the rows (of `in_arrow`) fail, and how often. The texts never contain a value.

        Each Pandera check is called on its column separately: validating the full schema would list every failure
        as a Python object.
        """
        found = []
        for name, column in self.columns.items():
            values = rows[name]
            if values.null_count and not column.nullable:
                found.append(f"{self.name}: column {name} breaks not_nullable ({values.null_count} cases)")
            for check in column.checks:
                holds = check(values.drop_null().to_pandas()).check_output
                if cases := int((~holds).sum()):
                    found.append(
                        f"{self.name}: column {name} breaks {check.error or check.name} ({cases} cases)"
                    )
        if self.key:
            repeated = rows.num_rows - rows.select(self.key).group_by(list(self.key)).aggregate([]).num_rows
            if repeated:
                found.append(f"{self.name}: {', '.join(self.key)} breaks uniqueness ({repeated} cases)")
        return found

    def by_day(self, rows: pya.Table) -> dict[date, pya.Table]:
        """The rows (of `in_arrow`) as one table per day, in the order of this table. Days without rows are left out."""
        return split_by_day(rows.sort_by([(name, "ascending") for name in ("day", *self.sort)]))


def split_by_day(table: pya.Table) -> dict[date, pya.Table]:
    """Slices of a table that is sorted by `day`: day -> its rows."""
    counted = pc.value_counts(table["day"])
    days, start = {}, 0
    for day, count in zip(
        counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True
    ):
        days[day] = table.slice(start, count)
        start += count
    return days
