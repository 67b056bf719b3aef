"""The demo: seeded sample exports in the vendors' formats, with planted flaws, and the check of a published file.

It neither runs the pipeline nor imports its rules. The known answers follow from the planted data.
"""

from ces_pipeline.demo.generate import write_sample
from ces_pipeline.demo.known import KnownAnswers

__all__ = ["KnownAnswers", "write_sample"]
