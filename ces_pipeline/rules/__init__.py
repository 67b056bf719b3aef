"""Rules: one file per rule, with its name, meaning, default severity, evidence and check.

The name is the file's. The meaning is the first line of the file's docstring, as it is published. To add a rule, add
a file: the reasons, the registry's `severities`, `reference.reasons` and `mart.quality_daily` follow from it.
Nothing here imports pandas, NumPy or Pandera, since event handlers read the registry and must start fast.
"""
