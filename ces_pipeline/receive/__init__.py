"""Receives webhooks: verifies signed payloads and keeps them in the inbox of their source. `ces receive` serves it.

A payload is answered with 200 when the disk has it. The next run lands it like any file; nothing here judges rows.
"""
