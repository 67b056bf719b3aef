"""Account attributes of the respondents of a day, and a fingerprint of them as an input of the day.

`sql/core/accounts.sql` decides which account version is valid on a day, here and in the published file. Reads cleaned
account days and the respondents in raw files; cleans nothing.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import lru_cache

import duckdb
import pandas as pd
import pyarrow as pa

from ces_pipeline.clean.plan import DayPlan
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.segments import ACCOUNT_PREFIX
from ces_pipeline.schemas.table import DAY
from ces_pipeline.storage.duck import readable, session
from ces_pipeline.storage.lake import UNREADABLE, Lake, unreadable_files
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.sql_files import sql_files

_DAYS = pa.schema([("day", pa.date32()), ("decided_on", pa.date32())])
_DAY_OF_FILE = pa.schema([("place", pa.int64()), ("day", pa.date32())])


def account_names(asked: Iterable[str]) -> tuple[str, ...]:
    """The account attributes (such as `account.plan`) among the requested columns."""
    return tuple(name for name in asked if name.startswith(ACCOUNT_PREFIX))


def attributes_of(
    lake: Lake, registry: Registry, files: Sequence[str], names: Sequence[str], respondents: pa.Table
) -> pd.DataFrame:
    """The attributes `names` of each respondent on each day, one column each; no row if no account version is valid.

    files: day files of `core.account_versions`. respondents: distinct (day, respondent_key).
    """
    days = _decided_on(registry, respondents["day"].unique().to_pylist())
    with _timeline(lake, registry.settings.business_time_zone, files, days) as connection:
        connection.register("respondents", respondents)
        found = connection.sql(_query(names, "respondents")).to_arrow_table()
        attributes: pd.DataFrame = found.to_pandas(types_mapper={pa.date32(): DAY}.get)
        return attributes


def with_accounts(lake: Lake, registry: Registry, plan: DayPlan, rows: pd.DataFrame) -> pd.DataFrame:
    """The raw rows of responses with the requested attributes of each respondent's account on the row's day."""
    names = account_names(plan.asked)
    if not names:
        return rows
    columns = {f"asked_{place}": f"asked_{plan.asked.index(name)}" for place, name in enumerate(names)}
    known = rows.loc[rows["respondent_key"].notna(), ["day", "respondent_key"]].drop_duplicates()
    if known.empty or not plan.account_files:
        return rows.assign(
            **{name: pd.Series(None, index=rows.index, dtype="str") for name in columns.values()}
        )
    respondents = pa.Table.from_pandas(known, preserve_index=False)
    found = attributes_of(lake, registry, plan.account_files, names, respondents).rename(columns=columns)
    return rows.merge(found, on=["day", "respondent_key"], how="left")


def account_digests(
    lake: Lake,
    registry: Registry,
    files: Sequence[tuple[str, str]],
    names: Sequence[str],
    raw_files: Sequence[tuple[str, date]],
) -> dict[date, str]:
    """Day -> fingerprint of the attributes of its respondents; no entry for a day without attributes.

    files: path and SHA-256 of each day file of `core.account_versions`. raw_files: path and day of landed responses.
    A new account version changes only the fingerprints of later days on which its person responded.
    """
    days = _decided_on(registry, sorted({day for _, day in raw_files}))
    zone = registry.settings.business_time_zone
    try:
        return _digests(lake.root, zone, tuple(files), tuple(names), tuple(raw_files), days)
    except UNREADABLE:
        # Cleaning reports an unreadable file with its day; planning continues without it.
        lost = set(unreadable_files(lake, [path for path, _ in (*files, *raw_files)]))
        readable_files = tuple((path, sha256) for path, sha256 in files if path not in lost)
        answers = tuple((path, day) for path, day in raw_files if path not in lost)
        return _digests(lake.root, zone, readable_files, tuple(names), answers, days)


# A run plans several times over the same files.
@lru_cache(maxsize=2)
def _digests(
    root: str,
    zone: str,
    files: tuple[tuple[str, str], ...],
    names: tuple[str, ...],
    raw_files: tuple[tuple[str, date], ...],
    days: tuple[tuple[date, date], ...],
) -> dict[date, str]:
    if not files or not raw_files:
        return {}
    lake = Lake(root)
    with _timeline(lake, zone, [path for path, _ in files], days) as connection:
        of_file = [{"place": place, "day": day} for place, (_, day) in enumerate(raw_files)]
        connection.register("day_of_file", pa.Table.from_pylist(of_file, schema=_DAY_OF_FILE))
        rows = lake.scan(connection, [path for path, _ in raw_files], "answers")
        respondents = (
            f"(SELECT DISTINCT day, lower(hex(respondent_key)) AS respondent_key FROM {rows} "
            f"JOIN day_of_file USING (place) WHERE respondent_key IS NOT NULL)"
        )
        values = ", ".join(f"coalesce(asked_{place}, '\x1e')" for place in range(len(names)))
        found = connection.execute(
            f"SELECT day, string_agg(concat_ws('\x1f', respondent_key, {values}), '\x1d' ORDER BY respondent_key) "
            f"FROM ({_query(names, respondents)}) GROUP BY day"
        ).fetchall()
    return {day: hashlib.sha256(text.encode()).hexdigest() for day, text in found}


@contextmanager
def _timeline(
    lake: Lake, zone: str, files: Sequence[str], days: tuple[tuple[date, date], ...]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with table `core.accounts` from these day files, and `days` with columns day and decided_on."""
    (timeline,) = [file for file in sql_files("core") if file.table == "core.accounts"]
    rows_of_days = [{"day": day, "decided_on": decided_on} for day, decided_on in days]
    with session(None) as connection:
        connection.execute("CREATE SCHEMA core")
        connection.execute("CREATE SCHEMA reference")
        connection.execute(
            f"CREATE VIEW reference.settings AS SELECT {quote_text(zone)} AS business_time_zone"
        )
        with readable(connection, lake, list(files)) as rows:
            connection.execute(f"CREATE TABLE core.account_versions AS SELECT * FROM {rows}")
        connection.execute(f"CREATE TABLE core.accounts AS {timeline.query}")
        connection.register("days", pa.Table.from_pylist(rows_of_days, schema=_DAYS))
        yield connection


def _decided_on(registry: Registry, days: Iterable[date]) -> tuple[tuple[date, date], ...]:
    """(day, day whose accounts are used): the same day, unless a restatement names another."""
    return tuple((day, registry.accounts_as_of(day)) for day in days)


def _query(names: Sequence[str], respondents: str) -> str:
    chosen = ", ".join(
        f"json_extract_string(attributes, {quote_text(_pointer(name))}) AS asked_{place}"
        for place, name in enumerate(names)
    )
    return f"""
        SELECT day, respondent_key, {chosen}
        FROM {respondents} JOIN days USING (day)
        JOIN core.accounts ON person_key = respondent_key AND decided_on >= from_day
            AND (until_day IS NULL OR decided_on < until_day)
    """


def _pointer(name: str) -> str:
    return "/" + name.removeprefix(ACCOUNT_PREFIX).replace("~", "~0").replace("/", "~1")
