"""Fake vendors: real HTTP servers on loopback that behave, and misbehave, as the vendors' own do."""
