"""`ces inspect`: the columns of an export, the rows that rules would flag, and the registry entries that it needs.

This package prints nothing. It returns no value of a person and no free text. Its rehearsal runs the real landing and
cleaning on the file in a scratch home, so its counts are those of the next run.
"""

from ces_pipeline.profiling.inspect import inspect_file
from ces_pipeline.profiling.proposal import write_proposal
from ces_pipeline.profiling.rehearsal import rehearse, with_rehearsal
from ces_pipeline.profiling.result import (
    InspectedColumn,
    Inspection,
    Proposal,
    Question,
    Rehearsal,
    TimeRange,
)

__all__ = [
    "InspectedColumn",
    "Inspection",
    "Proposal",
    "Question",
    "Rehearsal",
    "TimeRange",
    "inspect_file",
    "rehearse",
    "with_rehearsal",
    "write_proposal",
]
