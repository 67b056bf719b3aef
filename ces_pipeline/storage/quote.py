"""Names and texts as SQL literals, for places where SQL allows no parameter. Use parameters for all other values."""


def quote_text(text: str) -> str:
    """A VARCHAR literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'
