"""The checks of `ces doctor`: everything is read, nothing is changed but a probe file that is deleted again.

A few requests go to each source's API. Like any pull, this may renew an OAuth refresh token.
"""

from ces_pipeline.doctor.examine import examine
from ces_pipeline.doctor.programme import Item, checklist
from ces_pipeline.vendors.contract import Finding

__all__ = ["Finding", "Item", "checklist", "examine"]
