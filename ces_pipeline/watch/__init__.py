"""What watches the figures and the runs: incidents, and the messages about them.

Pure functions from steps to episodes, from episodes to events, from events to incidents and messages; what reads the
published figures, the lake and the channels is apart from them.
"""
