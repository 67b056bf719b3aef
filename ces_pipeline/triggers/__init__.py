"""Reference handlers for event-driven surveys: an event in, one decision out, with a signed link where it invites.

They run outside the nightly pipeline, in AWS Lambda (`aws.py`), Azure Functions (`azure.py`) or a process of your own
(`handler.py`), and need no cloud SDK. What they decided lands as an `invitations` feed; the pipeline measures it.
"""
