"""The result of cleaning days: accepted and rejected rows, and row counts by outcome and by reason."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from ces_pipeline.clean.unknown_words import UnknownWords


@dataclass(frozen=True)
class CleanedDays:
    """The result of cleaning some days.

    accepted, rejected: frames with the columns of the two tables, all days together. counts: row counts by day and
    source: stored (rows in the raw files), landed_again, superseded, accepted, rejected, suspect.
    reasons: row counts by day, a column per reason. unknown: unknown words of closed vocabularies.
    """

    accepted: pd.DataFrame
    rejected: pd.DataFrame
    counts: pd.DataFrame
    reasons: pd.DataFrame
    unknown: UnknownWords = field(default_factory=dict)

    def without_rows(self) -> "CleanedDays":
        """The counts alone, so that the memory of the rows is free once they are stored elsewhere."""
        return replace(self, accepted=pd.DataFrame(), rejected=pd.DataFrame())


def count_outcomes(resolved: pd.DataFrame, verdicts: dict[str, np.ndarray]) -> pd.DataFrame:
    """Row counts by day and source, a column per outcome; verdicts: outcome -> flags of the newest rows."""
    own = ~resolved["is_lookback"].to_numpy(dtype=bool)
    outcome = resolved["outcome"]
    flags = {
        "stored": own,
        "landed_again": own & (outcome == "landed_again").to_numpy(dtype=bool),
        "superseded": own & (outcome == "superseded").to_numpy(dtype=bool),
    }
    newest_rows = np.flatnonzero((outcome == "newest").to_numpy(dtype=bool))
    for name, chosen in verdicts.items():
        flags[name] = np.zeros(len(resolved), dtype=bool)
        flags[name][newest_rows[chosen]] = True
    codes, places = _places(resolved)
    counts = pd.DataFrame(
        {name: np.bincount(codes[flag], minlength=len(places)) for name, flag in flags.items()}, index=places
    )
    return counts[counts["stored"] > 0].sort_index()


def _places(rows: pd.DataFrame) -> tuple[np.ndarray, pd.MultiIndex]:
    """(position of each row's day and source in the index, the index of all days and sources)."""
    days, known_days = pd.factorize(rows["day"])
    sources, known_sources = pd.factorize(rows["source_id"])
    places = pd.MultiIndex.from_product(
        [list(known_days), [str(source_id) for source_id in known_sources]], names=["day", "source_id"]
    )
    return days * len(known_sources) + sources, places


def count_reasons(days: pd.Series, broken: np.ndarray, names: tuple[str, ...]) -> pd.DataFrame:
    """Row counts by day, a column per reason."""
    codes, known = pd.factorize(days)
    rows, reasons = np.nonzero(broken)
    counted = np.bincount(codes[rows] * len(names) + reasons, minlength=len(known) * len(names))
    return pd.DataFrame(counted.reshape(len(known), len(names)), index=list(known), columns=list(names))
