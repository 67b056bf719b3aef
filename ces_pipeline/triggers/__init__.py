"""Reference handlers for surveys on an event: each event gets one decision, with a signed link if it invites.

They run outside the nightly pipeline, in AWS Lambda (`aws.py`), Azure Functions (`azure.py`) or your own process
(`handler.py`), and need no cloud SDK. Their decisions land as a source of kind `invitations`; the marts measure them.
"""
