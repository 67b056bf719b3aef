"""What is in an export, what the rules would flag, which registry entries it needs: `ces inspect`.

Nothing is printed and nothing of the lake is touched. No value of a person and no free text leaves this
package. Counts are by simple rules over the file alone; the pipeline's verdicts also know other files.
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
