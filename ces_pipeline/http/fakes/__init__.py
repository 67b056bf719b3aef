"""The base of the fake vendors: real HTTP servers on loopback that behave, and fail, as the vendors' own servers do.

For `ces demo --api` and the tests; the pipeline itself never uses them.
"""
