"""The person who runs a command, for the logs of what people did."""

import getpass


def user_name() -> str:
    """The name of the operating system's user; `unknown` if it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
