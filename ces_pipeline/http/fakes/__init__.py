"""Made-up vendors: real HTTP servers on loopback that behave, and misbehave, as the vendors' own do.

For `ces demo --api` and for the tests; nothing of the pipeline uses them.
"""
