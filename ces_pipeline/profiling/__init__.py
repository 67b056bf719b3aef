"""`ces inspect`: the columns of an export, the rows that rules would flag, and the registry entries that it needs.

This package prints nothing and does not use the lake. It returns no value of a person and no free text. Its counts use
simple rules over the file alone; the verdicts of the pipeline also use other files.
"""

from ces_pipeline.profiling.inspect import inspect_file
from ces_pipeline.profiling.proposal import write_proposal
from ces_pipeline.profiling.result import InspectedColumn, Inspection, Proposal, Question, TimeRange

__all__ = [
    "InspectedColumn",
    "Inspection",
    "Proposal",
    "Question",
    "TimeRange",
    "inspect_file",
    "write_proposal",
]
