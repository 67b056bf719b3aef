"""What leaves the pipeline: journeys to analytics platforms or files, scores to tickets. Off unless asked for.

All of it reads the published file, read-only, and sends nobody but keyed hashes. Our own ledger, not the receiver's
memory, decides what was sent.
"""
