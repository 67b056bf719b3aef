"""The sample: seeded native exports with planted, known flaws, and the check of a published file.

Nothing here runs the pipeline or imports its rules: the known answers come from what was planted.
"""

from ces_pipeline.demo.generate import write_sample
from ces_pipeline.demo.known import KnownAnswers

__all__ = ["KnownAnswers", "write_sample"]
