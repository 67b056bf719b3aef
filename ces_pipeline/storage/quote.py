"""Names and texts as SQL literals. Values travel as parameters; these are for what SQL does not let be one."""


def quote_text(text: str) -> str:
    """A VARCHAR literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'
